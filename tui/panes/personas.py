"""The personas by tier, with what each does in this run; a persona opens into its numbers."""

from collections.abc import Iterator
from typing import Final

from engine.cleaning import counted, one_line
from engine.events import Scores, Term, Tier
from engine.snapshots.describe import is_birth
from tui.glyphs import Glyphs
from tui.notices import PersonaRow
from tui.panes.rows import (
    MOST_LINES,
    Part,
    Row,
    Style,
    View,
    bar,
    capped,
    is_open,
    row,
    term_rows,
    text_rows,
)
from tui.state import PersonaView, Status

TIERS: Final[tuple[Tier, ...]] = ("active", "stable", "experimental", "pruned")
SCORES: Final = ("relevance", "consistency", "novelty", "grounding")

_STYLES: Final[dict[Status, Style]] = {
    "skipped": "dim", "chosen": "good", "walking": "accent", "walked": "accent", "reading": "accent",
    "writing": "accent", "claimed": "accent", "scored": "good", "stood down": "dim", "considered": "dim",
}  # fmt: skip

_UNSEEN: Final = Row("", ())
"""Stands for a line beyond the last that is shown, which is counted only."""


def persona_rows(view: View, toggled: frozenset[str], width: int) -> list[Row]:
    """Return the roster: a line for each tier, below it its personas, the chosen first."""
    if view.opened is None and not view.run.personas:
        return [row("hint", ("opening the workspace…", "dim"))]
    return capped(_roster(view, toggled, width))


def _roster(view: View, toggled: frozenset[str], width: int) -> Iterator[Row]:
    known = _known(view)
    tiers: dict[Tier, list[str]] = {tier: [] for tier in TIERS}
    seen = view.run.personas
    for persona_id in {**known, **seen}:
        if tier_now := _tier(view, known.get(persona_id), seen.get(persona_id)):
            tiers[tier_now].append(persona_id)
    drawn = 0
    for tier in TIERS:
        members = sorted(tiers[tier], key=lambda name: (_rank(seen.get(name)), name))
        key = f"tier:{tier}"
        opened = is_open(key, toggled, tier != "pruned")
        chosen = sum(1 for name in members if name in seen and seen[name].order >= 0)
        told = f" {len(members)}{f', {chosen} chosen' if chosen else ''}"
        yield row(
            key,
            (f"{view.glyphs.tiers[tier]} {tier}", "strong"),
            (told, "dim"),
            folded=(not opened) if members else None,
        )
        if opened:
            for name in members:
                if drawn >= MOST_LINES and not is_open(f"persona:{name}", toggled):
                    yield _UNSEEN
                    continue
                drawn += 1
                yield from _persona(view, name, seen.get(name), known.get(name), toggled, width)
    problems = view.opened.problems if view.opened else ()
    for index, problem in enumerate(problems):
        yield from text_rows(f"problem{index}", f"! {problem}", width, 0, "warn")


def _known(view: View) -> dict[str, PersonaRow]:
    return {each.persona_id: each for each in (view.opened.personas if view.opened else ())}


def tier_of(view: View, persona: str) -> Tier | None:
    """Return the tier in which a persona is shown, None if it is not there."""
    return _tier(view, _known(view).get(persona), view.run.personas.get(persona))


def _tier(view: View, stored: PersonaRow | None, ran: PersonaView | None) -> Tier | None:
    if ran is not None and (view.replaying or stored is None):
        return ran.tier
    return stored.tier if stored is not None else None


def _rank(seen: PersonaView | None) -> tuple[int, int]:
    if seen is None:
        return (3, 0)
    if seen.order >= 0:
        return (0, seen.order)
    return (2 if seen.status == "skipped" else 1, 0)


def _persona(
    view: View,
    name: str,
    seen: PersonaView | None,
    stored: PersonaRow | None,
    toggled: frozenset[str],
    width: int,
) -> Iterator[Row]:
    key = f"persona:{name}"
    opened = is_open(key, toggled)
    status: Status = seen.status if seen else "idle"
    parts: list[Part] = [
        (f"{view.glyphs.status.get(status, ' ')} ", _STYLES.get(status, "")),
        (name, "dim" if status in {"skipped", "stood down"} else ""),
    ]
    if stored is not None and stored.pinned:
        parts.append((" pinned", "dim"))
    parts.extend(_state(view.glyphs, seen, stored))
    yield row(key, *parts, depth=1, folded=not opened)
    if opened:
        if stored is not None:
            knows = one_line(", ".join(stored.expertise), 400) or "nothing"
            words = f"{one_line(stored.name, 60)}; cost {stored.cost:g}; knows {knows}"
            yield from text_rows(f"{key}/card", words, width, 2, "dim")
        if seen is not None:
            yield from _numbers(view, key, seen, toggled, width)


def _state(glyphs: Glyphs, seen: PersonaView | None, stored: PersonaRow | None) -> Iterator[Part]:
    if seen is None or seen.status == "idle":
        if stored is not None:
            yield (f"  {stored.cost:g}", "dim")
    elif seen.scored is not None:
        yield (f"  {seen.scored.scores.total:.2f} ", "accent")
        yield (bar(seen.scored.scores.total, 5, glyphs), "dim")
    elif seen.status in {"walking", "walked"}:
        yield (f"  {seen.status} {seen.steps}", "accent")
    elif seen.status == "skipped":
        yield (f"  {_reason(seen)}", "dim")
    elif seen.status == "chosen" and seen.gate is not None:
        yield (f"  gate {seen.gate.value:.2f}", "dim")
    else:
        yield (f"  {seen.status}", "dim")
    if seen is None or seen.moved is None:
        return
    if is_birth(seen.moved.source, seen.moved.target):
        yield (" born", "good")
    else:
        up = TIERS.index(seen.moved.target) < TIERS.index(seen.moved.source)
        yield (f" {glyphs.up if up else glyphs.down} {seen.moved.target}", "good" if up else "warn")


def _reason(seen: PersonaView) -> str:
    return seen.reason.removeprefix("skipped: ")


def _numbers(view: View, key: str, seen: PersonaView, toggled: frozenset[str], width: int) -> Iterator[Row]:
    if seen.gate is not None:
        gate = f"{key}/gate"
        opened = is_open(gate, toggled)
        yield row(
            gate,
            ("gate ", "dim"),
            (f"{seen.gate.value:.3f}", "accent"),
            (f"  affinity {seen.gate.affinity:.3f}, cost {seen.gate.cost:g}", "dim"),
            depth=2,
            folded=not opened,
        )
        if opened:
            yield from term_rows(gate, seen.gate.terms, 3)
    if seen.reason:
        yield from text_rows(f"{key}/why", f"{seen.status}: {_reason(seen)}", width, 2, "dim")
    if seen.packed is not None:
        packed = seen.packed
        read = (
            f"read {counted(len(packed.passages), 'passage')}, {packed.tokens:,} of {packed.budget:,} tokens"
        )
        yield row(f"{key}/read", (read, "dim"), depth=2)
    if seen.scored is not None:
        yield from score_rows(view, key, seen.scored.scores, seen.scored.terms, toggled, 2)
    if seen.credit is not None:
        credit = f"earned {seen.credit.advantage:+.3f}, survival {seen.credit.survival:.3f}"
        yield row(f"{key}/credit", (credit, "dim"), depth=2)
    for index, gauge in enumerate(seen.gauges):
        told = f"gauge {gauge.topic}: down {gauge.down:.2f}, up {gauge.up:.2f} of {gauge.limit:g}"
        yield row(f"{key}/gauge{index}", (told, "dim"), depth=2)
    if seen.moved is not None:
        how = f"moved {seen.moved.source} to {seen.moved.target} ({seen.moved.rule})"
        if is_birth(seen.moved.source, seen.moved.target):
            how = "born"
        moved = f"{how}: {seen.moved.reason}"
        yield from text_rows(f"{key}/moved", moved, width, 2, "warn")
        yield from term_rows(f"{key}/movedt", seen.moved.inputs, 3)


def score_rows(
    view: View,
    key: str,
    scores: Scores,
    terms: dict[str, list[Term]],
    toggled: frozenset[str],
    depth: int,
) -> Iterator[Row]:
    """Yield the four scores, each of which opens into its terms."""
    for name in SCORES:
        value = float(getattr(scores, name))
        addends = terms.get(name, [])
        line = f"{key}/{name}"
        opened = is_open(line, toggled)
        yield row(
            line,
            (f"{name:<12}", "dim"),
            (f"{value:.2f} ", "accent"),
            (bar(value, 8, view.glyphs), "dim"),
            depth=depth,
            folded=(not opened) if addends else None,
        )
        if opened:
            yield from term_rows(line, addends, depth + 1)
