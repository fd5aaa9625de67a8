"""What was measured on a set, and the means, intervals and tables that are made of it."""

import functools
import random
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from engine.evaluation.metrics import retrieval_metrics

RESAMPLES = 1000


class Arm(msgspec.Struct):
    """One way to search: for each question the ten best passages and the CPU ms; a fixed loop beside."""

    ranked: dict[str, list[str]]
    cpu_ms: list[float]
    loop_ms: float

    @property
    def median_ms(self) -> float:
        """The median of the CPU ms of a question."""
        return statistics.median(self.cpu_ms)


class SetFigures(msgspec.Struct):
    """All that was measured on one set, titles shown or hidden."""

    name: str
    titles: bool
    passages: int
    qrels: dict[str, dict[str, float]]
    index_seconds: float
    index_loop_ms: float
    arms: dict[str, Arm]
    alone: dict[str, Arm]
    without: dict[str, Arm]
    kinds: dict[str, dict[str, Any]]
    contributions: dict[str, float] | None

    @property
    def label(self) -> str:
        """The name in tables."""
        return self.name + ("" if self.titles else ", titles hidden")

    def each(self, arm: Arm, metric: str = "recall@5") -> dict[str, float]:
        """Return question -> the metric of what the arm found."""
        return {
            query: retrieval_metrics(found, self.qrels[query])[metric] for query, found in arm.ranked.items()
        }

    def mean(self, arm: Arm, metric: str = "recall@5") -> float:
        """Return the mean of a metric over the questions that the arm was asked."""
        return statistics.fmean(self.each(arm, metric).values())

    def of_part(self, name: str) -> Arm:
        """Return an arm cut to the fixed third of the questions that costly arms were asked."""
        arm = self.arms[name]
        return Arm(ranked={query: arm.ranked[query] for query in self.kinds}, cpu_ms=[], loop_ms=0.0)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean, the same whenever it is asked."""
    return _interval(tuple(values))


@functools.lru_cache(maxsize=500)
def _interval(values: tuple[float, ...]) -> tuple[float, float]:
    rng = random.Random(0)
    means = sorted(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> list[str]:
    """Return a table of the page, an empty line after it."""
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]
