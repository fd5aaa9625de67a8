"""Which trait of a persona turns which knob of its walk, and what each knob may be set to."""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

Knob: TypeAlias = Literal[
    "max_hops", "hop_discount", "beam_width", "seeds", "exploration", "relevance_floor",
    "specificity_mix", "sources_per_claim", "overlap_penalty", "counter_seeds", "freshness",
    "context_share", "max_claims",
]  # fmt: skip


class KnobRange(msgspec.Struct, frozen=True):
    """The values a knob of the walk may take; ``whole`` ones count things and are rounded."""

    low: float
    high: float
    whole: bool = False


KNOBS: Final[dict[str, KnobRange]] = {
    "max_hops": KnobRange(1, 6, whole=True),
    "hop_discount": KnobRange(0.0, 1.0),
    "beam_width": KnobRange(1, 64, whole=True),
    "seeds": KnobRange(1, 32, whole=True),
    "exploration": KnobRange(0.0, 1.0),
    "relevance_floor": KnobRange(0.0, 0.95),
    "specificity_mix": KnobRange(0.0, 1.0),
    "sources_per_claim": KnobRange(1, 5, whole=True),
    "overlap_penalty": KnobRange(0.0, 1.0),
    "counter_seeds": KnobRange(0, 10, whole=True),
    "freshness": KnobRange(0.0, 1.0),
    "context_share": KnobRange(0.1, 1.0),
    "max_claims": KnobRange(1, 20, whole=True),
}

TRAIT_PATTERN: Final = r"^[a-z][a-z0-9_-]{0,39}\Z"
_TRAIT: Final = "a trait's name: a letter, then up to 39 of a-z, 0-9, '-' and '_'"


class TraitRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wire from a trait to a knob: ``low`` at trait 1, ``high`` at trait 9, straight between.

    With ``switch`` there is nothing between: ``low`` below that trait value, ``high`` from it on.
    """

    trait: Annotated[str, Meta(pattern=TRAIT_PATTERN, description=_TRAIT)]
    knob: Knob
    low: float
    high: float
    switch: Annotated[int, Meta(ge=2, le=9)] | None = None

    def __post_init__(self) -> None:
        allowed = KNOBS[self.knob]
        for value in (self.low, self.high):
            if not allowed.low <= value <= allowed.high:
                raise ValueError(f"{self.knob} must lie between {allowed.low:g} and {allowed.high:g}")


def _row(trait: str, knob: Any, low: float, high: float, switch: int | None = None) -> TraitRow:
    return TraitRow(trait=trait, knob=knob, low=low, high=high, switch=switch)


DEFAULT_ROWS: Final = (
    _row("depth", "max_hops", 1, 4),
    _row("depth", "hop_discount", 0.6, 0.95),
    _row("breadth", "beam_width", 2, 16),
    _row("breadth", "seeds", 2, 8),
    _row("exploration", "exploration", 0.0, 0.3),
    _row("rigour", "relevance_floor", 0.05, 0.35),
    _row("rigour", "specificity_mix", 0.3, 0.8),
    _row("rigour", "sources_per_claim", 1, 2, switch=7),
    _row("novelty", "overlap_penalty", 0.0, 0.6),
    _row("scepticism", "counter_seeds", 0, 3),
    _row("recency", "freshness", 0.0, 0.3),
    _row("brevity", "context_share", 1.0, 0.5),
    _row("brevity", "max_claims", 8, 4),
)


class TraitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``traits.toml``: which trait turns which knob; a trait without a row only colours the voice."""

    rows: Annotated[tuple[TraitRow, ...], Meta(max_length=13)] = DEFAULT_ROWS

    def __post_init__(self) -> None:
        seen: list[str] = []
        for row in self.rows:
            if row.knob in seen:
                raise ValueError(f"{row.knob} has two rows; one trait turns one knob")
            seen.append(row.knob)
