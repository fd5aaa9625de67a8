"""One persona as lines: what it is, how it walks, how it did; what is changed and not saved is marked."""

from collections.abc import Iterator, Mapping

from engine.cleaning import counted
from engine.personas.draft import NEUTRAL, TEXTS, Draft
from engine.personas.policy import PolicyExplanation, explain, in_words
from tui.glyphs import Glyphs
from tui.move_words import told
from tui.panes.plot import plot_lines
from tui.panes.rows import Part, Row, bar, is_open, row, text_rows
from tui.persona_card import Card, parent_of

_LABELS = {"name": "name", "description": "looks for", "voice": "speaks"}
_PLOT_HEIGHT = 5


def card_rows(
    card: Card,
    draft: Draft,
    *,
    asked: Mapping[str, str],
    is_new: bool,
    glyphs: Glyphs,
    toggled: frozenset[str],
    width: int,
) -> list[Row]:
    """Return the card. ``asked`` gives the questions of snapshots; a new persona has no past to show."""
    explained = explain(draft.now.traits, card.rows)
    rows = [*_fields(draft, is_new, glyphs, width)]
    sections: list[tuple[str, str, Iterator[Row]]] = [
        ("traits", "Traits", _traits(draft, explained, glyphs)),
        ("policy", "How that walks", _words(explained, width)),
        ("knobs", "In numbers", _knobs(explained, width)),
    ]
    if not is_new:
        sections += [
            ("performance", "How it did", _performance(card, glyphs, width)),
            ("lineage", "Lineage", _lineage(card)),
            ("moves", f"Moves ({len(card.moves)})", _moves(card, width)),
            ("questions", f"Last questions ({len(card.questions)})", _questions(card, asked, glyphs)),
        ]
    for key, title, lines in sections:
        opened = is_open(f"section:{key}", toggled, key != "knobs")
        rows.append(row(f"section:{key}", (title, "strong"), folded=not opened))
        if opened:
            rows += lines
    return rows


def _fields(draft: Draft, is_new: bool, glyphs: Glyphs, width: int) -> Iterator[Row]:
    now, base = draft.now, draft.base
    if is_new:
        yield row("field:id", (f"{'id':<11}", "dim"), (now.persona_id, "strong"))
    for key in TEXTS:
        mine, was = str(now.metadata.get(key, "")), str(base.metadata.get(key, ""))
        mark = "* " if mine != was else "  "
        first, *rest = _wrapped(mine or "-", width - 16)
        yield row(f"field:{key}", (mark, "warn"), (f"{_LABELS[key]:<11}", "dim"), first)
        for place, text in enumerate(rest):
            yield row(f"field:{key}/{place}", (" " * 13, ""), text)
        if mine != was and was:
            yield row(f"field:{key}/was", (" " * 13, ""), (f"was: {was}", "dim"))
    changed = now.expertise != base.expertise
    tags = " ".join(f"[{term}]" for term in now.expertise) or "-"
    for place, text in enumerate(_wrapped(tags, width - 16)):
        mark, label = ("* " if changed else "  ", "expertise") if place == 0 else ("  ", "")
        key = "field:expertise" if place == 0 else f"field:expertise/{place}"
        yield row(key, (mark, "warn"), (f"{label:<11}", "dim"), (text, "accent"))
    if changed and base.expertise:
        yield row("field:expertise/was", (" " * 13, ""), (f"was: {', '.join(base.expertise)}", "dim"))
    cost, was_cost = now.activation_cost, base.activation_cost
    parts: list[Part] = [
        ("* " if cost != was_cost else "  ", "warn"),
        (f"{'cost':<11}", "dim"),
        (f"{bar(min(cost / 4, 1.0), 9, glyphs)} ", "accent"),
        (f"{cost:g}", "strong"),
    ]
    if cost != was_cost:
        parts.append((f"  was {was_cost:g}", "warn"))
    yield row("field:cost", *parts)


def _wrapped(text: str, room: int) -> list[str]:
    return [each.text for each in text_rows("", text, room + 2)]


def _traits(draft: Draft, explained: PolicyExplanation, glyphs: Glyphs) -> Iterator[Row]:
    now, base = draft.now.traits, draft.base.traits
    turned: dict[str, list[str]] = {}
    for knob in explained.knobs:
        if knob.trait:
            turned.setdefault(knob.trait, []).append(f"{knob.knob.replace('_', ' ')} {knob.value:.3g}")
    order = [
        *sorted({*now, *base}),
        *(name for name in sorted(turned) if name not in now and name not in base),
    ]
    size = max((len(name) for name in order), default=0)
    for name in order:
        value, was = now.get(name), base.get(name)
        shown = NEUTRAL if value is None else value
        style = "dim" if value is None else "accent"
        parts: list[Part] = [
            ("* " if value != was else "  ", "warn"),
            (f"{name[:24]:<{min(size, 24)}} ", "" if value is not None else "dim"),
            (bar(shown / 9, 9, glyphs), style),  # type: ignore[list-item]
            (f" {value if value is not None else '-'} ", "strong"),
        ]
        if value != was:
            parts.append((f"was {was if was is not None else 'not there'} ", "warn"))
        if name in turned:
            guess = "" if value is not None else "counts as 5: "
            parts.append((f" {guess}{', '.join(turned[name])}", "dim"))
        else:
            parts.append((" voice only", "quote"))
        yield row(f"trait:{name}", *parts)


def _words(explained: PolicyExplanation, width: int) -> Iterator[Row]:
    for place, sentence in enumerate(in_words(explained.policy)):
        yield from text_rows(f"word:{place}", sentence, width, 1)


def _knobs(explained: PolicyExplanation, width: int) -> Iterator[Row]:
    for knob in explained.knobs:
        guess = "" if knob.given or not knob.trait else f"  (no {knob.trait}, so 5)"
        yield row(f"knob:{knob.knob}", (f"{knob.knob:<18}", "dim"), f"{knob.formula}{guess}", depth=1)


def _performance(card: Card, glyphs: Glyphs, width: int) -> Iterator[Row]:
    record, outlook = card.record, card.outlook
    if not record.n:
        yield row("did:none", ("no answers yet", "dim"), depth=1)
    else:
        told_ = f"{counted(record.n, 'answer')}, mean {record.mean:.3f}"
        yield row("did:mean", f"{told_}, {record.advantage:+.3f} against the others", depth=1)
        for place, line in enumerate(plot_lines(card.scores, min(width - 4, 100), _PLOT_HEIGHT, glyphs)):
            yield row(f"plot:{place}", (line, "accent"), depth=1)
        shown = f"the latest {len(card.scores)} scores" if len(card.scores) < record.n else "every score"
        yield row("plot:told", (f"{shown}, oldest on the left", "dim"), depth=1)
    for name, left, mark in (
        ("rise", outlook.promotion, glyphs.up),
        ("fall", outlook.demotion, glyphs.down),
    ):
        if left is not None:
            yield row(
                f"did:{name}",
                (f"{mark} to {name}  ", "dim"),
                (bar(left, 9, glyphs), "accent"),
                f" {left:.0%} left",
                depth=1,
            )
    if outlook.said:
        yield from text_rows("did:outlook", outlook.said, width, 1, "dim")
    for topic in card.topics:
        yield row(
            f"topic:{topic.topic}",
            (f"{(topic.topic or '(no topic of its own)')[:28]:<28} ", "dim"),
            (f"{bar(topic.mean, 8, glyphs)} ", "accent"),
            f"{topic.mean:.2f}  {topic.advantage:+.3f}  {counted(topic.n, 'answer')}, "
            f"grounding {topic.grounding:.2f}",
            depth=1,
        )
    if card.prior.n:
        told_ = (
            f"elsewhere: {card.prior.nodes} machines say {card.prior.mean - 0.5:+.3f} against the others, "
            f"which counts as {card.prior.n:g} questions"
        )
        yield from text_rows("did:elsewhere", told_, width, 1)


def _lineage(card: Card) -> Iterator[Row]:
    lineage = card.stored.persona.metadata.get("lineage")
    parent = parent_of(card.stored)
    if parent:
        yield row(f"persona:{parent}", ("from ", "dim"), parent, ("  enter opens it", "dim"), depth=1)
    if isinstance(lineage, dict):
        for key, value in sorted(lineage.items()):
            if isinstance(value, str) and key not in ("parent", "parent_digest"):
                yield row(f"lineage:{key}", (f"{key}: ", "dim"), value, depth=1)
    for child in card.children:
        yield row(f"persona:{child}", ("child ", "dim"), child, ("  enter opens it", "dim"), depth=1)
    if not parent and not card.children:
        yield row("lineage:none", ("no parent, no children", "dim"), depth=1)


def _moves(card: Card, width: int) -> Iterator[Row]:
    lines = told(reversed(card.moves)) or ["none yet"]
    for place, line in enumerate(lines):
        yield from text_rows(f"move:{place}", line, width, 1, "dim" if line.startswith(" ") else "")


def _questions(card: Card, asked: Mapping[str, str], glyphs: Glyphs) -> Iterator[Row]:
    if not card.questions:
        yield row("question:none", ("none yet", "dim"), depth=1)
    for each in card.questions:
        kept = each.snapshot in asked
        yield row(
            f"question:{each.snapshot}" if kept else f"gone:{each.snapshot}",
            (f"{bar(each.total, 5, glyphs)} {each.total:.2f} {each.advantage:+.3f}  ", "accent"),
            asked.get(each.snapshot, f"{each.snapshot} (its record is not kept any more)"),
            ("  enter replays it" if kept else "", "dim"),
            depth=1,
        )
