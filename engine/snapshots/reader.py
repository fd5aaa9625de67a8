"""Reading a snapshot: whole or cut off, from the start or from anywhere."""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.cleaning import one_line
from engine.errors import SnapshotError, WorkspaceError
from engine.events import AnyEvent, SnapshotSaved
from engine.files import is_missing, read_bounded
from engine.snapshots.chain import BAD_JSON, Walk, read_header, walk
from engine.snapshots.container import GZIP_MAGIC, is_packed, seal_holds, unpack, unpack_prefix
from engine.snapshots.format import (
    MAX_LINE,
    MAX_TEXT,
    PACKED_SUFFIX,
    PLAIN_SUFFIX,
    Ending,
    Entry,
    Header,
    Timed,
    entry_decoder,
    event_bytes,
    timed_decoder,
)

_BLOCK: Final = 64 << 10


class Snapshot:
    """One recorded run. Events are decoded as they are asked for; the text is held in memory.

    Attributes:
        header: what the first line says: when, by which version, on what kind of machine.
        digest: the digest of the run so far as it is whole (32 hex digits).
        ending: what the last line adds, None for a run that was cut off.
        problem: why the run ends before its end, or empty.
    """

    def __init__(self, path: Path, text: bytes, found: Walk | None) -> None:
        """Hold ``text``; ``found`` is the walk along its chain, or None where a seal vouches for it."""
        self.path: Final = path
        self.snapshot_id: Final = snapshot_id_of(path)
        self.header, self._start = read_header(text, path.name)
        self._index: array[int] | None = None
        if found is None:
            self._text = text
            self.problem = ""
            saved, self.ending = self._read_end()
            self.digest = saved.digest
        else:
            self._text = text[: found.good_bytes]
            self.digest, self.ending = found.digest, found.ending
            self.problem = f"line {found.line}: {found.problem}" if found.problem else ""
            if found.ending is None and not self.problem:
                self.problem = "the run was cut off before its end"

    def _read_end(self) -> tuple[SnapshotSaved, Ending | None]:
        end = len(self._text)
        start = self._text.rfind(b"\n", 0, end - 1) + 1
        entry = self._decode(self._text[start : end - 1])
        if not isinstance(entry.event, SnapshotSaved) or entry.end is None:
            raise SnapshotError(f"'{self.path.name}' is packed although its run never ended")
        return entry.event, entry.end

    @property
    def complete(self) -> bool:
        """Whether the run was recorded to its end."""
        return self.ending is not None

    @property
    def text(self) -> bytes:
        """The journal's lines, as they were written."""
        return self._text

    def __len__(self) -> int:
        return len(self._offsets()) - 1

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[AnyEvent]:
        """Give the events from ``start`` up to, not including, ``stop``."""
        for block in self._blocks(start, stop):
            yield from [timed.event for timed in block]

    def timed(self, start: int = 0, stop: int | None = None) -> Iterator[Timed]:
        """Give the events with their time in microseconds."""
        for block in self._blocks(start, stop):
            yield from block

    def _blocks(self, start: int, stop: int | None) -> Iterator[list[Timed]]:
        """Give the events of :meth:`timed` some hundred at a time, as they are decoded."""
        left = None if stop is None else max(stop - max(start, 0), 0)
        position = self._offset(max(start, 0))
        end = len(self._text)
        while position < end and left != 0:
            cut = self._text.find(b"\n", min(position + _BLOCK, end - 1)) + 1 or end
            try:
                block = timed_decoder.decode_lines(self._text[position:cut])
            except BAD_JSON as error:
                raise self._broken(error) from error
            position = cut
            if left is not None:
                block = block[:left]
                left -= len(block)
            yield block

    def raw_events(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Give (microseconds, event) with the event's bytes as they were encoded."""
        for line in self.lines(start, stop):
            yield int(line[len(b'{"at":') : line.find(b",")]), event_bytes(line)

    def lines(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Give the lines of the events, without line feed."""
        offsets = self._offsets()
        for seq in range(max(start, 0), min(len(self), len(self) if stop is None else stop)):
            yield self._text[offsets[seq] : offsets[seq + 1] - 1]

    def at(self, seq: int) -> AnyEvent:
        """Return event ``seq``. Raises SnapshotError if there is none of that number."""
        if not 0 <= seq < len(self):
            raise SnapshotError(
                f"snapshot {self.snapshot_id} has no event {seq}", f"its events are 0 to {len(self) - 1}"
            )
        offsets = self._offsets()
        return self._decode(self._text[offsets[seq] : offsets[seq + 1] - 1]).event

    def _decode(self, line: bytes) -> Entry:
        try:
            return entry_decoder.decode(line)
        except BAD_JSON as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> SnapshotError:
        found = walk(self._text, self.path.name)
        if found.problem:
            return _damaged(self.path.name, found)
        return SnapshotError(f"'{self.path.name}' cannot be read: {one_line(str(error), 160)}")

    def _offset(self, seq: int) -> int:
        if seq == 0:
            return self._start
        offsets = self._offsets()
        return offsets[min(seq, len(offsets) - 1)]

    def _offsets(self) -> "array[int]":
        """Return where each event's line starts, and where the last one ends; made on first use."""
        if self._index is None:
            find = self._text.find
            index = array("Q", [self._start])
            position = find(b"\n", self._start) + 1
            while position:
                index.append(position)
                position = find(b"\n", position) + 1
            self._index = index
        return self._index


def snapshot_id_of(path: Path) -> str:
    """Return the id that a snapshot's file name stands for.

    >>> snapshot_id_of(Path("snapshots/20261122-174512-3fa9c1.jsonl.gz"))
    '20261122-174512-3fa9c1'
    """
    return path.name.removesuffix(PACKED_SUFFIX).removesuffix(PLAIN_SUFFIX)


def open_snapshot(path: Path, *, salvage: bool = False, limit: int = MAX_TEXT) -> Snapshot:
    """Return the snapshot in ``path``, packed or plain.

    A packed file is judged by its seal, a plain one line by line; a run that was cut off gives its
    longest valid prefix. ``salvage`` gives that of a damaged file too, with ``problem`` set. Raises
    SnapshotError naming the line that is wrong, a newer version, another program's file or a bomb.
    """
    data = read_snapshot_file(path, limit)
    if not data.startswith(GZIP_MAGIC):
        refuse_endless_line(data, path.name)
        return _judged(path, data, salvage)
    if not is_packed(data):
        text = unpack(data, path.name, limit=limit)
        read_header(text, path.name)
        raise SnapshotError(
            f"'{path.name}' was not packed by persona-moe, so it is not sealed",
            "bring it in with 'persona-moe snapshots import'",
        )
    if seal_holds(data):
        return Snapshot(path, unpack(data, path.name, limit=limit), None)
    text, problem = unpack_prefix(data, path.name, limit=limit)
    if b"\n" not in text:
        raise SnapshotError(
            f"'{path.name}' is damaged in its first line: {problem or 'its seal is broken'}",
            "take it from a copy",
        )
    snapshot = _judged(path, text, salvage, problem or "its seal is broken")
    if not salvage:
        raise SnapshotError(
            f"'{path.name}' is damaged after line {len(snapshot) + 1}: {problem or 'its seal is broken'}",
            "read what is whole with --salvage, or take it from a copy",
        )
    return snapshot


def read_snapshot_file(path: Path, limit: int) -> bytes:
    """Return the bytes of a snapshot file. Raises SnapshotError if there is none, or it is too large."""
    try:
        return read_bounded(path, limit)
    except WorkspaceError as error:
        if is_missing(error):
            raise SnapshotError(f"there is no snapshot file '{path.name}'") from error
        raise SnapshotError(error.problem, error.mend) from error


def refuse_endless_line(data: bytes, name: str) -> None:
    """Raise SnapshotError if a line of ``data`` is longer than a line may be, before it is parsed."""
    from engine.snapshots.container import too_long

    position, line, size = 0, 1, len(data)
    while size - position > MAX_LINE:
        end = data.rfind(b"\n", position, position + MAX_LINE + 1)
        if end < 0:
            raise too_long(name, line)
        line += data.count(b"\n", position, end + 1)
        position = end + 1


def _judged(path: Path, text: bytes, salvage: bool, problem: str = "") -> Snapshot:
    found = walk(text, path.name)
    if found.problem and not found.torn and not salvage:
        raise _damaged(path.name, found)
    if found.problem and problem and not salvage:
        raise SnapshotError(
            f"line {found.line} of '{path.name}' is damaged: {problem}",
            "read what is whole with --salvage, or take it from a copy",
        )
    snapshot = Snapshot(path, text, found)
    snapshot.problem = snapshot.problem or problem
    return snapshot


def _damaged(name: str, found: Walk) -> SnapshotError:
    return SnapshotError(
        f"line {found.line} of '{name}' is damaged: {found.problem}",
        "read what is whole with --salvage, or take it from a copy",
    )


__all__ = ["Header", "Snapshot", "open_snapshot", "snapshot_id_of"]
