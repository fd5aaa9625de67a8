"""Where things lie: finding, making, locking and mending the folder that holds a user's work.

::

    WORKSPACE/configs/*.toml                 the settings
              personas/TIER/ID.json          the personas; the folder is the tier
              snapshots/                     recorded runs
              state/corpus.sqlite3           the index (can be made again)
              state/ledger.sqlite3           how each persona did
              state/persona_moves.jsonl      every move between tiers
              .lock                          held by the one process that writes
"""

import fcntl
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from engine.config import Settings, load_settings
from engine.config_file import parse_toml
from engine.errors import ConfigError, WorkspaceBusyError, WorkspaceError
from engine.events import Tier
from engine.files import (
    make_folder,
    os_failure,
    read_bounded,
    reported,
    sweep_temporaries,
    write_all,
    write_atomic,
)

TIERS: Final[tuple[Tier, ...]] = ("active", "stable", "experimental", "pruned")
_MARKER = "state/workspace.json"
_STARTER_BYTES = 256 * 1024
_POLL_SECONDS = 0.02


class _Holder(msgspec.Struct):
    pid: int
    command: str


def data_folder(name: str) -> Path:
    """Return the folder of data that ships with the product: personas, configs, snapshots or docs.

    Installed it lies inside the package; in a source checkout, beside it.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise WorkspaceError(f"the product's own {name} are missing", "install persona-moe again")


def find_workspace(explicit: Path | None, start: Path) -> Path:
    """Return the folder to work in; it need not exist yet.

    ``explicit`` if given; else the nearest of ``start`` and its parents with a
    ``configs/system.toml``; else the user's data folder. The product's own source checkout is never
    a workspace: there it is ``.workspace`` inside it, so that using the product leaves the
    checkout's tracked files alone. Raises WorkspaceError for a folder that may not be looked into.
    """
    if explicit is not None:
        root = Path(os.path.abspath(explicit.expanduser()))
        return root / ".workspace" if _is_checkout(root) else root
    here = Path(os.path.abspath(start))
    for folder in (here, *here.parents):
        with reported("look for a workspace in", folder):
            found = (folder / "configs" / "system.toml").is_file()
        if found:
            return folder / ".workspace" if _is_checkout(folder) else folder
    import platformdirs

    return platformdirs.user_data_path("persona-moe")


def _is_checkout(folder: Path) -> bool:
    with reported("look into", folder):
        if not (folder / "engine").is_dir():
            return False
    try:
        project = parse_toml(read_bounded(folder / "pyproject.toml", _STARTER_BYTES), "pyproject.toml")
    except (WorkspaceError, ConfigError):  # not ours then: ours can be read
        return False
    table = project.get("project")
    return isinstance(table, dict) and table.get("name") == "persona-moe"


def create_workspace(root: Path) -> "Workspace":
    """Make ``root`` a workspace, or complete it, and return it; what is there is never overwritten.

    Folders are private (0700), files too (0600). Starter personas are copied unless one of that id
    is in some tier already. Killed at any point, it is completed by the next call.
    """
    make_folder(root)
    workspace = Workspace(root)
    with workspace.lock():
        for folder in workspace.folders():
            make_folder(folder)
            sweep_temporaries(folder)
        for source in sorted(data_folder("configs").glob("*.toml")):
            _copy_new(source, workspace.configs / source.name)
        present = {path.name for tier in TIERS for path in (workspace.personas / tier).glob("*.json")}
        for tier in TIERS:
            for source in sorted((data_folder("personas") / tier).glob("*.json")):
                if source.name not in present:
                    _copy_new(source, workspace.personas / tier / source.name)
        marker = root / _MARKER
        if not marker.exists():
            write_atomic(marker, b'{"version":1}\n')
    return workspace


def _copy_new(source: Path, target: Path) -> None:
    if not os.path.lexists(target):
        write_atomic(target, read_bounded(source, _STARTER_BYTES), replace=False)


class Workspace:
    """One workspace folder: its places, its settings and the lock that keeps writers apart."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root
        self.configs: Final = root / "configs"
        self.personas: Final = root / "personas"
        self.snapshots: Final = root / "snapshots"
        self.state: Final = root / "state"
        self.corpus_path: Final = self.state / "corpus.sqlite3"
        self.ledger_path: Final = self.state / "ledger.sqlite3"
        self.moves_path: Final = self.state / "persona_moves.jsonl"
        self._guard = threading.RLock()
        self._depth = 0
        self._handle = -1

    @classmethod
    def open(cls, root: Path, *, create: bool = True) -> "Workspace":
        """Return the workspace in ``root``; made or completed first if need be and ``create``.

        A complete workspace is opened without writing anything, so a read-only one can be read.
        Raises WorkspaceError if there is none and it may not or cannot be made.
        """
        workspace = cls(root)
        with reported("look into", workspace.state):
            complete = (root / _MARKER).is_file()
        if complete:
            return workspace
        with reported("look into", root):
            begun = workspace.configs.is_dir()
        if create and (workspace.is_writable() or not begun):
            return create_workspace(root)
        if not begun:
            raise WorkspaceError(f"there is no workspace in '{root}'", "run 'persona-moe init' there")
        return workspace

    def folders(self) -> tuple[Path, ...]:
        """Return the folders of a complete workspace."""
        tiers = (self.personas / tier for tier in TIERS)
        return (self.configs, self.personas, *tiers, self.snapshots, self.state)

    def settings(self) -> Settings:
        """Return the settings as they stand in the files now. Raises ConfigError."""
        return load_settings(self.configs)

    def warnings(self) -> list[str]:
        """Return what is unsafe about who owns the workspace and who may write to it, if anything."""
        found = []
        for folder in (self.root, self.configs, self.personas):
            try:
                status = os.stat(folder)
            except OSError:  # a missing folder is reported by whoever needs it
                continue
            if status.st_uid not in (os.geteuid(), 0):
                found.append(f"'{folder}' belongs to another user, who can change what it says")
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX:
                found.append(f"other users can write to '{folder}'; run: chmod go-w '{folder}'")
        return found

    def is_writable(self) -> bool:
        """Return whether files can be made here, as far as the permissions say."""
        return os.access(self.root, os.W_OK | os.X_OK) and not _is_read_only(self.root)

    def recover(self) -> list[str]:
        """Clear away what killed processes left half done; return one note for each thing removed."""
        with self.lock():
            return [
                f"removed the unfinished {folder.relative_to(self.root) / name}"
                for folder in self.folders()
                if folder.is_dir()
                for name in sweep_temporaries(folder)
            ]

    @contextmanager
    def lock(self, timeout: float = 2.0) -> Iterator[None]:
        """Hold the workspace alone while the context lasts; the thread that has it may take it again.

        The kernel frees it when the process dies, so there is no stale lock. Raises
        WorkspaceBusyError naming the holder after ``timeout`` seconds, WorkspaceError if the
        workspace cannot be written.
        """
        deadline = time.monotonic() + timeout
        if not self._guard.acquire(timeout=max(timeout, 0.0)):
            raise self._busy(f"process {os.getpid()} (this one)")
        try:
            if self._depth == 0:
                self._handle = self._acquire(deadline)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    os.close(self._handle)
        finally:
            self._guard.release()

    def _acquire(self, deadline: float) -> int:
        path = self.root / ".lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise os_failure("write to the workspace by", path, error) from error
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise self._busy(_holder(path)) from None
                    time.sleep(_POLL_SECONDS)
                except OSError as error:
                    raise os_failure("lock", path, error) from error
            # The note only helps whoever has to wait, so a full disk must not fail the work here.
            with suppress(OSError):
                command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:3]])[:80]
                os.ftruncate(handle, 0)
                write_all(handle, msgspec.json.encode({"pid": os.getpid(), "command": _safe(command)}))
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _busy(self, holder: str) -> WorkspaceBusyError:
        return WorkspaceBusyError(
            f"the workspace '{self.root}' is being written by {holder}",
            "wait for it to end, or use another --workspace",
        )


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _holder(path: Path) -> str:
    try:
        holder = msgspec.json.decode(read_bounded(path, 4096), type=_Holder)
    except (WorkspaceError, ValueError):  # the holder may be writing its note just now
        return "another process"
    return f"process {holder.pid} ({holder.command})"


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return True
