"""Ollama: one answer at a time from one of several servers, with every wait bounded."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from engine.config import OllamaSettings
from engine.config_file import nearest
from engine.log import logger
from engine.models.base import ChatRequest, ModelCallError, ModelInfo, Piece, Reply, installed
from engine.models.endpoint import Endpoint
from engine.models.hosts import address, normalise_host
from engine.models.pieces import PieceCleaner
from engine.models.pool import EndpointPool
from engine.models.wire import fault_of

RETRIES = 2
"""Further tries of a call that was refused before it had begun to be answered."""
MOST_WAIT = 5.0
CHARS_PER_TOKEN = 16
"""An answer longer than this many characters for each token it may have is not a bounded one."""

LOOP_LENGTH = 40
LOOP_TIMES = 4
LOOP_WITHIN = 1_600
"""An answer whose last 40 characters stood there four times of late goes round in circles."""

_GIVE_UP = frozenset({"refused", "unreachable", "not-ollama", "redirected", "unauthorized", "stalled"})
"""Faults after which a server gets no further calls in this session: the next would end the same."""


class OllamaModel:
    """The servers of ``settings.endpoints``, asked through the ``ollama`` package's AsyncClient."""

    provider = "ollama"

    def __init__(self, settings: OllamaSettings, endpoints: Sequence[str] = ()) -> None:
        """Raises ConfigError for an address that cannot be used; connects to nothing yet."""
        self.settings = settings
        urls = list(dict.fromkeys(normalise_host(each) for each in endpoints or settings.endpoints))
        self.endpoints = [Endpoint(url, settings) for url in urls]
        self._pool = EndpointPool(self.endpoints, settings.parallel)
        self._listed: list[ModelInfo] = []

    async def aclose(self) -> None:
        """Close all connections, which ends whatever the servers still do for them."""
        for endpoint in self.endpoints:
            await endpoint.aclose()

    @property
    def faults(self) -> list[tuple[str, ModelCallError]]:
        """Return (address, why) of the servers that get no more calls."""
        return [(each.url, each.fault) for each in self.endpoints if each.fault is not None]

    # -- what is there ---------------------------------------------------------------------------
    async def available(self) -> list[ModelInfo]:
        """Return the models of all servers that answer, in the order the first one lists them."""

        async def ask(endpoint: Endpoint) -> list[ModelInfo]:
            try:
                return await endpoint.list_models()
            except ModelCallError as fault:
                endpoint.fault, fault.where = fault, address(endpoint.url)
                return []

        found = await asyncio.gather(*map(ask, self.endpoints))
        if all(each.fault is not None for each in self.endpoints):
            raise next(each.fault for each in self.endpoints if each.fault is not None)
        models: dict[str, ModelInfo] = {}
        for info in (info for listed in found for info in listed):
            known = models.setdefault(info.name, info)
            if info.allocated > known.allocated:
                models[info.name] = msgspec.structs.replace(known, allocated=info.allocated)
        self._listed = list(models.values())
        return list(self._listed)

    async def capabilities(self, model: str) -> ModelInfo:
        """Return what a server says of ``model``; what was listed before is not asked for again."""
        info = installed(model, self._listed) or installed(model, await self.available())
        if info is None:
            fault = unknown_model(model, self._listed)
            fault.where = ", ".join(address(each.url) for each in self.endpoints)
            raise fault
        return await self._pool.usable(info.name)[0].show(info)

    async def warm(self, model: str, num_ctx: int) -> ModelCallError | None:
        """Have ``model`` loaded where the next call of it goes, with the window that it will ask for.

        Does nothing where it is in memory already. Returns why it could not be loaded: it is for the next
        call to fail, not for this one.
        """
        endpoint = next(iter(self._pool.usable(model)), None)
        if endpoint is None or any(each.holds(model) for each in self._pool.usable(model)):
            return None
        try:
            await endpoint.warm(model, num_ctx)
        except ModelCallError as fault:
            logger.info("the model was not loaded ahead: %s", fault.problem)
            return fault
        return None

    # -- calls -----------------------------------------------------------------------------------
    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece | Reply, None]:
        """Give the reply as it comes. Faults hold what had come; closing this stops the server."""
        call = _Call(request, self.settings)
        async with AsyncExitStack() as stack:
            endpoint, part = await self._begin(call, stack)
            while part is not None:
                for piece in call.take(part):
                    yield piece
                if call.done or call.circles:
                    break  # leaving closes the connection, so the server stops too
                part = await self._following(call, endpoint)
            for piece in call.rest():
                yield piece
            reply = call.reply()
            yield msgspec.structs.replace(reply, window=await endpoint.window_of(request.model))

    async def _following(self, call: "_Call", endpoint: Endpoint) -> Any:
        try:
            return await call.following(self.settings.stall_seconds)
        except ModelCallError as fault:
            if fault.kind in _GIVE_UP:
                endpoint.fault = fault
            raise

    async def _begin(self, call: "_Call", stack: AsyncExitStack) -> tuple[Endpoint, Any]:
        """Return the server that answers and the first part of its answer."""
        from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

        def again(error: BaseException) -> bool:
            if not isinstance(error, ModelCallError) or not error.retry:
                return False
            # A server nobody listens on will not begin to within seconds: only another one helps.
            return error.kind not in _GIVE_UP or bool(self._pool.usable(call.request.model))

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait if isinstance(error, ModelCallError) else 0.0
            moved = isinstance(error, ModelCallError) and error.kind in _GIVE_UP
            return 0.0 if moved else min(MOST_WAIT, max(asked, 0.25 * 2 ** (state.attempt_number - 1)))

        tries = stop_after_attempt(1 + max(RETRIES, len(self.endpoints) - 1))
        async for attempt in AsyncRetrying(
            stop=tries, wait=wait, retry=retry_if_exception(again), reraise=True
        ):
            with attempt:
                async with AsyncExitStack() as trial:
                    endpoint = await trial.enter_async_context(self._pool.lease(call.request.model))
                    try:
                        part = await call.open(endpoint, trial)
                    except ModelCallError as fault:
                        if fault.kind in _GIVE_UP:
                            endpoint.fault = fault
                        if fault.kind == "unknown-model":
                            raise await self._unknown(endpoint, call.request.model) from fault
                        raise
                    await stack.enter_async_context(trial.pop_all())
                    return endpoint, part
        raise ModelCallError("given-up", "the model was not asked")  # not reached: the last try raises

    async def _unknown(self, endpoint: Endpoint, model: str) -> ModelCallError:
        try:
            return unknown_model(model, await endpoint.list_models())
        except ModelCallError:
            return unknown_model(model, [])

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector of length 1 for each text; a vector that is none is a fault."""
        if not texts:
            return []
        while True:
            async with self._pool.lease(model) as endpoint:
                try:
                    return checked_vectors(await endpoint.embed(model, texts), len(texts))
                except ModelCallError as fault:
                    if fault.kind == "unknown-model":
                        raise await self._unknown(endpoint, model) from fault
                    if fault.kind not in _GIVE_UP:
                        raise
                    endpoint.fault = fault
                    if not self._pool.usable(model):
                        raise

    async def pull(self, model: str) -> AsyncIterator[tuple[str, int, int]]:
        """Give (what, bytes done, bytes in all or 0) while the first server fetches ``model``."""
        try:
            async for step in self.endpoints[0].pull(model):
                yield step
        except ModelCallError as fault:
            fault.where = address(self.endpoints[0].url)
            raise


class _Call:
    """One call on its way: its clock, its text so far, the stream it reads."""

    def __init__(self, request: ChatRequest, settings: OllamaSettings) -> None:
        self.request, self.settings = request, settings
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._first_token = 0.0
        self._said, self._thought = PieceCleaner(), PieceCleaner()
        self._stream: Any = None
        self._started = False
        self._last: Any = None
        self._length = self._parts = 0
        self._recent = ""

    async def open(self, endpoint: Endpoint, stack: AsyncExitStack) -> Any:
        """Return the first part of the answer of ``endpoint``; the stream is closed with ``stack``."""
        endpoint.open()
        self._began = self._clock()  # waiting for other calls of this session is no fault of the server's
        self._stream = endpoint.stream(self.request)
        stack.push_async_callback(self._stream.aclose)
        part = await self.following(self.settings.first_token_seconds)
        if part is None:
            raise ModelCallError("empty", "the model server sent an empty answer", "ask again", retry=True)
        if part.done and part.done_reason in {"load", "unload"}:
            raise ModelCallError("unloaded", "the model was unloaded meanwhile", "ask again", retry=True)
        self._started = True
        self._first_token = self._clock() - self._began
        return part

    async def following(self, patience: float) -> Any:
        """Return the next part, None at the end. Raises ModelCallError, ``stalled`` after ``patience``."""
        end = self._began + self.settings.total_seconds
        now = self._clock()
        until = min(now + patience, end)
        try:
            async with asyncio.timeout_at(until):
                return await anext(self._stream, None)
        except TimeoutError:
            raise self._late(until >= end, patience) from None
        except Exception as error:
            fault = fault_of(error, started=self._started)
            fault.partial = self._text()
            raise fault from error

    def _late(self, in_all: bool, patience: float) -> ModelCallError:
        if in_all:
            seconds, name = self.settings.total_seconds, "ollama.total_seconds"
            problem = f"the answer was not finished after {seconds:g} seconds"
            return ModelCallError("too-slow", problem, f"raise {name}", partial=self._text())
        if self._started:
            problem = f"the model stalled: nothing came for {patience:g} seconds"
            return ModelCallError("stalled", problem, "raise ollama.stall_seconds", partial=self._text())
        problem = f"the model had not begun to answer after {patience:g} seconds"
        return ModelCallError("stalled", problem, "raise ollama.first_token_seconds, or load it first")

    def take(self, part: Any) -> list[Piece]:
        """Return what of ``part`` can be shown."""
        self._last = part
        self._parts += 1
        message = part.message
        pieces = []
        if message.thinking:
            pieces.append(Piece(self._thought.add(str(message.thinking)), thinking=True))
        if message.content:
            pieces.append(Piece(self._said.add(str(message.content))))
            self._recent += pieces[-1].text
        most = self.request.max_tokens * CHARS_PER_TOKEN
        self._length += sum(len(piece.text) for piece in pieces)
        if self._length > most:
            problem = f"the answer went on beyond {self.request.max_tokens} tokens"
            raise ModelCallError("endless", problem, "raise ollama.max_tokens", partial=self._text()[:most])
        return [piece for piece in pieces if piece.text]

    @property
    def done(self) -> bool:
        """Return whether the server said that this was all."""
        return bool(self._last is not None and self._last.done)

    @property
    def circles(self) -> bool:
        """Return whether the answer repeats itself, which small models do until they are stopped."""
        recent = self._recent[-LOOP_WITHIN:]
        self._recent = recent
        tail = recent[-LOOP_LENGTH:]
        return len(tail) == LOOP_LENGTH and recent.count(tail) >= LOOP_TIMES and len(set(tail)) > 3

    def rest(self) -> list[Piece]:
        """Return what was still held back."""
        pieces = [Piece(self._thought.end(), thinking=True), Piece(self._said.end())]
        return [piece for piece in pieces if piece.text]

    def _text(self) -> str:
        return self._said.text

    def reply(self) -> Reply:
        """Return the whole reply. Raises ModelCallError if the server did not finish, or said nothing."""
        text, thinking = self._said.text, self._thought.text
        circles = self.circles
        if not self.done and not circles:
            raise ModelCallError("cut-off", "the answer ended before its end", "ask again", partial=text)
        reason = "repeats" if circles and not self.done else str(self._last.done_reason or "stop")
        if not text.strip():
            if thinking.strip():
                mend = "raise ollama.max_tokens, or set ollama.use_thinking to false"
                raise ModelCallError("only-thoughts", "the model thought but did not answer", mend)
            mend = "raise ollama.max_tokens" if reason == "length" else "ask again, or try another model"
            raise ModelCallError("empty", f"the model's answer is empty (it ended with {reason!r})", mend)
        return Reply(
            text=text,
            thinking=thinking,
            done_reason=reason[:40],
            prompt_tokens=int(self._last.prompt_eval_count or 0),
            # A server that was stopped gives no count; it sends a token in each part.
            answer_tokens=int(self._last.eval_count or (self._parts if reason == "repeats" else 0)),
            seconds=self._clock() - self._began,
            first_token=self._first_token,
            read_seconds=(self._last.prompt_eval_duration or 0) / 1e9 or self._first_token,
        )


def unknown_model(name: str, models: Sequence[ModelInfo]) -> ModelCallError:
    """Return the error that says which installed model is nearest to ``name``."""
    names = [each.name for each in models if each.chats] or [each.name for each in models]
    pull = f"fetch it with 'persona-moe models pull {name}'"
    if not names:
        return ModelCallError("unknown-model", f"the model {name!r} is not installed", pull)
    stem = name.partition(":")[0].lower()
    guess = nearest(name, names) or next((n for n in names if n.lower().startswith(stem[:4])), names[0])
    more = f" ({len(names)} are installed)" if len(names) > 1 else ""
    return ModelCallError(
        "unknown-model", f"the model {name!r} is not installed", f"the nearest is {guess!r}{more}; or {pull}"
    )


def checked_vectors(vectors: Sequence[Sequence[float]], count: int) -> list[list[float]]:
    """Return the vectors with length 1. Raises ModelCallError if any cannot be one.

    >>> checked_vectors([[3.0, 4.0]], 1)
    [[0.6, 0.8]]
    """
    if len(vectors) != count:
        raise ModelCallError("garbage", f"{count} texts were sent, {len(vectors)} vectors came back")
    sizes = {len(vector) for vector in vectors}
    if len(sizes) != 1 or not 1 <= min(sizes) <= 16_384:
        raise ModelCallError("garbage", "the model's vectors are of no usable size")
    unit = []
    for vector in vectors:
        length = math.sqrt(math.fsum(value * value for value in vector))
        if not math.isfinite(length) or length == 0:
            raise ModelCallError("garbage", "the model's vectors hold values that are no numbers")
        unit.append([value / length for value in vector])
    return unit
