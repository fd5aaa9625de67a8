"""Quick settings, and calls with the real client."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from engine.config import OllamaSettings
from engine.events import ModelMessage
from engine.models.base import ChatRequest, Piece, Reply
from engine.models.ollama import OllamaModel

T = TypeVar("T")
PROMPT = (
    "[S1] Karl was born in 1804. He was a prince.\n[S2] Otto was a baker.\n\nQuestion: When was Karl born?"
)


def quick(**more: Any) -> OllamaSettings:
    """Settings whose waits a test can sit out, and a busy machine does not reach by itself."""
    waits = {"connect_seconds": 2.0, "first_token_seconds": 8.0, "stall_seconds": 8.0, "total_seconds": 20.0}
    return OllamaSettings(**{**waits, **more})


def request(text: str = PROMPT, model: str = "tiny:1b", **more: Any) -> ChatRequest:
    messages = (ModelMessage(role="system", content="Be brief."), ModelMessage(role="user", content=text))
    return ChatRequest(**{"model": model, "messages": messages, "num_ctx": 4096, "max_tokens": 200, **more})


async def collect(model: Any, asked: ChatRequest) -> tuple[list[Piece], Reply]:
    """Return the pieces and the reply of one call."""
    pieces: list[Piece] = []
    async for part in model.chat(asked):
        if isinstance(part, Reply):
            return pieces, part
        pieces.append(part)
    raise AssertionError("no reply")


def with_model(
    work: Callable[[OllamaModel], Coroutine[Any, Any, T]], *urls: str, settings: OllamaSettings | None = None
) -> T:
    """Run ``work`` with the real client on these servers, and close it."""

    async def run() -> T:
        model = OllamaModel(settings or quick(), urls)
        try:
            return await work(model)
        finally:
            await model.aclose()

    return asyncio.run(run())
