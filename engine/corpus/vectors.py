"""Vectors of passages, kept in the corpus file beside the passages they belong to.

They hang on the passage by a trigger: whatever removes or replaces a passage takes its vector with it.
A file holds the vectors of one embedder only.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from engine.corpus.sqlite_file import SqliteFile
from engine.ids import canonical, digest

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    passage INTEGER NOT NULL, part INTEGER NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (passage, part)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS vectors_go_with_passages AFTER DELETE ON passages
BEGIN DELETE FROM vectors WHERE passage = old.passage; END;
"""


class EmbedderRef(msgspec.Struct, frozen=True, kw_only=True):
    """What made vectors: equal digests mean equal vectors for equal texts."""

    name: str
    digest: str
    dims: int


class Unembedded(msgspec.Struct, frozen=True):
    """A passage without vectors."""

    row: int
    title: str
    text: str


class Vectors(msgspec.Struct, frozen=True):
    """All vectors of an index: for each the row of its passage, and its bytes.

    Those of a passage stand together. ``digest`` covers passages and vectors, and no order of arrival
    changes it.
    """

    rows: list[int]
    packed: list[bytes]
    digest: str


class VectorTable:
    """The vectors in an open corpus file; one that never held any has no table for them."""

    def __init__(self, file: SqliteFile) -> None:
        self._file, self._db = file, file.db

    def embedder(self) -> EmbedderRef | None:
        """Return what made the vectors here, None where there are none."""
        with self._file.guard():
            held = self._db.execute("SELECT value FROM meta WHERE key='embedder'").get
        return None if held is None else msgspec.json.decode(held, type=EmbedderRef)

    def begin(self, ref: EmbedderRef) -> None:
        """Make room for vectors of ``ref``, and keep its name with them."""
        with self._writing():
            self._db.execute(_SCHEMA)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('embedder', ?)", (canonical(ref).decode(),))

    def put(self, vectors: Sequence[tuple[int, Sequence[bytes]]]) -> None:
        """Keep the packed vectors of each row, all or none."""
        with self._writing():
            self._db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [(row, part, data) for row, parts in vectors for part, data in enumerate(parts)],
            )

    def drop(self) -> None:
        """Remove all vectors, as if there had never been any."""
        with self._writing():
            self._db.execute("DROP TRIGGER IF EXISTS vectors_go_with_passages; DROP TABLE IF EXISTS vectors")
            self._db.execute("DELETE FROM meta WHERE key='embedder'")

    def missing(self) -> int:
        """Return how many passages have no vector yet."""
        with self._file.guard():
            sql = "SELECT (SELECT count(*) FROM passages) - (SELECT count(DISTINCT passage) FROM vectors)"
            return int(self._db.execute(sql).get)

    def unembedded(self, most: int) -> list[Unembedded]:
        """Return up to ``most`` passages without a vector, in the order of their rows."""
        sql = (
            "SELECT passage, title, text FROM passages p"
            " WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.passage = p.passage) ORDER BY passage LIMIT ?"
        )
        with self._file.guard():
            return [Unembedded(*row) for row in self._db.execute(sql, (most,))]

    def all(self) -> Vectors:
        """Return every vector."""
        sql = (
            "SELECT v.passage, v.vector, p.id FROM vectors v JOIN passages p USING (passage)"
            " ORDER BY p.id, v.part"
        )
        with self._file.guard():
            found = list(self._db.execute(sql))
        packed = [row[1] for row in found]
        made = digest("vectors.v1", *(row[2] for row in found), *packed)
        return Vectors([row[0] for row in found], packed, made)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._file.guard():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
