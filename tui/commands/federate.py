"""``persona-moe federate``: what personas learnt, passed between machines as sums, never as texts."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cleaning import counted
from tui import output

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.personas.federation import Bundle
    from engine.personas.federation_priors import Prior
    from engine.workspace import Workspace

LEAST_KEY = 16


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "federate",
        help="pass on how personas did, as sums without any text",
        description="Pass on how personas did. A bundle holds persona cards and sums by persona, model "
        "family and topic: no question, text, name or file. What others say is only ever a small head start.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    give = verbs.add_parser("export", help="write a bundle", description="Write a bundle for others.")
    give.add_argument("-o", "--output", metavar="FILE", required=True, help="where to; '-' is stdout")
    give.add_argument(
        "--epsilon", type=float, metavar="X", help="add Laplace noise of scale 1/X to every sum"
    )
    give.add_argument("--dry-run", action="store_true", help="show what would be told, tell nothing")
    take = verbs.add_parser(
        "import",
        help="hear a bundle; shows what would change unless --yes",
        description="Show what a bundle would change; with --yes, take it in.",
    )
    take.add_argument("files", nargs="+", metavar="FILE")
    take.add_argument("--yes", action="store_true", help="take it in")
    take.add_argument(
        "--personas", action="store_true", help="add personas that are not here too, as experimental"
    )
    show = verbs.add_parser(
        "show", help="what others said so far", description="Show what others said and what it counts for."
    )
    for verb, work in ((give, _export), (take, _import), (show, _show)):
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.set_defaults(run=work)
    for verb in (give, take):
        verb.add_argument("--key", metavar="FILE", help="a file with a key that you and the others share")


def _key(args: argparse.Namespace) -> bytes:
    from engine.errors import InputError
    from engine.files import read_bounded

    if args.key is None:
        return b""
    key = read_bounded(Path(args.key), 4096).strip()
    if len(key) < LEAST_KEY:
        raise InputError(f"the key in '{args.key}' is shorter than {LEAST_KEY} bytes", "use a longer one")
    return key


def _family_of(workspace: "Workspace") -> "Callable[[str], str]":
    from engine.errors import SnapshotError
    from engine.personas.federation import model_family
    from engine.snapshots.library import SnapshotLibrary

    library = SnapshotLibrary(workspace.snapshots)

    def family_of(run_id: str) -> str:
        try:
            return model_family(without_provider(library.info(run_id).model))
        except SnapshotError:  # the snapshot was thrown away; the sums are still good
            return model_family("")

    return family_of


def without_provider(model: str) -> str:
    """Return the model's own name of what a list of runs says wrote.

    >>> without_provider("ollama:llama3.1:8b"), without_provider("extractive")
    ('llama3.1:8b', 'extractive')
    """
    provider, _, name = model.partition(":")
    return name or provider


def _export(args: argparse.Namespace) -> int:
    from engine.errors import InputError
    from engine.files import write_atomic
    from engine.personas.federation import encode_bundle
    from engine.personas.federation_release import keep_release, prepare_release
    from engine.personas.ledger import Ledger
    from engine.personas.policy import derive_policy
    from engine.personas.registry import PersonaRegistry
    from tui.session import open_workspace

    workspace = open_workspace(args)
    key = _key(args)
    if not workspace.ledger_path.exists():
        raise InputError("no persona answered anything here yet", "ask some questions first")
    rows = workspace.settings().traits.rows
    with Ledger.open(workspace.ledger_path) as ledger:
        release = prepare_release(
            workspace,
            ledger,
            PersonaRegistry.of(workspace).load(),
            lambda traits: derive_policy(traits, rows),
            _family_of(workspace),
            epsilon=args.epsilon,
        )
    data = encode_bundle(release.bundle, key)
    if not args.dry_run:
        # Remembered before it is written: a step that nobody got is lost, one told twice is not hidden.
        keep_release(workspace, release)
        if args.output == "-":
            output.print_text(data.decode())
        else:
            write_atomic(Path(args.output), data)
    told = {
        "node": release.bundle.node,
        "cards": len(release.bundle.cards),
        "cells": len(release.bundle.cells),
        "questions": sum(cell.n for cell in release.bundle.cells),
        "grown": release.grown,
        "withheld": release.withheld,
        "epsilon": args.epsilon,
        "signed": bool(key),
        "written": "" if args.dry_run or args.output == "-" else args.output,
    }
    if args.output == "-" and not args.dry_run:
        return 0
    if args.json:
        output.print_json(told)
        return 0
    for cell in release.bundle.cells:
        name = next(card.persona.persona_id for card in release.bundle.cards if card.digest == cell.persona)
        output.print_line(f"{name}  {cell.model}  {cell.topic or '(no topic)'}  {counted(cell.n, 'answer')}")
    output.print_line(
        f"{'would tell' if args.dry_run else 'told'} of {len(release.bundle.cards)} personas in "
        f"{len(release.bundle.cells)} cells, {release.grown} of them with more than before; "
        f"{release.withheld} withheld for fewer than 10 new answers"
    )
    return 0


def _import(args: argparse.Namespace) -> int:
    from engine.errors import InputError
    from engine.files import read_bounded
    from engine.personas.federation import decode_bundle
    from engine.personas.federation_priors import changes, keep_bundle, read_foreign_cells, with_bundle
    from engine.personas.federation_release import own_node
    from engine.personas.registry import PersonaRegistry
    from engine.personas.sealed import MAX_BUNDLE
    from tui.session import open_workspace

    workspace = open_workspace(args)
    key = _key(args)
    missing = next((file for file in args.files if not Path(file).exists()), None)
    if missing is not None:
        raise InputError(f"there is no file '{missing}'")
    bundles = [
        decode_bundle(read_bounded(Path(file), MAX_BUNDLE), Path(file).name, key) for file in args.files
    ]
    own = own_node(workspace)
    before = after = read_foreign_cells(workspace)
    for bundle in bundles:
        after = with_bundle(after, bundle, own)
    known = {cell.key: cell for cell in before}
    roster = PersonaRegistry.of(workspace).load()
    changed = changes(before, after, roster)
    cards = _cards(args, workspace, bundles)
    if args.yes:
        keep_bundle(workspace, bundles)
    if args.json:
        output.print_json(
            {
                "applied": args.yes,
                "nodes": sorted({bundle.node for bundle in bundles}),
                "new_cells": sum(known.get(cell.key) != cell for cell in after),
                "changes": changed,
                "personas": cards,
            }
        )
        return 0
    for each in changed:
        output.print_line(f"{each.persona_id}: {_told(each.before)} -> {_told(each.after)}")
    for card in cards:
        output.print_line(f"persona {card['persona_id']}: {card['status']}")
    if not changed:
        output.print_line("nothing changes for the personas here")
    output.note("taken in; no tier was touched" if args.yes else "nothing was taken in yet; add --yes")
    return 0


def _told(prior: "Prior") -> str:
    if not prior.n:
        return "nothing heard"
    return f"{prior.mean - 0.5:+.3f} from {counted(prior.nodes, 'machine')}, counts as {prior.n:g} questions"


def _cards(args: argparse.Namespace, workspace: "Workspace", bundles: "list[Bundle]") -> list[dict[str, str]]:
    """Return what becomes of each card's persona; with --yes and --personas, those not here are added."""
    from engine.personas.bundle import carry_out, plan_import
    from engine.personas.document import encode_persona
    from engine.personas.registry import PersonaRegistry

    registry = PersonaRegistry.of(workspace)
    documents = {card.digest: encode_persona(card.persona) for each in bundles for card in each.cards}
    found = []
    for planned in plan_import(registry, [("card", data) for data in documents.values()], {"": "skip"}):
        status = {"add": "not here; --personas adds it", "same": "here"}.get(planned.status, "differs here")
        if planned.status == "add" and args.personas:
            status = "would be added"
            if args.yes:
                carry_out(registry, planned, "experimental")
                status = "added as experimental"
        found.append({"persona_id": planned.persona_id, "status": status})
    return found


def _show(args: argparse.Namespace) -> int:
    from engine.personas.federation_priors import read_foreign_cells, read_priors
    from engine.personas.registry import PersonaRegistry
    from tui.session import open_workspace

    workspace = open_workspace(args)
    cells = read_foreign_cells(workspace)
    roster = PersonaRegistry.of(workspace).load()
    priors = read_priors(workspace, roster.personas)
    heard = {name: priors.of(name) for name in sorted(priors.cells)}
    nodes = sorted({cell.node for cell in cells})
    if args.json:
        output.print_json({"nodes": nodes, "cells": len(cells), "priors": heard})
        return 0
    for name, prior in heard.items():
        output.print_line(f"{name}: {_told(prior)}")
    output.print_line(f"{counted(len(cells), 'cell')} from {counted(len(nodes), 'machine')}")
    return 0
