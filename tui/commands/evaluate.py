"""``persona-moe eval retrieval``: how well the evidence is found, on a set with known answers."""

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui import output
from tui.arguments import count
from tui.commands.index import by_size, told_by_count

if TYPE_CHECKING:
    from tui.datasets import Dataset


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "eval",
        help="measure retrieval on a data set with known answers",
        description="Measure the product on data whose answers are known.",
    )
    kinds = parser.add_subparsers(title="what to measure", metavar="WHAT", dest="what", required=True)
    retrieval = kinds.add_parser(
        "retrieval",
        help="are the right passages ranked first?",
        description="Index DATASET into a temporary workspace, search for each question, compare with the "
        "judgements. DATASET holds corpus.jsonl {id,title,text}, queries.jsonl {id,text} and qrels.tsv.",
    )
    retrieval.add_argument("dataset", metavar="DATASET")
    retrieval.add_argument("--run", dest="run_file", metavar="FILE", help="write the TREC run")
    retrieval.add_argument(
        "--embed", action="store_true", help="make vectors, and compare by meaning too (takes a while)"
    )
    retrieval.add_argument("--no-titles", action="store_true", help="hide the titles of the corpus")
    retrieval.add_argument(
        "-k", type=count, default=10, metavar="N", help="passages a question (default: 10)"
    )
    retrieval.add_argument("--json", action="store_true", help="print one JSON object")
    retrieval.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit code."""
    from pathlib import Path

    from engine.errors import InputError
    from engine.evaluation.metrics import mean_metrics, write_trec_run
    from tui.datasets import read_dataset

    if not args.dataset:
        raise InputError("eval was given an empty path", "name a folder; '.' is the current one")
    dataset = read_dataset(Path(args.dataset))
    ranked, index_seconds, cpu = _search_all(dataset, k=args.k, titles=not args.no_titles, embed=args.embed)
    if args.run_file is not None:
        from engine.files import write_atomic

        write_atomic(Path(args.run_file), write_trec_run(_scored(ranked)).encode())
    metrics = mean_metrics(ranked, dataset.qrels)
    figures: dict[str, float] = {name: round(value, 4) for name, value in metrics.items()}
    figures["seconds_to_index"] = round(index_seconds, 3)
    figures["cpu_ms_median"] = round(percentile(cpu, 0.5) * 1000, 2)
    figures["cpu_ms_p95"] = round(percentile(cpu, 0.95) * 1000, 2)
    if args.json:
        output.print_json({"dataset": dataset.name, "queries": len(dataset.qrels), "k": args.k, **figures})
        return 0
    output.print_line(f"{dataset.name}: {len(dataset.qrels)} judged questions, first {args.k} passages")
    for name, value in figures.items():
        output.print_line(f"  {name:<18} {value:.4f}" if name in metrics else f"  {name:<18} {value:g}")
    return 0


def _scored(ranked: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, float]]]:
    """Return the ids with scores that fall with the place: tools that read a run sort by score.

    The evidence's own scores need not fall, because the order is that of a set chosen together.
    """
    return {query: [(name, 1 / place) for place, name in enumerate(ids, 1)] for query, ids in ranked.items()}


def _search_all(
    dataset: "Dataset", *, k: int, titles: bool, embed: bool
) -> tuple[dict[str, list[str]], float, list[float]]:
    """Return the ranked ids of each question, the seconds to index, the CPU seconds of each search."""
    import asyncio
    import tempfile
    from pathlib import Path

    from engine.errors import InputError
    from engine.pipeline import Engine
    from engine.workspace import Workspace

    ranked: dict[str, list[str]] = {}
    cpu: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="persona-moe-eval-") as folder,
        Engine.open(Workspace.open(Path(folder))) as engine,
    ):
        started = time.monotonic()
        with output.progress("Indexing", " KB") as report:
            indexed = engine.index([dataset.corpus], titles=titles, progress=by_size(report))
        if not indexed.added:
            why = indexed.skipped[0].reason if indexed.skipped else "it is empty"
            raise InputError(
                f"no row of {dataset.name}/corpus.jsonl can be used: {why}",
                'write {"id": "...", "title": "...", "text": "..."}',
            )
        if embed:
            with output.progress("Embedding", " passages") as report:
                asyncio.run(engine.embed(told_by_count(report)))
        seconds = time.monotonic() - started
        with output.progress("Searching") as report:
            for number, (query, text) in enumerate(dataset.queries.items(), 1):
                before = time.process_time()
                found = engine.search(text, k=k)
                cpu.append(time.process_time() - before)
                ranked[query] = [evidence.evidence_id for evidence in found]
                report(number, len(dataset.queries), query)
    return ranked, seconds, cpu


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of ``values`` do not exceed (nearest rank).

    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.5), percentile([3.0, 1.0, 2.0, 4.0], 0.95)
    (2.0, 4.0)
    """
    import math

    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
