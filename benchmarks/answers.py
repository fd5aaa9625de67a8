"""How good the answer of ``ask --no-model`` is, on data sets that hold gold answers.

Usage: answers.py DATASET... [--questions N] [--show]

For each set: the share of questions whose answer holds the gold answer (its words, in order, after
folding case, accents and punctuation; for answers above eight words the share of their content words
that occur), the share of answer sentences that cite a gold passage, and sentences an answer.
"""

import argparse
import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from engine.corpus.tokens import STOP_WORDS
from engine.events import AnswerReady, SentenceChecked
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace
from tui.datasets import read_dataset

WHOLE = 8
"""Gold answers of more words than this are compared by the words they hold."""


def folded(text: str) -> list[str]:
    """Return the words without case, accents and punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.findall(r"[a-z0-9]+", plain)


def held(answer: str, gold: Sequence[str]) -> float:
    """Return how much of the best of ``gold`` the answer holds, in [0, 1].

    >>> held("It was opened in 1874.", ["1874"]), held("In spring.", ["May 3"])
    (1.0, 0.0)
    """
    said = folded(answer)
    spaced = f" {' '.join(said)} "
    best = 0.0
    for each in gold:
        words = folded(each)
        if len(words) <= WHOLE:
            best = max(best, float(f" {' '.join(words)} " in spaced))
        else:
            telling = [word for word in words if word not in STOP_WORDS]
            best = max(best, sum(word in said for word in telling) / len(telling))
    return best


def gold_answers(folder: Path) -> dict[str, list[str]]:
    """Return query id -> answers, without those that only say yes or no: no extract can hold them."""
    found: dict[str, list[str]] = {}
    for line in (folder / "queries.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        answers = row.get("answer") or []
        listed = [answers] if isinstance(answers, str) else answers
        if listed and not all(each.strip(" .").lower() in {"yes", "no"} for each in listed):
            found[row["id"]] = listed
    return found


def measure(folder: Path, questions: int, show: bool) -> None:
    """Ask and print."""
    dataset = read_dataset(folder)
    gold = gold_answers(folder)
    asked = [(name, text) for name, text in dataset.queries.items() if name in gold]
    asked = asked[:: max(1, len(asked) // questions)][:questions]
    if not asked:
        print(f"{dataset.name:<10} has no answers to compare with")
        return
    holds = right = sentences = refused = 0.0
    with (
        tempfile.TemporaryDirectory(prefix="persona-moe-answers-") as work,
        Engine.open(Workspace.open(Path(work))) as engine,
    ):
        engine.index([dataset.corpus])
        for name, text in asked:
            wanted = {passage for passage, grade in dataset.qrels[name].items() if grade > 0}
            events = list(engine.ask_sync(text, AskOptions(no_model=True, learn=False)))
            (answer,) = [event for event in events if isinstance(event, AnswerReady)]
            gold_markers = {c.marker for c in answer.citations if c.evidence_id in wanted}
            said = [event for event in events if isinstance(event, SentenceChecked) and event.kept]
            share = held(re.sub(r"\[\d+\]", "", answer.answer), gold[name])
            holds += share
            right += sum(bool(gold_markers & set(each.markers)) for each in said)
            sentences += len(said)
            refused += not answer.citations
            if show:
                print(f"\n{name} {text}\n  gold {gold[name]}\n  {share:.2f} {answer.answer}")
    count = len(asked)
    print(
        f"{dataset.name:<10} {count} questions: answer holds the gold answer {holds / count:.3f}, sentences "
        f"from gold passages {right / max(1.0, sentences):.3f}, {sentences / count:.2f} sentences an answer, "
        f"refused {refused:.0f}",
        flush=True,
    )


def main() -> None:
    """Print one line for each data set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", type=Path, nargs="*")
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    if not args.datasets:
        print("skipped: needs a data set with answers (see --help)")
    for folder in args.datasets:
        measure(folder, args.questions, args.show)


if __name__ == "__main__":
    sys.exit(main())
