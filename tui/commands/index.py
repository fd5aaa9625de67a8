"""``persona-moe index``: add, update and remove documents."""

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

from tui import output

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.corpus.ingest import IndexReport, Progress

NAMES_SHOWN = 3
"""Skipped files named for each reason; --json has them all."""


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "index",
        help="add, update and remove documents",
        description="Read files, and folders with all that is in them, into the index. Unchanged files cost "
        "next to nothing; files that are gone from a folder named here leave the index.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--no-titles", action="store_true", help="act as if documents had no titles")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Index and print the counts; returns the exit code."""
    from pathlib import Path

    from tui.session import open_engine

    paths = [Path(name) for name in args.paths]
    with open_engine(args) as engine, output.progress("Indexing", " KB") as report:
        done = engine.index(paths, titles=not args.no_titles, progress=by_size(report))
    if args.json:
        output.print_json(done)
    else:
        output.print_line(readable(done))
    return 0


def by_size(report: output.Progress) -> "Callable[[Progress], None]":
    """Return what takes the engine's progress and shows it, counted in kilobytes."""
    return lambda progress: report(progress.done_bytes // 1024, progress.total_bytes // 1024, progress.name)


def readable(report: "IndexReport") -> str:
    """Return the counts in words, skipped files grouped by reason."""
    lines = [
        f"{report.added} added, {report.changed} changed, {report.removed} removed, "
        f"{report.unchanged} unchanged, {len(report.skipped)} skipped; "
        f"{report.passages} passages written in {report.seconds:.2f} s"
    ]
    reasons = Counter(skipped.reason for skipped in report.skipped)
    for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        names = [skipped.name for skipped in report.skipped if skipped.reason == reason]
        more = f" and {number - NAMES_SHOWN} more" if number > NAMES_SHOWN else ""
        lines.append(f"  skipped, {reason}: {', '.join(names[:NAMES_SHOWN])}{more}")
    lines.extend(f"  note: {text}" for text in report.notes)
    return "\n".join(lines)
