"""``persona-moe init``: make a workspace."""

import argparse
from typing import Any

from tui import output


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "init",
        help="make a workspace with starter personas and settings",
        description="Make a workspace, or complete one: settings and starter personas are copied where they "
        "are missing, and nothing that is there is overwritten.",
    )
    parser.add_argument("folder", nargs="?", metavar="DIR", help="make it here (default: see --workspace)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the workspace and say where it is; returns the exit code."""
    from pathlib import Path

    from engine.errors import InputError
    from engine.personas.registry import PersonaRegistry
    from engine.workspace import TIERS, create_workspace, find_workspace

    if args.folder == "":
        raise InputError("init was given an empty folder name", "name a folder, or leave it out")
    wanted = Path(args.folder) if args.folder is not None else args.workspace
    workspace = create_workspace(find_workspace(wanted, Path.cwd()))
    registry = PersonaRegistry.of(workspace)
    for mended in registry.recover():
        output.note(mended)
    roster = registry.load()
    counts = {tier: len(roster.in_tier(tier)) for tier in TIERS}
    for warning in workspace.warnings():
        output.note(f"warning: {warning}")
    if args.json:
        output.print_json({"workspace": str(workspace.root), "personas": counts})
        return 0
    output.print_line(f"workspace {workspace.root}")
    output.print_line("personas  " + ", ".join(f"{count} {tier}" for tier, count in counts.items()))
    output.print_line(
        "settings  " + ", ".join(sorted(path.name for path in workspace.configs.glob("*.toml")))
    )
    output.note(f"next: persona-moe --workspace '{workspace.root}' index PATH")
    return 0
