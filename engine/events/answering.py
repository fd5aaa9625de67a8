"""Events of the answer: claims checked and scored, and the sentences that came of them."""

import msgspec

from engine.events.base import Event
from engine.events.parts import Citation, Claim, Scores, Term


class ClaimsParsed(Event, frozen=True, kw_only=True):
    """An expert's claims, how they were read from what it wrote, and what could not be used."""

    persona: str
    mode: str
    claims: list[Claim]
    notes: list[str] = msgspec.field(default_factory=list)


class ClaimChecked(Event, frozen=True, kw_only=True):
    persona: str
    index: int
    support: float
    supported: bool
    missing: list[str]


class ConflictFound(Event, frozen=True, kw_only=True):
    """Two claims that cannot both be true, each with its source."""

    subject: str
    left_persona: str
    left: Claim
    right_persona: str
    right: Claim


class ScoresReady(Event, frozen=True, kw_only=True):
    """An expert's output with its scores; ``terms`` maps each score to its addends."""

    persona: str
    output: str
    scores: Scores
    terms: dict[str, list[Term]]
    notes: list[str]


class ControlScored(Event, frozen=True, kw_only=True):
    """The control arm: one plain walk at the same budget, answered and scored the same way."""

    persona: str
    answer: str
    evidence: list[str]
    scores: Scores
    lift: float


class SynthesisStarted(Event, frozen=True, kw_only=True):
    clusters: int
    supported: int


class SentenceChecked(Event, frozen=True, kw_only=True):
    """A sentence of the answer against its citations."""

    index: int
    text: str
    markers: list[str]
    personas: list[str]
    support: float
    kept: bool


class AnswerReady(Event, frozen=True, kw_only=True):
    answer: str
    citations: list[Citation]
    flags: list[str]
