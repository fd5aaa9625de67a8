"""Two runs side by side: what they were given, what they answered, found and scored, whom they asked."""

import textwrap
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import msgspec
from rich.cells import cell_len, chop_cells, set_cell_size

from engine.cleaning import clean, one_line
from tui.panes.rows import Part, Row, Style, View, capped, is_open, row, text_rows

if TYPE_CHECKING:
    from engine.snapshots.diff import EvidenceChange, ScoreChange, SnapshotDiff

MOST_ANSWER: Final = 20_000
_DIGEST: Final = 12
_INDENT: Final = 2


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above a column: which run this is."""

    snapshot: str
    created: str
    question: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs and what differs between them."""

    left: Side
    right: Side
    diff: "SnapshotDiff"


def _when(side: Side) -> str:
    return side.created[:16].replace("T", " ")


def compare_rows(view: View, comparison: Comparison, toggled: frozenset[str], width: int) -> list[Row]:
    """Return the lines of the comparison, two columns where both sides have words."""
    return capped(_all(view, comparison, toggled, width))


def _all(view: View, comparison: Comparison, toggled: frozenset[str], width: int) -> Iterator[Row]:
    found = comparison.diff
    yield from columns("run", comparison.left.snapshot, comparison.right.snapshot, width, view, "strong")
    yield from columns("when", _when(comparison.left), _when(comparison.right), width, view, "dim")
    yield from columns("end", found.left_outcome or "cut off", found.right_outcome or "cut off", width, view)
    yield from columns("asked", comparison.left.question, comparison.right.question, width, view)
    if found.identical:
        yield row("same", ("the same in every event: their digests are equal", "good"))
    yield from _section(
        "#inputs",
        f"Given differently {len(found.inputs)}",
        toggled,
        (
            line
            for each in found.inputs
            for line in (
                row(f"input:{each.name}", (each.name, "dim"), depth=1),
                *columns(f"input:{each.name}", _brief(each.left), _brief(each.right), width, view, depth=2),
            )
        ),
        len(found.inputs),
    )
    same = found.left_answer == found.right_answer
    yield from _section(
        "#answers",
        "Answers, the same" if same else "Answers",
        toggled,
        text_rows("answer", found.left_answer, width, 1)
        if same
        else columns("answer", found.left_answer, found.right_answer, width, view, depth=1),
        1,
    )
    yield from _evidence(view, found.evidence, toggled)
    yield from _section(
        "#scores",
        f"Scores moved {len(found.scores)}",
        toggled,
        (_score(each, view.glyphs.arrow) for each in found.scores),
        len(found.scores),
    )
    yield from _section(
        "#experts",
        f"Experts chosen on one side only {len(found.experts)}",
        toggled,
        (
            line
            for each in found.experts
            for line in (
                row(f"expert:{each.persona}", (each.persona, "strong"), depth=1),
                *columns(f"expert:{each.persona}", each.left, each.right, width, view, "dim", depth=2),
            )
        ),
        len(found.experts),
    )


def _section(key: str, title: str, toggled: frozenset[str], rows: Iterable[Row], count: int) -> Iterator[Row]:
    opened = is_open(key, toggled, True)
    yield row(key, (title, "strong"), folded=(not opened) if count else None)
    if opened and count:
        yield from rows


def _evidence(view: View, changes: "list[EvidenceChange]", toggled: frozenset[str]) -> Iterator[Row]:
    counts = {name: sum(1 for each in changes if each.change == name) for name in ("gained", "lost", "moved")}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    title = f"Evidence: {told}" if changes else "Evidence, the same"
    yield from _section(
        "#evidence", title, toggled, (_change(each, view.glyphs.arrow) for each in changes), len(changes)
    )


def _change(each: "EvidenceChange", arrow: str = "to") -> Row:
    mark, style = _MARKS[each.change]
    ranks = f"{each.left_rank or '-':>2} {arrow} {each.right_rank or '-':<2} "
    scores = f" {arrow} ".join("-" if s is None else f"{s:.2f}" for s in (each.left_score, each.right_score))
    return row(
        f"evidence:{each.evidence_id}",
        (f"{mark} ", style),
        (f"{each.change:<6} ", style),
        (ranks, "accent"),
        f"{each.document}",
        (f"  {each.section}", "dim"),
        (f"  {scores}", "dim"),
        depth=1,
    )


_MARKS: Final[dict[str, tuple[str, Style]]] = {
    "gained": ("+", "good"), "lost": ("-", "bad"), "moved": ("~", "warn"),
}  # fmt: skip


def _score(each: "ScoreChange", arrow: str = "to") -> Row:
    return row(
        f"score:{each.persona}/{each.score}",
        f"{each.persona:<20} ",
        (f"{each.score:<12} ", "dim"),
        f"{each.left:.3f} {arrow} {each.right:.3f} ",
        (f"{each.moved:+.3f}", "good" if each.moved > 0 else "bad"),
        depth=1,
    )


def _brief(value: str) -> str:
    """Return a digest short enough for its column, anything else as it is.

    >>> _brief("active " + "0123456789abcdef" * 2)
    'active 0123456789ab'
    """
    words = value.split(" ")
    return " ".join(
        word[:_DIGEST] if len(word) >= 32 and not set(word) - set("0123456789abcdef") else word
        for word in words
    )


def wrapped(text: str, room: int) -> list[str]:
    """Return ``text`` in lines of at most ``room`` cells; a wide character takes two.

    >>> wrapped("one two three", 7), wrapped("日本語", 4)
    (['one two', 'three'], ['日本', '語'])
    """
    lines: list[str] = []
    for line in clean(text[:MOST_ANSWER]).split("\n"):
        for piece in textwrap.wrap(line.strip(), room, break_on_hyphens=False) or [""]:
            lines += chop_cells(piece, room) if cell_len(piece) > room else [piece]
    return lines


def columns(
    key: str, left: str, right: str, width: int, view: View, style: Style = "", *, depth: int = 0
) -> Iterator[Row]:
    """Yield both texts wrapped side by side, a rule between them; what is missing is a dash."""
    rule = f" {view.glyphs.left} "
    half = (width - _INDENT - len(rule)) // 2
    room, other = max(8, half - 2 * depth), max(8, half)
    both = zip_longest(wrapped(left or "-", room), wrapped(right or "-", other), fillvalue="")
    differs: Style = "" if left == right else style
    for number, (one, two) in enumerate(both):
        parts: tuple[Part, ...] = (
            (set_cell_size(one, room), style), (rule, "dim"), (two, differs or style),
        )  # fmt: skip
        yield Row(f"{key}/{number}", parts, depth)


def as_text(comparison: Comparison) -> str:
    """Return the comparison as Markdown, for the clipboard."""
    found = comparison.diff
    lines = [f"# {comparison.left.snapshot} and {comparison.right.snapshot}", ""]
    lines += [f"- {each.name}: {_brief(each.left)} / {_brief(each.right)}" for each in found.inputs]
    for side, answer in ((comparison.left, found.left_answer), (comparison.right, found.right_answer)):
        lines += ["", f"## {side.snapshot}: {side.question}", "", clean(answer).strip()]
    rows = [*map(_change, found.evidence), *map(_score, found.scores)]
    lines += ["", *(f"- {each.text}" for each in rows)]
    lines += [f"- {each.persona}: {each.left} / {each.right}" for each in found.experts]
    return "\n".join(one_line(line, 2_000) if line.startswith("- ") else line for line in lines) + "\n"
