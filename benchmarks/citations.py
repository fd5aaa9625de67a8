"""Citation precision and recall of answers on a data set: with the model of a server, and by quoting.

Usage: citations.py DATASET [--questions N] [--endpoint URL] [--model NAME] [--seconds S] [--keep FILE]

The model is given S seconds for each question, and how fast it reads is learnt from question to question,
as in the product. An answer counts as written by the model if a sentence of its own was left after the check.
What each question gave is added to FILE as it comes, one JSON object a line; a question that stands there
already is not asked again, so that a long measurement can be stopped and taken up.
"""

import argparse
import collections
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from engine.events import AnswerReady, ClaimsParsed, ModelAnswered, ModelAsked, ModelFailed
from engine.experts.model_author import FLAG_FALLBACK
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace
from tui.datasets import Dataset, read_dataset


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one question gave: ``cited`` passages, ``right`` of which are among the ``gold`` ones."""

    dataset: str
    writer: str
    question: str
    cited: int
    right: int
    gold: int
    written: bool
    calls: int
    failed: int
    modes: dict[str, int]
    seconds: float
    answer: str


def main() -> None:
    """Print one line for each way of writing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--endpoint", default="http://127.0.0.1:11434")
    parser.add_argument("--model", default="")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    if args.dataset is None:
        print("skipped: needs a data set and, for the second line, a model server (see --help)")
        return
    dataset = read_dataset(args.dataset)
    step = max(1, len(dataset.queries) // args.questions)
    asked = list(dataset.queries.items())[::step][: args.questions]
    kept = read_kept(args.keep)
    with tempfile.TemporaryDirectory(prefix="persona-moe-cite-") as folder:
        workspace = Workspace.open(Path(folder))
        (workspace.configs / "ollama.toml").write_text(f'api_endpoint = "{args.endpoint}"\n')
        with Engine.open(workspace) as engine:
            engine.index([dataset.corpus])
            for writer, options in (
                ("quoting", AskOptions(no_model=True, learn=False)),
                (args.model or "model", AskOptions(model=args.model, seconds=args.seconds)),
            ):
                outcomes = []
                for query, text in asked:
                    outcome = kept.get((dataset.name, writer, query))
                    if outcome is None:
                        outcome = ask(engine, dataset, writer, (query, text), options)
                        keep(args.keep, outcome)
                    outcomes.append(outcome)
                report(outcomes)


def read_kept(path: Path | None) -> dict[tuple[str, str, str], Outcome]:
    """Return what an earlier measurement left in ``path``."""
    if path is None or not path.exists():
        return {}
    lines = msgspec.json.Decoder(Outcome).decode_lines(path.read_bytes())
    return {(line.dataset, line.writer, line.question): line for line in lines}


def keep(path: Path | None, outcome: Outcome) -> None:
    """Add ``outcome`` to ``path``."""
    if path is not None:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(outcome) + b"\n")


def ask(
    engine: Engine, dataset: Dataset, writer: str, question: tuple[str, str], options: AskOptions
) -> Outcome:
    """Ask one question and count."""
    query, text = question
    wanted = {passage for passage, grade in dataset.qrels[query].items() if grade > 0}
    modes: collections.Counter[str] = collections.Counter()
    found: set[str] = set()
    calls = failed = 0
    replied = written = False
    answer = ""
    began = time.monotonic()
    for event in engine.ask_sync(text, options):
        if isinstance(event, AnswerReady):
            found = {citation.evidence_id for citation in event.citations}
            written = replied and FLAG_FALLBACK not in event.flags
            answer = event.answer
        elif isinstance(event, ClaimsParsed):
            modes[event.mode] += 1
        elif isinstance(event, ModelAnswered):
            replied = event.call == "answer"
        calls += isinstance(event, ModelAsked)
        failed += isinstance(event, ModelFailed)
    return Outcome(
        dataset=dataset.name,
        writer=writer,
        question=query,
        cited=len(found),
        right=len(found & wanted),
        gold=len(wanted),
        written=written,
        calls=calls,
        failed=failed,
        modes=dict(modes),
        seconds=round(time.monotonic() - began, 1),
        answer=answer,
    )


def report(outcomes: Sequence[Outcome]) -> None:
    """Print shares over all questions, micro-averaged."""

    def total(of: Callable[[Outcome], float]) -> float:
        return sum(of(outcome) for outcome in outcomes)

    modes: collections.Counter[str] = collections.Counter()
    for outcome in outcomes:
        modes.update(outcome.modes)
    number, first = len(outcomes), outcomes[0]
    cited, right, gold = total(lambda o: o.cited), total(lambda o: o.right), total(lambda o: o.gold)
    print(
        f"{first.dataset:<10} {first.writer:<12} {number} questions: "
        f"answered {total(lambda o: bool(o.cited))}, citation precision {right / cited if cited else 0:.2f}, "
        f"recall {right / gold if gold else 0:.2f}, {cited / number:.1f} citations and "
        f"{total(lambda o: o.seconds) / number:.1f} s a question; "
        f"written by the model {total(lambda o: o.written)}, "
        f"{total(lambda o: o.failed)} of {total(lambda o: o.calls)} calls failed, "
        f"claims read as {dict(modes)}",
        flush=True,
    )


if __name__ == "__main__":
    main()
