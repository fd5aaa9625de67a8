"""``persona-moe serve --web``: the app in a browser."""

import argparse
from typing import Any

from tui import output

HOST = "127.0.0.1"
PORT = 8765


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = 0
    if not 1 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no port; give a number from 1 to 65535")
    return port


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "serve",
        help="show the app in a browser on this machine",
        description="Show the app in a browser. It is served to this machine only, unless --host says "
        "otherwise; there is no password. Needs the extra 'web'.",
    )
    parser.add_argument("--web", action="store_true", required=True, help="serve it to a browser")
    parser.add_argument("--host", default=HOST, metavar="ADDRESS", help=f"where to listen (default: {HOST})")
    parser.add_argument("--port", type=_port, default=PORT, metavar="N", help=f"default: {PORT}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until it is stopped; returns the exit code."""
    import importlib.util

    from engine.errors import InputError
    from engine.models.hosts import is_loopback
    from tui.session import open_workspace

    if importlib.util.find_spec("textual_serve") is None:
        raise InputError(
            "the extra 'web' is not installed, which serves the app to a browser",
            "pipx install 'persona-moe[web]', or pip install textual-serve",
        )
    workspace = open_workspace(args)
    host = f"[{args.host}]" if ":" in args.host else args.host
    url = f"http://{host}:{args.port}"
    if not is_loopback(url):
        output.note(f"Warning: whoever can reach {url} can read your documents; there is no password")
    from tui import web

    output.print_line(f"The app is at {url} (ctrl+c ends it)")
    try:
        web.serve(workspace.root, args.host, args.port)
    except OSError as error:
        raise InputError(
            f"cannot listen on {url}: {error.strerror or error}", "give another --port"
        ) from error
    return 0
