"""Gauges that watch a persona's advantage: how far it has fallen behind, how far it has gone ahead.

Each is a one-sided CUSUM (Page, Biometrika 41, 1954): a sum that grows by what an answer was worse
(or better) than the others by more than the dead band, and never falls below 0. One bad answer
moves it a little, being worse again and again moves it to its limit. The limit is not chosen by
hand: it is solved from how seldom a persona that is as good as the others may reach it by bad luck.
"""

import math
from collections.abc import Sequence
from typing import Final

from engine.ids import q6

DEMOTION_BAND: Final = 0.1
"""How much worse than the others a persona may be, on average, for ever."""
PROMOTION_BAND: Final = 0.075
"""How much better than the others it may be without rising: half of the +0.15 that should."""
PROMOTIONS_PER_DEMOTION: Final = 10
"""A wrong promotion is undone by the next demotion, so it may come this many times as often."""
FIRST_LIMIT: Final = 1.2
"""The limit of both gauges until the spread of advantages is known."""
GROUNDING_LIMIT: Final = 1.0
"""How far grounding may fall short of its floor, summed: at a floor of 0.6, two invented answers."""
KNOWN_FROM: Final = 40
"""Advantages from which their spread counts as known."""
MEMORY: Final = 0.995
"""What an advantage weighs less with every later one, when their spread is taken."""

_LEAST_SPREAD: Final = 0.05
_LONGEST: Final = 8.0
_SIEGMUND: Final = 1.166
"""Twice 0.583, the mean overshoot of a random walk in standard deviations (Siegmund, 1985)."""


def fall_behind(gauge: float, advantage: float, band: float = DEMOTION_BAND) -> float:
    """Return the demotion gauge after an answer; 0 is well, the limit is the end.

    >>> fall_behind(0.3, -0.25), fall_behind(0.3, 0.5)
    (0.45, 0.0)
    """
    return q6(max(0.0, gauge - band - advantage))


def go_ahead(gauge: float, advantage: float, band: float = PROMOTION_BAND) -> float:
    """Return the promotion gauge after an answer.

    >>> go_ahead(0.3, 0.25), go_ahead(0.3, -0.5)
    (0.475, 0.0)
    """
    return q6(max(0.0, gauge + advantage - band))


def fall_short(gauge: float, grounding: float, floor: float) -> float:
    """Return the grounding gauge after an answer, which sums what grounding lacks to its floor.

    >>> fall_short(0.5, 0.0, 0.6), fall_short(0.5, 1.0, 0.6)
    (1.1, 0.1)
    """
    return q6(max(0.0, gauge + floor - grounding))


def mean_questions(limit: float, spread: float, band: float) -> float:
    """Return after how many answers a gauge reaches ``limit`` by luck alone, on average.

    ``spread`` is the standard deviation of the advantage of a persona as good as the others. By
    Siegmund's approximation ``(exp(z) - 1 - z) * spread^2 / (2 * band^2)`` with
    ``z = 2 * band * (limit + 1.166 * spread) / spread^2``.

    >>> round(mean_questions(0.396, 0.115, 0.1))
    1998
    """
    z = 2 * band * (limit + _SIEGMUND * spread) / spread**2
    return (math.expm1(min(z, 700.0)) - z) * spread**2 / (2 * band**2)


def solve_limit(questions: float, spread: float, band: float) -> float:
    """Return the limit that luck alone reaches once in ``questions`` answers, from 0.2 to 8.

    >>> solve_limit(2_000, 0.115, 0.1), solve_limit(10_000, 0.2, 0.1)
    (0.396067, 1.470619)
    """
    spread = max(spread, _LEAST_SPREAD)
    low, high = 0.0, _LONGEST
    for _ in range(60):
        middle = (low + high) / 2
        if mean_questions(middle, spread, band) < questions:
            low = middle
        else:
            high = middle
    return q6(max(high, 0.2))


def expected_delay(limit: float, change: float, band: float) -> float:
    """Return about how many answers it takes to notice a change of ``change``; infinite within the band.

    >>> expected_delay(1.2, 0.2, 0.1)
    12.0
    """
    return q6(limit / (change - band)) if change > band else math.inf


def spread_of(advantages: Sequence[float], memory: float = MEMORY) -> float:
    """Return the standard deviation of ``advantages`` (latest first), at least 0.05.

    Advantages of one question sum to 0, so 0 is their middle. The larger of two estimates, each
    with weights that fade: 1.4826 times the median size, which a few wild answers do not move, and
    the root of the mean square of sizes cut off at three times that, which sees tails that the
    median does not. Raises ValueError for fewer than KNOWN_FROM values.

    >>> spread_of([0.1, -0.1] * 30)
    0.14826
    """
    if len(advantages) < KNOWN_FROM:
        raise ValueError(f"the spread of {len(advantages)} advantages is not known")
    weights = [memory**age for age in range(len(advantages))]
    distances = [abs(value) for value in advantages]
    typical = 1.4826 * _median(distances, weights)
    cut = 3 * max(typical, _LEAST_SPREAD)
    squares = math.fsum(w * min(d, cut) ** 2 for w, d in zip(weights, distances, strict=True))
    return q6(max(typical, math.sqrt(squares / math.fsum(weights)), _LEAST_SPREAD))


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


def _median(values: Sequence[float], weights: Sequence[float]) -> float:
    ordered = sorted(zip(values, weights, strict=True))
    half = math.fsum(weights) / 2
    passed = 0.0
    for value, weight in ordered:
        passed += weight
        if passed >= half:
            return value
    return ordered[-1][0]
