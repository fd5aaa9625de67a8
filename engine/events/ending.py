"""Events of what a run leaves behind: credit, moves, warnings, its outcome and its snapshot."""

from typing import Literal

from engine.events.base import Event, Tier
from engine.events.parts import Term


class CreditAssigned(Event, frozen=True, kw_only=True):
    """What a persona earned: ``advantage`` over the other experts in [-0.5, 0.5], ``survival`` in [0, 1]."""

    persona: str
    advantage: float
    survival: float


class GaugeMoved(Event, frozen=True, kw_only=True):
    persona: str
    topic: str
    down: float
    up: float
    limit: float


class PersonaMoved(Event, frozen=True, kw_only=True):
    persona: str
    source: Tier
    target: Tier
    rule: str
    reason: str
    inputs: list[Term]


class ThresholdMoved(Event, frozen=True, kw_only=True):
    name: str
    old: float
    new: float
    inputs: list[Term]


class Warned(Event, frozen=True, kw_only=True):
    problem: str
    mend: str


class QueryFinished(Event, frozen=True, kw_only=True):
    outcome: Literal["answered", "no-evidence", "cancelled", "failed"]


class SnapshotSaved(Event, frozen=True, kw_only=True):
    """The last event of a run: outside the digest it reports."""

    snapshot: str
    digest: str
