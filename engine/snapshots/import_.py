"""Taking in a snapshot made elsewhere: all of it is checked before any of it is stored."""

from pathlib import Path

import msgspec

from engine.errors import SnapshotError, WorkspaceError
from engine.files import write_atomic
from engine.snapshots.chain import walk
from engine.snapshots.container import GZIP_MAGIC, is_packed, pack, seal_holds, unpack
from engine.snapshots.format import MAX_TEXT, PACKED_SUFFIX, PLAIN_SUFFIX, SNAPSHOT_ID
from engine.snapshots.journal import new_id
from engine.snapshots.library import SnapshotLibrary
from engine.snapshots.reader import open_snapshot, read_snapshot_file, refuse_endless_line


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """Where a snapshot was stored: under ``origin``, its own id, unless another has that one here."""

    id: str
    origin: str
    digest: str
    events: int
    complete: bool
    already_there: bool


def import_snapshot(library: SnapshotLibrary, source: Path) -> Imported:
    """Store the snapshot in the file ``source`` and return where; its lines stay as they are.

    It holds data alone: nothing in it is run or followed as a path. Raises SnapshotError with the
    reason if any line, the chain or the digest is wrong, and stores nothing then.
    """
    data = read_snapshot_file(source, MAX_TEXT)
    name = source.name
    if data.startswith(GZIP_MAGIC):
        if is_packed(data) and not seal_holds(data):
            raise SnapshotError(f"'{name}' is damaged: its seal is broken", "get a fresh copy of it")
        text = unpack(data, name)
    else:
        text = data
        refuse_endless_line(text, name)
    found = walk(text, name)
    if found.problem:
        raise SnapshotError(
            f"'{name}' is refused: line {found.line} is wrong, {found.problem}", "get a fresh copy of it"
        )
    origin = found.header.snapshot
    if not SNAPSHOT_ID.match(origin):
        raise SnapshotError(f"'{name}' is refused: its id {origin[:64]!r} is none that persona-moe gives")
    with library.locked():
        taken = library.paths()
        already_there = origin in taken and _holds(taken[origin], text)
        snapshot = origin
        while snapshot in taken and not already_there:
            snapshot = new_id()
        if not already_there:
            _store(library.folder, snapshot, text, found.ending is not None)
    return Imported(
        id=snapshot,
        origin=origin,
        digest=found.digest,
        events=found.events,
        complete=found.ending is not None,
        already_there=already_there,
    )


def _holds(path: Path, text: bytes) -> bool:
    try:
        return open_snapshot(path).text == text
    except SnapshotError:  # what is there is damaged, so the one brought in is not the same
        return False


def _store(folder: Path, snapshot: str, text: bytes, complete: bool) -> None:
    packed = pack(text) if complete else b""
    suffix = PLAIN_SUFFIX
    if packed:
        try:
            unpack(packed, snapshot)
            suffix = PACKED_SUFFIX
        except SnapshotError:  # so repetitive that a reader would take it for a bomb: it stays plain
            suffix = PLAIN_SUFFIX
    try:
        write_atomic(folder / (snapshot + suffix), packed if suffix == PACKED_SUFFIX else text, replace=False)
    except WorkspaceError as error:
        raise WorkspaceError(f"the snapshot was not stored: {error.problem}", error.mend) from error
