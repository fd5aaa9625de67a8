"""Measure how well evidence is found, beside other rankers, and write docs/evidence-quality.md.

    python benchmarks/retrieval/run.py DATASET_DIR... [--no-titles NAME]... [--no-ablation]
        [--sample N] [--data FILE] [--out FILE]

A data set is a folder with corpus.jsonl, queries.jsonl and qrels.tsv, as for 'persona-moe eval
retrieval'. ``bm25s`` and ``tantivy`` are measured too where they can be imported.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arms
import baselines
import msgspec
import page

from engine.evaluation.metrics import retrieval_metrics
from engine.graph.query_graph import QueryGraph
from engine.pipeline import Engine
from engine.workspace import Workspace
from tui.datasets import Dataset, read_dataset

CONTROL = "fact-finder"
RESAMPLES = 1000
LOOP = 40_000


class Figures(msgspec.Struct):
    """Means over the questions of a set; ``interval`` is the 95 % bootstrap interval of recall@5."""

    recall5: float
    interval: tuple[float, float]
    ndcg10: float
    all_gold10: float
    cpu_ms: float
    each: list[float] = []


class SetFigures(msgspec.Struct):
    """All that was measured on one set, titles shown or hidden."""

    name: str
    titles: bool
    passages: int
    questions: int
    index_seconds: float
    index_loop_ms: float
    loop_ms: float
    arms: dict[str, Figures]
    ablations: dict[str, Figures]
    experts: float
    shared_ground: float
    best_of_singles: float
    postings_ms: float
    fts5_each_ms: float
    fts5_once_ms: float


def loop_ms() -> float:
    """Return the CPU ms that a fixed piece of pure Python takes now: how fast the machine is just then."""
    before = time.process_time()
    sums: dict[int, float] = {}
    for i in range(LOOP):
        sums[i % 997] = sums.get(i % 997, 0.0) + i * 0.5
    return (time.process_time() - before) * 1000


def interval(values: list[float]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean, the same whenever it is asked."""
    rng = random.Random(0)
    means = sorted(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def score(dataset: Dataset, search: Callable[[str], list[str]]) -> Figures:
    """Return the figures of one way to search."""
    rows, spent = [], 0.0
    for query, text in dataset.queries.items():
        before = time.process_time()
        ranked = search(text)
        spent += time.process_time() - before
        rows.append(retrieval_metrics(ranked, dataset.qrels[query]))
    recall = [row["recall@5"] for row in rows]
    return Figures(
        recall5=statistics.fmean(recall),
        interval=interval(recall),
        ndcg10=statistics.fmean(row["ndcg@10"] for row in rows),
        all_gold10=statistics.fmean(row["all-gold@10"] for row in rows),
        cpu_ms=spent * 1000 / len(rows),
        each=recall,
    )


def read_rows(dataset: Dataset, titles: bool) -> list[baselines.Row]:
    """Return (id, title, text) of the corpus."""
    lines = [json.loads(line) for line in dataset.corpus.read_text("utf-8").splitlines() if line.strip()]
    return [(str(row["id"]), row.get("title", "") if titles else "", row["text"]) for row in lines]


def sampled(folder: Path, sample: int) -> Dataset:
    """Return a data set with at most ``sample`` of its questions, evenly taken; all of them for 0."""
    dataset = read_dataset(folder)
    step = -(-len(dataset.queries) // sample) if sample else 1
    queries = dict(list(dataset.queries.items())[::step])
    qrels = {query: dataset.qrels[query] for query in queries}
    return msgspec.structs.replace(dataset, queries=queries, qrels=qrels)


def measure(folder: Path, titles: bool, sample: int) -> SetFigures:
    """Return the figures of one set, without ablations."""
    dataset = sampled(folder, sample)
    rows = read_rows(dataset, titles)
    loops = [loop_ms() for _ in range(20)]
    with (
        tempfile.TemporaryDirectory(prefix="retrieval-bench-") as scratch,
        Engine.open(Workspace.open(Path(scratch) / "w")) as engine,
    ):
        before = _cpu()
        engine.index([dataset.corpus], titles=titles)
        seconds = _cpu() - before
        indexing_loop = statistics.median([*loops, *(loop_ms() for _ in range(20))])
        _uncached(engine)
        found = _product(engine, dataset)
        found |= _others(engine, dataset, rows)
        walked = [arms.ground(engine, text) for text in dataset.queries.values()]
        questions = list(dataset.queries.values())
        singles = [figures.each for name, figures in found.items() if name.startswith("alone: ")]
        each_ms, once_ms = baselines.contributions_by_fts5(Path(scratch) / "fts5", rows, questions)
        return SetFigures(
            name=dataset.name,
            titles=titles,
            passages=len(rows),
            questions=len(questions),
            index_seconds=seconds,
            index_loop_ms=indexing_loop,
            loop_ms=statistics.median([*loops, *(loop_ms() for _ in range(20))]),
            arms=found,
            ablations={},
            experts=statistics.fmean(count for count, _ in walked),
            shared_ground=statistics.fmean(shared for _, shared in walked),
            best_of_singles=statistics.fmean(map(max, zip(*singles, strict=True))),
            postings_ms=baselines.contributions_by_postings(engine.store, questions),
            fts5_each_ms=each_ms,
            fts5_once_ms=once_ms,
        )


def ablate(folder: Path, sample: int) -> dict[str, Figures]:
    """Return the committee's figures without each mechanism in turn."""
    dataset = sampled(folder, sample)
    with (
        tempfile.TemporaryDirectory(prefix="retrieval-bench-") as scratch,
        Engine.open(Workspace.open(Path(scratch) / "w")) as engine,
    ):
        engine.index([dataset.corpus])
        _uncached(engine)
        plain, found = engine.settings, {}
        for name, changes in arms.ABLATIONS.items():
            engine.settings = arms.changed(plain, changes)
            found[name] = score(dataset, lambda text: arms.committee(engine, text))
        return found


def _uncached(engine: Engine) -> None:
    system = msgspec.structs.replace(engine.settings.system, enable_caching=False)
    engine.settings = msgspec.structs.replace(engine.settings, system=system)


def _product(engine: Engine, dataset: Dataset) -> dict[str, Figures]:
    found = {"committee": score(dataset, lambda text: arms.committee(engine, text))}
    plain = engine.settings
    engine.settings = arms.changed(plain, arms.FIRST_HOP)
    found["first hop alone"] = score(dataset, lambda text: arms.committee(engine, text))
    engine.settings = plain
    found["every link of ten seeds"] = score(dataset, lambda text: arms.everything(engine, text))
    for persona in arms.personas(engine):

        def search(text: str, persona: str = persona) -> list[str]:
            return arms.alone(engine, text, persona)

        found[f"alone: {persona}"] = score(dataset, search)
    return found


def _others(engine: Engine, dataset: Dataset, rows: list[baselines.Row]) -> dict[str, Figures]:
    def seeds(question: str) -> dict[int, float]:
        graph = QueryGraph(question, engine.store, engine.settings.retrieval)
        return {row: max(graph.base(row), 0.0) for row in graph.seeds()[:10]}

    found = {"FTS5": score(dataset, baselines.fts5(rows))}
    if baselines.available("bm25s"):
        found["bm25s"] = score(dataset, baselines.bm25s(rows))
    if baselines.available("tantivy"):
        found["tantivy"] = score(dataset, baselines.tantivy(rows))
    found["PageRank"] = score(dataset, baselines.pagerank(engine.store, seeds))
    return found


def _cpu() -> float:
    import resource

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main() -> None:
    """Measure the sets named on the command line and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="+", type=Path, metavar="DATASET_DIR")
    parser.add_argument(
        "--no-titles", action="append", default=[], metavar="NAME", help="measure NAME with titles hidden too"
    )
    parser.add_argument("--no-ablation", action="store_true", help="leave out what each mechanism is worth")
    parser.add_argument(
        "--out", type=Path, default=Path("docs/evidence-quality.md"), help="the page to write"
    )
    parser.add_argument(
        "--data", type=Path, help="keep all figures here, as JSON; figures there are taken over"
    )
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="ask only N questions of each set")
    args = parser.parse_args()
    known: dict[str, Any] = {}
    if args.data is not None and args.data.exists():
        known = json.loads(args.data.read_text("utf-8"))
    measured: list[SetFigures] = []

    def keep(key: str, value: Any) -> None:
        known[key] = msgspec.to_builtins(value)
        if args.data is not None:
            args.data.write_text(json.dumps(known), "utf-8")
        args.out.write_text(page.render(measured), "utf-8")

    for folder in args.datasets:
        name = folder.resolve().name
        for titles in (True, False) if name in args.no_titles else (True,):
            key = f"{name} {'shown' if titles else 'hidden'}"
            figures = (
                msgspec.convert(known[key], SetFigures)
                if key in known
                else measure(folder, titles, args.sample)
            )
            measured.append(figures)
            keep(key, figures)
            best = figures.arms["committee"]
            print(
                f"{key:<18} R@5 {best.recall5:.3f} nDCG@10 {best.ndcg10:.3f} {best.cpu_ms:.1f} ms", flush=True
            )
    for folder in () if args.no_ablation else args.datasets:
        name = folder.resolve().name
        key = f"{name} ablations"
        each = next(figures for figures in measured if figures.name == name and figures.titles)
        each.ablations = (
            msgspec.convert(known[key], dict[str, Figures]) if key in known else ablate(folder, args.sample)
        )
        keep(key, each.ablations)
        print(key, flush=True)


if __name__ == "__main__":
    main()
