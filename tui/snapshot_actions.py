"""What the ``snapshots`` command does, one function an action; each returns the exit code."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cleaning import counted
from tui import output

if TYPE_CHECKING:
    from engine.snapshots.diff import SnapshotDiff
    from engine.snapshots.library import SnapshotInfo, SnapshotLibrary
    from engine.snapshots.reader import Snapshot
    from engine.snapshots.verify import ChainReport, Comparison


def _library(args: argparse.Namespace) -> "SnapshotLibrary":
    from engine.snapshots.library import SnapshotLibrary
    from engine.workspace import data_folder
    from tui.session import open_workspace

    return SnapshotLibrary(open_workspace(args).snapshots, data_folder("snapshots"))


def _open(args: argparse.Namespace) -> "Snapshot":
    snapshot = _library(args).open(args.id, salvage=args.salvage)
    if snapshot.problem:
        output.note(f"Snapshot {snapshot.snapshot_id} is not complete: {snapshot.problem}")
    return snapshot


def _state(info: "SnapshotInfo") -> str:
    marks = [info.state] if info.state != "complete" else []
    return ", ".join(
        [
            *marks,
            *(["pinned"] if info.pinned else []),
            *(["verified"] if info.verified else []),
            *(f"#{tag}" for tag in info.tags),
        ]
    )


def run_list(args: argparse.Namespace) -> int:
    """Print the list; returns the exit code."""
    wanted = args.text.casefold()
    library = _library(args)
    infos = [
        info
        for info in library.list()
        if wanted in " ".join([info.question, info.note, *info.tags]).casefold()
        and (args.since is None or info.created[:10] >= args.since)
        and (args.until is None or info.created[:10] <= args.until)
        and (not args.tag or args.tag in info.tags)
        and (not args.persona or args.persona in info.personas)
        and args.model.casefold() in info.model.casefold()
        and (info.verified or not args.verified)
    ][: args.limit]
    if library.labels_problem:
        output.note(f"warning: {library.labels_problem}; the runs are listed without them")
    if args.json:
        output.print_json(infos)
        return 0
    for info in infos:
        when = info.created.replace("T", " ").removesuffix("Z")[:16]
        told = _state(info)
        output.print_line(
            f"{info.id}  {when}  {info.question or info.problem}{f'  [{told}]' if told else ''}"
        )
    if not infos:
        output.note(
            "There are no snapshots that fit; 'persona-moe snapshots replay demo' plays the one that ships."
        )
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print one run; returns the exit code."""
    if args.json:
        library = _library(args)
        output.print_json(library.info(library.find(args.id)))
        return 0
    snapshot = _open(args)
    if args.raw:
        for line in snapshot.text.splitlines():
            output.print_event(line)
        return 0
    from engine.snapshots.export_markdown import to_markdown

    document = to_markdown(snapshot).decode()
    output.print_line(document.partition("\n## Timeline\n")[0].rstrip())
    return 0


def run_replay(args: argparse.Namespace) -> int:
    """Print a run's events again; returns the exit code."""
    import time

    from engine.events import encoder
    from engine.snapshots.describe import describe
    from engine.snapshots.replay import replay

    snapshot = _open(args)
    _check_range(snapshot, args.start, args.until)
    stop = None if args.until is None else args.until + 1
    if args.json and args.speed is None:
        for _, encoded in snapshot.raw_events(args.start, stop):
            output.print_event(encoded)
        return 0
    began = time.monotonic()
    for due, event in replay(snapshot, speed=args.speed, start=args.start, until=args.until):
        time.sleep(max(0.0, began + due - time.monotonic()))
        if args.json:
            output.print_event(encoder.encode(event))
        else:
            output.print_line(f"{event.seq:>6}  {describe(event)}")
    return 0


def _check_range(snapshot: "Snapshot", start: int, until: int | None) -> None:
    from engine.errors import InputError

    if until is not None and until < start:
        raise InputError(f"--until {until} is before --from {start}", "give the earlier event to --from")
    if start and next(snapshot.raw_events(start, start + 1), None) is None:
        raise InputError(
            f"snapshot {snapshot.snapshot_id} has no event {start}",
            "'persona-moe snapshots replay' without --from shows all",
        )


def run_verify(args: argparse.Namespace) -> int:
    """Check the lines, then run again and compare; returns the exit code."""
    from engine.snapshots.reader import open_snapshot
    from engine.snapshots.verify import check_chain, verify
    from tui.session import open_engine

    library = _library(args)
    path = library.locate(args.id)
    report = check_chain(path)
    if not args.json:
        _tell_chain(report)
    comparison: Comparison | None = None
    if report.intact and report.complete and not args.chain:
        with open_engine(args) as engine:
            comparison = verify(open_snapshot(path), engine.rerun)
    if (comparison is not None or not report.intact) and path.parent == library.folder:
        agreed = comparison is not None and comparison.identical
        _remember(library, report, agreed)
    if args.json:
        output.print_json({"chain": report, "rerun": comparison})
    elif comparison is not None:
        _tell_comparison(comparison)
    return 0 if report.intact and (comparison is None or comparison.identical) else 1


def _remember(library: "SnapshotLibrary", report: "ChainReport", agreed: bool) -> None:
    """Keep the verdict for the list; a library whose labels cannot be read or written loses only that."""
    from engine.errors import SnapshotError, WorkspaceError

    try:
        library.note_verification(report.id, report.digest if agreed else "")
    except (SnapshotError, WorkspaceError) as error:
        output.note(f"The verdict was not noted: {error}")


def _tell_chain(report: "ChainReport") -> None:
    if report.intact:
        state = "complete" if report.complete else "cut off before its end, so it cannot be run again"
        output.print_line(f"{report.id}: every line is as it was written ({report.events} events, {state})")
        output.print_line(f"digest {report.digest}")
    else:
        where = f"line {report.line}: " if report.line else ""
        output.print_line(f"{report.id}: DAMAGED, {where}{report.problem}")


def _tell_comparison(comparison: "Comparison") -> None:
    if comparison.identical:
        output.print_line(f"run again: identical, {comparison.compared} events")
    elif comparison.divergence is not None:
        found = comparison.divergence
        field = f", field {found.field}" if found.field else ""
        output.print_line(f"run again: differs first at event {found.seq} ({found.type}{field})")
        output.print_line(f"  recorded: {found.recorded or 'nothing, the run had ended'}")
        output.print_line(f"  now:      {found.rerun or 'nothing, the run has ended'}")
    for change in comparison.inputs:
        output.print_line(
            f"  not the same: {change.name}: {change.left or 'none'} -> {change.right or 'none'}"
        )
    for document in comparison.documents_missing:
        output.print_line(f"  no longer found: {document}")


def run_diff(args: argparse.Namespace) -> int:
    """Compare two runs; returns the exit code."""
    from engine.snapshots.diff import diff

    library = _library(args)
    found = diff(library.open(args.id), library.open(args.other))
    if args.json:
        output.print_json(found)
        return 0
    output.print_line(f"{found.left}  ->  {found.right}")
    if found.identical:
        output.print_line("The same digest: both runs decided the same, event by event.")
        return 0
    _tell_diff(found)
    return 0


def _tell_diff(found: "SnapshotDiff") -> None:
    for change in found.inputs:
        output.print_line(f"given     {change.name}: {change.left or 'none'} -> {change.right or 'none'}")
    for each in found.evidence:
        ranks = f"rank {each.left_rank or '-'} -> {each.right_rank or '-'}"
        scores = " -> ".join("-" if s is None else f"{s:.3f}" for s in (each.left_score, each.right_score))
        place = ", ".join(part for part in (each.document, each.section) if part)
        output.print_line(f"{each.change:<9} {place} ({each.evidence_id}): {ranks}, score {scores}")
    for expert in found.experts:
        output.print_line(f"expert    {expert.persona}: {expert.left} -> {expert.right}")
    for score in found.scores:
        told = f"{score.left:.3f} -> {score.right:.3f} ({score.moved:+.3f})"
        output.print_line(f"score     {score.persona} {score.score}: {told}")
    if found.left_answer == found.right_answer:
        output.print_line("answer    the same")
        return
    output.print_line(f"\nAnswer of {found.left} ({found.left_outcome or 'cut off'}):\n{found.left_answer}")
    output.print_line(
        f"\nAnswer of {found.right} ({found.right_outcome or 'cut off'}):\n{found.right_answer}"
    )


def run_export(args: argparse.Namespace) -> int:
    """Write a run as a file for others; returns the exit code."""
    snapshot = _open(args)
    if args.format == "html":
        from engine.snapshots.export_html import to_html

        data = to_html(snapshot)
    elif args.format == "md":
        from engine.snapshots.export_markdown import to_markdown

        data = to_markdown(snapshot)
    else:
        from engine.snapshots.graphs import graph_bytes

        data = graph_bytes(snapshot.events(), args.format)
    if not args.output or args.output == "-":
        output.print_text(data.decode())
        return 0
    from engine.files import write_atomic

    target = Path(args.output)
    write_atomic(target, data)
    output.note(f"Wrote {target} ({len(data)} bytes).")
    return 0


def run_import(args: argparse.Namespace) -> int:
    """Take in a run recorded elsewhere; returns the exit code."""
    from engine.snapshots.import_ import import_snapshot

    taken = import_snapshot(_library(args), args.file)
    if args.json:
        output.print_json(taken)
    elif taken.already_there:
        output.print_line(f"{taken.id} is here already.")
    else:
        renamed = f" (made as {taken.origin})" if taken.id != taken.origin else ""
        cut = "" if taken.complete else "; the run was cut off before its end"
        output.print_line(f"{taken.id}{renamed}: {taken.events} events, digest {taken.digest}{cut}")
    return 0


def run_tag(args: argparse.Namespace) -> int:
    """Change tags and note, and print them; returns the exit code."""
    library = _library(args)
    snapshot = library.find(args.id)
    info = library.tag(snapshot, tuple(args.tags), tuple(args.remove))
    if args.note is not None:
        info = library.annotate(snapshot, args.note)
    if args.json:
        output.print_json(info)
        return 0
    output.print_line(f"{info.id}  {' '.join(f'#{tag}' for tag in info.tags) or 'no tags'}")
    if info.note:
        output.print_line(info.note)
    return 0


def run_pin(args: argparse.Namespace) -> int:
    """Pin a run; returns the exit code."""
    return _pin(args, True)


def run_unpin(args: argparse.Namespace) -> int:
    """Unpin a run; returns the exit code."""
    return _pin(args, False)


def _pin(args: argparse.Namespace, pinned: bool) -> int:
    library = _library(args)
    info = library.pin(library.find(args.id), pinned)
    if args.json:
        output.print_json(info)
    else:
        output.print_line(f"{info.id}  {'pinned' if info.pinned else 'not pinned'}")
    return 0


def run_prune(args: argparse.Namespace) -> int:
    """Show, or move into the trash, what is beyond the limits; returns the exit code."""
    from engine.errors import InputError
    from engine.snapshots.library import TRASH

    if args.keep is None and args.max_bytes is None:
        raise InputError("prune was not told what to keep", "give --keep N, --max-bytes N, or both")
    library = _library(args)
    going = library.retention(args.keep, args.max_bytes, dry_run=not args.yes)
    if args.json:
        output.print_json(going)
    for info in () if args.json else going:
        output.print_line(f"{info.id}  {info.bytes:>9}  {info.question or info.problem}")
    size = sum(info.bytes for info in going)
    if args.yes:
        output.note(f"Moved {counted(len(going), 'snapshot')} ({size} bytes) into {library.folder / TRASH}.")
    else:
        output.note(
            f"Would move {counted(len(going), 'snapshot')} ({size} bytes) into the trash; add --yes to do it."
        )
    return 0
