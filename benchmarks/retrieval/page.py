"""The results page: docs/evidence-quality.md, from what was found for each question."""

# ruff: noqa: E501 - the lines of a page are as long as they are

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

import page_personas
from figures import SetFigures, interval, table

if TYPE_CHECKING:
    from leave_one_out import LeftOut

OTHERS = {
    "FTS5": "FTS5",
    "bm25s": "bm25s",
    "tantivy": "tantivy",
    "dense": "MiniLM",
    "fusion": "bm25s + MiniLM",
    "PageRank": "PageRank",
}


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
            *_rough(measured),
            *_vectors(measured),
            *page_personas.personas(measured),
            *page_personas.by_kind(measured),
            *_ablations(measured),
            *(_left_out(left_out) if left_out else ()),
            *_cost(measured),
            *_method(),
        ]
    )


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
    return ["## The committee", "", *table(head, [row(each) for each in measured])]


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
        *table(
            ["set", "committee", "first hop alone", *(OTHERS[name] for name in names)],
            [[each.label, *(pair(each, name) for name in columns)] for each in measured],
        ),
    ]


def _rough(measured: Sequence[SetFigures]) -> list[str]:
    columns = {
        "committee": "as asked",
        "one slip": "one slip",
        "two slips": "two slips",
        "words missing": "words missing",
        "words missing, no feedback": "the same, no feedback",
        "FTS5": "FTS5 as asked",
        "FTS5, one slip": "one slip",
        "FTS5, words missing": "words missing",
    }
    measured = [each for each in measured if "one slip" in each.arms]
    return [
        "## Questions asked in a hurry",
        "",
        "Recall@5 where one word of at least five letters has a slip in it (a letter left out, added, changed, or two in",
        "the wrong order), where one of at least eight has two, and where every fourth word is missing; word and slip are",
        "drawn by the question's text. *No feedback*: without what the first passages say beside the question.",
        "",
        *table(
            ["set", *columns.values()],
            [[each.label, *(f"{each.mean(each.arms[name]):.3f}" for name in columns)] for each in measured],
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
        *table(
            ["set", "without", "with vectors", "gain", "CPU ms, median"], [row(each) for each in measured]
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
        *table(
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
        *table(
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
        *table(head, [row(each) for each in measured]),
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
