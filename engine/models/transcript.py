"""Calls and what came of them, as a run's events keep them."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import TypeAlias, get_args

import msgspec

from engine.events import Event, ModelAnswered, ModelAsked, ModelFailed, ModelRef, Token
from engine.models.base import (
    ChatModel,
    ChatRequest,
    FaultKind,
    ModelCallError,
    ModelInfo,
    Piece,
    Reply,
)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """How a call failed."""

    kind: FaultKind
    problem: str
    mend: str = ""
    partial: str = ""

    def error(self) -> ModelCallError:
        """Return the error that it was."""
        return ModelCallError(self.kind, self.problem, self.mend, partial=self.partial)


Outcome: TypeAlias = Reply | Failure


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One call, the pieces in which its answer came, and the whole of it or why there is none."""

    request: ChatRequest
    pieces: list[Piece]
    outcome: Outcome


def failure_of(error: ModelCallError) -> Failure:
    """Return ``error`` as it is recorded."""
    return Failure(kind=error.kind, problem=error.problem, mend=error.mend, partial=error.partial)


def transcript_of(events: Iterable[Event]) -> list[Exchange]:
    """Return the calls that the events of a run hold, in the order they were asked.

    A call without an end (the run was cut off) is left out. Events of versions that did not keep
    what was sent give nothing.
    """
    asked: dict[str, ModelAsked] = {}
    pieces: dict[str, list[Piece]] = {}
    exchanges: list[Exchange] = []
    for event in events:
        if isinstance(event, ModelAsked) and event.messages:
            asked[event.call] = event
            pieces[event.call] = []
        elif isinstance(event, Token) and event.call in pieces:
            pieces[event.call].append(Piece(event.text, event.thinking))
        elif isinstance(event, ModelAnswered | ModelFailed) and event.call in asked:
            call = asked.pop(event.call)
            outcome = _outcome(event)
            exchanges.append(Exchange(request=_request(call), pieces=pieces.pop(event.call), outcome=outcome))
    return exchanges


def _request(asked: ModelAsked) -> ChatRequest:
    numbers = {term.name: term.value for term in asked.options}
    return ChatRequest(
        model=asked.model.name,
        digest=asked.model.digest,
        messages=tuple(asked.messages),
        num_ctx=int(numbers.get("num_ctx", 0)),
        max_tokens=int(numbers.get("num_predict", 0)),
        seed=int(numbers.get("seed", 0)),
        temperature=numbers.get("temperature", 0.0),
        reply_schema=asked.reply_schema,
        think=asked.think,
    )


def _outcome(event: ModelAnswered | ModelFailed) -> Outcome:
    if isinstance(event, ModelAnswered):
        return Reply(
            text=event.text,
            thinking=event.thinking,
            done_reason=event.done_reason,
            prompt_tokens=event.prompt_tokens,
            answer_tokens=event.answer_tokens,
            window=event.window,
        )
    kinds: dict[str, FaultKind] = {kind: kind for kind in get_args(FaultKind)}
    kind = kinds.get(event.kind, "stream-error")
    return Failure(kind=kind, problem=event.problem, mend=event.mend, partial=event.partial)


class RecordedModel:
    """A model whose every call is written down in ``exchanges``, in the order of their ends."""

    def __init__(self, inner: ChatModel) -> None:
        self.inner = inner
        self.exchanges: list[Exchange] = []

    @property
    def provider(self) -> str:
        """Return the provider of the model that is recorded."""
        return self.inner.provider

    async def available(self) -> list[ModelInfo]:
        """Return the recorded model's."""
        return await self.inner.available()

    async def capabilities(self, model: str) -> ModelInfo:
        """Return the recorded model's."""
        return await self.inner.capabilities(model)

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece | Reply, None]:
        """Give what the recorded model gives. A call that is given up half-way is not kept."""
        pieces: list[Piece] = []
        outcome: Outcome
        async with aclosing(self.inner.chat(request)) as stream:
            try:
                async for part in stream:
                    if isinstance(part, Piece):
                        pieces.append(part)
                    else:
                        self.exchanges.append(Exchange(request=request, pieces=pieces, outcome=part))
                    yield part
            except ModelCallError as error:
                outcome = failure_of(error)
                self.exchanges.append(Exchange(request=request, pieces=pieces, outcome=outcome))
                raise

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return the recorded model's; vectors are kept with the index, not with a run."""
        return await self.inner.embed(model, texts)

    async def aclose(self) -> None:
        """Release the recorded model."""
        await self.inner.aclose()


class ReplayedModel:
    """Answers each recorded call as it was answered then, and no other call.

    Raises SnapshotError for a call that was not recorded, naming the first thing in which it is
    different from the call recorded in its place.
    """

    def __init__(self, exchanges: Sequence[Exchange], model: ModelRef | None = None) -> None:
        self._left: dict[str, list[Exchange]] = {}
        self._exchanges = list(exchanges)
        self._asked = 0
        self._model = model
        for exchange in exchanges:
            self._left.setdefault(exchange.request.key(), []).append(exchange)

    @property
    def provider(self) -> str:
        """Return the provider that was recorded, ``replayed`` if that is not known."""
        return self._model.provider if self._model else "replayed"

    async def available(self) -> list[ModelInfo]:
        """Return the models that answered in the record."""
        requests = {each.request.model: each.request for each in self._exchanges}
        return [
            ModelInfo(name=name, digest=request.digest, window=request.num_ctx)
            for name, request in requests.items()
        ]

    async def capabilities(self, model: str) -> ModelInfo:
        """Return what the record tells of ``model``."""
        for info in await self.available():
            if info.name == model:
                return info
        raise ModelCallError("unknown-model", f"the record holds no call of {model!r}")

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece | Reply, None]:
        """Give the recorded pieces and the recorded end."""
        place = self._asked
        self._asked += 1
        recorded = self._left.get(request.key())
        if not recorded:
            raise self._missing(request, place)
        exchange = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        for piece in exchange.pieces:
            yield piece
        if isinstance(exchange.outcome, Failure):
            raise exchange.outcome.error()
        if not exchange.pieces:
            yield Piece(exchange.outcome.text)
        yield exchange.outcome

    def _missing(self, request: ChatRequest, place: int) -> Exception:
        from engine.errors import SnapshotError

        if place >= len(self._exchanges):
            return SnapshotError(
                f"the record holds {len(self._exchanges)} calls of the model, and one more was made",
                "documents, settings or personas are not those of the record",
            )
        field = first_difference(self._exchanges[place].request, request)
        return SnapshotError(
            f"call {place + 1} of the model is not the recorded one: {field} is different",
            "documents, settings or personas are not those of the record",
        )

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Raises ModelCallError: a run's record holds no vectors, the index does."""
        raise ModelCallError("rejected", "a record answers no request for vectors")

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def first_difference(recorded: ChatRequest, now: ChatRequest) -> str:
    """Return the name of the first field in which two calls differ, '' if in none.

    >>> ask = ChatRequest(model="m", messages=(), num_ctx=4096, max_tokens=64)
    >>> first_difference(ask, msgspec.structs.replace(ask, max_tokens=65))
    'options.num_predict'
    """
    for name in ("model", "digest"):
        if getattr(recorded, name) != getattr(now, name):
            return name
    for one, two in zip(recorded.options(), now.options(), strict=True):
        if one != two:
            return f"options.{one.name}"
    for index, (left, right) in enumerate(zip(recorded.messages, now.messages, strict=False)):
        if left.role != right.role:
            return f"messages[{index}].role"
        if left.content != right.content:
            pairs = enumerate(zip(left.content, right.content, strict=False))
            shorter = min(len(left.content), len(right.content))
            at = next((i for i, (a, b) in pairs if a != b), shorter)
            return f"messages[{index}].content, from character {at} on,"
    if len(recorded.messages) != len(now.messages):
        return "messages"
    for name in ("reply_schema", "think"):
        if getattr(recorded, name) != getattr(now, name):
            return name
    return ""
