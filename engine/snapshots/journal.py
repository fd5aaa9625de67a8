"""The journal: a run written down line by line while it happens."""

import fcntl
import math
import os
import platform
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, Self

from engine.cleaning import one_line
from engine.errors import SnapshotError, WorkspaceError
from engine.events import Event, ExpertChosen, QueryFinished, SnapshotSaved
from engine.files import fsync_folder, make_folder, os_failure, read_bounded, write_all, write_atomic
from engine.snapshots.chain import Walk, walk
from engine.snapshots.container import pack, unpack
from engine.snapshots.format import (
    MAX_LINE,
    MAX_TEXT,
    PACKED_SUFFIX,
    PLAIN_SUFFIX,
    SNAPSHOT_ID,
    Ending,
    Host,
    entry_decoder,
    event_bytes,
    header_encoder,
    link,
    make_header,
    with_crc,
)
from engine.snapshots.lines import LineChain, RunDigest

_TRIES = 20
_LAST = 0xFFFFFF
_FIRST_DRAWN = _LAST // 2
_STEP = 0x1000
_NOTED = frozenset({ExpertChosen, QueryFinished})
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_APPEND | os.O_CLOEXEC


def _program_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("persona-moe")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return ""


def new_id(now: datetime | None = None, *, known: Iterable[str] = ()) -> str:
    """Return a fresh snapshot id: the time in UTC and six hex digits.

    Ids sort as they were made: the digits are drawn, but above those of the ids in ``known`` that are
    of the same second.

    >>> new_id(datetime(2026, 5, 14, tzinfo=UTC), known=["20260514-000000-0000ff"]) > "20260514-000000-0000ff"
    True
    """
    second = f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-"
    taken = [
        int(each[len(second) :], 16) for each in known if each.startswith(second) and SNAPSHOT_ID.match(each)
    ]
    if not taken:
        return f"{second}{secrets.randbelow(_FIRST_DRAWN):06x}"
    return f"{second}{min(max(taken) + 1 + secrets.randbelow(_STEP), _LAST):06x}"


def _ids_in(folder: Path) -> list[str]:
    try:
        return [name.partition(".")[0] for name in os.listdir(folder)]
    except OSError as error:
        raise os_failure("list the snapshots", folder, error) from error


class Journal:
    """Writes one run. While it is open the kernel holds a lock on its file, so others see it runs.

    Every event is written at once, so a crash costs at most the line being written; with ``buffer``
    up to so many events are kept back for speed, and lost in a crash. After a failed write nothing
    more is accepted: what is on disk stays a valid, shorter snapshot.
    """

    def __init__(self, path: Path, handle: int, *, buffer: int = 0) -> None:
        """Take over the open file ``path``; use :meth:`create` or :meth:`resume` to get one."""
        self.path = path
        self.snapshot_id = path.name.removesuffix(PLAIN_SUFFIX)
        self._handle = handle
        self._buffer = buffer
        self._events: list[Event] = []
        self._times: list[int] = []
        self._chain = LineChain(b"", RunDigest())
        self._count = 0
        self._due = buffer
        self._size = 0
        self._last_at = 0
        self._on_disk = 0
        self._chosen: list[str] = []
        self._outcome = ""
        self._failure: WorkspaceError | None = None
        self.torn: Path | None = None

    @classmethod
    def create(cls, folder: Path, *, label: str, session: str = "", after: str = "", buffer: int = 0) -> Self:
        """Return a new journal in ``folder`` (made private if missing), its header on disk.

        ``label`` says in the header what was run, ``after`` the run it followed, ``session`` the first of
        them all. Raises WorkspaceError if it cannot be written.
        """
        make_folder(folder)
        now = datetime.now(UTC)
        for _ in range(_TRIES):
            snapshot = new_id(now, known=_ids_in(folder))
            path = folder / (snapshot + PLAIN_SUFFIX)
            if (folder / (snapshot + PACKED_SUFFIX)).exists():
                continue
            try:
                handle = os.open(path, _FLAGS, 0o600)
            except FileExistsError:
                continue
            except OSError as error:
                raise os_failure("write the snapshot", path, error) from error
            journal = cls(path, handle, buffer=buffer)
            journal._lock()
            host = Host(system=platform.system(), python=platform.python_version())
            header = make_header(
                snapshot,
                f"{now:%Y-%m-%dT%H:%M:%SZ}",
                _program_version(),
                one_line(label),
                host,
                session,
                after,
            )
            try:
                journal._begin(with_crc(header_encoder.encode(header)))
                fsync_folder(folder)
            except WorkspaceError:
                journal._release()
                raise
            return journal
        raise WorkspaceError(f"no free snapshot id was found in '{folder}'", "check the folder and try again")

    @classmethod
    def resume(cls, path: Path, *, buffer: int = 0) -> Self:
        """Return the journal of a run that was cut off, ready to append after its last whole line.

        A torn tail is first kept in a side file (see :func:`repair`). Raises SnapshotError if the
        run is complete or damaged, WorkspaceError if it still runs or cannot be written.
        """
        try:
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise os_failure("go on with the snapshot", path, error) from error
        journal = cls(path, handle, buffer=buffer)
        try:
            journal._lock()
            text, found, journal.torn = _mended(path, handle)
        except BaseException:
            os.close(handle)
            raise
        for line in text.splitlines()[1:]:
            event = entry_decoder.decode(line).event
            journal._note(event)
            journal._chain.digest.add(event, event_bytes(line))
        journal._chain.prev, journal._last_at = found.last_link.encode(), found.last_at
        journal._size = len(text)
        journal._count = journal._on_disk = found.events
        journal._due = journal._count + buffer
        return journal

    def append(self, event: Event, at: float) -> None:
        """Write ``event``, which happened ``at`` seconds after the start.

        Its ``seq`` must count on from the event before; ValueError if not: a journal with a gap could
        not be told from one that lost a line. Raises WorkspaceError if it could not be saved, or is
        larger than a line may be (16 MiB).
        """
        count = self._count
        if event.seq != count or not 0 <= at < math.inf or self._failure is not None:
            self._refuse(event, at)
        self._events.append(event)
        self._times.append(int(at * 1e6))
        self._count = count = count + 1
        if count > self._due:
            self.flush()

    def _refuse(self, event: Event, at: float) -> NoReturn:
        if self._failure is not None:
            raise self._failure
        if event.seq != self._count:
            raise ValueError(f"event {event.seq} was appended where event {self._count} belongs")
        raise ValueError(f"an event cannot happen {at} seconds after the start")

    def _begin(self, header: bytes) -> None:
        self._chain.prev = link(header).encode()
        self._write([header], durable=True)

    def _note(self, event: Event) -> None:
        if isinstance(event, ExpertChosen):
            self._chosen.append(event.persona)
        elif isinstance(event, QueryFinished):
            self._outcome = event.outcome

    def flush(self, *, durable: bool = False) -> None:
        """Write what is kept back; if ``durable``, so that it outlives a power cut too."""
        if self._failure is not None:
            raise self._failure
        events, times = self._events, self._times
        self._events, self._times = [], []
        self._due = self._count + self._buffer
        for event in [each for each in events if type(each) in _NOTED]:
            self._note(event)
        self._last_at = times[-1] if times else self._last_at
        self._write(self._chain.encode(events, times), durable=durable)
        self._on_disk = self._count

    def _write(self, lines: list[bytes], *, durable: bool = False) -> None:
        data = b"".join(lines)
        self._size += len(data)
        if self._size > MAX_TEXT or (len(data) > MAX_LINE and max(map(len, lines)) > MAX_LINE):
            raise self._fail("it would be larger than a snapshot may be", "ask for less at once")
        try:
            if data:
                write_all(self._handle, data)
            if durable:
                os.fsync(self._handle)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise self._fail(reason, "free some disk space and ask again, or check the disk") from error

    def _fail(self, reason: str, mend: str) -> WorkspaceError:
        where = f"after event {self._on_disk - 1}" if self._on_disk else "before its first event"
        self._failure = WorkspaceError(
            f"snapshot {self.snapshot_id} is cut off {where}, the rest was not saved: {reason}", mend
        )
        return self._failure

    def close(self, complete: bool = True) -> SnapshotSaved:
        """End the journal and return the event that says under which id and digest it was saved.

        A complete run gets that event as its last line, is made durable and replaced by its packed
        form; killed in between, the plain file is there and whole. With ``complete`` false the file
        stays as it is, a run that was cut off. Raises WorkspaceError if it could not be saved; the
        file is closed all the same.
        """
        try:
            self.flush()
            digest = self._chain.digest.hexdigest()
            saved = SnapshotSaved(seq=self._count, snapshot=self.snapshot_id, digest=digest)
            if complete:
                end = Ending(chosen=self._chosen, events=self._count + 1, outcome=self._outcome)
                self._write([self._chain.encode_last(saved, self._last_at, end)], durable=True)
                self._count += 1
                self._pack()
            else:
                self.flush(durable=True)
        finally:
            self._release()
        return saved

    def _pack(self) -> None:
        target = self.path.with_name(self.snapshot_id + PACKED_SUFFIX)
        text = read_bounded(self.path, MAX_TEXT)
        packed = pack(text)
        try:
            unpack(packed, target.name)
        except SnapshotError:  # so repetitive that a reader would take it for a bomb: it stays plain
            return
        try:
            write_atomic(target, packed, replace=False)
            os.unlink(self.path)
            fsync_folder(self.path.parent)
        except (OSError, WorkspaceError):
            # Packing only saves room. The plain file is whole and durable, so the run is saved.
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorkspaceError(f"snapshot {self.snapshot_id} is still being written") from error
        except OSError:  # a file system without locks: nothing to hold, nothing to wait for
            return

    def _release(self) -> None:
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            os.close(handle)


def repair(path: Path) -> Path | None:
    """Cut a torn tail off the journal ``path``; return the side file that keeps it, or None.

    The tail is durable in ``NAME.torn`` before the journal is cut. Raises SnapshotError if the
    journal is damaged before its end (it is left as it is), WorkspaceError if it still runs.
    """
    journal = Journal.resume(path)
    journal._release()
    return journal.torn


def _mended(path: Path, handle: int) -> tuple[bytes, Walk, Path | None]:
    """Return the text of a journal whose tail, if torn, has been put aside; and where it is now."""
    text = read_bounded(path, MAX_TEXT)
    found = walk(text, path.name)
    if found.ending is not None and not found.problem:
        raise SnapshotError(f"'{path.name}' is complete; nothing can be added to it")
    if not found.problem:
        return text, found, None
    if not found.torn:
        raise SnapshotError(f"line {found.line} of '{path.name}' is damaged: {found.problem}")
    tail, text = text[found.good_bytes :], text[: found.good_bytes]
    side = _free_side_file(path)
    write_atomic(side, tail, replace=False)
    try:
        os.ftruncate(handle, found.good_bytes)
        os.fsync(handle)
    except OSError as error:
        raise os_failure("mend", path, error) from error
    return text, walk(text, path.name), side


def _free_side_file(path: Path) -> Path:
    stem = path.name.removesuffix(PLAIN_SUFFIX)
    names = (f"{stem}.torn", *(f"{stem}.torn{n}" for n in range(2, 1000)))
    for name in names:
        if not os.path.lexists(path.with_name(name)):
            return path.with_name(name)
    raise WorkspaceError(f"there are a thousand torn tails of '{path.name}'", "move them away")


def is_running(path: Path) -> bool:
    """Return whether some process is writing the journal ``path`` just now."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
