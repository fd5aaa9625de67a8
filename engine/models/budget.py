"""A model that answers only as long as a budget of seconds or tokens lasts."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from engine.models.base import ChatModel, ChatRequest, ModelCallError, ModelInfo, Piece, Reply

_MEND = "raise --budget"


class BudgetedModel:
    """Passes calls on until ``seconds`` after its making, or ``tokens`` read and written, are spent.

    0 means without end. The call in which a budget ends is stopped there and keeps what had come;
    those after it are not made. Pieces are counted as tokens while an answer comes.
    """

    def __init__(self, inner: ChatModel, *, seconds: float = 0.0, tokens: int = 0) -> None:
        self.inner = inner
        self._seconds, self._tokens = seconds, tokens
        self._until = time.monotonic() + seconds if seconds else 0.0
        self._spent = 0

    @property
    def provider(self) -> str:
        """Return the provider of the model that is asked."""
        return self.inner.provider

    async def available(self) -> list[ModelInfo]:
        """Return the model's."""
        return await self.inner.available()

    async def capabilities(self, model: str) -> ModelInfo:
        """Return the model's."""
        return await self.inner.capabilities(model)

    def _over(self, partial: str, more: int = 0) -> ModelCallError | None:
        if self._tokens and self._spent + more >= self._tokens:
            return ModelCallError(
                "budget", f"the budget of {self._tokens} tokens is spent", _MEND, partial=partial
            )
        if self._until and time.monotonic() >= self._until:
            problem = f"the budget of {self._seconds:g} seconds is spent"
            return ModelCallError("budget", problem, _MEND, partial=partial)
        return None

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece | Reply, None]:
        """Give what the model gives, as long as the budget lasts."""
        said = ""
        pieces = 0
        if spent := self._over(""):
            raise spent
        async with aclosing(self.inner.chat(request)) as stream:
            while True:
                left = max(0.0, self._until - time.monotonic()) if self._until else None
                try:
                    async with asyncio.timeout(left):
                        part = await anext(stream, None)
                except TimeoutError:
                    part = None
                if isinstance(part, Reply):
                    self._spent += part.prompt_tokens + part.answer_tokens
                    yield part
                    return
                if part is not None:
                    pieces += 1
                    said += "" if part.thinking else part.text
                    yield part
                if (spent := self._over(said, pieces)) or part is None:
                    self._spent += pieces
                    raise spent or ModelCallError("cut-off", "the model's answer ended before its end")

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return the model's."""
        return await self.inner.embed(model, texts)

    async def aclose(self) -> None:
        """Release the model."""
        await self.inner.aclose()
