"""Bytes between here and a model server, held to limits; and what can go wrong, in plain words."""

import json
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from engine.cleaning import one_line
from engine.models.base import ModelCallError
from engine.models.hosts import is_loopback

if TYPE_CHECKING:
    import httpx

MAX_LINE = 1 << 20
"""Bytes of one line of a stream, and of a whole answer that is not one."""

_TOO_LONG = "the model server sent a line of more than 1 MB"
_BLANK_LINES = re.compile(rb"(?:\r?\n)+")
_WINDOW = re.compile(r"exceed_context_size|exceeds the available context size|context length", re.I)


class LineLimitError(Exception):
    """A line, or an answer without lines, is longer than :data:`MAX_LINE`."""


class EncodedError(Exception):
    """The answer is compressed although that was not asked for: its size cannot be bounded."""


def bounded_transport(url: str, connections: int) -> "httpx.AsyncBaseTransport":
    """Return the transport to one server: no retries, no redirects, no line above 1 MB.

    The environment's proxy settings hold for other machines, never for this one.
    """
    import httpx

    class Lines(httpx.AsyncByteStream):
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            open_line = 0
            fresh = True
            async for raw in self.inner:
                # Some proxies keep a connection alive with blank lines; the client would stumble on one.
                block = _BLANK_LINES.sub(b"\n", raw)
                block = block.lstrip(b"\r\n") if fresh else block
                if not block:
                    continue
                fresh = block.endswith(b"\n")
                last = block.rfind(b"\n")
                longest = max(map(len, block.split(b"\n"))) if len(block) > MAX_LINE else 0
                first = block.find(b"\n")
                head = len(block) if first < 0 else first
                if open_line + head > MAX_LINE or longest > MAX_LINE:
                    raise LineLimitError
                open_line = open_line + len(block) if last < 0 else len(block) - last - 1
                yield block

        async def aclose(self) -> None:
            await self.inner.aclose()

    class Bounded(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            limits = httpx.Limits(max_connections=connections)
            self.keyed = url.startswith("https://") or is_loopback(url)
            # Reading the certificates of authorities takes a tenth of a second: only where they serve.
            secure = url.startswith("https://")
            self.inner = httpx.AsyncHTTPTransport(verify=secure, limits=limits, proxy=_proxy(url))

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if not self.keyed:  # the client would send a key to any host, in the clear too
                request.headers.pop("authorization", None)
            response = await self.inner.handle_async_request(request)
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                await response.aclose()
                raise EncodedError
            return httpx.Response(
                status_code=response.status_code,
                headers=response.headers,
                stream=Lines(response.stream),
                extensions=response.extensions,
            )

        async def aclose(self) -> None:
            await self.inner.aclose()

    return Bounded()


def _proxy(url: str) -> str | None:
    if is_loopback(url):
        return None
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


def fault_of(error: Exception, *, started: bool) -> ModelCallError:
    """Return what ``error`` of the client means; ``started`` says whether anything had been answered.

    Only what cannot have been answered is marked for another try. Errors of types that the client
    raises by accident while reading a strange answer are the server's fault, not a defect here.
    """
    import httpx
    from ollama import ResponseError

    match error:
        case ModelCallError():
            return error
        case ResponseError():
            return _status_fault(error, started)
        case LineLimitError():
            return ModelCallError("too-long", _TOO_LONG, "it may not be an Ollama server")
        case EncodedError():
            return ModelCallError(
                "garbage", "the model server compressed its answer unasked", "it may not be Ollama"
            )
        case httpx.ConnectTimeout():
            return ModelCallError(
                "unreachable", "the model server did not accept the connection in time", _REACH, retry=True
            )
        case httpx.ConnectError() | ConnectionError():
            return _connect_fault(error)
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError() | httpx.CloseError():
            said = "in the middle of its answer" if started else "without an answer"
            return ModelCallError(
                "dropped", f"the model server closed the connection {said}", "ask again", retry=not started
            )
        case httpx.TimeoutException():
            return ModelCallError("stalled", "the model server stopped answering", "ask again")
        case httpx.HTTPError() | httpx.InvalidURL():
            return ModelCallError("unreachable", f"the model server cannot be asked ({_kind(error)})", _REACH)
        case _:
            why = "a line of it is not JSON" if isinstance(error, ValueError) else _kind(error)
            why = "a line of it is nested too deeply" if isinstance(error, RecursionError) else why
            return ModelCallError(
                "garbage",
                f"the model server's answer cannot be read ({why})",
                "it may not be an Ollama server, or one of another version",
            )


_REACH = "check that it runs ('ollama serve') and that ollama.api_endpoint is right"


def _kind(error: Exception) -> str:
    return type(error).__name__


def _connect_fault(error: Exception) -> ModelCallError:
    text = f"{error} {error.__cause__} {error.__context__}".lower()
    if any(word in text for word in ("name or service", "nodename", "name resolution", "getaddrinfo")):
        return ModelCallError("unreachable", "the model server's name cannot be resolved", _REACH, retry=True)
    if "refused" in text or "all connection attempts failed" in text or "failed to connect" in text:
        return ModelCallError("refused", "no model server is listening there", _REACH, retry=True)
    if "certificate" in text or "ssl" in text:
        return ModelCallError(
            "unreachable", "the model server's certificate is not accepted", "check the https address"
        )
    return ModelCallError("unreachable", "the model server cannot be reached", _REACH, retry=True)


def error_text(text: str) -> str:
    r"""Return the message in an error's body, unwrapped; '' if it is no message of Ollama's.

    >>> error_text('{"error":"{\\"error\\":{\\"code\\":400,\\"message\\":\\"too long\\"}}"}')
    'too long'
    >>> error_text("<html>oops</html>")
    ''
    """
    for _ in range(4):
        if text.lstrip()[:1] != "{":
            return "" if text.lstrip()[:1] == "<" else one_line(text, 300)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        found = value.get("error", value.get("message", ""))
        if isinstance(found, dict):
            found = found.get("message", "")
        if not isinstance(found, str):
            return ""
        text = found
    return one_line(text, 300)


def _status_fault(error: Any, started: bool) -> ModelCallError:
    status = int(error.status_code) if isinstance(error.status_code, int) else -1
    said = error_text(str(error.error)) if isinstance(error.error, str) else ""
    return status_fault(status, said, started)


def status_fault(status: int, said: str, started: bool, wait: float = 0.0) -> ModelCallError:
    """Return what an HTTP status, or -1 for an error line in a stream, and its message mean."""
    told = f": {said}" if said else ""
    if _WINDOW.search(said):
        mend = "set ollama.context_tokens higher, or ask a shorter question"
        return ModelCallError("window", f"the prompt does not fit the model's context{told}", mend)
    if status == -1:
        return ModelCallError("stream-error", f"the model failed while it was writing{told}", "ask again")
    if status in {429, 503, 499}:
        mend = "wait until it has less to do, or lower ollama.parallel"
        return ModelCallError(
            "busy", f"the model server has too much to do{told}", mend, retry=not started, wait=wait
        )
    if status in {301, 302, 303, 307, 308}:
        mend = "put the final address into ollama.api_endpoint"
        return ModelCallError(
            "redirected", "the model server sends elsewhere, and is not followed there", mend
        )
    if status in {401, 403, 407}:
        mend = "set OLLAMA_API_KEY, or sign in with 'ollama signin'"
        return ModelCallError(
            "unauthorized", f"the model server refuses to answer (status {status}){told}", mend
        )
    if status == 404 and "page not found" not in said and "model" in said:
        return ModelCallError("unknown-model", said, "see 'persona-moe models list'")
    if status in {404, 405} or (not said and status < 500):
        mend = "check ollama.api_endpoint; Ollama's own port is 11434"
        return ModelCallError(
            "not-ollama", f"what answers there is not an Ollama server (status {status})", mend
        )
    if status >= 500:
        mend = "see the server's log; a smaller model or a smaller ollama.context_tokens may fit"
        return ModelCallError("server-error", f"the model server failed (status {status}){told}", mend)
    mend = "check the model and the settings in ollama.toml"
    return ModelCallError("rejected", f"the model server refused the call (status {status}){told}", mend)
