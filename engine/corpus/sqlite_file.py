"""The corpus file itself: opening it, and saying plainly what is wrong with one that cannot be used."""

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import TracebackType

import apsw

from engine.corpus.analysis import ANALYSIS_VERSION
from engine.errors import CorpusError, PersonaMoeError, WorkspaceBusyError, WorkspaceError

SCHEMA_VERSION = 3
BUSY_MILLISECONDS = 2_000


class SqliteFile:
    """An open connection, ``db``, to a corpus at ``path``, or in memory for ``":memory:"``."""

    def __init__(self, path: Path | str, *, read_only: bool) -> None:
        self.path = str(path)
        self.read_only = read_only
        self._guard = _Guard(self._told)
        with self.guard():
            self.db = self._connect()
            try:
                self._prepare()
            except BaseException:
                self.db.close()
                raise

    def _connect(self) -> apsw.Connection:
        if self.path == ":memory:":
            return apsw.Connection(":memory:")
        folder = os.path.dirname(self.path)
        if self.read_only:
            # Without write access to the folder SQLite cannot share a WAL index, so it is told that
            # the file will not change.
            immutable = "" if os.access(folder, os.W_OK) else "?immutable=1"
            uri = Path(self.path).absolute().as_uri() + immutable
            return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        if not os.path.exists(self.path):
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        return apsw.Connection(self.path)

    def _prepare(self) -> None:
        self.db.set_busy_timeout(BUSY_MILLISECONDS)
        self.db.execute("PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY")
        found = self.db.execute("PRAGMA user_version").get
        if found == 0 and not self.read_only:
            with self.db:
                if self.db.execute("PRAGMA user_version").get == 0:
                    if self.db.execute("SELECT count(*) FROM sqlite_master").get:
                        raise self._foreign("it holds something else")
                    self.db.execute(resources.files("engine.corpus").joinpath("schema.sql").read_text())
                    rows: list[tuple[str, str | int]] = [
                        ("analysis", ANALYSIS_VERSION),
                        ("fingerprint", "0" * 32),
                    ]
                    rows += [("passages", 0), ("title_tokens", 0), ("body_tokens", 0)]
                    self.db.executemany("INSERT INTO meta VALUES (?, ?)", rows)
                    self.db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        elif found not in (0, SCHEMA_VERSION):
            raise self._foreign(f"it has format {found}, this program reads {SCHEMA_VERSION}")
        if (found or not self.read_only) and self.meta("analysis") != ANALYSIS_VERSION:
            raise self._foreign("it was made by another version of the text analysis")
        if not self.read_only:
            # Only now: a file of somebody else's is left as it was.
            self.db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")

    def meta(self, key: str) -> str | int:
        """Return a value of the table of totals."""
        value: str | int = self.db.execute("SELECT value FROM meta WHERE key=?", (key,)).get
        return value

    def require_whole(self) -> None:
        """Read every page. Raises CorpusError if one is damaged, WorkspaceError if it cannot be read."""
        with self.guard():
            found = str(self.db.execute("PRAGMA quick_check(1)").get)
        if found != "ok":
            raise self._foreign(f"it is damaged ({found})")

    def _foreign(self, why: str) -> CorpusError:
        mend = f"move {self.path} away and run 'persona-moe index' again"
        return CorpusError(f"the index cannot be used: {why}", mend)

    def guard(self) -> "_Guard":
        """Return a context in which SQLite's errors become ours, each with its mend."""
        return self._guard

    def _told(self, error: BaseException) -> PersonaMoeError | None:
        """Return the error of ours that tells of one of SQLite's, None for any other."""
        if isinstance(error, apsw.BusyError):
            return WorkspaceBusyError(
                "another process is writing to the index", "wait until it is done, then try again"
            )
        if isinstance(error, apsw.CorruptError | apsw.NotADBError | apsw.SQLError):
            return self._foreign("it is damaged")
        if isinstance(error, apsw.ReadOnlyError | apsw.PermissionsError | apsw.CantOpenError):
            return WorkspaceError(
                f"the index at {self.path} cannot be opened or written: {error}",
                "check the folder's permissions",
            )
        if isinstance(error, apsw.FullError | apsw.IOError):
            if self.read_only:
                return WorkspaceError(
                    f"the index at {self.path} cannot be read: {error}",
                    "check that it is a file, and its disk",
                )
            return WorkspaceError(
                f"the index at {self.path} could not be saved: {error}", "free some disk space and try again"
            )
        return None


class _Guard:
    """The context of :meth:`SqliteFile.guard`, one for all: a question enters it at every statement."""

    def __init__(self, told: Callable[[BaseException], PersonaMoeError | None]) -> None:
        self._told = told

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and (ours := self._told(error)) is not None:
            raise ours from error
