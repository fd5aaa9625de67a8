"""``persona-moe personas``: see, make, change, move, compare and share personas."""

import argparse
import importlib
from typing import Any

from tui import output

TIERS = ("active", "stable", "experimental", "pruned")
"""As in :data:`engine.workspace.TIERS`, which ``--help`` does without importing."""
COLUMNS = ("tier", "id", "name", "expertise", "cost", "n", "mean", "trend", "promotion", "demotion")
"""As in :data:`engine.personas.overview.COLUMNS`."""
BY_HAND = "by hand"


def register(subparsers: Any) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("personas", help="see, make, change, move and share personas")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(name: str, work: str, text: str, *, ids: str = "") -> Any:
        """Add a verb; ``work`` is MODULE:FUNCTION below ``tui``, imported when it is needed."""
        added = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if ids == "one":
            added.add_argument("persona_id", metavar="ID")
        elif ids:
            added.add_argument("ids", nargs=ids, metavar="ID")
        added.add_argument("--json", action="store_true", help="print JSON")
        added.set_defaults(run=run, work=work)
        return added

    listing = verb("list", "commands.personas:_list", "list the personas by tier, with how they do")
    listing.add_argument("--tier", choices=TIERS, help="only this tier")
    listing.add_argument("--filter", default="", metavar="TEXT", help="only those that hold all these words")
    listing.add_argument("--sort", choices=COLUMNS, default="tier", help="by this column (default: tier)")
    listing.add_argument("--reverse", action="store_true", help="the other way round")
    verb("show", "commands.personas:_show", "show one persona: traits, policy, performance, moves", ids="one")
    _add_making(verb)
    _add_trying(verb)
    _add_moving(verb)
    _add_sharing(verb)


def _add_making(verb: Any) -> None:
    new = verb("new", "persona_new:new", "make a persona, from nothing or from a template")
    new.add_argument("persona_id", nargs="?", metavar="ID")
    start = new.add_mutually_exclusive_group()
    start.add_argument("--template", metavar="NAME", help="begin with this template or starter persona")
    start.add_argument("--clone-of", metavar="ID", help="begin with a copy of this persona")
    start.add_argument(
        "--describe",
        metavar="TEXT",
        help="let the model propose one from this paragraph ('-': stdin); shown first",
    )
    start.add_argument("--templates", action="store_true", help="list the templates and make nothing")
    new.add_argument("--model", default="", metavar="NAME", help="for --describe: this model")
    new.add_argument("--yes", action="store_true", help="for --describe: make what is proposed")
    new.add_argument("--guided", action="store_true", help="ask for each field at the terminal")
    new.add_argument("--name", default="")
    new.add_argument("--description", default="")
    new.add_argument("--voice", default="", help="how it speaks, for the prompt")
    _add_changes(new)
    new.add_argument("--cost", type=float, metavar="X", help="activation cost (default: 1)")
    new.add_argument("--tier", choices=TIERS, default="experimental")
    edit = verb("edit", "commands.personas:_edit", "edit a persona in $VISUAL or $EDITOR", ids="one")
    edit.add_argument(
        "--from", dest="source", metavar="FILE", help="take the new text from FILE ('-': stdin)"
    )
    clone = verb("clone", "commands.personas:_clone", "copy a persona under another id", ids="one")
    clone.add_argument("new_id", metavar="NEW-ID")
    clone.add_argument("--tier", choices=TIERS, default="experimental")


def _add_changes(parser: Any) -> None:
    parser.add_argument("--trait", action="append", default=[], metavar="NAME=1..9", help="repeatable")
    parser.add_argument("--expertise", action="append", default=[], metavar="TERM", help="repeatable")


def _add_trying(verb: Any) -> None:
    preview = verb(
        "preview",
        "persona_compare:preview",
        "run one persona alone on a question, a draft of it beside the saved one; nothing is recorded",
        ids="one",
    )
    preview.add_argument("--question", metavar="TEXT", help="default: the last one that was asked")
    preview.add_argument("--from", dest="source", metavar="FILE", help="the draft is in FILE")
    _add_changes(preview)
    compare = verb("compare", "persona_compare:compare", "show personas side by side", ids="+")
    compare.add_argument(
        "--question",
        action="append",
        default=[],
        metavar="TEXT",
        help="compare what they find on this; repeatable (default: the last three that were asked)",
    )


def _add_moving(verb: Any) -> None:
    move = verb("move", "persona_moves:move", "move personas to another tier", ids="+")
    move.add_argument(
        "tier", choices=(*TIERS, "up", "down"), metavar="TIER", help=f"{', '.join(TIERS)}, up, down"
    )
    prune = verb("prune", "persona_moves:prune", "move personas to the archive", ids="+")
    retire = verb(
        "retire", "persona_moves:retire", "move personas to the archive and pin them there", ids="+"
    )
    for parser, did in ((move, "moved"), (prune, "pruned"), (retire, "retired")):
        parser.add_argument(
            "--reason", default=f"{did} {BY_HAND}", metavar="TEXT", help="kept in their history"
        )
    verb("pin", "persona_moves:pin", "tell the lifecycle to leave personas where they are", ids="+")
    verb("unpin", "persona_moves:unpin", "let the lifecycle move personas again", ids="+")
    verb("restore", "persona_moves:restore", "undo the last move of personas", ids="+")
    verb("undo", "persona_moves:undo", "take back the last move or edit (of these personas)", ids="*")
    verb("history", "commands.personas:_history", "show every move of a persona", ids="one")
    resolve = verb(
        "resolve",
        "commands.personas:_resolve",
        "of two files with one id keep the one in TIER, set the other aside",
        ids="one",
    )
    resolve.add_argument("tier", choices=TIERS, metavar="TIER")


def _add_sharing(verb: Any) -> None:
    validate = verb("validate", "persona_files:validate", "check persona files, or all of the workspace")
    validate.add_argument("paths", nargs="*", metavar="FILE")
    take = verb("import", "persona_files:take_in", "add personas from files, folders or bundles")
    take.add_argument("paths", nargs="+", metavar="PATH")
    take.add_argument(
        "--as", dest="as_id", default="", metavar="NEW-ID", help="for one persona: under this id"
    )
    take.add_argument("--tier", choices=TIERS, default="experimental")
    take.add_argument(
        "--on-conflict",
        action="append",
        default=[],
        metavar="[ID=]skip|replace|rename",
        help="what to do where another persona of that id is here (default: refuse); repeatable",
    )
    take.add_argument("--dry-run", action="store_true", help="show what would be done, do nothing")
    give = verb("export", "persona_files:give_out", "write personas to files elsewhere")
    give.add_argument("ids", nargs="*", metavar="ID", help="which (default: all but the pruned)")
    where = give.add_mutually_exclusive_group()
    where.add_argument(
        "--to", metavar="DIR", help="folder to write to; without it one persona goes to stdout"
    )
    where.add_argument("--bundle", metavar="FILE", help="one file for all of them ('-': stdout)")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; returns the exit code."""
    module, _, function = args.work.partition(":")
    return int(getattr(importlib.import_module(f"tui.{module}"), function)(args))


def _list(args: argparse.Namespace) -> int:
    import shutil
    import sys

    from engine.personas.overview import Finder, counts, roster_lines, sorted_lines
    from tui import persona_card as card
    from tui.persona_desk import open_ledger, registry_of

    registry = registry_of(args)
    roster = registry.load()
    for reason in dict.fromkeys(problem.reason for problem in roster.problems):
        output.note(f"warning: {reason}")
    ledger = open_ledger(registry.workspace)
    if ledger is None:
        lines = roster_lines(roster)
    else:
        from engine.personas.learning import read_gauges, read_limits
        from engine.personas.track_record import track_records

        with ledger:
            gauges = {name: topics[""] for name, topics in read_gauges(ledger).items()}
            lines = roster_lines(roster, track_records(ledger), gauges, read_limits(ledger))
    shown = Finder([line for line in lines if args.tier in (None, line.tier)]).find(args.filter)
    ordered = sorted_lines(shown, args.sort, reverse=args.reverse)
    if args.json:
        problems = [{"path": str(problem.path), "reason": problem.reason} for problem in roster.problems]
        output.print_json({"counts": counts(lines), "personas": ordered, "problems": problems})
        return 0
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in card.table(ordered, by_tier=args.sort == "tier", columns=columns):
        output.print_line(line)
    return 0


def _show(args: argparse.Namespace) -> int:
    from tui.persona_card import load_card
    from tui.persona_desk import registry_of

    card = load_card(registry_of(args), args.persona_id)
    if args.json:
        output.print_json(card.details())
        return 0
    for line in card.lines():
        output.print_line(line)
    return 0


def _edit(args: argparse.Namespace) -> int:
    from tui.persona_desk import registry_of, report
    from tui.persona_edit import edit

    stored, changed = edit(registry_of(args), args.persona_id, args.source)
    return report(args, stored, f"{args.persona_id} {'changed' if changed else 'left as it was'}")


def _clone(args: argparse.Namespace) -> int:
    from tui.persona_desk import registry_of, report

    stored = registry_of(args).clone(args.persona_id, args.new_id, args.tier)
    return report(args, stored, f"{args.new_id} made in {args.tier}, a copy of {args.persona_id}")


def _history(args: argparse.Namespace) -> int:
    from tui.persona_desk import registry_of

    registry = registry_of(args)
    moves = registry.history(args.persona_id)
    # An id that never was deserves an error, not an empty list.
    stored = None if moves else registry.get(args.persona_id)
    if args.json:
        output.print_json({"persona_id": args.persona_id, "moves": moves})
        return 0
    from tui.move_words import origin, told

    for line in told(moves) or [f"no moves yet{origin(stored.persona) if stored else ''}"]:
        output.print_line(line)
    return 0


def _resolve(args: argparse.Namespace) -> int:
    from tui.persona_desk import registry_of

    aside = [str(path) for path in registry_of(args).resolve(args.persona_id, args.tier)]
    if args.json:
        output.print_json({"persona_id": args.persona_id, "tier": args.tier, "set_aside": aside})
    else:
        output.print_line(f"{args.persona_id} is {args.tier}; set aside: {', '.join(aside)}")
    return 0
