"""Siblings over a long run: born, tried beside their parent, kept or archived, on made-up skills.

python benchmarks/evolution_simulation.py [--questions 2000] [--runs 4] [--page docs/learning-evidence.md]

Gate, ledger, lifecycle and evolution are the product's own, on the starter personas in a temporary
workspace; made up are the questions' subjects and what each persona scores. How much better or worse
a sibling is than its parent is drawn once and hidden.
"""

import argparse
import random
import statistics
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
from _page import table, write_part

from engine.config import Settings, SystemSettings
from engine.evaluation.credit import advantages
from engine.evaluation.plain import PlainLexicon
from engine.events import Facet, PersonaMoved, Scores
from engine.personas.gate import Candidate, GateWeights, choose_experts
from engine.personas.learned import read_learned
from engine.personas.learning import Lesson, learn, settle
from engine.personas.ledger import Ledger, Outcome
from engine.personas.lineage import lineage
from engine.personas.policy import derive_policy
from engine.personas.registry import PersonaRegistry, StoredPersona
from engine.workspace import TIERS, Workspace

LEXICON = PlainLexicon()
DIFFERENCE, NOISE = 0.12, 0.1
EXPERTS = 3


class Skills:
    """Who is how good, hidden from the product; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.known: dict[str, float] = {}

    def of(self, stored: StoredPersona) -> float:
        """Return the persona's mean score."""
        name = stored.persona.persona_id
        if name not in self.known:
            rng = random.Random(f"{self._seed} {name}")
            parent = lineage(stored.persona).get("parent")
            start = self.known[parent] if parent else 0.5 + rng.gauss(0.0, 0.08)
            self.known[name] = min(max(start + (rng.gauss(0.0, DIFFERENCE) if parent else 0.0), 0.05), 0.95)
        return self.known[name]


Moves = list[tuple[int, PersonaMoved]]


def run(seed: int, questions: int, evolve: bool) -> tuple[Moves, Skills, dict[str, str], float]:
    """Return each move after how many questions it came, the skills, persona -> parent of the siblings.

    And the mean over the last 500 questions of the best skill asked.
    """
    settings = Settings(system=SystemSettings(evolve=evolve))
    moves: Moves = []
    parents: dict[str, str] = {}
    late: list[float] = []
    rng, skills = random.Random(seed), Skills(seed)
    with tempfile.TemporaryDirectory(prefix="persona-moe-evolution-") as folder:
        workspace = Workspace.open(Path(folder))
        registry = PersonaRegistry.of(workspace)
        with Ledger.open(workspace.ledger_path) as ledger:
            roster = registry.load()
            for number in range(questions):
                by_id = {each.persona.persona_id: each for each in roster.personas}
                learned = read_learned(ledger, every=settings.system.learn_every)
                subject = rng.choice(rng.choice(roster.in_tier("active", "stable")).persona.expertise)
                chosen = _choose(by_id, learned, subject, number, settings)
                totals = {
                    name: min(max(skills.of(by_id[name]) + rng.gauss(0.0, NOISE), 0.0), 1.0)
                    for name in chosen
                }
                if number >= questions - 500:
                    late.append(max(skills.of(by_id[name]) for name in chosen))
                lesson = Lesson(
                    topic=subject, experts=len(chosen), lift=0.1, outcomes=_outcomes(by_id, totals, subject)
                )
                learn(ledger, f"r{number}", lesson, registry, settings)
                moved = [
                    each for each in settle(workspace, ledger, settings) if isinstance(each, PersonaMoved)
                ]
                if moved:
                    moves += [(number, each) for each in moved]
                    roster = registry.load()
                    parents |= {
                        each.persona: lineage(registry.get(each.persona).persona)["parent"]
                        for each in moved
                        if each.rule == "sibling"
                    }
        places = Counter(path.name for tier in TIERS for path in (workspace.personas / tier).glob("*.json"))
        if any(count != 1 for count in places.values()):
            raise SystemExit("a persona is in two folders")
    return moves, skills, parents, statistics.mean(late)


def _choose(
    by_id: dict[str, StoredPersona], learned: object, subject: str, number: int, settings: Settings
) -> list[str]:
    candidates = [
        Candidate(persona=each.persona, tier=each.tier, policy=derive_policy(each.persona.traits))
        for each in by_id.values()
    ]
    facet = Facet(facet_id="f", kind="term", text=subject, weight=1.0, terms=LEXICON.terms(subject))
    digests = {name: each.digest for name, each in by_id.items()}
    result = choose_experts(
        candidates,
        [facet],
        LEXICON,
        budget=settings.thresholds.budget,
        max_experts=EXPERTS,
        price=settings.thresholds.activation_threshold,
        seed=0,
        question_digest=str(number),
        records=learned.records(  # type: ignore[attr-defined]
            digests, lambda name: subject if subject in by_id[name].persona.expertise else ""
        ),
        weights=GateWeights(audition_every=settings.thresholds.audition_every),
    )
    return [each.persona for each in result.chosen]


def _outcomes(by_id: dict[str, StoredPersona], totals: dict[str, float], subject: str) -> list[Outcome]:
    gaps = advantages(totals)
    scores = Scores(relevance=0.5, consistency=0.5, novelty=0.5, grounding=1.0, total=0.0)
    return [
        Outcome(
            persona_id=name,
            persona_digest=by_id[name].digest,
            topic=subject if subject in by_id[name].persona.expertise else "",
            tier=by_id[name].tier,
            chosen=True,
            cost=by_id[name].persona.activation_cost,
            scores=msgspec.structs.replace(scores, total=total),
            advantage=gaps[name],
            survival=0.0,
        )
        for name, total in totals.items()
    ]


def measure(runs: int, questions: int) -> str:
    """Return the part of the page."""
    rows = []
    for seed in range(runs):
        moves, skills, parents, late = run(seed, questions, evolve=True)
        *_, plain = run(seed, questions, evolve=False)
        ends = {each.persona: each for _, each in moves if each.persona in parents}
        born = {each.persona: number for number, each in moves if each.rule == "sibling"}
        trials: dict[str, int] = {}
        living = largest = 0
        for number, each in moves:
            if each.persona in parents:
                if each.rule != "sibling":
                    trials.setdefault(each.persona, number - born[each.persona])
                living += (each.rule == "sibling") - (each.target == "pruned")
                largest = max(largest, living)
        lead = {name: skills.known.get(name, 0.0) - skills.known[parents[name]] for name in parents}
        kept = [n for n, end in ends.items() if end.target in ("active", "stable")]
        gone = {n: end.rule for n, end in ends.items() if end.target == "pruned"}

        def mean(names: list[str], lead: dict[str, float] = lead) -> str:
            return f"{len(names)} ({statistics.mean(lead[n] for n in names):+.2f})" if names else "0"

        rows.append(
            (
                seed,
                len(parents),
                mean(kept),
                mean([n for n in gone if gone[n] == "trial"]),
                mean([n for n in gone if gone[n] != "trial"]),
                len(parents) - len(kept) - len(gone),
                largest,
                f"{statistics.median(trials.values()):.0f}, {max(trials.values())}" if trials else "",
                f"{late:.3f} / {plain:.3f}",
            )
        )
        print(*rows[-1], flush=True)
    head = (
        "run",
        "born",
        "kept",
        "archived after their trial",
        "archived for being behind",
        "on trial at the end",
        "most at once",
        "questions of a trial: median, longest",
        "best skill asked, last 500: with / without siblings",
    )
    return (
        f"{runs} runs of {questions:,} questions with `evolve` on, {EXPERTS} experts a question. A sibling's "
        f"hidden skill differs from its parent's by {DIFFERENCE:g} (standard deviation); in brackets is by "
        "how much, on average, those of the column really were better.\n\n" + table(head, rows)
    )


def main() -> None:
    """Measure; print or write the page's part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    text = measure(args.runs, args.questions)
    if args.page is None:
        print(text)
    else:
        write_part(args.page, "evolution_simulation", text)


if __name__ == "__main__":
    main()
