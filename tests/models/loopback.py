"""A small server that speaks Ollama's protocol on loopback, and misbehaves on request."""

import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Benchmarks and tests of other rooms import this file from elsewhere.
sys.path.insert(0, str(Path(__file__).parent))

from loopback_faults import before_the_first_token, in_mid_answer

CHAT_MODEL = {
    "name": "tiny:1b",
    "model": "tiny:1b",
    "digest": "d1" * 32,
    "size": 5,
    "details": {"parameter_size": "1.2B", "family": "llama", "context_length": 8192},
    "capabilities": ["completion"],
}
EMBEDDER = {
    "name": "embedder:latest",
    "model": "embedder:latest",
    "digest": "e1" * 32,
    "details": {"family": "bert"},
    "capabilities": ["embedding"],
}
LONG = "The answer stands in the first passage and nowhere else at all"


def quote(body: dict[str, Any]) -> str:
    """Answer as an obedient model would: with the first sentence of the first passage or claim."""
    prompt = body["messages"][-1]["content"]
    claim = re.search(r"^- (.*?) (\[\d+\])", prompt, re.MULTILINE)
    if claim and "\nPassages:" in prompt and prompt.startswith("Claims:"):
        return f"{claim[1].rstrip('.')} {claim[2]}."
    passage = re.search(r"^\[(S\d+)\] (?:\([^)]*\) )?(.*(?:\n  .*)*)", prompt, re.MULTILINE)
    sentence = re.split(r"(?<=[.!?])\s", " ".join(passage[2].split()))[0] if passage else ""
    if body.get("format"):
        return json.dumps({"claims": [{"text": sentence, "cites": ["S1"], "kind": "fact"}]})
    return f"- {sentence} [{passage[1]}]" if passage else LONG


class Loopback:
    """Runs in a thread of its own between ``with`` and its end; ``log`` tells what was asked of it.

    ``struck`` of an entry holds when its request came and when each piece of the answer went, by
    ``time.monotonic``.

    ``fault`` names what goes wrong with calls of /api/chat, after ``after`` words where it happens in
    mid-answer; ``faulty`` says how many of them (then the server is well again).
    """

    def __init__(
        self,
        fault: str = "",
        *,
        after: int = 3,
        faulty: int = 1000,
        models: list[dict[str, Any]] | None = None,
        reply: Callable[[dict[str, Any]], str] = quote,
        delay: float = 0.0,
    ) -> None:
        self.fault, self.after, self.faulty, self.delay = fault, after, faulty, delay
        self.models = [CHAT_MODEL, EMBEDDER] if models is None else models
        self.reply = reply
        self.log: list[dict[str, Any]] = []
        self.loaded: dict[str, int] = {}
        self.prompt_tokens: int | None = None
        self.reads_per_second = self.load_seconds = 0.0
        self.embeds_before_fault = 0
        self.port = 0
        self.most_at_once = self._live = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def chats(self) -> list[dict[str, Any]]:
        return [each for each in self._asked if each["body"].get("messages")]

    @property
    def loads(self) -> list[dict[str, Any]]:
        """The calls that only have a model loaded."""
        return [each for each in self._asked if not each["body"].get("messages")]

    @property
    def _asked(self) -> list[dict[str, Any]]:
        return [each for each in self.log if each["path"].endswith("/api/chat")]

    def __enter__(self) -> "Loopback":
        self._thread.start()
        self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._handle(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        entry: dict[str, Any] = {"path": "", "body": {}, "sent": 0, "gone": False, "struck": []}
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            entry["path"] = head.split()[1]
            entry["head"] = head
            length = re.search(r"content-length: *(\d+)", head, re.IGNORECASE)
            raw = await reader.readexactly(int(length[1])) if length else b""
            entry["body"] = json.loads(raw) if raw else {}
            self.log.append(entry)
            entry["struck"].append(time.monotonic())
            self._live += entry["path"].endswith("/api/chat")
            self.most_at_once = max(self.most_at_once, self._live)
            await self._answer(reader, writer, entry)
        except (asyncio.IncompleteReadError, ConnectionError):
            entry["gone"] = True
        finally:
            self._live -= entry["path"].endswith("/api/chat")
            writer.close()

    async def whole(
        self, writer: asyncio.StreamWriter, value: Any, status: str = "200 OK", extra: str = ""
    ) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{extra}"
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()

    async def hold(self, reader: asyncio.StreamReader, entry: dict[str, Any]) -> None:
        await reader.read(1)
        entry["gone"] = True

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, entry: dict[str, Any]
    ) -> None:
        path, body = entry["path"], entry["body"]
        name = body.get("model", "")
        known = {each["model"] for each in self.models}
        if path.endswith("/api/tags"):
            await self.whole(writer, {"models": self.models})
        elif path.endswith("/api/ps") and self.fault == "silent-ps":
            await self.hold(reader, entry)
        elif path.endswith("/api/ps"):
            rows = [{"name": n, "model": n, "context_length": c} for n, c in self.loaded.items()]
            await self.whole(writer, {"models": rows})
        elif path.endswith("/api/show"):
            info = {"general.architecture": "llama", "llama.context_length": 8192}
            model = next((each for each in self.models if each["model"] == name), {})
            found = {"model_info": info, "capabilities": model.get("capabilities", ["completion"])}
            await self.whole(writer, {**found, "details": model.get("details", {})})
        elif path.endswith("/api/pull"):
            await self._pull(reader, writer, entry, name)
        elif name not in known:
            await self.whole(writer, {"error": f"model '{name}' not found"}, "404 Not Found")
        elif path.endswith("/api/embed"):
            done = sum(each["path"].endswith("/api/embed") for each in self.log)
            late = done > self.embeds_before_fault
            if self.fault == "embed-silent" and late:
                await self.hold(reader, entry)
            elif self.fault == "embed-500" and late:
                error = {"error": "llama-server process has terminated: oom"}
                await self.whole(writer, error, "500 Internal Server Error")
            elif self.fault == "embed-drop" and late:
                pass
            else:
                await self._embed(writer, body)
        elif path.endswith("/api/chat") and not body["messages"] and self.fault == "load-500":
            await self.whole(writer, {"error": "out of memory"}, "500 Internal Server Error")
        elif path.endswith("/api/chat") and not body["messages"] and self.fault == "load-silent":
            await self.hold(reader, entry)
        elif path.endswith("/api/chat") and not body["messages"]:
            await asyncio.sleep(self.load_seconds)
            self.loaded.setdefault(name, body["options"]["num_ctx"])
            said = {"role": "assistant", "content": ""}
            await self.whole(writer, {"model": name, "message": said, "done": True, "done_reason": "load"})
        elif path.endswith("/api/chat"):
            fault = self.fault if len(self.chats) <= self.faulty else ""
            if not await before_the_first_token(fault, self, reader, writer, entry):
                await self._chat(reader, writer, entry, fault)
        else:
            await self.whole(writer, b"404 page not found", "404 Not Found")

    async def _pull(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, entry: dict[str, Any], name: str
    ) -> None:
        lines: list[dict[str, Any]] = [{"status": "pulling manifest"}]
        layer = {"status": "pulling abc", "digest": "sha256:abc", "total": 4_000_000}
        if name == "missing":
            lines.append({"error": "pull model manifest: file does not exist"})
        elif name.startswith("slow"):  # half of it comes, and then nothing until the client goes away
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n"
            writer.write(head + json.dumps({**layer, "completed": 2_000_000}).encode() + b"\n")
            await writer.drain()
            await self.hold(reader, entry)
            return
        else:
            lines += [layer, {**layer, "completed": 4_000_000}, {"status": "success"}]
            fetched = {**CHAT_MODEL, "name": name, "model": name}
            self.models = [*(each for each in self.models if each["model"] != name), fetched]
        await self.whole(writer, b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    async def _embed(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
        vectors: list[Any] = [[float(len(text)), 1.0, 2.0] for text in body["input"]]
        if self.fault == "nan":
            vectors[0][0] = 1e308 * 10
        elif self.fault == "short":
            vectors[0] = [1.0]
        elif self.fault == "few":
            vectors.pop()
        elif self.fault == "zero":
            vectors[0] = [0.0, 0.0, 0.0]
        await self.whole(writer, {"model": body["model"], "embeddings": vectors})

    async def _chat(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, entry: dict[str, Any], fault: str
    ) -> None:
        body = entry["body"]
        self.loaded.setdefault(body["model"], body["options"]["num_ctx"])

        def line(text: str, **more: Any) -> bytes:
            message = {"role": "assistant", "content": text, **more.pop("message", {})}
            return (
                json.dumps({"model": body["model"], "message": message, "done": False, **more}).encode()
                + b"\n"
            )

        async def chunk(data: bytes) -> None:
            entry["struck"].append(time.monotonic())
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()
            entry["sent"] += 1

        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        if fault == "unloaded":
            await chunk(line("", done=True, done_reason="load"))
            return
        text = "" if fault in {"empty", "empty-length"} else self.reply(body)
        words = re.findall(r"\S+\s*", text)
        if fault in {"thoughts", "thinking"}:
            await chunk(line("", message={"thinking": "Let me see. "}))
            words = [] if fault == "thoughts" else words
        gone = asyncio.ensure_future(reader.read(1))
        try:
            for number, word in enumerate(words):
                here = number == self.after and fault
                if here and await in_mid_answer(fault, chunk, line, writer, gone, entry):
                    return
                await chunk(line(word))
                if fault == "blank-lines":
                    await chunk(b"\r\n")
                    await chunk(b"\n\r\n" + line("") + b"\r\n\r\n")
                if self.delay:
                    await asyncio.sleep(self.delay)
                if gone.done():
                    entry["gone"] = True
                    return
        finally:
            gone.cancel()
        ends: dict[str, Any] = {
            "done": True,
            "done_reason": "length" if fault in {"empty-length", "thoughts", "length"} else "stop",
        }
        sent = sum(len(each["content"]) for each in body["messages"])
        count = sent // 4 if self.prompt_tokens is None else self.prompt_tokens
        if self.reads_per_second:
            ends["prompt_eval_duration"] = int(count / self.reads_per_second * 1e9)
        if fault != "no-done":
            await chunk(line("", **ends, prompt_eval_count=count, eval_count=len(words)))
        if fault == "after-done":
            await chunk(line("more", done=False))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
