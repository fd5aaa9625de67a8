"""A passage in its place: the way to it, the lines around it, what the answer took from it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from engine.events import Citation, Evidence
from tui.context import Surroundings
from tui.panes.evidence import trail_rows
from tui.panes.rows import Row, Style, View, capped, place, row, term_rows, text_rows

_BEGINS: Final = re.compile(r"\s{4}|\s*([-*+>|#]|\d+[.)]\s|```|~~~)")
"""What begins a line that is not the rest of the line before: an item, a heading, a table, code."""

_OF_THEIR_OWN: Final = ("#", "|", "```", "~~~", "    ")


def passage_rows(
    view: View, cited: Citation | Evidence, around: Surroundings | None, width: int
) -> list[Row]:
    """Return the lines of the passage that ``cited`` names."""
    return capped(_lines(view, cited, around or Surroundings(), width))


def quoted_sentences(view: View, cited: Citation | Evidence) -> list[str]:
    """Return the sentences of the answer that cite the passage, on one line each."""
    markers = {each.marker for each in view.run.citations if each.passage == cited.passage}
    return [
        " ".join(each.text.split())
        for each in view.run.sentences
        if each.kept and markers.intersection(each.markers)
    ]


def is_quoted(line: str, sentences: Sequence[str]) -> bool:
    """Return whether ``line`` of a document holds, or is part of, one of ``sentences``.

    >>> is_quoted("of the day in a battery.", ["It stores the light of the day in a battery."])
    True
    """
    flat = " ".join(line.split()).strip("*_`>#- ")
    if len(flat) < 3:
        return False
    return any(
        (len(flat) > 8 and flat in sentence) or sentence[:24] in flat or sentence[-24:] in flat
        for sentence in sentences
    )


def flowed(lines: Sequence[tuple[str, Style]], room: int) -> list[tuple[str, Style]]:
    """Return ``lines`` as they are, but prose that is wider than ``room`` goes on in one line.

    Wrapped by itself each line of such a paragraph would leave a ragged rest.

    >>> flowed([("a lamp stores", ""), ("the light", ""), ("- of the day", "")], 8)
    [('a lamp stores the light', ''), ('- of the day', '')]
    """
    made: list[tuple[str, Style]] = []
    width, fenced = 0, False
    for line, style in lines:
        fence = line.lstrip().startswith(("```", "~~~"))
        onward = made and made[-1][1] == style and not fenced and width > room and _is_onward(line)
        if onward and made[-1][0].strip() and not made[-1][0].startswith(_OF_THEIR_OWN):
            made[-1] = (f"{made[-1][0]} {line.strip()}", style)
        else:
            made.append((line, style))
            width = 0
        width = max(width, len(line))
        fenced = fenced != fence
    return made


def _is_onward(line: str) -> bool:
    return bool(line.strip()) and not _BEGINS.match(line)


def _lines(view: View, cited: Citation | Evidence, around: Surroundings, width: int) -> Iterator[Row]:
    yield row("place", (cited.position.section or place(cited.position), "dim"))
    if around.note:
        yield row("note", (around.note, "warn"))
    sentences = quoted_sentences(view, cited)
    yield row("gap", "")
    lines: list[tuple[str, Style]] = [(line, "dim") for line in around.before]
    for line in cited.text[:20_000].split("\n"):
        lines.append((line, "good" if is_quoted(line, sentences) else ""))
    lines += [(line, "dim") for line in around.after]
    for index, (line, style) in enumerate(flowed(lines, width - 4)):
        yield from text_rows(f"t{index}", line, width, 1, style)
    yield row("gap2", "")
    if sentences:
        yield row("said", ("the answer says", "dim"))
    for index, sentence in enumerate(sentences):
        yield from text_rows(f"said{index}", sentence, width, 1, "quote")
    evidence = next((each for each in view.run.evidence if each.passage == cited.passage), None)
    if evidence is not None:
        yield from trail_rows("trail", evidence.trail, width, 0)
        found = f"found by {', '.join(evidence.personas)}" if evidence.personas else "found by words alone"
        yield row("by", (found, "dim"))
        yield row("score", ("score ", "dim"), (f"{evidence.score:.3f}", "accent"), (", from", "dim"))
        yield from term_rows("terms", evidence.terms, 1)
