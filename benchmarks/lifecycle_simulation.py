"""How often the lifecycle errs and how fast it notices, against simpler rules, on made-up personas.

python benchmarks/lifecycle_simulation.py [--runs 2000] [--page docs/learning-evidence.md]

Every run draws a persona's advantages from one of three distributions. The limits are solved by the
product from 600 advantages of equal personas, as they are in use.
"""

import argparse
import random
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

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
Draw = Callable[[random.Random], float]


def bell(spread: float) -> Draw:
    """Return draws of a bell curve."""
    return lambda rng: rng.gauss(0.0, spread)


def refusing(rng: random.Random) -> float:
    """Draw as measured on technical documentation: one answer in six is a refusal, the rest close."""
    return -0.4 if rng.random() < 1 / 6 else rng.gauss(0.08, 0.1)


NOISES: dict[str, Draw] = {
    "spread 0.15": bell(0.15),
    "spread 0.20": bell(0.2),
    "one in six refuses": refusing,
}


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


def _advantages(rng: random.Random, draw: Draw, means: Sequence[float]) -> list[float]:
    return [min(max(mean + draw(rng), -0.5), 0.5) for mean in means]


def _limits(draw: Draw) -> Limits:
    rng = random.Random(0)
    pool = _advantages(rng, draw, [0.0] * 600)
    every = THRESHOLDS.questions_per_wrong_demotion
    return Limits(
        down=solve_limit(every, pool, demotion_band(THRESHOLDS), -1),
        up=solve_limit(every / PROMOTIONS_PER_DEMOTION, pool, promotion_band(THRESHOLDS), 1),
    )


def _delays(
    rule: Callable[[], Rule], draw: Draw, runs: int, change: float, at: int, side: int
) -> list[float]:
    """Return after how many answers the change was noticed, for each run that had not moved before."""
    found = []
    for run in range(runs):
        machine = rule()
        rng = random.Random(f"{run}.{change}")
        for number in range(1, at + LENGTH + 1):
            mean = change if number > at else 0.0
            if machine.step(_advantages(rng, draw, [mean])[0]) == side:
                if number > at:
                    found.append(float(number - at))
                break
    return found


def measure(runs: int) -> str:
    """Return the part of the page."""
    rows = []
    for noise, draw in NOISES.items():
        limits = _limits(draw)
        rules: dict[str, Callable[[], Rule]] = {
            "**persona-moe**": lambda limits=limits: Product(limits),  # type: ignore[misc]
            "running mean": lambda: Mean(1),
            "running mean of 10 or more": lambda: Mean(10),
            "fading mean (EWMA 0.1)": Fading,
            "single score": Single,
        }
        for name, rule in rules.items():
            falls = rises = 0
            for run in range(runs):
                machine = rule()
                for advantage in _advantages(random.Random(run), draw, [0.0] * LENGTH):
                    side = machine.step(advantage)
                    falls += side < 0
                    rises += side > 0
            bad = _delays(rule, draw, runs, -0.2, 0, -1)
            drop = _delays(rule, draw, runs, -0.2, DROP_AT, -1)
            rise = _delays(rule, draw, runs, 0.15, 0, 1)
            per = runs * LENGTH / 1_000
            rows.append(
                (
                    noise,
                    name,
                    f"{falls / per:.2f}",
                    f"{rises / per:.2f}",
                    f"{statistics.median(bad):.0f}",
                    f"{statistics.median(drop):.0f} of {len(drop) / runs:.0%}" if drop else "none left",
                    f"{statistics.median(rise):.0f}",
                )
            )
            print(*rows[-1], sep="  ", flush=True)
        rows[-5] = (f"{noise}; limits {limits.down:g}, {limits.up:g}", *rows[-5][1:])
    head = (
        "advantages",
        "rule",
        "wrong demotions in 1,000",
        "lucky promotions in 1,000",
        "delay, bad from the start (−0.2)",
        f"delay, drop of 0.2 after {DROP_AT}",
        "delay, promotion at +0.15",
    )
    allowed = 1_000 / THRESHOLDS.questions_per_wrong_demotion
    return (
        f"{runs:,} seeded runs of {LENGTH:,} answers for each row. Allowed by the setting "
        f"(`questions_per_wrong_demotion` = {THRESHOLDS.questions_per_wrong_demotion:,}): {allowed:g} wrong "
        "demotions in 1,000. Delays are medians in answers; the share beside the drop is that of runs in "
        f"which the persona was still there after {DROP_AT} answers.\n\n" + table(head, rows)
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
