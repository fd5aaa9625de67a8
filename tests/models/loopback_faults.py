"""How the server on loopback fails a call: before the first token of its answer, or in the middle of it."""

import asyncio
import json
import socket
import struct
from typing import Any, Protocol


class Answers(Protocol):
    """What of the server is needed here: to answer as a whole, and to hold a connection in silence."""

    async def whole(
        self, writer: asyncio.StreamWriter, value: Any, status: str = "200 OK", extra: str = ""
    ) -> None: ...

    async def hold(self, reader: asyncio.StreamReader, entry: dict[str, Any]) -> None: ...


async def before_the_first_token(
    fault: str,
    server: Answers,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    entry: dict[str, Any],
) -> bool:
    """Do what ``fault`` does before the first token; return whether that was all."""
    errors = {
        "400": ("400 Bad Request", {"error": "invalid options"}),
        "401": ("401 Unauthorized", {"error": "unauthorized"}),
        "500": ("500 Internal Server Error", {"error": "llama-server process has terminated: oom"}),
        "503": ("503 Service Unavailable", {"error": "server busy, please try again.  maximum pending"}),
        "429": ("429 Too Many Requests", {"error": "too many requests"}),
        "window": (
            "400 Bad Request",
            {
                "error": json.dumps(
                    {"error": {"message": "request (9 tokens) exceeds the available context size (4 tokens)"}}
                )
            },
        ),
        "404": ("404 Not Found", {"error": f"model '{entry['body'].get('model')}\x1b[2J' not found"}),
    }
    if fault in errors:
        status, value = errors[fault]
        await server.whole(writer, value, status)
    elif fault == "html":
        await server.whole(writer, b"<html>\x1b[2Joops</html>", "500 Internal Server Error")
    elif fault == "not-ollama":
        await server.whole(writer, b"404 page not found", "404 Not Found")
    elif fault == "redirect":
        await server.whole(writer, b"", "302 Found", "Location: http://169.254.169.254/\r\n")
    elif fault == "gzip":
        await server.whole(writer, b"not gzip", extra="Content-Encoding: gzip\r\n")
    elif fault == "reset":
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    elif fault == "silent":
        await server.hold(reader, entry)
    elif fault == "drip":
        for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n" * 9:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)
    else:
        return False
    return True


async def in_mid_answer(
    fault: str,
    chunk: Any,
    line: Any,
    writer: asyncio.StreamWriter,
    gone: Any,
    entry: dict[str, Any],
) -> bool:
    """Do what ``fault`` does in mid-answer; return whether the answer ends with it."""
    strange = {
        "garbage": bytes(range(128, 256)) + b"\n",
        "half-line": b'{"model":"tiny:1b","mess',
        "error-text": b"internal failure \x1b[31m\n",
        "error-line": json.dumps({"error": "an error was encountered while running the model"}).encode()
        + b"\n",
        "error-object": b'{"error": {"code": 1}}\n',
        "error-number": b'{"error": "5"}\n',
        "list": b"[]\n",
        "null": b'{"message": null}\n',
        "types": b'{"message":[1],"done":"no"}\n',
        "deep": b"[" * 100_000 + b"\n",
        "huge": b'{"x":"' + b"A" * (2 << 20),
    }
    if fault in strange:
        await chunk(strange[fault])
        writer.write(b"0\r\n\r\n")
        return True
    if fault == "drop":
        return True
    if fault == "stall":
        await gone
        entry["gone"] = True
        return True
    if fault == "surrogates":
        await chunk(line("\ud83d"))
        await chunk(line("\ude00 "))
    elif fault == "escapes":
        await chunk(line("\x1b]52;c;aGk=\x07\x9b2J\u202e "))
    elif fault == "endless":
        while not gone.done():
            entry["sent"] += 1
            await chunk(line(f"word{entry['sent']} and on "))
        entry["gone"] = True
        return True
    return False
