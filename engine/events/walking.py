"""Events of the walks through the graph, and the evidence they end in."""

from engine.events.base import Event, NodeKind
from engine.events.parts import Evidence, Term, Unopened


class NodeOpened(Event, frozen=True, kw_only=True):
    node: str
    kind: NodeKind
    label: str
    parent: str
    persona: str
    relevance: float


class EdgeOpened(Event, frozen=True, kw_only=True):
    source: str
    target: str
    kind: str
    weight: float
    phrase: str
    quote: str
    persona: str


class StepTaken(Event, frozen=True, kw_only=True):
    """A persona visits ``node``: ``path`` strength and ``priority`` with the terms of the latter."""

    persona: str
    step: int
    node: str
    source: str
    relevance: float
    path: float
    priority: float
    terms: list[Term]


class WalkStopped(Event, frozen=True, kw_only=True):
    """A walk ended; ``unopened`` are the best nodes it saw but left, with the reason."""

    persona: str
    reason: str
    steps: int
    unopened: list[Unopened]


class EvidenceRanked(Event, frozen=True, kw_only=True):
    evidence: list[Evidence]
