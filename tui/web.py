"""The app in a browser of this machine, through textual-serve. Every page opens an app of its own.

Two things are added to textual-serve. A request has to come for this server and from its own pages:
any web page the user visits may otherwise connect to a local port. And the pages may load nothing
from elsewhere: the one that ships asks a font service for a font.
"""

import ipaddress
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.server import Server

POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:"
)


def is_for_us(host: str, origin: str, own_name: str) -> bool:
    """Return whether a request with these headers is meant for this server and no page elsewhere sent it.

    A name can be pointed at any address by whoever owns it; an address and ``localhost`` cannot.

    >>> is_for_us("127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1")
    True
    >>> is_for_us("127.0.0.1:8000", "https://evil.example", "127.0.0.1")
    False
    >>> is_for_us("evil.example:8000", "http://evil.example:8000", "127.0.0.1")
    False
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        sender = urlsplit(origin).netloc if origin else host
    except ValueError:
        return False
    return sender == host and (name in {"localhost", own_name} or _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def guard(own_name: str) -> Middleware:
    """Return what refuses requests that are not for us, and tells pages to load nothing from elsewhere."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_for_us(request.headers.get("Host", ""), request.headers.get("Origin", ""), own_name):
            raise web.HTTPForbidden(text="persona-moe answers its own pages only\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY
        return response

    return guarded


class LocalServer(Server):
    """textual-serve's server with the two guards; a page looks for its parts where it was asked for."""

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """Return the page of the app."""
        # The guard has checked the name, and nothing is awaited before the page is written with it.
        self.public_url = f"http://{request.host}"
        page: web.StreamResponse = await super().handle_index(request)
        return page

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(guard(self.host))
        return app


def command(workspace: Path | None) -> str:
    """Return the command line of one app, quoted for the shell that textual-serve runs it in."""
    words = [sys.executable, "-m", "tui"]
    if workspace is not None:
        words += ["--workspace", str(workspace.resolve())]
    return shlex.join(words)


def serve(workspace: Path | None, host: str, port: int) -> None:
    """Serve until the user stops it. Raises OSError if the port is taken."""
    LocalServer(command(workspace), host=host, port=port, title="persona-moe").serve()
