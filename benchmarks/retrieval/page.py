"""The results page: docs/evidence-quality.md, from figures."""

# ruff: noqa: E501 - the lines of a page are as long as they are

from collections.abc import Sequence
from typing import Any

OTHERS = ("FTS5", "bm25s", "tantivy", "PageRank")


def render(measured: Sequence[Any]) -> str:
    """Return the page."""
    return "\n".join(
        [
            "# Evidence quality",
            "",
            "Written by `python benchmarks/retrieval/run.py`; do not edit it by hand. How evidence is found",
            "is told in [retrieval.md](retrieval.md). No language model takes part, and one setting serves",
            "every set: recall@5 is the share of the passages that answer a question among the first five,",
            "nDCG@10 also looks at their order. Intervals are 95 % bootstrap intervals over the questions.",
            "",
            "The questions are *development* questions: settings were chosen while looking at them, so expect",
            "a few points less on questions nobody looked at.",
            "",
            *_summary(measured),
            *_beside_others(measured),
            *_personas(measured),
            *_ablations(measured),
            *_cost(measured),
            *_method(),
        ]
    )


def _label(figures: Any) -> str:
    return figures.name + ("" if figures.titles else ", titles hidden")


def _summary(measured: Sequence[Any]) -> list[str]:
    lines = [
        "## The committee",
        "",
        "| set | passages | questions | recall@5 | interval | nDCG@10 | all gold in 10 |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in measured:
        best = each.arms["committee"]
        low, high = best.interval
        lines.append(
            f"| {_label(each)} | {each.passages:,} | {each.questions} | **{best.recall5:.3f}** |"
            f" {low:.3f} – {high:.3f} | {best.ndcg10:.3f} | {best.all_gold10:.3f} |"
        )
    return [*lines, ""]


def _beside_others(measured: Sequence[Any]) -> list[str]:
    names = [name for name in OTHERS if any(name in each.arms for each in measured)]
    columns = ["committee", "first hop alone", *names]
    lines = [
        "## Beside other rankers",
        "",
        "Recall@5 / nDCG@10 on the same passages. FTS5 and tantivy get the question without stop words and",
        "words that only ask; bm25s drops its own stop words. PageRank is personalised PageRank over the",
        "product's own index of names, restarted at the product's own first hop (restart 0.5).",
        "",
        "| set | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for each in measured:
        cells = [_pair(each.arms[name]) if name in each.arms else "" for name in columns]
        lines.append(f"| {_label(each)} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _pair(figures: Any) -> str:
    return f"{figures.recall5:.3f} / {figures.ndcg10:.3f}"


def _personas(measured: Sequence[Any]) -> list[str]:
    lines = [
        "## What personas add",
        "",
        "Recall@5 of the committee, of the best and the worst persona walking alone (chosen after the fact),",
        "of the control arm (`fact-finder` alone), and of following every link of the ten best seeds with",
        "nobody walking. *Oracle*: the best persona for each question, picked by somebody who knows the",
        "answer. *Shared*: passages that more than one persona visited, of all that were visited.",
        "",
        "| set | committee | best alone | worst alone | control arm | every link | oracle | experts | shared |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in measured:
        singles = {k[7:]: v.recall5 for k, v in each.arms.items() if k.startswith("alone: ")}
        best = max(sorted(singles), key=lambda name: singles[name])
        worst = min(sorted(singles), key=lambda name: singles[name])
        lines.append(
            f"| {_label(each)} | {each.arms['committee'].recall5:.3f} | {singles[best]:.3f} ({best}) |"
            f" {singles[worst]:.3f} ({worst}) | {singles.get('fact-finder', 0.0):.3f} |"
            f" {each.arms['every link of ten seeds'].recall5:.3f} | {each.best_of_singles:.3f} |"
            f" {each.experts:.1f} | {each.shared_ground:.0%} |"
        )
    return [*lines, ""]


def _ablations(measured: Sequence[Any]) -> list[str]:
    measured = [each for each in measured if each.ablations]
    if not measured:
        return []
    names = list(measured[0].ablations)
    lines = [
        "## What each mechanism is worth",
        "",
        "Recall@5 in points, the committee with one mechanism taken out less the committee as it is: what",
        "is negative was lost without it. A difference below about 1.5 points is within chance on these sets.",
        "",
        "| without | " + " | ".join(_label(each) for each in measured) + " |",
        "|---|" + "---|" * len(measured),
    ]
    for name in names:
        cells = [
            f"{100 * (each.ablations[name].recall5 - each.arms['committee'].recall5):+.1f}"
            for each in measured
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _cost(measured: Sequence[Any]) -> list[str]:
    lines = [
        "## What it costs",
        "",
        "CPU time, one thread. *Loop* is a fixed piece of pure Python (40,000 turns of a dictionary sum) timed",
        "in the same run: about 6 ms on the machine used here when it is quiet, more when it is busy, so divide",
        "by it to compare machines. *Contributions*: what it takes to get every question word's own score in",
        "every passage, which links need, from the product's postings and from FTS5 (one query a word); *FTS5*",
        "is one plain query for the sum.",
        "",
        "| set | committee, ms | control arm, ms | FTS5, ms | loop, ms | index, s | loop while indexing, ms |"
        " contributions: postings, ms | contributions: FTS5, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in measured:
        control = each.arms.get("alone: fact-finder")
        lines.append(
            f"| {_label(each)} | {each.arms['committee'].cpu_ms:.1f} | {control.cpu_ms if control else 0:.1f} |"
            f" {each.fts5_once_ms:.1f} | {each.loop_ms:.1f} | {each.index_seconds:.1f} |"
            f" {each.index_loop_ms:.1f} | {each.postings_ms:.1f} | {each.fts5_each_ms:.1f} |"
        )
    return [*lines, ""]


def _method() -> list[str]:
    return [
        "## How to measure it again",
        "",
        "```",
        "python benchmarks/retrieval/run.py path/to/musique path/to/2wiki --no-titles musique",
        "```",
        "",
        "A data set is a folder with `corpus.jsonl` (`id`, `title`, `text`), `queries.jsonl` (`id`, `text`)",
        "and `qrels.tsv`. SQLite FTS5 and PageRank need nothing more; `bm25s` and `tantivy` are measured where",
        "`pip install bm25s tantivy` put them beside the product. Everything but the times is the same in",
        "every run.",
        "",
    ]
