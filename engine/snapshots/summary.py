"""What a list says of a snapshot, from as little of its file as will do."""

import os
import stat
import zlib
from pathlib import Path

import msgspec

from engine.cleaning import one_line
from engine.errors import SnapshotError
from engine.events import ExpertChosen, QueryStarted, SnapshotSaved
from engine.snapshots.chain import BAD_JSON, read_header
from engine.snapshots.container import HEADER_BYTES, is_packed, last_member_bytes
from engine.snapshots.format import MAX_LINE, entry_decoder
from engine.snapshots.reader import open_snapshot

_HEAD = 64 << 10
_MAX_LAST = 1 << 20


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says of a run; ``digest`` is empty unless it is complete."""

    question: str = ""
    created: str = ""
    complete: bool = False
    digest: str = ""
    events: int = 0
    personas: list[str] = msgspec.field(default_factory=list)
    model: str = ""
    session: str = ""
    after: str = ""
    problem: str = ""


def summarise(path: Path) -> Summary:
    """Return the summary of the snapshot in ``path``. Raises SnapshotError if it cannot be read.

    A packed file is taken at its word here, unsealed; opening and verifying it look closer.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SnapshotError(f"'{path.name}' cannot be read: {error.strerror}") from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise SnapshotError(f"'{path.name}' is not a regular file")
        head = os.pread(handle, _HEAD, 0)
        if is_packed(head):
            return _from_ends(handle, path.name, head, status.st_size)
    except OSError as error:
        raise SnapshotError(f"'{path.name}' cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)
    return _from_all(path)


def _from_ends(handle: int, name: str, head: bytes, size: int) -> Summary:
    length = last_member_bytes(head)
    if not 18 <= length <= min(size - HEADER_BYTES, _MAX_LAST):
        raise SnapshotError(f"'{name}' is damaged: it is cut short or its header is wrong")
    first = _first_lines(handle, name, head)
    header, start = read_header(first, name)
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        last = unpacker.decompress(os.pread(handle, length, size - length), MAX_LINE)
        entry = entry_decoder.decode(last)
        opening = entry_decoder.decode(first[start:]).event if first[start:] else None
    except (zlib.error, *BAD_JSON) as error:
        raise SnapshotError(f"'{name}' is damaged: its ends cannot be read") from error
    if entry.end is None or not isinstance(entry.event, SnapshotSaved):
        raise SnapshotError(f"'{name}' is damaged: its last line does not end a run")
    started = opening if isinstance(opening, QueryStarted) else None
    return Summary(
        question=_question(started, header.label),
        created=one_line(header.created, 40),
        complete=True,
        digest=one_line(entry.event.digest, 64),
        events=entry.end.events,
        personas=[one_line(each, 64) for each in entry.end.chosen],
        model=_model(started),
        session=one_line(header.session, 64),
        after=one_line(header.after, 64),
    )


def _first_lines(handle: int, name: str, head: bytes) -> bytes:
    """Return the header line and the line after it, if there is one in the first member."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text, position, pending = b"", len(head), head
    try:
        while text.count(b"\n") < 2 and not unpacker.eof and len(text) <= 2 * MAX_LINE:
            text += unpacker.decompress(pending, _HEAD)
            pending = unpacker.unconsumed_tail
            if not pending:
                pending = os.pread(handle, _HEAD, position)
                position += len(pending)
                if not pending:
                    break
    except zlib.error as error:
        raise SnapshotError(f"'{name}' is damaged: its compressed data is broken") from error
    return b"".join(text.splitlines(keepends=True)[:2])


def _from_all(path: Path) -> Summary:
    snapshot = open_snapshot(path)
    started: QueryStarted | None = None
    chosen: list[str] = []
    for event in snapshot.events():
        if isinstance(event, QueryStarted):
            started = event
        elif isinstance(event, ExpertChosen):
            chosen.append(one_line(event.persona, 64))
    return Summary(
        question=_question(started, snapshot.header.label),
        created=one_line(snapshot.header.created, 40),
        complete=snapshot.complete,
        digest=snapshot.digest if snapshot.complete else "",
        events=len(snapshot),
        personas=chosen,
        model=_model(started),
        session=one_line(snapshot.header.session, 64),
        after=one_line(snapshot.header.after, 64),
        problem=snapshot.problem,
    )


def _question(started: QueryStarted | None, label: str) -> str:
    return one_line(started.question if started else label)


def _model(started: QueryStarted | None) -> str:
    if started is None:
        return ""
    provider, name = started.model.provider, started.model.name
    return one_line(f"{provider}:{name}" if name and name != provider else provider, 120)
