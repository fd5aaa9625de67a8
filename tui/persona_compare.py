"""``personas preview`` and ``personas compare``: what personas do with a question, side by side."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui import output
from tui.persona_desk import each_of, last_questions, open_ledger
from tui.persona_new import traits_of

if TYPE_CHECKING:
    from engine.personas.comparison import Row
    from engine.personas.document import Persona
    from engine.personas.registry import StoredPersona
    from engine.pipeline import Engine
    from engine.preview import Preview, SideBySide

QUESTIONS = 3
STEPS_SHOWN = 8


def preview(args: argparse.Namespace) -> int:
    """Run a persona alone, a draft of it beside the saved one; returns the exit code."""
    from engine.personas.registry import PersonaRegistry
    from engine.preview import preview as run_alone
    from tui.session import open_engine

    (stored,) = each_of(args, [args.persona_id])
    draft = _draft(args, stored)
    with open_engine(args) as engine:
        question = args.question or last_questions(PersonaRegistry.of(engine.workspace).workspace, 1)[0]
        saved = run_alone(engine, stored.persona, question)
        tried = run_alone(engine, draft, question) if draft != stored.persona else None
    if args.json:
        output.print_json({"question": saved.question, "saved": saved, "draft": tried})
        return 0
    output.print_line(f"question: {saved.question}")
    for name, each in (("saved", saved), ("draft", tried)):
        if each is not None:
            _print_preview(name, each)
    if tried is not None:
        gain = tried.scores.total - saved.scores.total
        both = len({e.passage for e in saved.evidence} & {e.passage for e in tried.evidence})
        output.print_line()
        output.print_line(
            f"draft against saved: total {gain:+.3f}, {both} of {len(saved.evidence)} passages the same"
        )
    output.note("nothing was recorded")
    return 0


def _draft(args: argparse.Namespace, stored: "StoredPersona") -> "Persona":
    import msgspec

    from engine.files import read_bounded
    from engine.personas.document import MAX_BYTES, decode_persona, persona_from

    persona = stored.persona
    if args.source:
        persona = decode_persona(read_bounded(Path(args.source), MAX_BYTES), args.source)
    raw = msgspec.structs.asdict(persona)
    raw["persona_id"] = stored.persona.persona_id
    raw["traits"] = {**persona.traits, **traits_of(args.trait)}
    raw["expertise"] = [
        *persona.expertise,
        *(term for term in args.expertise if term not in persona.expertise),
    ]
    return persona_from(raw, stored.persona.persona_id)


def _print_preview(name: str, shown: "Preview") -> None:
    scores = shown.scores
    output.print_line()
    output.print_line(
        f"{name}: total {scores.total:.3f}  relevance {scores.relevance:.2f}  "
        f"consistency {scores.consistency:.2f}  novelty {scores.novelty:.2f}  "
        f"grounding {scores.grounding:.2f}"
    )
    output.print_line(f"  {len(shown.steps)} steps; {shown.stopped}")
    for step in shown.steps[:STEPS_SHOWN]:
        output.print_line(f"    {step.priority:.3f}  {step.label}")
    if len(shown.steps) > STEPS_SHOWN:
        output.print_line(f"    and {len(shown.steps) - STEPS_SHOWN} more")
    for each in shown.evidence[:3]:
        place = each.position
        output.print_line(f"  {each.rank}. {place.document}:{place.start}  {each.score:.3f}")
    output.print_line(f"  says: {shown.output or 'nothing'}")


def compare(args: argparse.Namespace) -> int:
    """Show personas side by side; returns the exit code."""
    from engine.errors import InputError
    from tui.session import open_engine

    chosen = each_of(args, args.ids)
    if len(chosen) < 2:
        raise InputError("two personas or more are needed to compare", "persona-moe personas compare A B")
    with open_engine(args) as engine:
        found = compared(engine, chosen, args.question)
    if args.json:
        output.print_json(
            {
                "personas": [{"persona_id": each.persona.persona_id, "tier": each.tier} for each in chosen],
                "traits": found.traits,
                "policy": found.policy,
                "shared_expertise": found.shared_expertise,
                "duels": found.duels,
                "questions": [
                    {"question": question, "found": passages}
                    for question, passages in zip(found.questions, found.found, strict=True)
                ],
                "overlap": found.overlap,
            }
        )
        return 0
    _print_rows("traits", found.ids, found.traits)
    _print_rows("policy", found.ids, [row for row in found.policy if row.differs])
    for line in compared_in_words(found):
        output.print_line(line)
    if not found.questions:
        output.note("no evidence to compare: index documents and give --question TEXT")
    return 0


def compared(
    engine: "Engine",
    chosen: "Sequence[StoredPersona]",
    questions: Sequence[str] = (),
    tell: Callable[[str], object] = output.note,
) -> "SideBySide":
    """Return the personas side by side, on the last three questions unless some are given."""
    from engine.personas.track_record import Duel, duels
    from engine.preview import side_by_side

    wins: list[Duel] = []
    ledger = open_ledger(engine.workspace, tell)
    if ledger is not None:
        with ledger:
            wins = duels(ledger, [each.persona.persona_id for each in chosen])
    return side_by_side(engine, chosen, questions or _asked(engine.workspace), wins)


def compared_in_words(found: "SideBySide") -> list[str]:
    """Return what does not fit into columns: common expertise, wins, shared evidence."""
    lines = [f"shared expertise: {', '.join(found.shared_expertise) or 'none'}", ""]
    for duel in found.duels:
        if not duel.together:
            lines.append(f"{duel.first} and {duel.second} answered no question together yet")
            continue
        lines.append(
            f"{duel.first} {duel.left} : {duel.right} {duel.second} on {duel.together} "
            f"question{'s' * (duel.together != 1)} that both answered (mean lead {duel.lead:+.3f})"
        )
    asked = len(found.questions)
    for pair in found.overlap:
        lines.append(
            f"{pair.first} and {pair.second} share {pair.shared} of "
            f"{pair.shared + pair.only_first + pair.only_second} passages found ({pair.overlap:.0%}) "
            f"on {asked} question{'s' * (asked != 1)}"
        )
    return lines


def _asked(workspace: Any) -> list[str]:
    from engine.errors import InputError

    try:
        return last_questions(workspace, QUESTIONS)
    except InputError:  # nobody asked yet: there is more to compare than evidence
        return []


def _print_rows(title: str, ids: Sequence[str], rows: "Sequence[Row]") -> None:
    widths = [max(len(name), 6) for name in ids]
    heads = "  ".join(f"{name:>{width}}" for name, width in zip(ids, widths, strict=True))
    output.print_line(f"{title:<18}{heads}")
    for row in rows:
        values = "  ".join(
            f"{'-' if value is None else f'{value:g}':>{width}}"
            for value, width in zip(row.values, widths, strict=True)
        )
        output.print_line(f"  {row.name:<16}{values}{'  *' if row.differs and title == 'traits' else ''}")
    output.print_line()
