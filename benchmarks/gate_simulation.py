"""The gate against other ways to choose experts, at equal spend, on made-up personas.

python benchmarks/gate_simulation.py [--seeds 100] [--page docs/learning-evidence.md]

Twelve personas, six topics. How good a persona is on a topic is hidden; its expertise tells part of
it. A question has a topic and a difficulty that scales every score. The committee is worth the
share it covers, ``1 - product(1 - skill * reach)``; reported is that worth over the best worth the
same budget could have bought.
"""

import argparse
import itertools
import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from _page import table, write_part

from engine.evaluation.credit import advantages
from engine.evaluation.plain import PlainLexicon
from engine.events import Facet
from engine.personas.document import Persona
from engine.personas.gate import Candidate, GateWeights, choose_experts
from engine.personas.learned import Learned, Past
from engine.personas.policy import Policy

TOPICS = ("history", "medicine", "software", "music", "law", "travel")
PERSONAS = 12
MOST = 3
BUDGET = 3.0
QUESTIONS = 400
EVERY = 25
REACH = 0.6
LEXICON = PlainLexicon()
Chooser = Callable[[int, str], list[int]]


class World:
    """Personas with hidden skills, and what is seen of them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.costs = [self.rng.choice([0.5, 0.8, 1.0, 1.2, 1.5]) for _ in range(PERSONAS)]
        self.knows = [self.rng.sample(TOPICS, 2) for _ in range(PERSONAS)]
        base = [self.rng.gauss(0.5, 0.12) for _ in range(PERSONAS)]
        self.skill = [
            {
                topic: min(
                    max(base[p] + self.rng.gauss(0.18 if topic in self.knows[p] else 0.0, 0.12), 0.02), 0.98
                )
                for topic in TOPICS
            }
            for p in range(PERSONAS)
        ]
        self.questions = [(self.rng.choice(TOPICS), self.rng.uniform(0.5, 1.0)) for _ in range(QUESTIONS)]

    def worth(self, experts: Sequence[int], topic: str) -> float:
        """Return the share of the question that these experts cover."""
        return 1 - math.prod(1 - REACH * self.skill[p][topic] for p in experts)

    def best(self, topic: str) -> float:
        """Return the most that the budget can buy."""
        sets = (
            chosen
            for size in range(1, MOST + 1)
            for chosen in itertools.combinations(range(PERSONAS), size)
            if sum(self.costs[p] for p in chosen) <= BUDGET
        )
        return max(self.worth(chosen, topic) for chosen in sets)

    def scores(self, experts: Sequence[int], topic: str, difficulty: float) -> dict[int, float]:
        """Return what is seen: each expert's total, noisy and scaled by the question's difficulty."""
        noise = self.rng.gauss
        return {p: min(max(difficulty * self.skill[p][topic] + noise(0.0, 0.1), 0.0), 1.0) for p in experts}


class Memory:
    """What a bandit keeps: totals by persona and topic."""

    def __init__(self) -> None:
        self.n = [dict.fromkeys(TOPICS, 0) for _ in range(PERSONAS)]
        self.sums = [dict.fromkeys(TOPICS, 0.0) for _ in range(PERSONAS)]

    def add(self, scores: Mapping[int, float], topic: str) -> None:
        """Take in what one question showed."""
        for p, score in scores.items():
            self.n[p][topic] += 1
            self.sums[p][topic] += score

    def mean(self, p: int, topic: str) -> float:
        """Return the persona's mean on the topic, 0.5 for none."""
        return self.sums[p][topic] / self.n[p][topic] if self.n[p][topic] else 0.5


def fill(world: World, rank: Callable[[int], float]) -> list[int]:
    """Return experts by falling rank as long as they fit the budget."""
    chosen: list[int] = []
    spent = 0.0
    for p in sorted(range(PERSONAS), key=lambda p: (-rank(p), p)):
        if len(chosen) < MOST and spent + world.costs[p] <= BUDGET:
            chosen.append(p)
            spent += world.costs[p]
    return chosen


def run(world: World, name: str) -> list[float]:
    """Return the share of the best worth that one way of choosing reaches, question by question."""
    memory, rng = Memory(), random.Random(1)
    pasts: dict[str, dict[str, Past]] = {}
    learned = Learned()
    candidates = [_candidate(world, p) for p in range(PERSONAS)]
    best = {topic: world.best(topic) for topic in TOPICS}
    reached = []
    for number, (topic, difficulty) in enumerate(world.questions):
        match name:
            case "random":
                chosen = fill(world, lambda p: rng.random())
            case "greedy mean":
                chosen = fill(world, lambda p, t=topic: memory.mean(p, t))  # type: ignore[misc]
            case "UCB":
                chosen = fill(world, lambda p, t=topic, i=number: _upper(memory, p, t, i))  # type: ignore[misc]
            case "Thompson":
                chosen = fill(world, lambda p, t=topic: _draw(memory, p, t, rng))  # type: ignore[misc]
            case _:
                if number % EVERY == 0 and name == "gate":
                    learned = _learned(pasts, number)
                chosen = _gate(candidates, learned, topic, number)
        reached.append(world.worth(chosen, topic) / best[topic])
        scores = world.scores(chosen, topic, difficulty)
        memory.add(scores, topic)
        gaps = advantages({f"p{p:02}": score for p, score in scores.items()})
        for persona, gap in gaps.items():
            by_topic = pasts.setdefault(f"{persona} d", {})
            old = by_topic.get(topic, Past(n=0, advantage=0.0, last=0))
            mean = (old.n * old.advantage + gap) / (old.n + 1)
            by_topic[topic] = Past(n=old.n + 1, advantage=mean, last=number + 1)
    return reached


def _upper(memory: Memory, p: int, topic: str, number: int) -> float:
    n = memory.n[p][topic]
    return math.inf if not n else memory.mean(p, topic) + math.sqrt(2 * math.log(number + 1) / n) / 2


def _draw(memory: Memory, p: int, topic: str, rng: random.Random) -> float:
    n = memory.n[p][topic]
    return rng.gauss((memory.mean(p, topic) * n + 0.5) / (n + 1), 0.25 / math.sqrt(n + 1))


def _learned(pasts: Mapping[str, Mapping[str, Past]], number: int) -> Learned:
    kept = {name: dict(by_topic) for name, by_topic in pasts.items()}
    return Learned(runs=number, digest="d" if number else "", pasts=kept)


def _candidate(world: World, p: int) -> Candidate:
    persona = Persona(
        persona_id=f"p{p:02}",
        traits={},
        expertise=world.knows[p],
        activation_cost=world.costs[p],
        historical_performance={},
        metadata={},
    )
    return Candidate(persona=persona, tier="active", policy=Policy())


def _gate(candidates: Sequence[Candidate], learned: Learned, topic: str, number: int) -> list[int]:
    names = {each.persona.persona_id: "d" for each in candidates}
    facet = Facet(facet_id="f", kind="term", text=topic, weight=1.0, terms=LEXICON.terms(topic))
    result = choose_experts(
        candidates,
        [facet],
        LEXICON,
        budget=BUDGET,
        max_experts=MOST,
        price=0.0,
        seed=0,
        question_digest=str(number),
        records=learned.records(names, lambda _: topic),
        weights=GateWeights(),
    )
    return [int(each.persona[1:]) for each in result.chosen]


def measure(seeds: int) -> str:
    """Return the part of the page."""
    rows = []
    for name in ("gate", "gate without records", "random", "greedy mean", "UCB", "Thompson"):
        runs = [run(World(seed), name) for seed in range(seeds)]
        spans = ((0, 100), (100, 200), (200, QUESTIONS), (0, QUESTIONS))
        means = [statistics.mean(statistics.mean(each[a:b]) for each in runs) for a, b in spans]
        error = statistics.stdev(statistics.mean(each) for each in runs) / math.sqrt(seeds)
        shown = f"**{name}**" if name == "gate" else name
        rows.append((shown, *(f"{mean:.3f}" for mean in means), f"±{1.96 * error:.3f}"))
        print(*rows[-1], flush=True)
    head = ("way to choose", "questions 1–100", "101–200", f"201–{QUESTIONS}", "all", "95 %")
    return (
        f"{seeds} made-up worlds of {PERSONAS} personas and {len(TOPICS)} topics, {QUESTIONS} questions "
        f"each; at most {MOST} experts and a budget of {BUDGET:g} for every way. The share of the worth "
        "that the best choice for the same budget would have had.\n\n" + table(head, rows)
    )


def main() -> None:
    """Measure; print or write the page's part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    text = measure(args.seeds)
    if args.page is None:
        print(text)
    else:
        write_part(args.page, "gate_simulation", text)


if __name__ == "__main__":
    main()
