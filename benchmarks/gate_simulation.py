"""The gate against other ways to choose experts, at equal spend, on made-up personas.

python benchmarks/gate_simulation.py [--seeds 40] [--page docs/learning-evidence.md]

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

from engine.config import SystemSettings
from engine.evaluation.credit import advantages
from engine.evaluation.plain import PlainLexicon
from engine.events import Facet
from engine.personas.document import Persona
from engine.personas.gate import Candidate, GateWeights, choose_experts
from engine.personas.learned import Learned, faded
from engine.personas.policy import Policy

TOPICS = ("history", "medicine", "software", "music", "law", "travel")
PERSONAS = 12
MOST = 3
BUDGET = 3.0
QUESTIONS = 400
EVERY = SystemSettings().learn_every
UNSEEN = 12
"""The first world of those that were not looked at while the gate's numbers were picked."""
STEADY, TURNING, ARRIVING = "nothing changes", "six turn", "four arrive"
REACH = 0.6
LEXICON = PlainLexicon()
Chooser = Callable[[int, str], list[int]]


class World:
    """Personas with hidden skills, and what is seen of them."""

    def __init__(self, seed: int, change: str = "nothing changes") -> None:
        self.rng = random.Random(seed)
        self.change = change
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

    def turns(self, number: int) -> bool:
        """Return whether the world is another one from this question on, and make it so."""
        if self.change == TURNING and number == QUESTIONS // 2:
            ranked = sorted(range(PERSONAS), key=lambda p: sum(self.skill[p].values()))
            for p, by in [*((p, 0.35) for p in ranked[:3]), *((p, -0.35) for p in ranked[-3:])]:
                self.skill[p] = {t: min(max(v + by, 0.02), 0.98) for t, v in self.skill[p].items()}
        return number in (0, QUESTIONS // 2)

    def here(self, number: int) -> list[int]:
        """Return who can be asked: a third of the personas comes later where newcomers are told of."""
        late = self.change == ARRIVING and number < QUESTIONS // 2
        return [p for p in range(PERSONAS) if not (late and p % 3 == 0)]

    def topic_for(self, p: int, topic: str) -> str:
        """Return the topic as a persona's record has it: nothing where it says it knows nothing of it."""
        return topic if topic in self.knows[p] else ""

    def worth(self, experts: Sequence[int], topic: str) -> float:
        """Return the share of the question that these experts cover."""
        return 1 - math.prod(1 - REACH * self.skill[p][topic] for p in experts)

    def best(self, topic: str, here: Sequence[int]) -> float:
        """Return the most that the budget can buy."""
        sets = (
            chosen
            for size in range(1, MOST + 1)
            for chosen in itertools.combinations(here, size)
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
        self.n: dict[tuple[int, str], int] = {}
        self.sums: dict[tuple[int, str], float] = {}

    def add(self, scores: Mapping[int, float], topic: str) -> None:
        """Take in what one question showed."""
        for p, score in scores.items():
            self.n[p, topic] = self.n.get((p, topic), 0) + 1
            self.sums[p, topic] = self.sums.get((p, topic), 0.0) + score

    def mean(self, p: int, topic: str) -> float:
        """Return the persona's mean on the topic, 0.5 for none."""
        n = self.n.get((p, topic), 0)
        return self.sums[p, topic] / n if n else 0.5


def fill(world: World, here: Sequence[int], rank: Callable[[int], float]) -> list[int]:
    """Return experts by falling rank as long as they fit the budget."""
    chosen: list[int] = []
    spent = 0.0
    ranks = {p: rank(p) for p in here}
    for p in sorted(here, key=lambda p: (-ranks[p], p)):
        if len(chosen) < MOST and spent + world.costs[p] <= BUDGET:
            chosen.append(p)
            spent += world.costs[p]
    return chosen


def run(world: World, name: str, every: int = EVERY) -> list[float]:
    """Return the share of the best worth that one way of choosing reaches, question by question."""
    memory, rng = Memory(), random.Random(1)
    log: list[tuple[str, str, int, float, int]] = []
    learned = Learned()
    best: dict[str, float] = {}
    reached = []
    for number, (topic, difficulty) in enumerate(world.questions):
        here = world.here(number)
        if world.turns(number):
            best = {each: world.best(each, here) for each in TOPICS}
        match name:
            case "random":
                chosen = fill(world, here, lambda p: rng.random())
            case "greedy mean":
                chosen = fill(world, here, lambda p, t=topic: memory.mean(p, t))  # type: ignore[misc]
            case "UCB":
                chosen = fill(world, here, lambda p, t=topic, i=number: _upper(memory, p, t, i))  # type: ignore[misc]
            case "Thompson":
                chosen = fill(world, here, lambda p, t=topic: _draw(memory, p, t, rng))  # type: ignore[misc]
            case _:
                if number % every == 0 and name == "gate":
                    pasts = faded(log, number)
                    learned = Learned(runs=number, digest="d" if number else "", pasts=pasts)
                chosen = _gate(world, here, learned, topic, number)
        reached.append(world.worth(chosen, topic) / best[topic])
        scores = world.scores(chosen, topic, difficulty)
        memory.add(scores, topic)
        gaps = advantages({f"p{p:02}": score for p, score in scores.items()})
        log += [
            (f"{persona} d", world.topic_for(int(persona[1:]), topic), 1, gap, number + 1)
            for persona, gap in gaps.items()
        ]
    return reached


def _upper(memory: Memory, p: int, topic: str, number: int) -> float:
    n = memory.n.get((p, topic), 0)
    return math.inf if not n else memory.mean(p, topic) + math.sqrt(2 * math.log(number + 1) / n) / 2


def _draw(memory: Memory, p: int, topic: str, rng: random.Random) -> float:
    n = memory.n.get((p, topic), 0)
    return rng.gauss((memory.mean(p, topic) * n + 0.5) / (n + 1), 0.25 / math.sqrt(n + 1))


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


def _gate(world: World, here: Sequence[int], learned: Learned, topic: str, number: int) -> list[int]:
    candidates = [_candidate(world, p) for p in here]
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
        records=learned.records(names, lambda name: world.topic_for(int(name[1:]), topic)),
        weights=GateWeights(),
    )
    return [int(each.persona[1:]) for each in result.chosen]


def measure(seeds: int) -> str:
    """Return the part of the page."""
    rows = []
    half = QUESTIONS // 2
    for change in (STEADY, TURNING, ARRIVING):
        for name in ("gate", "gate without records", "random", "greedy mean", "UCB", "Thompson"):
            runs = [run(World(UNSEEN + seed, change), name) for seed in range(seeds)]
            spans = ((0, 100), (100, half), (half, QUESTIONS), (0, QUESTIONS))
            means = [statistics.mean(statistics.mean(each[a:b]) for each in runs) for a, b in spans]
            whole = [statistics.mean(each) for each in runs]
            if name == "gate":
                gate = whole
            gaps = [own - other for own, other in zip(gate, whole, strict=True)]
            error = 1.96 * statistics.stdev(gaps) / math.sqrt(seeds)
            gap = f"{statistics.mean(gaps):+.3f} ±{error:.3f}" if name != "gate" else ""
            shown = f"**{name}**" if name == "gate" else name
            rows.append((change, shown, *(f"{mean:.3f}" for mean in means), gap))
            print(*rows[-1], flush=True)
    head = (
        f"after {half} questions",
        "way to choose",
        "questions 1–100",
        f"101–{half}",
        f"{half + 1}–{QUESTIONS}",
        "all",
        "gate less this, world by world, 95 %",
    )
    return (
        f"{seeds} made-up worlds, none of them among the {UNSEEN} on which the gate's numbers were picked, "
        f"of {PERSONAS} personas and {len(TOPICS)} topics, {QUESTIONS} questions "
        f"each; at most {MOST} experts and a budget of {BUDGET:g} for every way. The share of the worth "
        "that the best choice for the same budget would have had. Six turn: the three best personas lose "
        "0.35 on every topic, the three worst gain as much. Four arrive: only eight can be asked before. "
        "Greedy, UCB and Thompson know the scores and topics of all answers at once; the gate knows "
        f"advantages only, by what a persona says it knows, and reads them every {EVERY} questions.\n\n"
        + table(head, rows)
    )


def main() -> None:
    """Measure; print or write the page's part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    text = measure(args.seeds)
    if args.page is None:
        print(text)
    else:
        write_part(args.page, "gate_simulation", text)


if __name__ == "__main__":
    main()
