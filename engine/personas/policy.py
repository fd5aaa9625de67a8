"""Traits become a policy: the knobs that a walk is turned by, through the table in the settings."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from engine.ids import canonical, digest, q6
from engine.trait_table import DEFAULT_ROWS, KNOBS, TraitRow

NEUTRAL: Final = 5

_Share: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a persona walks; the defaults are what the default table gives a persona without traits."""

    max_hops: Annotated[int, Meta(ge=1, le=6)] = 3
    hop_discount: _Share = 0.775
    beam_width: Annotated[int, Meta(ge=1, le=64)] = 9
    seeds: Annotated[int, Meta(ge=1, le=32)] = 5
    exploration: _Share = 0.15
    relevance_floor: Annotated[float, Meta(ge=0.0, le=0.95)] = 0.2
    specificity_mix: _Share = 0.55
    sources_per_claim: Annotated[int, Meta(ge=1, le=5)] = 1
    overlap_penalty: _Share = 0.3
    counter_seeds: Annotated[int, Meta(ge=0, le=10)] = 2
    freshness: _Share = 0.15
    context_share: Annotated[float, Meta(ge=0.1, le=1.0)] = 0.75
    max_claims: Annotated[int, Meta(ge=1, le=20)] = 6


class KnobReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a knob stands where it does. ``trait`` is empty when no trait turns this knob."""

    knob: str
    value: float
    trait: str
    trait_value: int
    given: bool
    formula: str


class PolicyExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """A policy with the reason of each knob; ``voice_only`` traits colour the prompt, no number."""

    policy: Policy
    knobs: tuple[KnobReason, ...]
    voice_only: tuple[str, ...]


def derive_policy(traits: Mapping[str, int], rows: Sequence[TraitRow] = DEFAULT_ROWS) -> Policy:
    """Return the policy of these traits; a missing trait counts as 5.

    Each knob is ``low + (high - low) * (trait - 1) / 8``, rounded half up where it counts things
    (ENGINE: 1 + round(3 d) for depth and so on); a row with ``switch`` gives ``low`` below that
    trait value and ``high`` from it on.

    >>> derive_policy({"depth": 9}).max_hops, derive_policy({"rigour": 1}).relevance_floor
    (4, 0.05)
    >>> derive_policy({}) == Policy()
    True
    """
    return _derived(tuple(sorted(traits.items())), tuple(rows))


@lru_cache(maxsize=1_000)
def _derived(given: tuple[tuple[str, int], ...], rows: tuple[TraitRow, ...]) -> Policy:
    traits = dict(given)
    values: dict[str, Any] = {}
    for row in rows:
        value = _value(row, traits.get(row.trait, NEUTRAL))
        values[row.knob] = int(value) if KNOBS[row.knob].whole else value
    return Policy(**values)


def policy_digest(policy: Policy) -> str:
    """Return 32 hex digits that equal policies share."""
    return digest("policy.v1", canonical(policy))


def explain(traits: Mapping[str, int], rows: Sequence[TraitRow] = DEFAULT_ROWS) -> PolicyExplanation:
    """Return the policy of these traits with the formula of each knob, in the order of the knobs.

    >>> explain({"brevity": 9, "warmth": 7}).voice_only
    ('warmth',)
    >>> explain({"brevity": 9}).knobs[-1].formula
    '8 - 4 x (brevity 9 - 1) / 8 = 4'
    """
    policy = derive_policy(traits, rows)
    by_knob = {row.knob: row for row in rows}
    reasons = []
    for knob in Policy.__struct_fields__:
        row = by_knob.get(knob)  # type: ignore[call-overload]
        value = float(getattr(policy, knob))
        trait_value = traits.get(row.trait, NEUTRAL) if row else NEUTRAL
        reasons.append(
            KnobReason(
                knob=knob,
                value=value,
                trait=row.trait if row else "",
                trait_value=trait_value,
                given=row is not None and row.trait in traits,
                formula=_formula(row, trait_value, value) if row else f"no trait turns it = {value:g}",
            )
        )
    wired = {row.trait for row in rows}
    voice_only = tuple(sorted(name for name in traits if name not in wired))
    return PolicyExplanation(policy=policy, knobs=tuple(reasons), voice_only=voice_only)


def in_words(policy: Policy) -> list[str]:
    """Return the policy as sentences, each of one or two knobs with their numbers.

    >>> in_words(Policy())[0]
    'follows links up to 3 steps away, each worth 78% of the one before'
    """
    hops = f"{policy.max_hops} steps" if policy.max_hops > 1 else "1 step"
    sources = f"{policy.sources_per_claim} sources" if policy.sources_per_claim > 1 else "1 source"
    return [
        f"follows links up to {hops} away, each worth {policy.hop_discount:.0%} of the one before",
        f"starts from {policy.seeds} places and keeps {policy.beam_width} open",
        f"looks for the opposite from {policy.counter_seeds} more places"
        if policy.counter_seeds
        else "does not look for the opposite",
        f"stops below {policy.relevance_floor:.0%} of the best it found",
        f"weighs rare names {policy.specificity_mix:.0%} against the words of the question",
        f"gives {policy.exploration:.0%} extra to ground nobody has walked, "
        f"takes {policy.overlap_penalty:.0%} from ground already seen, "
        f"gives {policy.freshness:.0%} to recent documents",
        f"makes up to {policy.max_claims} claims, each with {sources}, "
        f"and reads {policy.context_share:.0%} of what fits",
    ]


def _value(row: TraitRow, trait: int) -> float:
    exact = _exact(row, trait)
    return math.floor(exact + 0.5) if KNOBS[row.knob].whole else exact


def _exact(row: TraitRow, trait: int) -> float:
    if row.switch is not None:
        return row.high if trait >= row.switch else row.low
    return q6(row.low + (row.high - row.low) * (trait - 1) / 8)


def _formula(row: TraitRow, trait: int, value: float) -> str:
    if row.switch is not None:
        relation = ">=" if trait >= row.switch else "<"
        return f"{row.trait} {trait} {relation} {row.switch} = {value:g}"
    sign = "+" if row.high >= row.low else "-"
    span, exact = q6(abs(row.high - row.low)), _exact(row, trait)
    rounded = "" if exact == value else f", rounded {value:g}"
    return f"{row.low:g} {sign} {span:g} x ({row.trait} {trait} - 1) / 8 = {exact:g}{rounded}"
