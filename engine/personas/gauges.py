"""Gauges that watch a persona's advantage: how far it has fallen behind, how far it has gone ahead.

Each is a one-sided CUSUM (Page, Biometrika 41, 1954): a sum that grows by what an answer was worse
(or better) than the others by more than the dead band, and never falls below 0. One bad answer
moves it a little, being worse again and again moves it to its limit. The limit is not chosen by
hand: it is solved from how seldom a persona that is as good as the others may reach it by bad luck,
and from the advantages that were measured.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from engine.ids import q6

DEMOTION_BAND: Final = 0.1
"""How much worse than the others a persona may be, on average, for ever."""
PROMOTION_BAND: Final = 0.075
"""How much better than the others it may be without rising: half of the +0.15 that should."""
PROMOTIONS_PER_DEMOTION: Final = 10
"""A wrong promotion is undone by the next demotion, so it may come this many times as often."""
MOST: Final = 0.3
"""What one answer may count either way: one refusal among good answers loses by half a point."""
FIRST_LIMIT: Final = 1.2
"""The limit of both gauges until enough advantages are known."""
GROUNDING_LIMIT: Final = 1.0
"""How far grounding may fall short of its floor, summed: at a floor of 0.6, two invented answers."""
KNOWN_FROM: Final = 100
"""Advantages from which their distribution counts as known."""
EXTREMES: Final = 4
"""How many worst and how many best answers are taken to have been seen besides."""

_HIGHEST: Final = 8.0
_STATES: Final = 60
_NEVER: Final = 1e6


def fall_behind(gauge: float, advantage: float, band: float = DEMOTION_BAND) -> float:
    """Return the demotion gauge after an answer; 0 is well, the limit is the end.

    >>> fall_behind(0.3, -0.25), fall_behind(0.3, 0.5)
    (0.45, 0.0)
    """
    return q6(max(0.0, gauge - band - _bounded(advantage)))


def go_ahead(gauge: float, advantage: float, band: float = PROMOTION_BAND) -> float:
    """Return the promotion gauge after an answer.

    >>> go_ahead(0.3, 0.25), go_ahead(0.3, -0.5)
    (0.475, 0.0)
    """
    return q6(max(0.0, gauge + _bounded(advantage) - band))


def fall_short(gauge: float, grounding: float, floor: float) -> float:
    """Return the grounding gauge after an answer, which sums what grounding lacks to its floor.

    >>> fall_short(0.5, 0.0, 0.6), fall_short(0.5, 1.0, 0.6)
    (1.1, 0.1)
    """
    return q6(max(0.0, gauge + floor - grounding))


def mean_answers(limit: float, advantages: Sequence[float], band: float, direction: int) -> float:
    """Return after how many answers luck alone takes a gauge over ``limit``, on average.

    ``advantages`` are those of personas as good as the others, ``direction`` is -1 for falling
    behind and 1 for going ahead. Exact for a gauge in 60 steps: the mean time to leave an absorbing
    Markov chain (Brook and Evans, Biometrika 59, 1972). It uses the measured advantages and no
    bell curve, because an expert that refuses now and then loses half a point at once.

    >>> coin = [0.2] * 50 + [-0.2] * 50
    >>> round(mean_answers(1.0, coin, 0.1, -1)) > 10 * round(mean_answers(0.5, coin, 0.1, -1))
    True
    """
    width = limit / (_STATES - 0.5)
    step = 1 / len(advantages)
    moves = Counter(round((direction * value - band) / width) for value in advantages)
    rows = [[0.0] * _STATES for _ in range(_STATES)]
    for state, row in enumerate(rows):
        row[state] = 1.0
        for move, count in moves.items():
            target = max(state + move, 0)
            if target < _STATES:
                row[target] -= count * step
    lengths = _solve(rows)
    # Beyond a million the system is too near to singular to be told; so seldom is never.
    return lengths if 0 < lengths < _NEVER else _NEVER


def solve_limit(answers: float, advantages: Sequence[float], band: float, direction: int) -> float:
    """Return the limit that luck alone passes once in ``answers`` answers, from 0.2 to 8.

    A few worst and best answers are added to those measured, so that a limit does not rest on
    their absence from a small sample.

    >>> solve_limit(5_000, [0.1, -0.1] * 300, 0.1, -1) < solve_limit(5_000, [0.3, -0.3] * 300, 0.1, -1)
    True
    """
    values = [*(round(_bounded(value), 2) for value in advantages), *([MOST, -MOST] * EXTREMES)]
    low, high = 0.2, _HIGHEST
    while high - low > 0.01:
        middle = (low + high) / 2
        if mean_answers(middle, values, band, direction) < answers:
            low = middle
        else:
            high = middle
    return round(high, 2)


def _bounded(advantage: float) -> float:
    return min(max(advantage, -MOST), MOST)


def _solve(rows: list[list[float]]) -> float:
    """Return the first unknown of the linear system ``rows * x = 1`` by Gaussian elimination.

    ``rows`` is one minus a substochastic matrix, for which elimination without pivoting is stable.
    """
    size = len(rows)
    right = [1.0] * size
    # From the last unknown up, so that the first one is left alone in its row.
    for pivot in range(size - 1, -1, -1):
        row = rows[pivot]
        if row[pivot] <= 0:
            return _NEVER
        for other in range(pivot):
            factor = rows[other][pivot] / row[pivot]
            if factor:
                target = rows[other]
                for column in range(pivot):
                    target[column] -= factor * row[column]
                right[other] -= factor * right[pivot]
    return right[0] / rows[0][0] if rows[0][0] > 0 else _NEVER


def expected_delay(limit: float, change: float, band: float) -> float:
    """Return about how many answers it takes to notice a change of ``change``; infinite within the band.

    >>> expected_delay(1.2, 0.2, 0.1)
    12.0
    """
    return q6(limit / (change - band)) if change > band else math.inf


def radius(count: int, spread: float, alpha: float = 0.05, rho: float = 10.0) -> float:
    """Return how far the mean of ``count`` values may be from the truth, at any time, all at once.

    The normal-mixture confidence sequence (Robbins, 1970; Howard et al., Annals of Statistics 49,
    2021): ``spread * sqrt((n + rho) / n^2 * 2 ln(sqrt((n + rho) / rho) / alpha))``. Looking at it
    after every question does not spoil it.

    >>> round(radius(20, 0.2), 3)
    0.146
    """
    if count <= 0:
        return math.inf
    stretch = 2 * math.log(math.sqrt((count + rho) / rho) / alpha)
    return spread * math.sqrt((count + rho) / count**2 * stretch)
