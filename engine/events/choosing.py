"""Events of the gate: who is asked, who is not, and whether another round is worth its price."""

from engine.events.base import Event, Tier
from engine.events.parts import Term


class GateScored(Event, frozen=True, kw_only=True):
    """What the gate thinks of a persona before choosing: ``value``, ``affinity`` in [0, 1]."""

    persona: str
    tier: Tier
    value: float
    affinity: float
    cost: float
    terms: list[Term]


class ExpertChosen(Event, frozen=True, kw_only=True):
    persona: str
    order: int
    gain: float
    cost: float
    reason: str


class ExpertSkipped(Event, frozen=True, kw_only=True):
    persona: str
    gain: float
    cost: float
    reason: str


class RoundPlanned(Event, frozen=True, kw_only=True):
    round: int
    reason: str
    facets: list[str]


class ExpertStoodDown(Event, frozen=True, kw_only=True):
    persona: str
    round: int
    gain: float
    reason: str
