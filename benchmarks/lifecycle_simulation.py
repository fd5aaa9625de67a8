"""How often the lifecycle errs and how fast it notices, against simpler rules, on made-up personas.

python benchmarks/lifecycle_simulation.py [--runs 2000] [--page docs/learning-evidence.md]

Every run draws a persona's advantages in a world of its own kind. The limits are solved by the product
from 600 advantages of equal personas, as they are in use, anew in each of 20 samples.

A drop is one of the mean advantage. A refused answer has the score of a refusal and cannot get worse:
where personas refuse, one that drops either answers worse or refuses more, and both are measured.
"""

import argparse
import random
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
from _page import table, write_part

from engine.config import ThresholdSettings
from engine.personas.gauges import PROMOTIONS_PER_DEMOTION, solve_limit
from engine.personas.lifecycle import (
    Gauges,
    Limits,
    demotion_band,
    evaluate_pruning_thresholds,
    fresh,
    promotion_band,
)

THRESHOLDS = ThresholdSettings()
LENGTH = 1_000
DROP_AT = 300
SAMPLES = 20
REFUSAL = -0.4
"""Advantage of a refused answer among answered ones, as measured on technical documentation."""


class World(msgspec.Struct, frozen=True):
    """How advantages come about: a share of answers is refused, the others lie in a bell curve.

    The mean of a persona as good as the others is 0.
    """

    spread: float
    refused: float = 0.0

    def draw(self, rng: random.Random, change: float = 0.0, by_refusing: bool = False) -> float:
        """Return an advantage of a persona whose mean differs from the others' by ``change``."""
        middle = -REFUSAL * self.refused / (1 - self.refused)
        refused = self.refused
        if by_refusing:
            refused -= change / (middle - REFUSAL)
        else:
            middle += change / (1 - self.refused)
        if refused and rng.random() < refused:
            return REFUSAL
        return min(max(rng.gauss(middle, self.spread), -0.5), 0.5)


WORLDS = {
    "spread 0.15": World(0.15),
    "spread 0.20": World(0.2),
    "one in twelve refuses": World(0.1, 1 / 12),
    "one in six refuses": World(0.1, 1 / 6),
    "one in four refuses": World(0.1, 1 / 4),
}
Make = Callable[[int], "Rule"]


class Rule(Protocol):
    """Says after each answer whether the persona falls (-1), rises (1) or stays (0)."""

    def step(self, advantage: float) -> int:
        """Take in an answer."""
        ...


class Product:
    """The rules of the product."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._gauges: Gauges = fresh("stable", "", THRESHOLDS.min_questions)

    def step(self, advantage: float) -> int:
        """Take in an answer; return where the persona goes."""
        self._gauges = self._gauges.after(advantage, 0.5 + advantage, 1.0, THRESHOLDS)
        if self._gauges.down <= self._limits.down and self._gauges.up <= self._limits.up:
            return 0
        verdict = evaluate_pruning_thresholds({"p": self._gauges}, THRESHOLDS, self._limits)["p"]
        if verdict.action == "keep":
            return 0
        self._gauges = fresh("stable", "", max(THRESHOLDS.min_questions, THRESHOLDS.cool_down))
        return 1 if verdict.action == "promote" else -1


class Mean:
    """Falls and rises by the running mean, from ``least`` answers on."""

    def __init__(self, least: int) -> None:
        self._least, self._sum, self._n = least, 0.0, 0

    def step(self, advantage: float) -> int:
        """Take in an answer; return where the persona goes."""
        self._sum += advantage
        self._n += 1
        if self._n < self._least:
            return 0
        return self._moved(_side(self._sum / self._n))

    def _moved(self, side: int) -> int:
        if side:
            self._sum, self._n = 0.0, 0
        return side


class Fading:
    """Falls and rises by a mean that forgets: each answer counts one tenth (EWMA)."""

    def __init__(self, share: float = 0.1) -> None:
        self._share, self._mean = share, 0.0

    def step(self, advantage: float) -> int:
        """Take in an answer; return where the persona goes."""
        self._mean += self._share * (advantage - self._mean)
        side = _side(self._mean)
        if side:
            self._mean = 0.0
        return side


class Single:
    """Falls and rises by one answer, as a threshold on a score does."""

    def step(self, advantage: float) -> int:
        """Take in an answer; return where the persona goes."""
        return _side(advantage)


def _side(value: float) -> int:
    if value < -demotion_band(THRESHOLDS):
        return -1
    return 1 if value > promotion_band(THRESHOLDS) else 0


def _limits(world: World, sample: int) -> Limits:
    rng = random.Random(f"sample {sample}")
    pool = [world.draw(rng) for _ in range(600)]
    every = THRESHOLDS.questions_per_wrong_demotion
    return Limits(
        down=solve_limit(every, pool, demotion_band(THRESHOLDS), -1),
        up=solve_limit(every / PROMOTIONS_PER_DEMOTION, pool, promotion_band(THRESHOLDS), 1),
    )


def _moves(make: Make, world: World, runs: int) -> tuple[float, float]:
    """Return how often in 1,000 answers a persona as good as the others falls, and rises."""
    falls = rises = 0
    for run in range(runs):
        machine, rng = make(run), random.Random(run)
        for _ in range(LENGTH):
            side = machine.step(world.draw(rng))
            falls += side < 0
            rises += side > 0
    return falls / runs * 1_000 / LENGTH, rises / runs * 1_000 / LENGTH


def _delay(
    make: Make, world: World, runs: int, change: float, *, at: int = 0, by_refusing: bool = False
) -> str:
    """Return after how many answers a change is noticed, and in how many runs nothing moved before it."""
    found = []
    for run in range(runs):
        machine, rng = make(run), random.Random(f"{run}.{change}")
        for number in range(1, at + LENGTH + 1):
            advantage = world.draw(rng, change, by_refusing) if number > at else world.draw(rng)
            if machine.step(advantage) == (1 if change > 0 else -1):
                if number > at:
                    found.append(number - at)
                break
    if not found:
        return "none left"
    told = f"{statistics.median(found):.0f}"
    return f"{told} of {len(found) / runs:.0%}" if at else told


def measure(runs: int) -> str:
    """Return the part of the page."""
    rows = []
    for name, world in WORLDS.items():
        limits = [_limits(world, sample) for sample in range(SAMPLES)]
        rules: dict[str, Make] = {
            "**persona-moe**": lambda run, limits=limits: Product(limits[run % SAMPLES]),  # type: ignore[misc]
            "running mean": lambda _: Mean(1),
            "running mean of 10 or more": lambda _: Mean(10),
            "fading mean (EWMA 0.1)": lambda _: Fading(),
            "single score": lambda _: Single(),
        }
        down, up = ([getattr(each, side) for each in limits] for side in ("down", "up"))
        told = f"; limits {min(down):g} to {max(down):g}, {min(up):g} to {max(up):g}"
        for rule, make in rules.items():
            falls, rises = _moves(make, world, runs)
            refusing = _delay(make, world, runs, -0.2, at=DROP_AT, by_refusing=True) if world.refused else ""
            rows.append(
                (
                    name + told,
                    rule,
                    f"{falls:.2f}",
                    f"{rises:.2f}",
                    _delay(make, world, runs, -0.2),
                    _delay(make, world, runs, -0.2, at=DROP_AT),
                    refusing,
                    _delay(make, world, runs, 0.15),
                )
            )
            told = ""
            print(*rows[-1], sep="  ", flush=True)
    head = (
        "advantages",
        "rule",
        "wrong demotions in 1,000",
        "lucky promotions in 1,000",
        "delay, bad from the start (−0.2)",
        f"delay, drop of 0.2 after {DROP_AT}",
        "the same, by refusing more",
        "delay, promotion at +0.15",
    )
    allowed = 1_000 / THRESHOLDS.questions_per_wrong_demotion
    return (
        f"{runs:,} seeded runs of {LENGTH:,} answers for each row. Allowed by the setting "
        f"(`questions_per_wrong_demotion` = {THRESHOLDS.questions_per_wrong_demotion:,}): {allowed:g} wrong "
        f"demotions in 1,000. The limits are solved from {SAMPLES} samples of 600 advantages; each run has "
        "one of them. Delays are medians in answers; the share beside a drop is that of runs in "
        f"which the persona was still there after {DROP_AT} answers. A refused answer cannot get worse, so "
        "where personas refuse, the mean drops because the answers get worse (first column) or because more "
        "are refused (second).\n\n" + table(head, rows)
    )


def main() -> None:
    """Measure; print or write the page's part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    text = measure(args.runs)
    if args.page is None:
        print(text)
    else:
        write_part(args.page, "lifecycle_simulation", text)


if __name__ == "__main__":
    main()
