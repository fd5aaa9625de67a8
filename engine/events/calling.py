"""Events of a model at work: what it was sent, what it wrote, how it failed, how long it took."""

import msgspec

from engine.events.base import Event
from engine.events.parts import ModelMessage, ModelRef, Term


class ContextPacked(Event, frozen=True, kw_only=True):
    """What an expert may read: passages kept, passages dropped, tokens used of the budget."""

    persona: str
    passages: list[str]
    dropped: list[str]
    tokens: int
    budget: int


class ModelAsked(Event, frozen=True, kw_only=True):
    """A call of the model, with all that decides its answer; ``key`` is the digest of just that."""

    call: str
    purpose: str
    persona: str
    model: ModelRef
    key: str = ""
    messages: list[ModelMessage] = msgspec.field(default_factory=list)
    options: list[Term] = msgspec.field(default_factory=list)
    reply_schema: str = ""
    think: bool = False


class Token(Event, frozen=True, kw_only=True):
    """A piece of text as it arrives; for display only, left out of the snapshot's digest."""

    call: str
    text: str
    thinking: bool = False


class ModelAnswered(Event, frozen=True, kw_only=True):
    """The model's whole answer; ``window`` is the context the server really gave it, 0 if unknown."""

    call: str
    text: str
    done_reason: str
    prompt_tokens: int
    answer_tokens: int
    thinking: str = ""
    window: int = 0


class ModelFailed(Event, frozen=True, kw_only=True):
    """A call that failed; ``partial`` is what had arrived until then."""

    call: str
    problem: str
    partial: str
    kind: str = ""
    mend: str = ""


class FaultSeen(Event, frozen=True, kw_only=True):
    """A call that failed before its turn came to be told of; its ModelFailed follows when it has come.

    For display only, left out of the snapshot's digest: when it arrives is up to the clock.
    """

    call: str
    problem: str
    mend: str = ""


class ModelTimed(Event, frozen=True, kw_only=True):
    """How long a call took in seconds, of which until the first token; beside the digest, not in it."""

    call: str
    seconds: float
    first_token: float
