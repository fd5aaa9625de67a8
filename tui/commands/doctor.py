"""``persona-moe doctor``: what works here, what does not, and what mends it."""

import argparse
from typing import Any

from tui import output


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
    from tui.checks import examine
    from tui.rendering import paragraph
    from tui.session import open_workspace

    workspace = open_workspace(args)
    checks = []
    for check in examine(workspace):
        checks.append(check)
        if not args.json:
            output.print_line(
                paragraph(f"{check.detail}", " " * 17, first=f"{check.status:<4} {check.name:<12}")
            )
            if check.mend:
                output.print_line(paragraph(check.mend, " " * 20, first=" " * 17 + "-> "))
    if args.json:
        output.print_json({"workspace": str(workspace.root), "checks": checks})
    return int(any(check.status == "fail" for check in checks))
