"""The parts that events are made of."""

from typing import Literal

import msgspec

from engine.events.base import ClaimKind, FacetKind, Record, Tier


class PersonaRef(Record, frozen=True, kw_only=True):
    persona_id: str
    tier: Tier
    digest: str


class ModelRef(Record, frozen=True, kw_only=True):
    """The model that writes: ``provider`` is ``extractive`` when there is none.

    ``context`` is the window in tokens that every call asks for, ``form`` how claims are asked for,
    ``reads`` the most tokens of evidence in one call, where the model's pace has a say in it.
    ``problem`` says why there is no model where one would have been asked.
    """

    provider: str
    name: str
    digest: str = ""
    why: str = ""
    context: int = 0
    form: str = ""
    reads: int | msgspec.UnsetType = msgspec.UNSET
    problem: str | msgspec.UnsetType = msgspec.UNSET


class ModelMessage(Record, frozen=True, kw_only=True):
    """One message of what a model is sent."""

    role: Literal["system", "user", "assistant"]
    content: str


class Facet(Record, frozen=True, kw_only=True):
    """One thing the question asks about; ``weight`` in [0, 1], all facets of a question sum to 1."""

    facet_id: str
    kind: FacetKind
    text: str
    weight: float
    terms: list[str]


class Term(Record, frozen=True, kw_only=True):
    """One addend of a number: ``value`` is the part it contributed, so the terms sum to the number."""

    name: str
    value: float


class TrailStep(Record, frozen=True, kw_only=True):
    """One step of a trail: over an edge of ``kind``, through ``phrase``, quoted by ``quote``."""

    node: str
    label: str
    kind: str
    phrase: str = ""
    quote: str = ""
    weight: float = 1.0


class Position(Record, frozen=True, kw_only=True):
    """Where text stands: lines ``start``..``end`` counted from 1, pages for PDF, rows for a dataset."""

    document: str
    section: str
    start: int
    end: int
    unit: Literal["line", "page", "row"] = "line"


class Seed(Record, frozen=True, kw_only=True):
    """A node where walks may start, with the terms of its score."""

    node: str
    label: str
    score: float
    terms: list[Term]


class Unopened(Record, frozen=True, kw_only=True):
    """A node that a walk saw and left, and why."""

    node: str
    label: str
    priority: float
    reason: str


class Evidence(Record, frozen=True, kw_only=True):
    """One ranked passage. ``evidence_id`` is the passage's id, or the corpus id for a dataset."""

    rank: int
    evidence_id: str
    passage: str
    position: Position
    text: str
    score: float
    personas: list[str]
    trail: list[TrailStep]
    terms: list[Term]


class Citation(Record, frozen=True, kw_only=True):
    marker: str
    evidence_id: str
    passage: str
    position: Position
    text: str


class Claim(Record, frozen=True, kw_only=True):
    """One statement of an expert with the passages it cites."""

    text: str
    cites: list[str]
    kind: ClaimKind = "fact"
    support: float = 0.0
    missing: list[str] = msgspec.field(default_factory=list)


class Carried(Record, frozen=True, kw_only=True):
    """What a follow-up question takes over: ``phrase`` in it stands for ``text``, and by which rule."""

    phrase: str
    text: str
    source: Literal["question", "answer"]
    reason: str


class Scores(Record, frozen=True, kw_only=True):
    """The four scores and their total, each in [0, 1]."""

    relevance: float
    consistency: float
    novelty: float
    grounding: float
    total: float
