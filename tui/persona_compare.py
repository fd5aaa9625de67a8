"""``personas preview`` and ``personas compare``: what personas do with a question, side by side."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui import output
from tui.persona_desk import each_of, last_questions, open_ledger, registry_of
from tui.persona_new import traits_of

if TYPE_CHECKING:
    from engine.personas.comparison import Row
    from engine.personas.document import Persona
    from engine.personas.registry import StoredPersona
    from engine.preview import Preview

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
    from engine.personas import comparison
    from engine.personas.track_record import duels
    from engine.preview import found_by_each
    from tui.session import open_engine

    chosen = each_of(args, args.ids)
    if len(chosen) < 2:
        raise InputError("two personas or more are needed to compare", "persona-moe personas compare A B")
    ids = [each.persona.persona_id for each in chosen]
    personas = [each.persona for each in chosen]
    workspace = registry_of(args).workspace
    wins = []
    ledger = open_ledger(workspace)
    if ledger is not None:
        with ledger:
            wins = duels(ledger, ids)
    asked: list[dict[str, Any]] = []
    with open_engine(args) as engine:
        if engine.store.size().passages:
            questions = args.question or _asked(workspace)
            for question, found in found_by_each(engine, personas, questions):
                passages = {name: [each.passage for each in rows] for name, rows in found.items()}
                asked.append({"question": question, "found": passages})
        rows = engine.settings.traits.rows
    shared = comparison.overlaps(ids, [each["found"] for each in asked])
    traits, knobs = comparison.trait_rows(personas), comparison.policy_rows(personas, rows)
    common = comparison.shared_expertise(personas)
    if args.json:
        output.print_json(
            {
                "personas": [{"persona_id": each.persona.persona_id, "tier": each.tier} for each in chosen],
                "traits": traits,
                "policy": knobs,
                "shared_expertise": common,
                "duels": wins,
                "questions": asked,
                "overlap": shared if asked else [],
            }
        )
        return 0
    _print_rows("traits", ids, traits)
    _print_rows("policy", ids, [row for row in knobs if row.differs])
    output.print_line(f"shared expertise: {', '.join(common) or 'none'}")
    output.print_line()
    for duel in wins:
        output.print_line(
            f"{duel.first} {duel.left} : {duel.right} {duel.second} on {duel.together} questions that both "
            f"answered (mean lead {duel.lead:+.3f})"
        )
    if not asked:
        output.note("no evidence to compare: index documents and give --question TEXT")
        return 0
    for pair in shared:
        output.print_line(
            f"{pair.first} and {pair.second} share {pair.shared} of "
            f"{pair.shared + pair.only_first + pair.only_second} passages found ({pair.overlap:.0%}) "
            f"on {len(asked)} question{'s' * (len(asked) != 1)}"
        )
    return 0


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
