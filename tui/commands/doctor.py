"""``persona-moe doctor``: what works here, what does not, and what mends it."""

import argparse
from typing import TYPE_CHECKING, Any

from tui import output

if TYPE_CHECKING:
    from tui.checks import Check


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check terminal, workspace, index, personas and model",
        description="Check everything the product stands on. Each line says ok, warn or fail; a mend follows "
        "where one is needed. The exit code is 1 if anything fails.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check and print; returns the exit code."""
    from engine.errors import WorkspaceError
    from tui.checks import Check, examine, terminal
    from tui.session import open_workspace

    try:
        workspace = open_workspace(args)
    except WorkspaceError as error:
        broken = Check(name="workspace", status="fail", detail=error.problem, mend=error.mend)
        place, checks = "", [terminal(), broken]
    else:
        place, checks = str(workspace.root), list(examine(workspace))
    if args.json:
        output.print_json({"workspace": place, "checks": checks})
    else:
        output.print_line("\n".join(_readable(check) for check in checks))
    return int(any(check.status == "fail" for check in checks))


def _readable(check: "Check") -> str:
    from tui.rendering import paragraph

    said = paragraph(check.detail, " " * 17, first=f"{check.status:<4} {check.name:<12}")
    return f"{said}\n{paragraph(check.mend, ' ' * 20, first=' ' * 17 + '-> ')}" if check.mend else said
