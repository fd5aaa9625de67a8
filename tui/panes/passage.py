"""A passage in its place: the way to it, the lines around it, what the answer took from it."""

from collections.abc import Iterator, Sequence

from engine.events import Citation, Evidence
from tui.context import Surroundings
from tui.panes.evidence import trail_rows
from tui.panes.rows import Row, View, capped, place, row, term_rows, text_rows


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


def _lines(view: View, cited: Citation | Evidence, around: Surroundings, width: int) -> Iterator[Row]:
    yield row("place", (place(cited.position), "strong"), (f"  {cited.position.section}", "dim"))
    if around.note:
        yield row("note", (around.note, "warn"))
    sentences = quoted_sentences(view, cited)
    yield row("gap", "")
    for index, line in enumerate(around.before):
        yield from text_rows(f"b{index}", line, width, 1, "dim")
    for index, line in enumerate(cited.text[:20_000].split("\n")):
        yield from text_rows(f"t{index}", line, width, 1, "good" if is_quoted(line, sentences) else "")
    for index, line in enumerate(around.after):
        yield from text_rows(f"a{index}", line, width, 1, "dim")
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
