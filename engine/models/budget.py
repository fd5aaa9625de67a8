"""A model that answers only as long as a budget of seconds or tokens lasts."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from engine.models.base import ChatModel, ChatRequest, ModelCallError, ModelInfo, Piece, Reply

BYTES_PER_TOKEN = 4


class BudgetedModel:
    """Passes calls on until ``seconds`` after its making, or ``tokens`` read and written, are spent.

    0 means without end. Of ``calls`` that are to come each may take an equal share of what is left, so
    that the first does not spend what the last one needs; further ones may take all that is left. A
    call whose share ends is stopped there and keeps what had come, and one whose prompt alone is
    longer than what is left is not made. A token is counted for each piece, and for four bytes of a
    prompt, until the server says how many there were.
    """

    def __init__(self, inner: ChatModel, *, seconds: float = 0.0, tokens: int = 0, calls: int = 1) -> None:
        self.inner = inner
        self._seconds, self._tokens, self._calls = seconds, tokens, calls
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

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece | Reply, None]:
        """Give what the model gives, as long as its share of the budget lasts."""
        shares = max(1, self._calls)
        self._calls -= 1
        began = time.monotonic()
        until = began + max(0.0, self._until - began) / shares if self._until else None
        most = (self._tokens - self._spent) // shares if self._tokens else None
        prompt = sum(len(each.content.encode()) for each in request.messages) // BYTES_PER_TOKEN
        if (until is not None and until <= began) or (most is not None and prompt >= most):
            raise self._over("")
        said = ""
        spent = prompt
        # Calls that go on at the same time must not share out the same tokens.
        self._spent += most or 0
        try:
            async with aclosing(self.inner.chat(request)) as stream:
                while True:
                    try:
                        async with asyncio.timeout(None if until is None else until - time.monotonic()):
                            part = await anext(stream, None)
                    except TimeoutError:
                        raise self._over(said) from None
                    if part is None:
                        raise ModelCallError("cut-off", "the model's answer ended before its end")
                    if isinstance(part, Reply):
                        spent = (part.prompt_tokens or prompt) + part.answer_tokens
                        yield part
                        return
                    spent += 1
                    said += "" if part.thinking else part.text
                    yield part
                    if most is not None and spent >= most:
                        raise self._over(said)
        finally:
            self._spent += spent - (most or 0)

    def _over(self, partial: str) -> ModelCallError:
        what = f"{self._seconds:g} seconds" if self._seconds else f"{self._tokens} tokens"
        problem = f"its share of the budget of {what} is spent"
        return ModelCallError("budget", problem, "raise --budget", partial=partial)

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return the model's."""
        return await self.inner.embed(model, texts)

    async def aclose(self) -> None:
        """Release the model."""
        await self.inner.aclose()
