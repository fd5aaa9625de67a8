"""What the answer rests on: citations, ranked passages, experts' scores, conflicts, the control arm."""

from collections.abc import Iterator
from typing import Final

from engine.cleaning import counted
from engine.events import Evidence, TrailStep
from tui.panes.personas import score_rows
from tui.panes.rows import Row, View, capped, is_open, place, row, term_rows, text_rows

HINT: Final = "Evidence and scores stand here once a question is asked. Every number opens into its terms."


def evidence_rows(view: View, toggled: frozenset[str], width: int) -> list[Row]:
    """Return the lines of the pane."""
    run = view.run
    if not (run.evidence or run.answer or run.facets):
        return list(
            text_rows(
                "hint", "Nothing is ranked yet." if view.live or run.started else HINT, width, style="dim"
            )
        )
    return capped(_all(view, toggled, width))


def _head(key: str, title: str, toggled: frozenset[str], by_default: bool) -> tuple[Row, bool]:
    opened = is_open(key, toggled, by_default)
    return row(key, (title, "strong"), folded=not opened), opened


def _all(view: View, toggled: frozenset[str], width: int) -> Iterator[Row]:
    run = view.run
    if run.citations:
        head, opened = _head("#cites", f"Sources {len(run.citations)}", toggled, True)
        yield head
        if opened:
            for index, cited in enumerate(run.citations):
                flat = " ".join(cited.text.split())[:200]
                yield row(
                    f"cite:{index}",
                    (f"{cited.marker} ", "good"),
                    place(cited.position),
                    (f"  {flat}", "dim"),
                    depth=1,
                )
    if run.evidence:
        head, opened = _head("#evidence", f"Evidence {len(run.evidence)}", toggled, True)
        yield head
        if opened:
            for item in run.evidence:
                yield from _evidence(item, toggled, width)
    scored = sorted(
        (each for each in run.personas.values() if each.scored),
        key=lambda each: (each.order, each.persona_id),
    )
    if scored:
        head, opened = _head("#scores", f"Experts {len(scored)}", toggled, True)
        yield head
        for each in scored if opened else ():
            if each.scored is None:
                continue
            key = f"expert:{each.persona_id}"
            inside = is_open(key, toggled)
            yield row(
                key,
                each.persona_id,
                (f"  {each.scored.scores.total:.2f}", "accent"),
                (f"  {counted(len(each.claims), 'claim')}", "dim"),
                depth=1,
                folded=not inside,
            )
            if inside:
                yield from score_rows(view, key, each.scored.scores, each.scored.terms, toggled, 2)
                yield from text_rows(f"{key}/said", each.scored.output, width, 2, "quote")
                for index, remark in enumerate(each.scored.notes):
                    yield row(f"{key}/note{index}", (remark, "dim"), depth=2)
    yield from _checks(view, toggled, width)


def _evidence(item: Evidence, toggled: frozenset[str], width: int) -> Iterator[Row]:
    key = f"evidence:{item.passage}"
    opened = is_open(key, toggled)
    yield row(
        key,
        (f"{item.rank:>2} ", "dim"),
        (f"{item.score:.2f} ", "accent"),
        place(item.position),
        (f"  {', '.join(item.personas)}", "dim"),
        depth=1,
        folded=not opened,
    )
    if not opened:
        return
    yield row(f"{key}/section", (item.position.section, "dim"), depth=2)
    yield row(f"{key}/score", ("score, from", "dim"), depth=2)
    yield from term_rows(f"{key}/terms", item.terms, 3)
    yield from trail_rows(f"{key}/trail", item.trail, width, 2)
    yield row(f"{key}/text", ("text", "dim"), depth=2)
    yield from text_rows(f"{key}/words", item.text, width, 3, "quote")


def trail_rows(key: str, trail: list[TrailStep], width: int, depth: int) -> Iterator[Row]:
    """Yield the steps that led to a passage, each with the sentence it went through."""
    if not trail:
        return
    yield row(key, ("the way to it", "dim"), depth=depth)
    for index, step in enumerate(trail):
        phrase = f" “{step.phrase}”" if step.phrase else ""
        yield row(
            f"{key}/{index}",
            (f"{index + 1} {step.kind}{phrase} ", "accent"),
            step.label,
            (f"  {step.weight:.2f}", "dim"),
            depth=depth + 1,
        )
        if step.quote:
            yield from text_rows(f"{key}/{index}q", step.quote, width, depth + 2, "quote")


def _checks(view: View, toggled: frozenset[str], width: int) -> Iterator[Row]:
    run = view.run
    if run.sentences:
        kept = sum(1 for each in run.sentences if each.kept)
        head, opened = _head("#checks", f"Sentences kept {kept} of {len(run.sentences)}", toggled, False)
        yield head
        for each in run.sentences if opened else ():
            mark = "kept" if each.kept else "dropped"
            yield row(
                f"sentence:{each.index}",
                (f"{mark} {each.support:.2f} ", "good" if each.kept else "bad"),
                each.text,
                (f"  {', '.join(each.personas)}", "dim"),
                depth=1,
            )
    for index, conflict in enumerate(run.conflicts):
        key = f"conflict:{index}"
        yield row(key, (f"! disagree on {conflict.subject}", "bad"))
        yield from text_rows(f"{key}/l", f"{conflict.left_persona}: {conflict.left.text}", width, 1)
        yield from text_rows(f"{key}/r", f"{conflict.right_persona}: {conflict.right.text}", width, 1)
    if run.control is not None:
        control = run.control
        head, opened = _head(
            "#control", f"Control {control.scores.total:.2f}, lift {control.lift:+.2f}", toggled, False
        )
        yield head
        if opened:
            yield row("control/who", (f"one plain walk by {control.persona}", "dim"), depth=1)
            yield from score_rows(view, "control", control.scores, {}, toggled, 1)
            yield from text_rows("control/said", control.answer, width, 1, "quote")
    if run.facets:
        head, opened = _head("#facets", f"Asked about {len(run.facets)}", toggled, False)
        yield head
        for facet in run.facets if opened else ():
            yield row(
                f"facet:{facet.facet_id}",
                (f"{facet.weight:.2f} ", "accent"),
                facet.text,
                (f"  {facet.kind}", "dim"),
                depth=1,
            )
