"""The folder of snapshots: listing, finding, labelling, and retention that only acts when asked."""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from engine.errors import SnapshotError, WorkspaceBusyError, WorkspaceError
from engine.files import make_folder, move_noreplace, os_failure
from engine.snapshots.format import PACKED_SUFFIX, PLAIN_SUFFIX
from engine.snapshots.journal import is_running
from engine.snapshots.labels import Label, read_labels, require_note, require_tag, write_label
from engine.snapshots.reader import Snapshot, open_snapshot, snapshot_id_of
from engine.snapshots.summary import Summary, summarise

TRASH: Final = ".trash"
_LOCK: Final = ".lock"
_LOCK_SECONDS: Final = 2.0
_FILE: Final = re.compile(r"(?P<id>[a-z0-9][a-z0-9_-]{0,63})\.jsonl(?:\.gz)?\Z")

Infos: TypeAlias = "list[SnapshotInfo]"
State: TypeAlias = Literal["complete", "cut off", "running", "damaged"]


class SnapshotInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list. ``personas`` are those that were chosen, ``bytes`` the size on disk.

    ``after`` is the run it followed, ``session`` the first of them all, often itself. ``verified`` tells that
    running it again, the last time that was done, agreed.
    """

    id: str
    question: str
    created: str
    state: State
    complete: bool
    digest: str
    events: int
    bytes: int
    personas: list[str]
    model: str
    tags: list[str]
    note: str
    pinned: bool
    verified: bool = False
    session: str = ""
    after: str = ""
    problem: str = ""


class SnapshotLibrary:
    """The snapshots of a workspace."""

    def __init__(self, folder: Path, shipped: Path | None = None) -> None:
        """Look at ``folder``, which need not exist; ``shipped`` holds runs that can only be read."""
        self.folder: Final = folder
        self._shipped: Final = shipped
        self.labels_problem = ""
        """Why the last listing has no tags, notes and pins; empty where it has them."""

    def paths(self) -> dict[str, Path]:
        """Return the file of each snapshot by id, newest id first.

        Where a packed and a plain file share an id (killed while packing), the packed one is it.
        """
        try:
            names = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise os_failure("list", self.folder, error) from error
        found: dict[str, Path] = {}
        for name in names:  # "x.jsonl" sorts before "x.jsonl.gz", so the latter stays
            match = _FILE.match(name)
            if match and not (self.folder / name).is_symlink():
                found[match["id"]] = self.folder / name
        return dict(sorted(found.items(), reverse=True))

    def list(self) -> list[SnapshotInfo]:
        """Return what is there, newest first. A damaged file is listed with its problem, not raised.

        Of a complete snapshot the first lines and the last are read, of another one all of it. If tags,
        notes and pins cannot be read the list has none, and ``labels_problem`` says why.
        """
        labels = self._labels()
        infos = [self._info(key, path, labels.get(key, Label())) for key, path in self.paths().items()]
        return sorted(infos, key=lambda info: (info.created or _created_by(info.id), info.id), reverse=True)

    def info(self, snapshot_id: str) -> SnapshotInfo:
        """Return the list's line for one snapshot. Raises SnapshotError if there is none."""
        path = self.path(snapshot_id)
        return self._info(snapshot_id, path, self._labels().get(snapshot_id, Label()))

    def _labels(self) -> dict[str, Label]:
        self.labels_problem = ""
        try:
            return read_labels(self.folder)
        except (SnapshotError, WorkspaceError) as error:
            self.labels_problem = str(error)
            return {}

    def _info(self, snapshot_id: str, path: Path, label: Label) -> SnapshotInfo:
        problem = ""
        try:
            summary = summarise(path)
        except SnapshotError as error:
            summary, problem = Summary(), str(error)
        state: State = "complete" if summary.complete else "damaged" if problem else "cut off"
        if not summary.complete and path.name.endswith(PLAIN_SUFFIX) and is_running(path):
            state = "running"
        try:
            size = path.stat().st_size
        except OSError:  # it was moved away since the folder was listed
            size = 0
        return SnapshotInfo(
            id=snapshot_id,
            question=summary.question,
            created=summary.created,
            state=state,
            complete=summary.complete,
            digest=summary.digest,
            events=summary.events,
            bytes=size,
            personas=summary.personas,
            model=summary.model,
            tags=label.tags,
            note=label.note,
            pinned=label.pinned,
            session=summary.session or snapshot_id,
            after=summary.after,
            verified=bool(summary.digest) and label.verified == summary.digest,
            problem=problem or summary.problem,
        )

    def path(self, snapshot_id: str) -> Path:
        """Return the file of exactly this id. Raises SnapshotError if there is none."""
        for suffix in (PACKED_SUFFIX, PLAIN_SUFFIX):
            path = self.folder / (snapshot_id + suffix)
            if _FILE.match(path.name) and path.is_file() and not path.is_symlink():
                return path
        raise SnapshotError(f"there is no snapshot {snapshot_id[:64]!r}", "see 'persona-moe snapshots list'")

    def find(self, name: str) -> str:
        """Return the one id that ``name`` means: an id, the beginning of just one, or ``last``.

        Raises SnapshotError if it means none, or several.
        """
        ids = list(self.paths())
        if name == "last" and "last" not in ids:
            if not ids:
                raise SnapshotError("there are no snapshots yet", 'ask a question: persona-moe ask "..."')
            return self.list()[0].id
        if name in ids:
            return name
        matching = [each for each in ids if name and each.startswith(name)]
        if len(matching) > 1:
            raise SnapshotError(
                f"{name[:64]!r} means {len(matching)} snapshots: {', '.join(matching[:4])}"
                f"{', ...' if len(matching) > 4 else ''}",
                "give more of the id",
            )
        if not matching and self._shipped_path(name):
            raise SnapshotError(f"{name[:64]!r} ships with the program; it can be read, not changed")
        if not matching:
            raise SnapshotError(f"there is no snapshot {name[:64]!r}", "see 'persona-moe snapshots list'")
        return matching[0]

    def locate(self, name: str) -> Path:
        """Return the file that ``name`` means (see :meth:`find`), or the shipped run of exactly that name."""
        shipped = self._shipped_path(name)
        if shipped is not None and name not in self.paths():
            return shipped
        return self.path(self.find(name))

    def _shipped_path(self, name: str) -> Path | None:
        if self._shipped is None or not _FILE.match(name + PACKED_SUFFIX):
            return None
        shipped = self._shipped / (name + PACKED_SUFFIX)
        return shipped if shipped.is_file() else None

    def open(self, name: str, *, salvage: bool = False) -> Snapshot:
        """Return the snapshot that ``name`` means (see :meth:`locate`)."""
        return open_snapshot(self.locate(name), salvage=salvage)

    def tag(self, snapshot_id: str, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> SnapshotInfo:
        """Add and remove tags; return the snapshot as listed now."""
        wanted = [require_tag(tag) for tag in add]
        with self._labelled(snapshot_id) as label:
            tags = sorted(({*label.tags} | {*wanted}) - {*remove})
            write_label(self.folder, snapshot_id, msgspec.structs.replace(label, tags=tags))
        return self.info(snapshot_id)

    def annotate(self, snapshot_id: str, note: str) -> SnapshotInfo:
        """Set the note (empty removes it); return the snapshot as listed now."""
        cleaned = require_note(note)
        with self._labelled(snapshot_id) as label:
            write_label(self.folder, snapshot_id, msgspec.structs.replace(label, note=cleaned))
        return self.info(snapshot_id)

    def pin(self, snapshot_id: str, pinned: bool = True) -> SnapshotInfo:
        """Pin, so that no retention touches it, or unpin; return the snapshot as listed now."""
        with self._labelled(snapshot_id) as label:
            write_label(self.folder, snapshot_id, msgspec.structs.replace(label, pinned=pinned))
        return self.info(snapshot_id)

    def note_verification(self, snapshot_id: str, digest: str) -> None:
        """Remember that running it again agreed with the run of this digest; empty forgets it."""
        with self._labelled(snapshot_id) as label:
            if label.verified != digest:
                write_label(self.folder, snapshot_id, msgspec.structs.replace(label, verified=digest))

    def remove(self, snapshot_id: str) -> Path:
        """Move a snapshot into the library's ``.trash`` and return where it is; nothing is deleted.

        Raises SnapshotError if it is pinned, or still being written.
        """
        with self.locked():
            info = self.info(snapshot_id)
            if info.pinned:
                raise SnapshotError(f"snapshot {snapshot_id} is pinned", "unpin it first")
            if info.state == "running":
                raise SnapshotError(
                    f"snapshot {snapshot_id} is still being written", "wait for the run to end"
                )
            return self._to_trash(self.path(snapshot_id))

    def retention(
        self, keep: int | None = None, max_bytes: int | None = None, *, dry_run: bool = True
    ) -> "Infos":
        """Return the snapshots beyond the newest ``keep`` or ``max_bytes`` in all; oldest go first.

        Pinned ones and those still being written are never among them, but count. Unless
        ``dry_run`` they are moved into ``.trash``.
        """
        with self.locked():
            read_labels(self.folder)  # raises: what is pinned must be known before anything goes
            infos = self.list()
            count, size = len(infos), sum(info.bytes for info in infos)
            going = []
            for info in reversed(infos):
                if (keep is None or count <= keep) and (max_bytes is None or size <= max_bytes):
                    break
                if info.pinned or info.state == "running":
                    continue
                going.append(info)
                count, size = count - 1, size - info.bytes
            if not dry_run:
                for info in going:
                    self._to_trash(self.path(info.id))
        return going

    def _to_trash(self, path: Path) -> Path:
        trash = self.folder / TRASH
        make_folder(trash)
        # A run killed while it was packed has both files; the plain one must not come back to life.
        twin = path.with_name(snapshot_id_of(path) + PLAIN_SUFFIX)
        if twin != path and os.path.lexists(twin):
            move_noreplace(twin, _free_name(trash, twin.name))
        target = _free_name(trash, path.name)
        move_noreplace(path, target)
        return target

    @contextmanager
    def _labelled(self, snapshot_id: str) -> Iterator[Label]:
        with self.locked():
            self.path(snapshot_id)
            yield read_labels(self.folder).get(snapshot_id, Label())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing labels, importing or pruning. Raises WorkspaceBusyError."""
        make_folder(self.folder)
        path = self.folder / _LOCK
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise os_failure("write to", path, error) from error
        try:
            deadline = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise WorkspaceBusyError(
                            f"another process is changing the snapshots in '{self.folder}'", "try again"
                        ) from None
                    time.sleep(0.02)
                except OSError as error:
                    raise os_failure("lock", path, error) from error
            yield
        finally:
            os.close(handle)


def _free_name(folder: Path, name: str) -> Path:
    target, number = folder / name, 1
    while os.path.lexists(target):
        number += 1
        target = folder / f"{number}.{name}"
    return target


def _created_by(snapshot_id: str) -> str:
    """Return the time that an id names, for a file whose header cannot be read.

    >>> _created_by("20261122-174512-3fa9c1")
    '2026-11-22T17:45:12Z'
    """
    try:
        moment = datetime.strptime(snapshot_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return ""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
