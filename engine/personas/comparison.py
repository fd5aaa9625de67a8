"""Personas side by side: traits, how they walk, and how much of what they find they share."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from engine.ids import q6
from engine.personas.document import Persona
from engine.personas.policy import Policy, derive_policy
from engine.trait_table import DEFAULT_ROWS, TraitRow


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One trait or knob of every persona compared, in their order; None for a trait it has not."""

    name: str
    values: list[float | None]
    differs: bool


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """How much evidence two personas share: Jaccard in [0, 1], and the counts it is made of."""

    first: str
    second: str
    shared: int
    only_first: int
    only_second: int
    overlap: float


def trait_rows(personas: Sequence[Persona]) -> list[Row]:
    """Return a row for each trait that any of the personas has, by name.

    >>> ada = Persona(persona_id="ada", traits={"depth": 7}, expertise=[], activation_cost=1.0,
    ...               historical_performance={}, metadata={})
    >>> trait_rows([ada, msgspec.structs.replace(ada, traits={})])[0].values
    [7, None]
    """
    names = sorted({name for each in personas for name in each.traits})
    return [_row(name, [each.traits.get(name) for each in personas]) for name in names]


def policy_rows(personas: Sequence[Persona], rows: Sequence[TraitRow] = DEFAULT_ROWS) -> list[Row]:
    """Return a row for each knob, in the order of the knobs."""
    policies = [derive_policy(each.traits, rows) for each in personas]
    return [
        _row(knob, [float(getattr(policy, knob)) for policy in policies]) for knob in Policy.__struct_fields__
    ]


def _row(name: str, values: Sequence[float | None]) -> Row:
    return Row(name=name, values=list(values), differs=any(value != values[0] for value in values))


def shared_expertise(personas: Sequence[Persona]) -> list[str]:
    """Return the expertise that all the personas have, in the order of the first."""
    common = [{term.casefold() for term in each.expertise} for each in personas]
    return [term for term in personas[0].expertise if all(term.casefold() in each for each in common)]


def overlaps(ids: Sequence[str], found: Sequence[Mapping[str, Sequence[str]]]) -> list[Overlap]:
    """Return the overlap of each pair over all questions; ``found`` gives passages by id for each.

    The Jaccard index of two sets of passages, those of different questions counted apart; two
    personas that both find nothing share nothing: 0.

    >>> overlaps(["a", "b"], [{"a": ["p1", "p2"], "b": ["p2", "p3"]}])[0].overlap
    0.333333
    """
    pairs = [(first, second) for place, first in enumerate(ids) for second in ids[place + 1 :]]
    result = []
    for first, second in pairs:
        counts = [_shared(each.get(first, ()), each.get(second, ())) for each in found]
        shared, left, right = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
        whole = shared + left + right
        result.append(
            Overlap(
                first=first,
                second=second,
                shared=shared,
                only_first=left,
                only_second=right,
                overlap=q6(shared / whole) if whole else 0.0,
            )
        )
    return result


def _shared(one: Sequence[str], other: Sequence[str]) -> tuple[int, int, int]:
    mine, theirs = frozenset(one), frozenset(other)
    shared = len(mine & theirs)
    return shared, len(mine) - shared, len(theirs) - shared


def mean_overlap(pairs: Sequence[Overlap]) -> float:
    """Return the mean over all pairs, in [0, 1]; 0 for none."""
    return q6(math.fsum(pair.overlap for pair in pairs) / len(pairs)) if pairs else 0.0
