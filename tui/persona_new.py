"""``personas new``: from nothing, a template, another persona, a paragraph, or a form at the terminal."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, PersonaError
from tui import output
from tui.persona_desk import registry_of, report

if TYPE_CHECKING:
    from engine.personas.bundle import Difference
    from engine.personas.document import Persona


def new(args: argparse.Namespace) -> int:
    """Make a persona, or list the templates; returns the exit code."""
    if args.templates:
        return _list_templates(args)
    if args.describe is not None:
        return _described(args)
    if args.guided and not sys.stdin.isatty():
        raise InputError(
            "--guided needs a terminal to ask at", "give --trait, --expertise and --voice instead"
        )
    if args.persona_id is None and not args.guided:
        raise InputError("a new persona needs an id", "persona-moe personas new ID")
    document = _beginning(args)
    _take_options(document, args)
    if args.guided:
        document = fill_in(document, _ask)
    return _create(args, document)


def _described(args: argparse.Namespace) -> int:
    """Let a model propose a persona; show it as a diff, and make it if that is accepted."""
    import asyncio

    import msgspec

    from engine.errors import ModelUnavailableError
    from engine.personas.bundle import differing
    from engine.personas.document import persona_from
    from engine.proposing import propose

    paragraph = sys.stdin.read(100_000) if args.describe == "-" else args.describe
    registry = registry_of(args)
    try:
        proposal = asyncio.run(
            propose(
                registry.workspace.settings(), paragraph, persona_id=args.persona_id or "", model=args.model
            )
        )
    except ModelUnavailableError as error:
        if args.describe == "-" or not sys.stdin.isatty():
            raise
        output.note(f"{error.problem}; answer these instead")
        args.description = args.description or " ".join(paragraph.split())[:300]
        document = _beginning(args)
        _take_options(document, args)
        return _create(args, fill_in(document, _ask))
    document = msgspec.to_builtins(proposal.persona)
    _take_options(document, args)
    persona = persona_from(document, document["persona_id"])
    differences = differing(proposal.draft.base, persona)
    if not args.json:
        _show_proposal(proposal.model.name, persona, differences, proposal.notes)
    accepted = args.yes or (
        not args.json and args.describe != "-" and _accepts(f"make {persona.persona_id}?")
    )
    if args.json:
        stored = registry.create(persona, args.tier) if accepted else None
        output.print_json(
            {
                "proposed": persona,
                "model": proposal.model,
                "differences": differences,
                "notes": list(proposal.notes),
                "made": stored is not None,
                "tier": stored.tier if stored else "",
            }
        )
        return 0
    if not accepted:
        output.note("nothing was made; --yes makes it")
        return 0
    stored = registry.create(persona, args.tier)
    return report(args, stored, f"{persona.persona_id} made in {args.tier}")


def _show_proposal(
    model: str, persona: "Persona", differences: "Sequence[Difference]", notes: Sequence[str]
) -> None:
    import msgspec

    output.print_line(f"{model} proposes {persona.persona_id} (- blank, + proposed):")
    for each in differences:
        here = "" if each.here is None else msgspec.json.encode(each.here).decode()
        if here and here != "[]":
            output.print_line(f"- {each.field}: {here}")
        output.print_line(f"+ {each.field}: {msgspec.json.encode(each.there).decode()}")
    for note in notes:
        output.note(f"left out: {note}")


def _accepts(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    output.note(f"{question} [y/N]")
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _beginning(args: argparse.Namespace) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    document: dict[str, Any] = {
        "persona_id": args.persona_id or "",
        "traits": {},
        "expertise": [],
        "activation_cost": 1.0,
        "historical_performance": {},
        "metadata": metadata,
    }
    if args.clone_of:
        stored = registry_of(args).get(args.clone_of)
        persona = stored.persona
        document |= {
            "traits": dict(persona.traits),
            "expertise": list(persona.expertise),
            "activation_cost": persona.activation_cost,
        }
        metadata |= {key: value for key, value in persona.metadata.items() if key not in ("pinned", "name")}
        metadata["lineage"] = {"parent": args.clone_of, "parent_digest": stored.digest}
    elif args.template:
        from engine.personas.templates import template

        chosen = template(args.template)
        document |= {
            "traits": dict(chosen.traits),
            "expertise": list(chosen.expertise),
            "activation_cost": chosen.cost,
        }
        metadata |= {"voice": chosen.voice, "lineage": {"template": chosen.name}}
    return document


def _take_options(document: dict[str, Any], args: argparse.Namespace) -> None:
    document["traits"].update(traits_of(args.trait))
    document["expertise"] += [term for term in args.expertise if term not in document["expertise"]]
    if args.cost is not None:
        document["activation_cost"] = args.cost
    metadata = document["metadata"]
    metadata["name"] = args.name or metadata.get("name") or document["persona_id"]
    for key in ("description", "voice"):
        metadata[key] = getattr(args, key) or metadata.get(key, "")


def traits_of(pairs: list[str]) -> dict[str, int]:
    """Return the traits that ``NAME=1..9`` options give. Raises PersonaError."""
    traits: dict[str, int] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not value.isascii() or not value.isdigit() or len(value) > 3:
            raise PersonaError(f"--trait {pair[:60]} is not NAME=1..9")
        traits[name] = int(value)
    return traits


def _create(args: argparse.Namespace, document: dict[str, Any]) -> int:
    from engine.personas.document import persona_from

    persona = persona_from(document, document["persona_id"][:64])
    stored = registry_of(args).create(persona, args.tier)
    return report(args, stored, f"{persona.persona_id} made in {args.tier}")


def _list_templates(args: argparse.Namespace) -> int:
    from engine.personas.templates import templates

    found = templates()
    if args.json:
        output.print_json({"templates": found})
        return 0
    for each in found:
        output.print_line(f"{each.name:<18} {each.purpose}")
    return 0


# -- the form ------------------------------------------------------------------------------------
Ask = Callable[[str], str]


def _ask(prompt: str) -> str:
    output.note(prompt)
    line = sys.stdin.readline()
    if not line:
        raise InputError("the form was left before its end", "nothing was made")
    return line.strip()


def fill_in(document: dict[str, Any], ask: Ask) -> dict[str, Any]:
    """Return the document with what ``ask`` was answered; an empty answer keeps what is there.

    A wrong answer is told and asked for again, so that nothing typed before is lost.
    """
    from engine.personas.document import persona_from
    from engine.personas.templates import TRAIT_MEANINGS

    def checked(prompt: str, now: str, put: Callable[[str], dict[str, Any]]) -> None:
        while True:
            said = ask(f"{prompt} [{now}]" if now else prompt) or now
            try:
                changed = put(said)
                persona_from(filled | {"persona_id": filled["persona_id"] or "new"} | changed, "form")
            except (PersonaError, ValueError) as error:
                output.note(f"  {error}")
                continue
            filled.update(changed)
            return

    filled = {**document, "metadata": dict(document["metadata"]), "traits": dict(document["traits"])}
    checked("id (a-z, 0-9, - and _)", filled["persona_id"], lambda said: {"persona_id": said})
    metadata = filled["metadata"]
    metadata["name"] = ask(f"name [{metadata.get('name') or filled['persona_id']}]") or (
        metadata.get("name") or filled["persona_id"]
    )
    for key, prompt in (("description", "what is it for?"), ("voice", "how does it speak?")):
        metadata[key] = ask(f"{prompt} [{metadata.get(key, '')}]") or metadata.get(key, "")
    checked(
        "expertise: words and phrases, with commas between",
        ", ".join(filled["expertise"]),
        lambda said: {"expertise": [term.strip() for term in said.split(",") if term.strip()]},
    )
    for trait, meaning in TRAIT_MEANINGS.items():
        checked(
            f"{trait}, 1 to 9: {meaning}",
            str(filled["traits"].get(trait, 5)),
            lambda said, trait=trait: {"traits": {**filled["traits"], trait: _whole(said)}},  # type: ignore[misc]
        )
    checked(
        "cost of asking it", f"{filled['activation_cost']:g}", lambda said: {"activation_cost": float(said)}
    )
    return filled


def _whole(said: str) -> int:
    if not said.isascii() or not said.isdigit():
        raise ValueError(f"{said[:40]!r} is not a whole number from 1 to 9")
    return int(said[:3])
