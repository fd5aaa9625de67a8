"""What each part of the mixture is worth: the same questions with one mechanism changed at a time.

python benchmarks/ablation.py DATASET... [--questions 100] [--page docs/learning-evidence.md]

Each DATASET holds corpus.jsonl, queries.jsonl and qrels.tsv. Every question goes the whole way to an
answer, without a model. Budget, price and the most experts are the same for every way. Each figure
comes with the paired difference to the product as it is and its 95 % interval.
"""

import argparse
import json
import random
import re
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from _page import table, write_part
from answers import gold_answers, held

from engine import events as ev
from engine.config import Settings
from engine.experts.author import ExtractiveAuthor
from engine.ids import q6, uniform
from engine.personas import gate
from engine.personas.policy import Policy
from engine.personas.registry import PersonaRegistry
from engine.pipeline import CONTROL_PERSONA, AskOptions, Engine
from engine.trait_table import TraitRow
from engine.traversal import reading
from engine.workspace import Workspace
from tui.datasets import read_dataset

AS_IT_IS = "as it is"
Change = Callable[[Settings], Settings]


class Run(msgspec.Struct, frozen=True):
    """What one question came to; shares and scores are in [0, 1]."""

    score: float
    """Of the final answer, beside that of the control arm."""
    cited: float
    """Judged passages that the answer cites."""
    held: float | None
    """The gold answer, where there is one."""
    cost: float
    experts: float
    steps: float
    """Passages visited, counted for each expert."""
    tokens: int
    """Tokens of evidence read, counted for each expert."""
    recall: float
    """Judged passages among the five best of the shared pool."""
    found: float
    """Judged passages that at least one expert read."""
    ground: float
    """Passages that at least one expert read."""
    shared: float
    """Of those, what more than one read."""
    novelty: float
    """Mean over the experts."""
    best: float
    """Total of the expert that scored best."""
    conflicts: float


def thresholds(**changes: object) -> Change:
    """Return a change of these thresholds."""
    return lambda settings: msgspec.structs.replace(
        settings, thresholds=msgspec.structs.replace(settings.thresholds, **changes)
    )


def knobs(*names: str, at: float | None = None) -> Change:
    """Return a change after which no trait turns these knobs, all of them if none is named."""

    def change(settings: Settings) -> Settings:
        rows = [_still(row, at) if not names or row.knob in names else row for row in settings.traits.rows]
        return msgspec.structs.replace(settings, traits=msgspec.structs.replace(settings.traits, rows=rows))

    return change


def _still(row: TraitRow, at: float | None) -> TraitRow:
    middle = getattr(Policy(), row.knob) if at is None else at
    return msgspec.structs.replace(row, low=middle, high=middle, switch=None)


def same(settings: Settings) -> Settings:
    """Change nothing in the settings."""
    return settings


SHUFFLED, BY_CHANCE = "traits shuffled across personas", "gate's values drawn by lot"
CONTROL, CONTROL_READS_ALL = "control arm alone", "control arm alone, reads as much"
WAYS: Mapping[str, Change] = {
    AS_IT_IS: same,
    SHUFFLED: same,
    "all traits alike": knobs(),
    "nobody looks for the opposite": knobs("counter_seeds", at=0.0),
    "overlap penalty off": knobs("overlap_penalty", at=0.0),
    BY_CHANCE: same,
    "rounds off, all ask at once": thresholds(first_round=4, max_rounds=1),
    "one expert": thresholds(max_experts=1),
    CONTROL: same,
    CONTROL_READS_ALL: same,
}


def shuffle_traits(workspace: Workspace) -> None:
    """Give every persona of the workspace the traits of another."""
    files = sorted(workspace.personas.glob("*/*.json"))
    documents = [json.loads(each.read_text("utf-8")) for each in files]
    traits = [each["traits"] for each in documents]
    random.Random(7).shuffle(traits)
    for file, document, given in zip(files, documents, traits, strict=True):
        file.write_text(json.dumps(document | {"traits": given}), "utf-8")


@contextmanager
def by_lot(question: str) -> Iterator[None]:
    """Let the gate see lots in place of values and matches; budget, rounds and costs stay."""
    plain = gate.rate

    def rate(candidate: gate.Candidate, *others: Any) -> gate.Rated:
        rated = plain(candidate, *others)
        value = q6(0.2 + 0.6 * uniform(1, question, rated.persona_id))
        return msgspec.structs.replace(rated, value=value, match=(0.5,) * len(rated.match))

    with patch.object(gate, "rate", rate):
        yield


@contextmanager
def reads_as_much(engine: Engine, own: Run) -> Iterator[None]:
    """Give whoever answers the steps, passages and claims that the whole committee had."""
    plain = engine.settings
    engine.settings = knobs("beam_width", at=float(min(64, max(1, round(own.steps) - 5))))(plain)
    engine.settings = knobs("max_claims", at=20.0)(knobs("context_share", at=1.0)(engine.settings))
    try:
        with (
            patch.object(reading, "PASSAGES", round(own.ground)),
            patch.object(ExtractiveAuthor, "context_tokens", own.tokens),
        ):
            yield
    finally:
        engine.settings = plain


def ask(
    engine: Engine, text: str, wanted: set[str], gold: Sequence[str], personas: tuple[str, ...] = ()
) -> Run:
    """Return what the question comes to."""
    events = list(engine.ask_sync(text, AskOptions(no_model=True, learn=False, personas=personas)))
    (answer,) = [event for event in events if isinstance(event, ev.AnswerReady)]
    (control,) = [event for event in events if isinstance(event, ev.ControlScored)]
    (ranked,) = [event for event in events if isinstance(event, ev.EvidenceRanked)]
    chosen = [event for event in events if isinstance(event, ev.ExpertChosen)]
    scores = [event.scores for event in events if isinstance(event, ev.ScoresReady)]
    read = [
        passage for event in events if isinstance(event, ev.ContextPacked) for passage in set(event.passages)
    ]
    evidence = {each.evidence_id for each in engine.store.passages(dict.fromkeys(read))}
    return Run(
        score=control.scores.total + control.lift,
        cited=len({each.evidence_id for each in answer.citations} & wanted) / len(wanted),
        held=held(re.sub(r"\[\d+\]", "", answer.answer), gold) if gold else None,
        cost=sum(event.cost for event in chosen),
        experts=len(chosen),
        steps=sum(isinstance(event, ev.StepTaken) for event in events),
        tokens=sum(event.tokens for event in events if isinstance(event, ev.ContextPacked)),
        recall=len({each.evidence_id for each in ranked.evidence[:5]} & wanted) / len(wanted),
        found=len(evidence & wanted) / len(wanted),
        ground=len(set(read)),
        shared=sum(read.count(each) > 1 for each in set(read)) / len(set(read)) if read else 0.0,
        novelty=statistics.mean(each.novelty for each in scores),
        best=max(each.total for each in scores),
        conflicts=sum(isinstance(event, ev.ConflictFound) for event in events),
    )


def measure(folder: Path, questions: int) -> dict[str, list[Run]]:
    """Return way -> what each question of one data set came to."""
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
        PersonaRegistry.of(plain).load()
        shutil.copytree(plain.root, Path(work) / "shuffled")
        shuffled = Workspace.open(Path(work) / "shuffled")
        shuffle_traits(shuffled)
        for name, change in WAYS.items():
            with Engine.open(shuffled if name == SHUFFLED else plain) as engine:
                engine.settings = change(engine.settings)
                found = runs.setdefault(name, [])
                for number, (query, text) in enumerate(asked):
                    about = (text, judged[query], gold.get(query, ()))
                    if name == BY_CHANCE:
                        with by_lot(text):
                            found.append(ask(engine, *about))
                    elif name == CONTROL_READS_ALL:
                        with reads_as_much(engine, runs[AS_IT_IS][number]):
                            found.append(ask(engine, *about, (CONTROL_PERSONA,)))
                    else:
                        found.append(ask(engine, *about, (CONTROL_PERSONA,) if name == CONTROL else ()))
            print(dataset.name, name, f"{statistics.mean(each.score for each in found):.3f}", flush=True)
    return runs


# -- the page ------------------------------------------------------------------------------------
def gaps(runs: Mapping[str, list[Run]], way: str, what: str) -> list[float]:
    """Return question by question what ``way`` differs from the product as it is."""
    pairs = [
        (getattr(run, what), getattr(base, what))
        for run, base in zip(runs[way], runs[AS_IT_IS], strict=True)
        if getattr(run, what) is not None
    ]
    return [value - base for value, base in pairs]


def interval(sets: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean over all questions, drawn again within each set."""
    rng = random.Random(5)
    count = sum(map(len, sets))
    means = sorted(
        sum(sum(rng.choices(each, k=len(each))) for each in sets if each) / count for _ in range(1_000)
    )
    return means[24], means[975]


def compared(all_runs: Sequence[Mapping[str, list[Run]]], way: str, what: str, places: int = 3) -> str:
    """Return a cell: the mean, and the difference with its interval; bold where it does not hold 0."""
    values = [getattr(run, what) for runs in all_runs for run in runs[way] if getattr(run, what) is not None]
    if not values:
        return ""
    mean = f"{statistics.mean(values):.{places}f}"
    if way == AS_IT_IS:
        return mean
    sets = [gaps(runs, way, what) for runs in all_runs]
    (low, high), gap = interval(sets), statistics.mean([gap for each in sets for gap in each])
    sure = "**" if low > 0 or high < 0 else ""
    return f"{mean} ({sure}{gap:+.{places}f}{sure}, {low:+.{places}f} to {high:+.{places}f})"


def verdict(all_runs: Sequence[Mapping[str, list[Run]]], way: str) -> str:
    """Return what the three outside and inside measures say of a way, in words."""
    if way == AS_IT_IS:
        return ""
    said = []
    for what, name in (("score", "score"), ("cited", "passages cited"), ("held", "gold answers")):
        sets = [gaps(runs, way, what) for runs in all_runs]
        low, high = interval(sets)
        if low > 0 or high < 0:
            said.append(f"{'more' if low > 0 else 'loses'} {name}")
    flat = [gap for runs in all_runs for gap in gaps(runs, way, "score")]
    better, worse = sum(gap > 0 for gap in flat), sum(gap < 0 for gap in flat)
    return f"{', '.join(said) or 'no difference shown'}; {better} better, {worse} worse"


def render(measured: Mapping[str, Mapping[str, list[Run]]]) -> str:
    """Return the page's part."""
    every = list(measured.values())
    outcome = ("committee", "score", "judged passages cited", "gold answer held", "cost", "verdict")
    rows = [
        (
            way,
            *(compared(every, way, what) for what in ("score", "cited", "held")),
            f"{statistics.mean(run.cost for runs in every for run in runs[way]):.2f}",
            verdict(every, way),
        )
        for way in WAYS
    ]
    changes = {
        "recall": "recall@5 of the pool",
        "found": "judged passages read",
        "ground": "passages read",
        "shared": "read by several",
        "novelty": "novelty",
        "best": "best expert's total",
        "conflicts": "conflicts",
    }
    ground = [
        (way, *(compared(every, way, what, 1 if what == "ground" else 3) for what in changes)) for way in WAYS
    ]
    ways = [way for way in WAYS if way != AS_IT_IS]
    by_set = [
        (name, way, *(compared([runs], way, what) for what in ("score", "cited", "held")))
        for name, runs in measured.items()
        for way in (AS_IT_IS, *ways)
    ]
    counted = ", ".join(f"{name} {len(runs[AS_IT_IS])}" for name, runs in measured.items())
    return (
        f"Development questions: {counted}; no model. In brackets the difference to the product as it is, "
        "question by question, with its 95 % interval (bootstrap, within each set); bold where the interval "
        "does not hold 0. *Better* and *worse* count the questions on which the score differs.\n\n"
        + table(outcome, rows)
        + "\n\nWhat each way changes on the road there:\n\n"
        + table(("committee", *changes.values()), ground)
        + "\n\nSet by set:\n\n"
        + table(("set", "committee", "score", "judged passages cited", "gold answer held"), by_set)
    )


def main() -> None:
    """Measure; print or write the page's part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="*", type=Path)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    if not args.datasets:
        print("skipped: needs a data set, see --help")
        return
    text = render({each.resolve().name: measure(each, args.questions) for each in args.datasets})
    if args.page is None:
        print(text)
    else:
        write_part(args.page, "ablation", text)


if __name__ == "__main__":
    main()
