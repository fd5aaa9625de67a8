"""What each part of the mixture is worth: the same questions with one mechanism changed at a time.

python benchmarks/ablation.py DATASET... [--questions 40] [--page docs/learning-evidence.md]

Each DATASET holds corpus.jsonl, queries.jsonl and qrels.tsv. Every question goes the whole way to an
answer, without a model. Reported are what the answer scores, the share of the judged passages that
it cites and, where there are gold answers, how often it holds them, each with the paired difference
to the product as it is.
"""

import argparse
import json
import random
import re
import shutil
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from _page import table, write_part
from answers import gold_answers, held

from engine import events as ev
from engine.config import Settings, TraitRow
from engine.ids import uniform
from engine.personas.policy import Policy
from engine.personas.registry import PersonaRegistry, StoredPersona
from engine.pipeline import CONTROL_PERSONA, AskOptions, Engine
from engine.workspace import Workspace
from tui.datasets import read_dataset

AS_IT_IS = "as it is"
Change = Callable[[Settings], Settings]


class Run(msgspec.Struct, frozen=True):
    """What one question came to."""

    score: float
    cited: float
    held: float | None
    asked: int
    cost: float


def thresholds(**changes: object) -> Change:
    """Return a change of these thresholds."""
    return lambda settings: msgspec.structs.replace(
        settings, thresholds=msgspec.structs.replace(settings.thresholds, **changes)
    )


def knobs(*names: str, low: float | None = None) -> Change:
    """Return a change after which no trait turns these knobs, all of them if none is named."""

    def change(settings: Settings) -> Settings:
        rows = [_still(row, low) if not names or row.knob in names else row for row in settings.traits.rows]
        return msgspec.structs.replace(settings, traits=msgspec.structs.replace(settings.traits, rows=rows))

    return change


def _still(row: TraitRow, at: float | None) -> TraitRow:
    middle = getattr(Policy(), row.knob) if at is None else at
    return msgspec.structs.replace(row, low=middle, high=middle, switch=None)


WAYS: Mapping[str, Change] = {
    AS_IT_IS: lambda settings: settings,
    "traits shuffled across personas": lambda settings: settings,
    "all traits alike": knobs(),
    "nobody looks for the opposite": knobs("counter_seeds", low=0.0),
    "overlap penalty off": knobs("overlap_penalty", low=0.0),
    "rounds off, all ask at once": thresholds(first_round=4, max_rounds=1),
    "gate replaced by chance": lambda settings: settings,
    "one expert": thresholds(max_experts=1),
    "control arm alone": lambda settings: settings,
}
SHUFFLED, BY_CHANCE, CONTROL = (
    "traits shuffled across personas",
    "gate replaced by chance",
    "control arm alone",
)


def shuffle_traits(workspace: Workspace) -> None:
    """Give every persona of the workspace the traits of another."""
    files = sorted(workspace.personas.glob("*/*.json"))
    documents = [json.loads(each.read_text("utf-8")) for each in files]
    traits = [each["traits"] for each in documents]
    random.Random(7).shuffle(traits)
    for file, document, given in zip(files, documents, traits, strict=True):
        file.write_text(json.dumps(document | {"traits": given}), "utf-8")


def by_chance(roster: Sequence[StoredPersona], question: str, own: Run) -> tuple[str, ...]:
    """Return as many personas as the product asked, drawn by lot, at no more than the same cost."""
    drawn = sorted(
        (each for each in roster if each.tier != "experimental"),
        key=lambda each: uniform(1, question, each.persona.persona_id),
    )
    found: list[str] = []
    left = own.cost + 1e-6
    for each in drawn:
        if len(found) < own.asked and each.persona.activation_cost <= left:
            found.append(each.persona.persona_id)
            left -= each.persona.activation_cost
    return tuple(found)


def ask(engine: Engine, text: str, wanted: set[str], gold: Sequence[str], personas: tuple[str, ...]) -> Run:
    """Return what the question comes to."""
    events = list(engine.ask_sync(text, AskOptions(no_model=True, learn=False, personas=personas)))
    (answer,) = [event for event in events if isinstance(event, ev.AnswerReady)]
    (control,) = [event for event in events if isinstance(event, ev.ControlScored)]
    chosen = [event for event in events if isinstance(event, ev.ExpertChosen)]
    cited = {citation.evidence_id for citation in answer.citations}
    return Run(
        score=control.scores.total + control.lift,
        cited=len(cited & wanted) / len(wanted),
        held=held(re.sub(r"\[\d+\]", "", answer.answer), gold) if gold else None,
        asked=len(chosen),
        cost=sum(event.cost for event in chosen),
    )


def measure(folder: Path, questions: int) -> list[tuple[str, ...]]:
    """Return the rows of one data set."""
    dataset = read_dataset(folder)
    judged = {name: {p for p, grade in rows.items() if grade > 0} for name, rows in dataset.qrels.items()}
    asked = [(name, text) for name, text in dataset.queries.items() if judged.get(name)]
    asked = asked[:: max(1, len(asked) // questions)][:questions]
    gold = gold_answers(folder)
    runs: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory(prefix="persona-moe-ablation-") as work:
        plain = Workspace.open(Path(work) / "plain")
        with Engine.open(plain) as engine:
            engine.index([dataset.corpus])
        shutil.copytree(plain.root, Path(work) / "shuffled")
        shuffled = Workspace.open(Path(work) / "shuffled")
        shuffle_traits(shuffled)
        roster = PersonaRegistry.of(plain).load().usable
        for name, change in WAYS.items():
            with Engine.open(shuffled if name == SHUFFLED else plain) as engine:
                engine.settings = change(engine.settings)
                for number, (query, text) in enumerate(asked):
                    only: tuple[str, ...] = (CONTROL_PERSONA,) if name == CONTROL else ()
                    if name == BY_CHANCE:
                        only = by_chance(roster, text, runs[AS_IT_IS][number])
                    run = ask(engine, text, judged[query], gold.get(query, ()), only)
                    runs.setdefault(name, []).append(run)
            print(dataset.name, name, f"{statistics.mean(each.score for each in runs[name]):.3f}", flush=True)
    return [_row(dataset.name, name, found, runs[AS_IT_IS]) for name, found in runs.items()]


def _row(dataset: str, name: str, found: Sequence[Run], base: Sequence[Run]) -> tuple[str, ...]:
    def both(values: Sequence[float], others: Sequence[float]) -> str:
        if not values:
            return ""
        mean = f"{statistics.mean(values):.3f}"
        if name == AS_IT_IS:
            return mean
        gaps = [value - other for value, other in zip(values, others, strict=True)]
        low, high = _interval(gaps)
        sure = "**" if low > 0 or high < 0 else ""
        return f"{mean} ({sure}{statistics.mean(gaps):+.3f}{sure}, {low:+.3f} to {high:+.3f})"

    return (
        dataset,
        name,
        both([each.score for each in found], [each.score for each in base]),
        both([each.cited for each in found], [each.cited for each in base]),
        both(
            [each.held for each in found if each.held is not None],
            [each.held for each in base if each.held is not None],
        ),
        f"{statistics.mean(each.asked for each in found):.1f}",
        f"{statistics.mean(each.cost for each in found):.2f}",
    )


def _interval(gaps: Sequence[float]) -> tuple[float, float]:
    rng = random.Random(5)
    means = sorted(statistics.fmean(rng.choices(gaps, k=len(gaps))) for _ in range(1_000))
    return means[25], means[974]


def main() -> None:
    """Measure; print or write the page's part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="*", type=Path)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    if not args.datasets:
        print("skipped: needs a data set, see --help")
        return
    rows = [row for each in args.datasets for row in measure(each, args.questions)]
    head = ("set", "committee", "score", "judged passages cited", "gold answer held", "experts", "cost")
    text = (
        f"Up to {args.questions} development questions of each set, no model; in brackets the difference "
        "to the product as it is, with its 95 % interval (paired bootstrap). Differences that are sure are "
        "bold.\n\n" + table(head, rows)
    )
    if args.page is None:
        print(text)
    else:
        write_part(args.page, "ablation", text)


if __name__ == "__main__":
    main()
