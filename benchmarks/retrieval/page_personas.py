"""What personas add: the committee beside single walks, by set and by kind of question."""

# ruff: noqa: E501 - the lines of a page are as long as they are

import statistics
from collections.abc import Sequence

from figures import SetFigures, interval, table


def _singles(each: SetFigures) -> dict[str, float]:
    return {name: each.mean(arm) for name, arm in each.alone.items()}


def _oracle(each: SetFigures) -> dict[str, float]:
    singles = [each.each(arm) for arm in each.alone.values()]
    return {query: max(found[query] for found in singles) for query in each.kinds}


def personas(measured: Sequence[SetFigures]) -> list[str]:
    """Return the section that compares the committee with single walks."""

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
        *table(head, [row(each) for each in measured]),
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


def by_kind(measured: Sequence[SetFigures]) -> list[str]:
    """Return the same comparison by kind of question."""
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
        *table(
            ["kind", "questions", "committee", "best", "control arm", "first hop alone", "oracle", "shared"],
            rows,
        ),
    ]
