"""Personas side by side, and a draft beside what is saved: columns of numbers, then words."""

from collections.abc import Sequence

from rich.cells import set_cell_size

from engine.cleaning import one_line
from engine.personas.comparison import Row as Compared
from engine.preview import Preview, SideBySide
from tui.glyphs import Glyphs
from tui.panes.rows import Part, Row, Style, bar, place, row, text_rows
from tui.persona_compare import compared_in_words

_LABEL = 18
_SCORES = ("total", "relevance", "consistency", "novelty", "grounding")
_STEPS = 8


def side_rows(found: SideBySide, glyphs: Glyphs, width: int) -> list[Row]:
    """Return the comparison: traits and knobs in columns, wins and shared evidence in words."""
    column = min(22, max(7, (width - _LABEL - 4) // max(1, len(found.ids))))
    rows = [_titled("", found.ids, column)]
    rows.append(_titled("tier", [each.tier for each in found.personas], column, "dim"))
    rows.append(row("h:traits", ("Traits", "strong"), ("  * where they differ", "dim")))
    rows += [_numbers(f"trait:{each.name}", each, column, glyphs, 9) for each in found.traits]
    rows.append(row("h:policy", ("How they walk", "strong"), ("  only what differs", "dim")))
    rows += [_numbers(f"knob:{each.name}", each, column, glyphs, 0) for each in found.policy if each.differs]
    rows.append(row("h:words", ("Wins and evidence", "strong")))
    for number, line in enumerate(compared_in_words(found)):
        rows += text_rows(f"word:{number}", line, width, 1)
    for pair in found.overlap:
        rows.append(
            row(
                f"overlap:{pair.first}:{pair.second}",
                (f"{bar(pair.overlap, 10, glyphs)} ", "accent"),
                f"{pair.overlap:.0%} the same evidence: ",
                (f"{pair.first}, {pair.second}", "dim"),
                depth=1,
            )
        )
    if not found.questions:
        rows += text_rows("word:none", "No question was asked yet, so no evidence is compared.", width, 1)
    for number, question in enumerate(found.questions):
        rows += text_rows(f"asked:{number}", f"on: {question}", width, 1, "dim")
    return rows


def _titled(label: str, values: Sequence[str], column: int, style: Style = "strong") -> Row:
    parts: list[Part] = [(f"  {label:<{_LABEL}}", "dim")]
    parts += [(_fit(value, column), style) for value in values]
    return row(f"h:{label or 'ids'}", *parts)


def _numbers(key: str, each: Compared, column: int, glyphs: Glyphs, most: int) -> Row:
    parts: list[Part] = [
        ("* " if each.differs else "  ", "warn"),
        (f"{one_line(each.name, 60).replace('_', ' ')[: _LABEL - 1]:<{_LABEL}}", ""),
    ]
    for value in each.values:
        text = "-" if value is None else f"{value:.3g}"
        if most and value is not None and column >= 13:
            text = f"{bar(value / most, 9, glyphs)} {text}"
        parts.append((_fit(text, column), "accent" if each.differs else "dim"))
    return row(key, *parts)


def _fit(text: str, size: int) -> str:
    return f"{set_cell_size(one_line(text, 200), size - 1)} "


def preview_rows(saved: Preview, tried: Preview | None, glyphs: Glyphs, width: int) -> list[Row]:
    """Return a persona's own run of a question; a draft's beside it where there is one."""
    runs = [saved] if tried is None else [saved, tried]
    column = max(10, (width - 14) // len(runs))
    rows = [*text_rows("asked", f"on: {saved.question}", width, 0, "dim")]
    if tried is not None:
        gain = tried.scores.total - saved.scores.total
        same = len({e.passage for e in saved.evidence} & {e.passage for e in tried.evidence})
        told = f"the draft scores {gain:+.3f}; {same} of {len(saved.evidence)} passages are the same"
        rows += text_rows("gain", told, width, 0, "good" if gain > 0 else "warn" if gain < 0 else "")
    rows.append(_pair("head", "", ["saved", "draft"][: len(runs)], column, "strong"))
    for name in _SCORES:
        values = [float(getattr(each.scores, name)) for each in runs]
        shown = [f"{bar(value, 8, glyphs)} {value:.3f}" for value in values]
        rows.append(_pair(f"score:{name}", name, shown, column, "accent"))
    rows.append(
        _pair("stopped", "walk", [f"{len(each.steps)} steps; {each.stopped}" for each in runs], column)
    )
    for step in range(min(_STEPS, max(len(each.steps) for each in runs))):
        labels = [
            f"{each.steps[step].priority:.2f} {each.steps[step].label}" if step < len(each.steps) else ""
            for each in runs
        ]
        rows.append(_pair(f"step:{step}", f"step {step + 1}", labels, column))
    for rank in range(min(5, max(len(each.evidence) for each in runs))):
        found = [
            f"{each.evidence[rank].score:.2f} {place(each.evidence[rank].position)}"
            if rank < len(each.evidence)
            else ""
            for each in runs
        ]
        rows.append(_pair(f"found:{rank}", f"found {rank + 1}", found, column))
    for name, each in zip(("saved", "draft"), runs, strict=False):
        rows += text_rows(f"says:{name}", f"{name} says: {each.output or 'nothing'}", width)
    rows.append(row("note", ("nothing was recorded; esc goes back", "dim")))
    return rows


def _pair(key: str, label: str, values: Sequence[str], column: int, style: Style = "") -> Row:
    parts: list[Part] = [(f"{label:<12}", "dim")]
    parts += [(_fit(value, column), style) for value in values]
    return row(key, *parts)
