"""The ledger's file: made, opened, brought to the present version, put aside when it is damaged."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw

from engine.errors import WorkspaceBusyError, WorkspaceError

APPLICATION_ID: Final = 0x504D4C47
"""'PMLG': marks a SQLite file as a ledger of this program."""
VERSION: Final = 2
BUSY_MILLISECONDS: Final = 2_000

_SCHEMA = """
CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TABLE outcome (
    run_id TEXT NOT NULL REFERENCES run (run_id),
    persona_id TEXT NOT NULL,
    persona_digest TEXT NOT NULL,
    topic TEXT NOT NULL,
    tier TEXT NOT NULL,
    chosen INTEGER NOT NULL,
    cost REAL NOT NULL,
    relevance REAL NOT NULL,
    consistency REAL NOT NULL,
    novelty REAL NOT NULL,
    grounding REAL NOT NULL,
    total REAL NOT NULL,
    advantage REAL NOT NULL,
    survival REAL NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (run_id, persona_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcome_of_persona ON outcome (persona_id, number);
"""
# Version 2: whether an answer was a refusal, the committee's lift, and what is learned from both.
_SECOND = """
ALTER TABLE outcome ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
CREATE TABLE question (
    number INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    experts INTEGER NOT NULL,
    lift REAL NOT NULL
) STRICT;
CREATE TABLE gauge (
    persona_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (persona_id, topic)
) STRICT, WITHOUT ROWID;
CREATE TABLE dial (
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcome_by_number ON outcome (number);
"""


class ForeignError(Exception):
    """The file is a database, but not a ledger."""


def connect(path: Path) -> apsw.Connection:
    """Return the open database, made if missing. Raises apsw.Error, ForeignError, WorkspaceError."""
    if not path.exists():
        _create(path)
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW
    connection = apsw.Connection(os.path.realpath(path), flags=flags)
    try:
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        if connection.readonly("main"):
            raise apsw.ReadOnlyError("the file is read-only")
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    """Make an empty file that only its owner can read, before SQLite could make an open one."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise WorkspaceError(
            f"{path.name} cannot be created: {error.strerror}", "check the folder's permissions"
        ) from error


def _prepare(connection: apsw.Connection, path: Path) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    mark = _one(connection, "PRAGMA application_id")
    if mark == APPLICATION_ID:
        version = _one(connection, "PRAGMA user_version")
        if version > VERSION:
            raise WorkspaceError(f"{path.name} was written by a newer version", "upgrade persona-moe")
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise apsw.CorruptError("the database is damaged")
        if version < VERSION:
            _begin(connection)
    else:
        _begin(connection)
    connection.execute("PRAGMA journal_mode = WAL")


def _begin(connection: apsw.Connection) -> None:
    """Turn an empty database, or a ledger of version 1, into a ledger, unless another process just did."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _one(connection, "PRAGMA application_id") == 0:
            if _one(connection, "SELECT count(*) FROM sqlite_schema"):
                raise ForeignError("it is another program's database")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        elif _one(connection, "PRAGMA application_id") != APPLICATION_ID:
            raise ForeignError("it is another program's database")
        if _one(connection, "PRAGMA user_version") < VERSION:
            connection.execute(_SECOND)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _one(connection: apsw.Connection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def put_aside(path: Path) -> Path:
    """Rename the file to the first free ``NAME.damaged-N`` and return that."""
    for number in range(1, 1_000):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        try:
            os.link(path, aside, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise WorkspaceError(
                f"{path.name} is damaged and cannot be put aside: {error.strerror}", f"move {path.name} away"
            ) from error
        path.unlink()
        for suffix in ("-wal", "-shm"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + suffix))
        return aside
    raise WorkspaceError(f"{path.name} is damaged, as are 999 copies of it", "move them to another folder")


@contextlib.contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn what SQLite raises meanwhile into the product's errors."""
    try:
        yield
    except apsw.Error as error:
        raise failure(path, error) from error


def failure(path: Path, error: apsw.Error) -> WorkspaceError:
    """Return the error that says what is wrong with the file, and the mend."""
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return WorkspaceBusyError(f"{path.name} is held by another process", "try again in a moment")
    if isinstance(error, apsw.ReadOnlyError | apsw.CantOpenError | apsw.PermissionsError):
        return WorkspaceError(
            f"{path.name} cannot be opened for writing", "check its permissions and its folder's"
        )
    if isinstance(error, apsw.FullError):
        return WorkspaceError(
            f"{path.name} could not be written: the disk is full", "free some space and ask again"
        )
    return WorkspaceError(f"{path.name} cannot be used: {error}", "move it away; a fresh one will be begun")
