"""What each part of the mixture is worth: the same questions with one mechanism changed at a time.

python benchmarks/ablation.py DATASET... [--questions 100] [--page docs/learning-evidence.md]

Each DATASET holds corpus.jsonl, queries.jsonl and qrels.tsv. Reported is recall of the judged
passages among the first five, with the paired difference to the product as it is.
"""

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from _page import table, write_part

from engine.corpus.lexicon import CorpusLexicon
from engine.evaluation.metrics import parse_qrels, recall_at
from engine.ids import uniform
from engine.mixture import Mixture
from engine.orchestrator import MoeOrchestrator
from engine.personas.gate import Candidate
from engine.personas.learned import Learned
from engine.personas.registry import PersonaRegistry, StoredPersona
from engine.pipeline import CONTROL_PERSONA, Engine
from engine.query import Query
from engine.workspace import Workspace

Committee = Callable[[Query], list[Candidate]]
"""Chooses who answers a question."""


class Ways:
    """The committees that are compared, for one workspace."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.roster = PersonaRegistry.of(engine.workspace).load().usable
        self.mixture = self._mixture(self.roster)
        self.shuffled = self._mixture(_shuffled(self.roster))
        self.by_id = {each.persona.persona_id: each for each in self.roster}

    def _mixture(self, roster: Sequence[StoredPersona]) -> Mixture:
        return Mixture(self.engine.workspace, self.engine.settings, roster)

    def all(self) -> dict[str, Committee]:
        """Return name -> committee, the product's own first."""
        return {
            "as it is": self.chosen,
            "traits shuffled across personas": lambda q: self.shuffled.experts(
                self.shuffled.choose(q, Learned())
            ),
            "gate replaced by chance": self.by_chance,
            "overlap penalty off": self.without_overlap,
            "first expert alone": lambda q: self.chosen(q)[:1],
            "control arm alone": lambda _: [self.mixture.candidate(self.by_id[CONTROL_PERSONA])],
        }

    def chosen(self, query: Query) -> list[Candidate]:
        """Return the committee of the product."""
        return self.mixture.experts(self.mixture.choose(query, Learned()))

    def by_chance(self, query: Query) -> list[Candidate]:
        """Return as many personas as the gate would, drawn by lot, at no more than the same cost."""
        own = self.chosen(query)
        budget = sum(each.persona.activation_cost for each in own)
        drawn = sorted(
            (each for each in self.roster if each.tier != "experimental"),
            key=lambda each: uniform(1, query.text, each.persona.persona_id),
        )
        found: list[Candidate] = []
        for each in drawn:
            cost = each.persona.activation_cost
            if len(found) < len(own) and cost <= budget:
                found.append(self.mixture.candidate(each))
                budget -= cost
        return found

    def without_overlap(self, query: Query) -> list[Candidate]:
        """Return the product's committee with experts that do not keep off each other's ground."""
        return [
            msgspec.structs.replace(each, policy=msgspec.structs.replace(each.policy, overlap_penalty=0.0))
            for each in self.chosen(query)
        ]


def _shuffled(roster: Sequence[StoredPersona]) -> list[StoredPersona]:
    traits = [each.persona.traits for each in roster]
    random.Random(7).shuffle(traits)
    return [
        msgspec.structs.replace(each, persona=msgspec.structs.replace(each.persona, traits=given))
        for each, given in zip(roster, traits, strict=True)
    ]


def measure(dataset: Path, questions: int) -> list[tuple[str, ...]]:
    """Return the rows of one data set."""
    gold = parse_qrels((dataset / "qrels.tsv").read_text(encoding="utf-8"))
    with (dataset / "queries.jsonl").open(encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    every = [each for each in every if each["id"] in gold]
    asked = every[:: max(1, len(every) // questions)][:questions]
    recalls: dict[str, list[float]] = {}
    sizes: dict[str, list[int]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="persona-moe-ablation-") as folder,
        Engine.open(Workspace.open(Path(folder))) as engine,
    ):
        engine.index([dataset / "corpus.jsonl"])
        lexicon = CorpusLexicon(engine.store)
        orchestrator = MoeOrchestrator(engine.settings)
        for name, committee in Ways(engine).all().items():
            for each in asked:
                query = Query(each["text"], engine.store, lexicon, engine.settings)
                experts = committee(query)
                query = Query(each["text"], engine.store, lexicon, engine.settings)
                found = [e.evidence_id for e in orchestrator.search(query, experts, 10)]
                recalls.setdefault(name, []).append(recall_at(5, found, gold[each["id"]]))
                sizes.setdefault(name, []).append(len(experts))
    base = recalls["as it is"]
    rows = []
    for name, values in recalls.items():
        gaps = [value - other for value, other in zip(values, base, strict=True)]
        low, high = _interval(gaps)
        gap = "" if name == "as it is" else f"{statistics.mean(gaps):+.3f} ({low:+.3f} to {high:+.3f})"
        rows.append(
            (
                dataset.name,
                name,
                f"{statistics.mean(values):.3f}",
                gap,
                f"{statistics.mean(sizes[name]):.1f}",
            )
        )
        print(*rows[-1], sep="  ", flush=True)
    return rows


def _interval(gaps: Sequence[float]) -> tuple[float, float]:
    rng = random.Random(5)
    means = sorted(statistics.fmean(rng.choices(gaps, k=len(gaps))) for _ in range(1_000))
    return means[25], means[974]


def main() -> None:
    """Measure; print or write the page's part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    rows = [row for each in args.datasets for row in measure(each, args.questions)]
    head = ("set", "committee", "recall@5", "difference (95 %)", "experts")
    text = f"Up to {args.questions} development questions of each set, no model.\n\n" + table(head, rows)
    if args.page is None:
        print(text)
    else:
        write_part(args.page, "ablation", text)


if __name__ == "__main__":
    main()
