"""Citation precision and recall of answers on a data set: with the model of a server, and by quoting.

Usage: citations.py DATASET [--questions N] [--endpoint URL] [--model NAME] [--seconds S]

The model is given S seconds for each question, and how fast it reads is learnt from question to question,
as in the product. An answer counts as written by the model if a sentence of its own was left after the check.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from engine.events import AnswerReady, ClaimsParsed, ModelAnswered, ModelAsked, ModelFailed
from engine.experts.model_author import FLAG_FALLBACK
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace
from tui.datasets import read_dataset


def main() -> None:
    """Print one line for each way of writing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--endpoint", default="http://127.0.0.1:11434")
    parser.add_argument("--model", default="")
    parser.add_argument("--seconds", type=float, default=0.0)
    args = parser.parse_args()
    if args.dataset is None:
        print("skipped: needs a data set and, for the second line, a model server (see --help)")
        return
    dataset = read_dataset(args.dataset)
    step = max(1, len(dataset.queries) // args.questions)
    asked = list(dataset.queries.items())[::step][: args.questions]
    with tempfile.TemporaryDirectory(prefix="persona-moe-cite-") as folder:
        workspace = Workspace.open(Path(folder))
        (workspace.configs / "ollama.toml").write_text(f'api_endpoint = "{args.endpoint}"\n')
        with Engine.open(workspace) as engine:
            engine.index([dataset.corpus])
            for name, options in (
                ("quoting", AskOptions(no_model=True, learn=False)),
                ("model", AskOptions(model=args.model, seconds=args.seconds)),
            ):
                measure(name, dataset.name, engine, asked, dataset.qrels, options)


def measure(
    name: str,
    dataset: str,
    engine: Engine,
    asked: Sequence[tuple[str, str]],
    qrels: dict[str, dict[str, float]],
    options: AskOptions,
) -> None:
    """Ask and print: shares over all questions, micro-averaged."""
    cited = right = gold = answered = failed = calls = written = 0
    modes: dict[str, int] = {}
    began = time.monotonic()
    for query, text in asked:
        wanted = {passage for passage, grade in qrels[query].items() if grade > 0}
        replied = False
        for event in engine.ask_sync(text, options):
            if isinstance(event, AnswerReady):
                found = {citation.evidence_id for citation in event.citations}
                cited, right, gold = cited + len(found), right + len(found & wanted), gold + len(wanted)
                answered += bool(found)
                written += replied and FLAG_FALLBACK not in event.flags
            elif isinstance(event, ClaimsParsed):
                modes[event.mode] = modes.get(event.mode, 0) + 1
            elif isinstance(event, ModelAnswered):
                replied = event.call == "answer"
            calls += isinstance(event, ModelAsked)
            failed += isinstance(event, ModelFailed)
    seconds = (time.monotonic() - began) / len(asked)
    print(
        f"{dataset:<10} {name:<8} {len(asked)} questions: answered {answered}, citation precision "
        f"{right / cited if cited else 0:.2f}, recall {right / gold if gold else 0:.2f}, "
        f"{cited / len(asked):.1f} citations and {seconds:.1f} s a question; written by the model {written}, "
        f"{failed} of {calls} calls failed, claims read as {modes}",
        flush=True,
    )


if __name__ == "__main__":
    main()
