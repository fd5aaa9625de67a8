"""What an expert reads of what it walked to: here its traits decide what it has to speak from."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from engine.corpus.marks import dated
from engine.graph.query_graph import QueryGraph
from engine.ids import q6
from engine.personas.policy import Policy

PASSAGES = 8
"""How many passages an expert reads, those that look for the opposite aside."""

_NAMED = ("name in the question", "path")
_CONTRAST = re.compile(
    r"\b(?:not|never|cannot|\w+n['\u2019]t|no longer|however|but|although|though|except|unless|despite"
    r"|contrary|instead|false|wrong|incorrect|deprecated|limitations?|fails?|failed|disputed|refuted?)\b",
    re.IGNORECASE,
)


def to_read(graph: QueryGraph, policy: Policy, visited: Sequence[int], taken: Collection[int]) -> list[int]:
    """Return the rows that an expert with this policy reads, best first for it.

    Of what it visited, the passages worth most to it: rare names against the words of the question by
    its specificity, dated ones by its freshness, and less for those ``taken``, which experts before it
    read. Experts that all read the same best passages would all say the same; on other ground each can
    add something, and what several read lets them confirm or contradict it. For every counter seed one
    more passage, on the subject and in words of contrast, whether it came by it or not.
    """
    graph.load_passages(visited)
    newness = _newness({row: graph.passage(row).title for row in visited})

    def worth(row: int) -> float:
        parts = graph.parts(row)
        named = sum(parts.get(name, 0.0) for name in _NAMED)
        mix = policy.specificity_mix
        value = 2 * (mix * named + (1 - mix) * (graph.strength(row) - named))
        value *= 1 + policy.freshness * newness.get(row, 0.0)
        return q6(value * (1 - policy.overlap_penalty if row in taken else 1.0))

    values = {row: worth(row) for row in visited}
    ranked = sorted(visited, key=lambda row: (-values[row], graph.passage_id(row)))[:PASSAGES]
    return ranked + _opposite(graph, ranked, policy.counter_seeds)


def _opposite(graph: QueryGraph, ranked: Sequence[int], most: int) -> list[int]:
    if not most:
        return []
    seeds = [row for row in graph.seeds()[: graph.settings.choose_from] if row not in ranked]
    graph.load_passages(seeds)
    return [row for row in seeds if _CONTRAST.search(graph.passage(row).text)][:most]


def _newness(titles: Mapping[int, str]) -> dict[int, float]:
    """Return how new each passage is that carries a date: from -1, the oldest of them, to 1, the newest.

    >>> _newness({1: "Minutes of 2024-01-01", 2: "Minutes of 2026-01-01", 3: "Minutes", 4: "1 June 2026"})[4]
    1.0
    """
    found = {row: _ordinal(title) for row, title in titles.items()}
    days = {row: day for row, day in found.items() if day}
    if len(set(days.values())) < 2:
        return {}
    first, last = min(days.values()), max(days.values())
    return {row: q6(2 * (day - first) / (last - first) - 1) for row, day in days.items()}


def _ordinal(title: str) -> int:
    return max((_day(*each) for each in dated(title)), default=0)


def _day(year: int, month: int, day: int) -> int:
    try:
        return date(year, month, day).toordinal()
    except ValueError:  # the 31st of February
        return 0
