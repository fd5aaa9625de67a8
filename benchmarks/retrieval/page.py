"""The results page: docs/evidence-quality.md, from what was found for each question."""

# ruff: noqa: E501 - the lines of a page are as long as they are

import functools
import random
import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from engine.evaluation.metrics import retrieval_metrics

if TYPE_CHECKING:
    from leave_one_out import LeftOut

RESAMPLES = 1000
OTHERS = {
    "FTS5": "FTS5",
    "bm25s": "bm25s",
    "tantivy": "tantivy",
    "dense": "MiniLM",
    "fusion": "bm25s + MiniLM",
    "PageRank": "PageRank",
}


class Arm(msgspec.Struct):
    """One way to search: for each question the ten best passages and the CPU ms; a fixed loop beside."""

    ranked: dict[str, list[str]]
    cpu_ms: list[float]
    loop_ms: float

    @property
    def median_ms(self) -> float:
        """The median of the CPU ms of a question."""
        return statistics.median(self.cpu_ms)


class SetFigures(msgspec.Struct):
    """All that was measured on one set, titles shown or hidden."""

    name: str
    titles: bool
    passages: int
    qrels: dict[str, dict[str, float]]
    index_seconds: float
    index_loop_ms: float
    arms: dict[str, Arm]
    alone: dict[str, Arm]
    without: dict[str, Arm]
    kinds: dict[str, dict[str, Any]]
    contributions: dict[str, float] | None

    @property
    def label(self) -> str:
        """The name in tables."""
        return self.name + ("" if self.titles else ", titles hidden")

    def each(self, arm: Arm, metric: str = "recall@5") -> dict[str, float]:
        """Return question -> the metric of what the arm found."""
        return {
            query: retrieval_metrics(found, self.qrels[query])[metric] for query, found in arm.ranked.items()
        }

    def mean(self, arm: Arm, metric: str = "recall@5") -> float:
        """Return the mean of a metric over the questions that the arm was asked."""
        return statistics.fmean(self.each(arm, metric).values())

    def of_part(self, name: str) -> Arm:
        """Return an arm cut to the fixed third of the questions that costly arms were asked."""
        arm = self.arms[name]
        return Arm(ranked={query: arm.ranked[query] for query in self.kinds}, cpu_ms=[], loop_ms=0.0)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean, the same whenever it is asked."""
    return _interval(tuple(values))


@functools.lru_cache(maxsize=500)
def _interval(values: tuple[float, ...]) -> tuple[float, float]:
    rng = random.Random(0)
    means = sorted(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def render(measured: Sequence[SetFigures], left_out: "Sequence[LeftOut] | None") -> str:
    """Return the page."""
    return "\n".join(
        [
            "# Evidence quality",
            "",
            "Written by `python benchmarks/retrieval/run.py`; do not edit it by hand. How evidence is found, and ten",
            "questions on which it fails, are in [retrieval.md](retrieval.md). No language model takes part, and one",
            "setting serves every set: recall@5 is the share of the passages that answer a question among the first",
            "five, nDCG@10 also looks at their order. Intervals are 95 % bootstrap intervals over the questions.",
            "",
            "The questions are *development* questions: settings were chosen while looking at them, so expect",
            "a few points less on questions nobody looked at.",
            "",
            *_summary(measured),
            *_beside_others(measured),
            *_vectors(measured),
            *_personas(measured),
            *_by_kind(measured),
            *_ablations(measured),
            *(_left_out(left_out) if left_out else ()),
            *_cost(measured),
            *_method(),
        ]
    )


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _summary(measured: Sequence[SetFigures]) -> list[str]:
    def row(each: SetFigures) -> list[str]:
        best = each.arms["committee"]
        low, high = interval(list(each.each(best).values()))
        return [
            each.label,
            f"{each.passages:,}",
            str(len(best.ranked)),
            f"**{each.mean(best):.3f}**",
            f"{low:.3f} – {high:.3f}",
            f"{each.mean(best, 'ndcg@10'):.3f}",
            f"{each.mean(best, 'all-gold@10'):.3f}",
            f"{best.median_ms:.1f}",
        ]

    head = [
        "set",
        "passages",
        "questions",
        "recall@5",
        "interval",
        "nDCG@10",
        "all gold in 10",
        "CPU ms, median",
    ]
    return ["## The committee", "", *_table(head, [row(each) for each in measured])]


def _beside_others(measured: Sequence[SetFigures]) -> list[str]:
    names = [name for name in OTHERS if any(name in each.arms for each in measured)]
    columns = ["committee", "first hop alone", *names]

    def pair(each: SetFigures, name: str) -> str:
        if name not in each.arms:
            return ""
        arm = each.arms[name]
        return f"{each.mean(arm):.3f} / {each.mean(arm, 'ndcg@10'):.3f}"

    return [
        "## Beside other rankers",
        "",
        "Recall@5 / nDCG@10 on the same passages. FTS5 and tantivy get the question without stop words and",
        "words that only ask; bm25s drops its own stop words. MiniLM is all-MiniLM-L6-v2 with 8-bit weights over",
        "the product's own pieces of passages, the fusion reciprocal rank fusion (60) of the first 50 of both.",
        "PageRank is personalised PageRank over the product's own index of names, restarted at the product's own",
        "first hop (restart 0.5).",
        "",
        *_table(
            ["set", "committee", "first hop alone", *(OTHERS[name] for name in names)],
            [[each.label, *(pair(each, name) for name in columns)] for each in measured],
        ),
    ]


def _vectors(measured: Sequence[SetFigures]) -> list[str]:
    measured = [each for each in measured if "with vectors" in each.arms]
    if not measured:
        return []

    def row(each: SetFigures) -> list[str]:
        plain, more = each.arms["committee"], each.arms["with vectors"]
        gains = [b - a for a, b in zip(each.each(plain).values(), each.each(more).values(), strict=True)]
        low, high = interval(gains)
        return [
            each.label,
            f"{each.mean(plain):.3f} / {each.mean(plain, 'ndcg@10'):.3f}",
            f"**{each.mean(more):.3f}** / {each.mean(more, 'ndcg@10'):.3f}",
            f"{100 * statistics.fmean(gains):+.1f} ({100 * low:+.1f} – {100 * high:+.1f})",
            f"{more.median_ms:.1f}",
        ]

    return [
        "## With the optional embedder",
        "",
        "The committee on an index with vectors (`index --embed`, all-MiniLM-L6-v2): recall@5 / nDCG@10, the gain in",
        "recall@5 in points with its interval over the same questions, and CPU ms with the question's own embedding.",
        "",
        *_table(
            ["set", "without", "with vectors", "gain", "CPU ms, median"], [row(each) for each in measured]
        ),
    ]


def _singles(each: SetFigures) -> dict[str, float]:
    return {name: each.mean(arm) for name, arm in each.alone.items()}


def _oracle(each: SetFigures) -> dict[str, float]:
    singles = [each.each(arm) for arm in each.alone.values()]
    return {query: max(found[query] for found in singles) for query in each.kinds}


def _personas(measured: Sequence[SetFigures]) -> list[str]:
    def row(each: SetFigures) -> list[str]:
        singles = _singles(each)
        best = max(sorted(singles), key=lambda name: singles[name])
        worst = min(sorted(singles), key=lambda name: singles[name])
        plain, best_arm = each.each(each.of_part("committee")), each.each(each.alone[best])
        low, high = interval([plain[query] - best_arm[query] for query in plain])
        return [
            each.label,
            f"{each.mean(each.of_part('committee')):.3f}",
            f"{singles[best]:.3f} ({best})",
            f"{100 * low:+.1f} – {100 * high:+.1f}",
            f"{singles[worst]:.3f} ({worst})",
            f"{each.mean(each.of_part('control arm')):.3f}",
            f"{each.mean(each.arms['every link of ten seeds']):.3f}",
            f"{statistics.fmean(_oracle(each).values()):.3f}",
            f"{statistics.fmean(kind['experts'] for kind in each.kinds.values()):.1f}",
            f"{statistics.fmean(kind['shared'] for kind in each.kinds.values()):.0%}",
        ]

    head = [
        "set", "committee", "best alone", "committee less best, points", "worst alone", "control arm", "every link",
        "oracle", "experts", "shared",
    ]  # fmt: skip
    return [
        "## What personas add",
        "",
        "Recall@5 of the committee; of the best and the worst persona walking alone with as many steps as the",
        "committee has together (chosen after the fact, set by set, with the 95 % interval of the difference); of the",
        "control arm (`fact-finder` alone, on its own budget); and of following every link of the ten best seeds with",
        "nobody walking. *Oracle*: the best persona for each question, picked by somebody who knows the answer.",
        "*Shared*: passages that more than one persona visited, of all that were visited. On a fixed third of the",
        "questions of each set, by the hash of their ids.",
        "",
        *_table(head, [row(each) for each in measured]),
        *_verdict(measured),
    ]


def _verdict(measured: Sequence[SetFigures]) -> list[str]:
    ahead, behind = [], []
    for each in measured:
        singles = _singles(each)
        best = max(sorted(singles), key=lambda name: singles[name])
        plain, single = each.each(each.of_part("committee")), each.each(each.alone[best])
        low, high = interval([plain[query] - single[query] for query in plain])
        if low > 0:
            ahead.append(each.label)
        if high < 0:
            behind.append(each.label)
    listed = [", ".join(names) if names else "none" for names in (ahead, behind)]
    return [
        f"Sets on which the committee's recall@5 is above the best single walk beyond chance: {listed[0]}; below it:",
        f"{listed[1]}. Walks share one pool in which a path is worth the same whoever walked it, so for *finding*",
        "passages one walk with the same steps does much the same; what a committee is for is reading and writing,",
        "which [learning-evidence.md](learning-evidence.md) measures, and where it does not pay the gate learns to ask",
        "one expert.",
        "",
    ]


def _by_kind(measured: Sequence[SetFigures]) -> list[str]:
    measured = [each for each in measured if each.titles]
    totals: dict[str, dict[str, list[float]]] = {}
    pooled = dict.fromkeys(measured[0].alone, 0.0)
    for each in measured:
        for name, value in _singles(each).items():
            pooled[name] = pooled.get(name, 0.0) + value
    best = max(sorted(pooled), key=lambda name: pooled[name])
    for each in measured:
        found = {
            "committee": each.each(each.of_part("committee")),
            "best": each.each(each.alone[best]),
            "control": each.each(each.of_part("control arm")),
            "first": each.each(each.of_part("first hop alone")),
            "oracle": _oracle(each),
        }
        for query, kind in each.kinds.items():
            for label in (kind["kind"], "names something known" if kind["named"] else "names nothing known"):
                row = totals.setdefault(label, {name: [] for name in (*found, "shared")})
                for name, values in found.items():
                    row[name].append(values[query])
                row["shared"].append(kind["shared"])
    rows = [
        [
            label,
            str(len(row["committee"])),
            *(
                f"{statistics.fmean(row[name]):.3f}"
                for name in ("committee", "best", "control", "first", "oracle")
            ),
            f"{statistics.fmean(row['shared']):.0%}",
        ]
        for label, row in sorted(
            totals.items(),
            key=lambda item: (item[0].startswith("names"), -len(item[1]["committee"]), item[0]),
        )
    ]
    return [
        "### By kind of question",
        "",
        f"The same third of all sets, titles shown. *Best*: `{best}` alone on the committee's steps, the best over all sets.",
        "",
        *_table(
            ["kind", "questions", "committee", "best", "control arm", "first hop alone", "oracle", "shared"],
            rows,
        ),
    ]


def _ablations(measured: Sequence[SetFigures]) -> list[str]:
    measured = [each for each in measured if each.without]
    if not measured:
        return []

    def cell(each: SetFigures, name: str) -> str:
        plain, arm = each.of_part("committee"), each.without[name]
        recall = 100 * (each.mean(arm) - each.mean(plain))
        order = 100 * (each.mean(arm, "ndcg@10") - each.mean(plain, "ndcg@10"))
        return f"{recall:+.1f} / {order:+.1f}"

    return [
        "## What each mechanism is worth",
        "",
        "Recall@5 / nDCG@10 in points, the committee with one mechanism taken out less the committee as it is: what",
        "is negative was lost without it. On the same third of the questions; a difference below about 2.5 points is",
        "within chance on one set.",
        "",
        *_table(
            ["without", *(each.label for each in measured)],
            [[name, *(cell(each, name) for each in measured)] for name in measured[0].without],
        ),
    ]


def _left_out(left_out: "Sequence[LeftOut]") -> list[str]:
    def row(each: "LeftOut") -> list[str]:
        chosen = ", ".join(f"`{key}` {value:g}" for key, value in each.chosen.items()) or "as shipped"
        return [
            each.name,
            chosen,
            *(f"{chose:.3f} / {shipped:.3f}" for chose, shipped in (each.recall, each.ndcg)),
        ]

    return [
        "## Settings chosen without a set",
        "",
        "Leave one *set* out: the weightiest settings take, one moved at a time, the value of a small grid that serves",
        "the other sets best (mean recall@5 on the same third of their questions); the set left out is then measured with",
        "all of these together. First figure: chosen without it; second: as shipped.",
        "",
        *_table(
            ["left out", "what the others chose", "recall@5", "nDCG@10"], [row(each) for each in left_out]
        ),
    ]


def _cost(measured: Sequence[SetFigures]) -> list[str]:
    def row(each: SetFigures) -> list[str]:
        committee, control = each.arms["committee"], each.arms["control arm"]
        found = each.contributions or {}
        return [
            each.label,
            f"{committee.median_ms:.1f}",
            f"{committee.loop_ms:.1f}",
            f"{control.median_ms:.1f}",
            *(
                f"{each.arms[name].median_ms:.1f}" if name in each.arms else ""
                for name in ("FTS5", "bm25s", "tantivy", "PageRank", "dense")
            ),
            f"{each.index_seconds:.1f}",
            f"{each.index_loop_ms:.1f}",
            f"{found['postings_ms']:.1f}" if found else "",
            f"{found['fts5_each_ms']:.1f}" if found else "",
        ]

    head = [
        "set", "committee", "loop", "control arm", "FTS5", "bm25s", "tantivy", "PageRank", "MiniLM",
        "index, s", "loop while indexing", "contributions: postings", "contributions: FTS5",
    ]  # fmt: skip
    return [
        "## What it costs",
        "",
        "Median CPU ms of a question, one thread; indexing in CPU s. *Loop* is a fixed piece of pure Python (40,000",
        "turns of a dictionary sum) timed in the same run: about 6 ms on the machine used here when it is quiet, more",
        "when it is busy, so divide by it to compare machines. *Contributions*: what it takes to get every question",
        "word's own score in every passage, which links need, from the product's postings and from FTS5 (one query a",
        "word). PageRank's time is with the first hop that it starts from.",
        "",
        *_table(head, [row(each) for each in measured]),
    ]


def _method() -> list[str]:
    return [
        "## How to measure it again",
        "",
        "```",
        "python benchmarks/retrieval/run.py path/to/musique path/to/2wiki path/to/scifact --no-titles musique",
        "```",
        "",
        "A data set is a folder with `corpus.jsonl` (`id`, `title`, `text`), `queries.jsonl` (`id`, `text`)",
        "and `qrels.tsv`. SQLite FTS5 and PageRank need nothing more; `bm25s` and `tantivy` are measured where",
        "`pip install bm25s tantivy` put them beside the product, vectors where the `embed` extra is installed. What",
        "was measured is kept (`--kept`), named by the code, settings and data it came from: a run that was stopped",
        "goes on, and one after a change measures what the change touches. Everything but the times is the same in",
        "every run.",
        "",
    ]
