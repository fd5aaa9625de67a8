"""The roster as it is shown: a line for each persona, found by words and sorted by any column."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

from engine.cleaning import counted
from engine.events import Tier
from engine.ids import q6
from engine.personas.lifecycle import Gauges, Limits
from engine.personas.registry import Roster, StoredPersona
from engine.personas.track_record import TrackRecord
from engine.workspace import TIERS

Column: TypeAlias = Literal[
    "tier", "id", "name", "expertise", "cost", "n", "mean", "trend", "promotion", "demotion"
]
COLUMNS: Final[tuple[str, ...]] = get_args(Column)


class Outlook(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far a persona is from its next move: 1 at rest, 0 due; None where there is no such move.

    ``wait`` answers must come before any move. ``said`` is the same in words.
    """

    promotion: float | None = None
    demotion: float | None = None
    wait: int = 0
    said: str = ""


class RosterLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a list says of one persona; ``slope`` is how much its latest scores rose, in [-1, 1]."""

    persona_id: str
    tier: Tier
    name: str
    activation_cost: float
    traits: dict[str, int]
    expertise: list[str]
    pinned: bool
    digest: str
    n: int
    mean: float
    advantage: float
    trend: tuple[float, ...]
    slope: float
    outlook: Outlook


def display_name(stored: StoredPersona) -> str:
    """Return the persona's name, its id where it has none."""
    name = stored.persona.metadata.get("name")
    return name if isinstance(name, str) and name else stored.persona.persona_id


def roster_lines(
    roster: Roster,
    records: Mapping[str, TrackRecord] = {},
    gauges: Mapping[str, Gauges] = {},
    limits: Limits = Limits(),  # noqa: B008
) -> list[RosterLine]:
    """Return a line for each persona, by tier and id. Without records every persona is new."""
    return [
        _line(stored, records.get(stored.persona.persona_id), gauges.get(stored.persona.persona_id), limits)
        for stored in roster.personas
    ]


_NEW: Final = TrackRecord()


def _line(
    stored: StoredPersona, record: TrackRecord | None, gauges: Gauges | None, limits: Limits
) -> RosterLine:
    persona, known = stored.persona, record or _NEW
    return RosterLine(
        persona_id=persona.persona_id,
        tier=stored.tier,
        name=display_name(stored),
        activation_cost=persona.activation_cost,
        traits=persona.traits,
        expertise=persona.expertise,
        pinned=persona.metadata.get("pinned") is True,
        digest=stored.digest,
        n=known.n,
        mean=known.mean,
        advantage=known.advantage,
        trend=known.trend,
        slope=slope(known.trend),
        outlook=outlook(stored, gauges, limits),
    )


def outlook(stored: StoredPersona, gauges: Gauges | None, limits: Limits) -> Outlook:
    """Return how far the persona is from moving, by its gauges; those of another tier do not count."""
    if stored.tier == "pruned":
        return Outlook(said="in the archive")
    if stored.persona.metadata.get("pinned") is True:
        return Outlook(said="pinned, so it stays")
    if gauges is None or (gauges.tier, gauges.digest) != (stored.tier, stored.digest):
        return Outlook(
            promotion=None if stored.tier == "active" else 1.0, demotion=1.0, said="no answers here yet"
        )
    up = None if stored.tier == "active" else _left(gauges.up, limits.up)
    down = _left(gauges.down, limits.down)
    parts = [] if up is None else [f"{up:.0%} of the way to promotion left"]
    parts.append(f"{down:.0%} to demotion left")
    if gauges.wait:
        parts.append(f"{counted(gauges.wait, 'answer')} before any move")
    return Outlook(promotion=up, demotion=down, wait=gauges.wait, said=", ".join(parts))


def _left(gauge: float, limit: float) -> float:
    return q6(min(max(1 - gauge / limit, 0.0), 1.0)) if limit > 0 else 0.0


def slope(trend: Sequence[float]) -> float:
    """Return how much higher the later half of a trend is than the earlier; 0 below two scores.

    >>> slope([0.2, 0.4, 0.6, 0.8])
    0.4
    """
    half = len(trend) // 2
    if not half:
        return 0.0
    return q6(math.fsum(trend[-half:]) / half - math.fsum(trend[:half]) / half)


def counts(lines: Iterable[RosterLine]) -> dict[str, int]:
    """Return how many personas are in each tier, the highest first."""
    found = dict.fromkeys(TIERS, 0)
    for line in lines:
        found[line.tier] += 1
    return {tier: found[tier] for tier in TIERS}


class Finder:
    """Finds lines by words; what is looked through is made ready once, for every keystroke after."""

    def __init__(self, lines: Sequence[RosterLine]) -> None:
        self._lines = list(lines)
        self._texts = [
            "\n".join((line.persona_id, line.name, line.tier, *line.expertise)).casefold() for line in lines
        ]

    def find(self, text: str) -> list[RosterLine]:
        """Return the lines that hold every word of ``text`` in id, name, tier or expertise, in order."""
        words = text.casefold().split()
        if not words:
            return list(self._lines)
        return [
            line
            for line, held in zip(self._lines, self._texts, strict=True)
            if all(word in held for word in words)
        ]


_KEYS: Final[dict[str, Callable[[RosterLine], Any]]] = {
    "tier": lambda line: TIERS.index(line.tier),
    "id": lambda line: line.persona_id,
    "name": lambda line: line.name.casefold(),
    "expertise": lambda line: [term.casefold() for term in line.expertise],
    "cost": lambda line: line.activation_cost,
    "n": lambda line: line.n,
    "mean": lambda line: line.mean if line.n else None,
    "trend": lambda line: line.slope if len(line.trend) > 1 else None,
    "promotion": lambda line: line.outlook.promotion,
    "demotion": lambda line: line.outlook.demotion,
}


def sorted_lines(lines: Iterable[RosterLine], column: str, *, reverse: bool = False) -> list[RosterLine]:
    """Return the lines in the order of a column, equals by id; lines without a value come last.

    Raises KeyError for a column that is not in COLUMNS.
    """
    key = _KEYS[column]
    ordered = sorted(lines, key=lambda line: line.persona_id)
    known = [line for line in ordered if key(line) is not None]
    known.sort(key=key, reverse=reverse)
    return known + [line for line in ordered if key(line) is None]


_BARS: Final = "▁▂▃▄▅▆▇█"


def sparkline(trend: Sequence[float]) -> str:
    """Return scores in [0, 1] as one bar each.

    >>> sparkline([0.0, 0.5, 1.0])
    '▁▅█'
    """
    return "".join(_BARS[min(int(min(max(value, 0.0), 1.0) * len(_BARS)), len(_BARS) - 1)] for value in trend)
