"""``persona-moe personas``: see, make, change, move and share personas."""

import argparse
from typing import TYPE_CHECKING, Any

from tui import output

if TYPE_CHECKING:
    from engine.personas.registry import PersonaRegistry

TIERS = ("active", "stable", "experimental", "pruned")
"""As in :data:`engine.workspace.TIERS`, which ``--help`` does without importing."""


def register(subparsers: Any) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("personas", help="see, make, change, move and share personas")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(name: str, work: Any, text: str, *, persona: bool = True) -> Any:
        added = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if persona:
            added.add_argument("persona_id", metavar="ID")
        added.add_argument("--json", action="store_true", help="print JSON")
        added.set_defaults(run=run, work=work)
        return added

    listing = verb("list", _list, "list the personas by tier", persona=False)
    listing.add_argument("--tier", choices=TIERS, help="only this tier")
    verb("show", _show, "show one persona: traits, the policy they give, moves")
    _add_fields(verb("new", _new, "make a persona", persona=True))
    edit = verb("edit", _edit, "edit a persona in $VISUAL or $EDITOR")
    edit.add_argument(
        "--from", dest="source", metavar="FILE", help="take the new text from FILE ('-': stdin)"
    )
    clone = verb("clone", _clone, "copy a persona under another id")
    clone.add_argument("new_id", metavar="NEW-ID")
    clone.add_argument("--tier", choices=TIERS, default="experimental")
    move = verb("move", _move, "move a persona to another tier")
    move.add_argument(
        "tier", choices=(*TIERS, "up", "down"), metavar="TIER", help=f"{', '.join(TIERS)}, up, down"
    )
    move.add_argument("--reason", default="moved by hand", metavar="TEXT", help="kept in its history")
    verb("restore", _restore, "undo a persona's last move")
    verb("history", _history, "show every move of a persona")
    resolve = verb("resolve", _resolve, "of two files with one id keep the one in TIER, set the other aside")
    resolve.add_argument("tier", choices=TIERS, metavar="TIER")
    validate = verb("validate", _validate, "check persona files, or all of the workspace", persona=False)
    validate.add_argument("paths", nargs="*", metavar="FILE")
    take = verb("import", _import, "add personas from files or folders", persona=False)
    take.add_argument("paths", nargs="+", metavar="PATH")
    take.add_argument("--as", dest="as_id", default="", metavar="NEW-ID", help="for one file: under this id")
    take.add_argument("--tier", choices=TIERS, default="experimental")
    give = verb("export", _export, "write personas to files elsewhere", persona=False)
    give.add_argument("ids", nargs="*", metavar="ID", help="which (default: all but the pruned)")
    give.add_argument("--to", metavar="DIR", help="folder to write to; without it one persona goes to stdout")


def _add_fields(parser: Any) -> None:
    parser.add_argument("--name", default="")
    parser.add_argument("--description", default="")
    parser.add_argument("--voice", default="", help="how it speaks, for the prompt")
    parser.add_argument("--trait", action="append", default=[], metavar="NAME=1..9", help="repeatable")
    parser.add_argument("--expertise", action="append", default=[], metavar="TERM", help="repeatable")
    parser.add_argument("--cost", type=float, default=1.0, metavar="X", help="activation cost (default: 1)")
    parser.add_argument("--tier", choices=TIERS, default="experimental")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; returns the exit code."""
    return int(args.work(args))


def _registry(args: argparse.Namespace) -> "PersonaRegistry":
    from engine.personas.registry import PersonaRegistry
    from tui.session import open_workspace

    workspace = open_workspace(args)
    for warning in workspace.warnings():
        output.note(f"warning: {warning}")
    return PersonaRegistry.of(workspace)


def _list(args: argparse.Namespace) -> int:
    from tui import persona_card as card

    roster = _registry(args).load()
    shown = roster.in_tier(args.tier) if args.tier else roster.personas
    for problem in roster.problems:
        output.note(f"warning: {problem.reason}")
    if args.json:
        problems = [{"path": str(problem.path), "reason": problem.reason} for problem in roster.problems]
        output.print_json({"personas": [card.summary(stored) for stored in shown], "problems": problems})
        return 0
    for line in card.table(shown):
        output.print_line(line)
    return 0


def _show(args: argparse.Namespace) -> int:
    from tui import persona_card as card
    from tui.session import open_workspace

    registry = _registry(args)
    stored = registry.get(args.persona_id)
    rows = open_workspace(args).settings().traits.rows
    moves = registry.history(args.persona_id)
    if args.json:
        output.print_json(card.details(stored, rows, moves))
        return 0
    for line in card.lines(stored, rows, moves):
        output.print_line(line)
    return 0


def _report(args: argparse.Namespace, stored: Any, said: str) -> int:
    from tui import persona_card as card

    if args.json:
        output.print_json(card.summary(stored))
    else:
        output.print_line(said)
    return 0


def _new(args: argparse.Namespace) -> int:
    from engine.errors import PersonaError
    from engine.personas.document import persona_from

    traits: dict[str, Any] = {}
    for pair in args.trait:
        name, _, value = pair.partition("=")
        if not value.isascii() or not value.isdigit() or len(value) > 3:
            raise PersonaError(f"--trait {pair[:60]} is not NAME=1..9")
        traits[name] = int(value)
    spoken = {"name": args.name or args.persona_id, "description": args.description, "voice": args.voice}
    persona = persona_from(
        {
            "persona_id": args.persona_id,
            "traits": traits,
            "expertise": args.expertise,
            "activation_cost": args.cost,
            "historical_performance": {},
            "metadata": spoken,
        },
        args.persona_id,
    )
    stored = _registry(args).create(persona, args.tier)
    return _report(args, stored, f"{args.persona_id} made in {args.tier}")


def _edit(args: argparse.Namespace) -> int:
    from tui.persona_edit import edit

    stored, changed = edit(_registry(args), args.persona_id, args.source)
    return _report(args, stored, f"{args.persona_id} {'changed' if changed else 'left as it was'}")


def _clone(args: argparse.Namespace) -> int:
    stored = _registry(args).clone(args.persona_id, args.new_id, args.tier)
    return _report(args, stored, f"{args.new_id} made in {args.tier}, a copy of {args.persona_id}")


def _move(args: argparse.Namespace) -> int:
    from engine.errors import PersonaError

    registry = _registry(args)
    stored = registry.get(args.persona_id)
    tier = args.tier
    if tier in ("up", "down"):
        step = TIERS.index(stored.tier) + (1 if tier == "down" else -1)
        if not 0 <= step < len(TIERS):
            raise PersonaError(f"{args.persona_id} is {stored.tier} already; there is no tier further {tier}")
        tier = TIERS[step]
    moved = registry.move(args.persona_id, tier, reason=args.reason)
    return _report(args, moved, f"{args.persona_id} moved from {stored.tier} to {moved.tier}")


def _restore(args: argparse.Namespace) -> int:
    stored = _registry(args).restore(args.persona_id)
    return _report(args, stored, f"{args.persona_id} is {stored.tier} again")


def _history(args: argparse.Namespace) -> int:
    registry = _registry(args)
    moves = registry.history(args.persona_id)
    if not moves:
        registry.get(args.persona_id)  # an id that never was deserves an error, not an empty list
    if args.json:
        output.print_json({"persona_id": args.persona_id, "moves": moves})
        return 0
    from tui import persona_card as card

    for line in card.history(moves) or ["no moves yet"]:
        output.print_line(line)
    return 0


def _resolve(args: argparse.Namespace) -> int:
    aside = [str(path) for path in _registry(args).resolve(args.persona_id, args.tier)]
    if args.json:
        output.print_json({"persona_id": args.persona_id, "tier": args.tier, "set_aside": aside})
    else:
        output.print_line(f"{args.persona_id} is {args.tier}; set aside: {', '.join(aside)}")
    return 0


def _validate(args: argparse.Namespace) -> int:
    from tui.persona_files import check_files

    problems, count = check_files(_registry(args), args.paths)
    if args.json:
        output.print_json({"checked": count, "problems": problems})
    else:
        for problem in problems:
            output.print_line(problem["reason"])
        output.note(f"{count} checked, {len(problems)} cannot be used")
    return 2 if problems else 0


def _import(args: argparse.Namespace) -> int:
    from tui.persona_files import import_files

    results = import_files(_registry(args), args.paths, as_id=args.as_id, tier=args.tier)
    if args.json:
        output.print_json({"imported": results})
    else:
        for result in results:
            output.print_line(f"{result['status']}: {'; '.join([result['what'], *result['notes']])}")
    return 2 if any(result["status"] == "refused" for result in results) else 0


def _export(args: argparse.Namespace) -> int:
    from tui.persona_files import export_files

    return export_files(_registry(args), args.ids, args.to, as_json=args.json)
