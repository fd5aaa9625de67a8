"""``persona-moe index``: add, update and remove documents."""

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

from engine.cleaning import counted
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
        "next to nothing; files that are gone from a path named here leave the index.",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH")
    vectors = parser.add_mutually_exclusive_group()
    vectors.add_argument(
        "--embed",
        action="store_true",
        help="make vectors too, so that questions are compared by meaning; PATH may be left out, and later "
        "runs keep them up to date by themselves",
    )
    vectors.add_argument("--no-embed", action="store_true", help="drop the vectors of the index")
    parser.add_argument("--no-titles", action="store_true", help="act as if documents had no titles")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Index and print the counts; returns the exit code."""
    import asyncio
    from pathlib import Path

    from msgspec import to_builtins

    from engine.errors import InputError
    from tui.session import open_engine

    if not (args.paths or args.embed or args.no_embed):
        raise InputError("index was given no file or folder", "see 'persona-moe index --help'")
    if "" in args.paths:
        # Path("") is the current folder, and nobody means that by a variable that is not set.
        raise InputError("index was given an empty path", "name a file or folder; '.' is the current one")
    paths = [Path(name) for name in args.paths]
    done = embedded = None
    with open_engine(args) as engine:
        if args.no_embed:
            engine.drop_vectors()
        if paths:
            with output.progress("Indexing", " KB") as report:
                done = engine.index(paths, titles=not args.no_titles, progress=by_size(report))
        if args.embed or engine.embedder:
            with output.progress("Embedding", " passages") as report:
                told = told_by_count(report)
                embedded = asyncio.run(engine.embed(told))
    if args.json:
        output.print_json({**(to_builtins(done) if done else {}), "embedded": embedded})
        return 0
    if done is not None:
        output.print_line(readable(done))
    if embedded is not None:
        output.print_line(f"vectors made for {counted(embedded, 'passage')}")
    return 0


def told_by_count(report: output.Progress) -> "Callable[[int, int], None]":
    """Return what takes a count of passages and shows it."""
    return lambda done, total: report(done, total, "")


def by_size(report: output.Progress) -> "Callable[[Progress], None]":
    """Return what takes the engine's progress and shows it, counted in kilobytes."""
    return lambda progress: report(progress.done_bytes // 1024, progress.total_bytes // 1024, progress.name)


def readable(report: "IndexReport") -> str:
    """Return the counts in words, skipped files grouped by reason."""
    lines = [
        f"{report.added} added, {report.changed} changed, {report.removed} removed, "
        f"{report.unchanged} unchanged, {len(report.skipped)} skipped; "
        f"{counted(report.passages, 'passage')} written in {report.seconds:.2f} s"
    ]
    reasons = Counter(skipped.reason for skipped in report.skipped)
    for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        names = [skipped.name for skipped in report.skipped if skipped.reason == reason]
        more = f" and {number - NAMES_SHOWN} more" if number > NAMES_SHOWN else ""
        lines.append(f"  skipped, {reason}: {', '.join(names[:NAMES_SHOWN])}{more}")
    lines.extend(f"  note: {text}" for text in report.notes)
    return "\n".join(lines)
