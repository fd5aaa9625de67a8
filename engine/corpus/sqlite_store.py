"""The corpus in one SQLite file: postings, names and passages, each added and subtracted exactly.

Own postings tables rather than FTS5: the walk needs every question word's contribution to every
passage by itself (what is *left* of the question after a hop decides where to go next), and FTS5
hands out only the sum. ``docs/retrieval.md`` has the measurement.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine.corpus.analysis import ANALYSIS_VERSION, analyse
from engine.corpus.features import CorpusSize, Features, Postings
from engine.corpus.records import Name, ParsedDocument, Passage, SourceState
from engine.corpus.runs import PackedRuns
from engine.corpus.sqlite_file import SqliteFile
from engine.corpus.sqlite_writer import PassageWriter
from engine.corpus.vectors import VectorTable
from engine.ids import canonical, digest

_MODULUS = 1 << 128
_sections = msgspec.json.Decoder(tuple[str, ...]).decode
_names = msgspec.json.Decoder(tuple[Name, ...]).decode


class SqliteStore:
    """A corpus store kept at ``path``, or in memory for ``":memory:"``.

    ``read_only`` opens what is there and changes nothing. Raises CorpusError if the file is not an
    index or was written by another version, WorkspaceBusyError if another process is writing,
    WorkspaceError if the file cannot be opened.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._file = SqliteFile(path, read_only=read_only)
        self._db = self._file.db
        self._writer = PassageWriter(self._db)
        self.vectors = VectorTable(self._file)
        self._postings = PackedRuns(self._db, "postings", len(Postings._fields))
        self._mentions = PackedRuns(self._db, "mentions", 1)
        # What the transaction adds to the fingerprint, the passages, and the tokens of titles and bodies.
        self._change = [0, 0, 0, 0]

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def require_whole(self) -> None:
        """Read all of the file. Raises CorpusError if it is damaged, WorkspaceError if it cannot be read."""
        self._file.require_whole()

    # -- writing ---------------------------------------------------------------------------------
    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Return a context in which all writes happen, or, after an exception, none.

        Reading sees what was written once the transaction is over.
        """
        with self._file.guard():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.flush()
                self._flush_counts()
                self._db.execute("COMMIT")
            except BaseException:
                self._writer.forget()
                self._change = [0, 0, 0, 0]
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def put_document(self, document: ParsedDocument) -> None:
        """Add ``document``, in place of the one of that name if there is one."""
        self.remove_document(document.name)
        fingerprint = digest("document.v1", canonical(document.name), canonical(document.passages))
        self._db.execute(
            "INSERT INTO documents (name, source, kind, title, content, fingerprint) VALUES (?,?,?,?,?,?)",
            (document.name, document.source, document.kind, document.title, document.digest, fingerprint),
        )
        row = self._db.last_insert_rowid()
        lengths = [0, 0]
        for ordinal, passage in enumerate(document.passages):
            analysis = analyse(passage)
            self._writer.put(row, ordinal, passage, analysis)
            lengths[0] += len(analysis.title_tokens)
            lengths[1] += len(analysis.tokens)
        self._count(fingerprint, 1, len(document.passages), *lengths)

    def remove_document(self, name: str) -> None:
        """Subtract exactly what adding the document added; unknown names are no error."""
        found = self._db.execute(
            "SELECT document, fingerprint FROM documents WHERE name=?", (name,)
        ).fetchone()
        if found is None:
            return
        self._writer.flush()
        document, fingerprint = found
        rows = [
            row for (row,) in self._db.execute("SELECT passage FROM passages WHERE document=?", (document,))
        ]
        features = self.features(rows)
        self._writer.remove(rows, features)
        self._db.execute("DELETE FROM documents WHERE document=?", (document,))
        lengths = (sum(len(f.title_tokens) for f in features), sum(f.length for f in features))
        self._count(fingerprint, -1, len(rows), *lengths)

    def put_source(self, state: SourceState) -> None:
        """Record the file that documents came from."""
        self._db.execute(
            "INSERT OR REPLACE INTO sources VALUES (?,?,?,?,?,?)",
            (state.name, state.path, state.size, state.mtime_ns, state.digest, state.documents),
        )

    def remove_source(self, name: str) -> None:
        """Forget the file and subtract its documents."""
        for document in self.document_digests(name):
            self.remove_document(document)
        self._db.execute("DELETE FROM sources WHERE name=?", (name,))

    def _count(self, fingerprint: str, sign: int, passages: int, title: int, body: int) -> None:
        # A sum of digests: what comes and what goes cancel exactly, in any order.
        for i, amount in enumerate((int(fingerprint, 16), passages, title, body)):
            self._change[i] += sign * amount

    def _flush_counts(self) -> None:
        fingerprint, *counts = self._change
        total = (int(str(self._file.meta("fingerprint")), 16) + fingerprint) % _MODULUS
        self._db.execute("UPDATE meta SET value=? WHERE key='fingerprint'", (f"{total:032x}",))
        for key, change in zip(("passages", "title_tokens", "body_tokens"), counts, strict=True):
            self._db.execute("UPDATE meta SET value=value+? WHERE key=?", (change, key))
        self._change = [0, 0, 0, 0]

    # -- reading ---------------------------------------------------------------------------------
    def sources(self) -> dict[str, SourceState]:
        """Return the files indexed so far, by name."""
        with self._file.guard():
            rows = self._db.execute(
                "SELECT name, path, size, mtime_ns, digest, documents FROM sources ORDER BY name"
            )
            fields = SourceState.__struct_fields__
            return {row[0]: SourceState(**dict(zip(fields, row, strict=True))) for row in rows}

    def document_digests(self, source: str) -> dict[str, str]:
        """Return name -> content digest of the documents of one source."""
        with self._file.guard():
            return dict(
                self._db.execute(
                    "SELECT name, content FROM documents WHERE source=? ORDER BY name", (source,)
                )
            )

    def digest(self) -> str:
        """Return the digest of all content: equal for equal documents, in whatever order they came."""
        with self._file.guard():
            return digest("corpus.v1", ANALYSIS_VERSION, str(self._file.meta("fingerprint")))

    def size(self) -> CorpusSize:
        """Return the number of passages and the mean lengths of title and body."""
        with self._file.guard():
            sql = (
                "SELECT value FROM meta WHERE key IN ('body_tokens', 'passages', 'title_tokens') ORDER BY key"
            )
            body, passages, title = (int(value) for (value,) in self._db.execute(sql))
            count = max(1, passages)
            return CorpusSize(passages, max(title / count, 1.0), max(body / count, 1.0))

    def passages(self, ids: Iterable[str]) -> list[Passage]:
        """Return the passages of these ids, in the order asked; unknown ids are left out."""
        wanted = list(ids)
        with self._file.guard():
            sql = (
                "SELECT p.id, d.name, evidence, p.title, section, first, last, unit, text, names"
                " FROM json_each(?) wanted CROSS JOIN passages p ON p.id = value"
                " JOIN documents d USING (document)"
            )
            found = {row[0]: _passage(row) for row in self._db.execute(sql, (_quoted(wanted),))}
        return [found[i] for i in wanted if i in found]

    def word_ids(self, terms: Iterable[str]) -> dict[str, int]:
        """Return term -> word id of those terms that occur, or did before they were removed."""
        return self._ids(terms, "words", "word")

    def name_ids(self, keys: Iterable[str]) -> dict[str, int]:
        """Return name key -> name id of those names that occur, or did before they were removed."""
        return self._ids(keys, "names", "name")

    def words_from(self, start: str, shortest: int, longest: int) -> dict[str, int]:
        """Return word -> passages that hold it, of the words of these lengths that begin so."""
        with self._file.guard():
            sql = (
                "SELECT text, passages FROM words WHERE text >= ? AND text < ? AND passages"
                " AND length(text) BETWEEN ? AND ?"
            )
            return dict(self._db.execute(sql, (*_beginning(start), shortest, longest)))

    def names_from(self, start: str, within: str = "") -> dict[str, int]:
        """Return key -> passages that mention it, of names at home that begin so and hold ``within``."""
        with self._file.guard():
            sql = "SELECT text, passages FROM names WHERE text >= ? AND text < ? AND homes AND instr(text, ?)"
            return dict(self._db.execute(sql, (*_beginning(start), within)))

    def leading_names(self, ids: Iterable[int]) -> list[tuple[int, str, int, int]]:
        """Return (name, key, passages that mention it, homes) of the names that lead anywhere.

        Those are names that two passages mention, or that have a home.
        """
        with self._file.guard():
            sql = (
                "SELECT name, text, passages, homes FROM json_each(?) CROSS JOIN names ON name = value"
                " WHERE passages > 1 OR homes"
            )
            return _rows(self._db.execute(sql, (_listed(ids),)))

    def _ids(self, texts: Iterable[str], table: str, column: str) -> dict[str, int]:
        with self._file.guard():
            sql = f"SELECT text, {column} FROM json_each(?) CROSS JOIN {table} ON text = value"  # noqa: S608
            return dict(self._db.execute(sql, (_quoted(texts),)))

    def postings(self, words: Sequence[int]) -> dict[int, Postings]:
        """Return word -> where it stands, by row, for the words that stand anywhere."""
        with self._file.guard():
            runs = self._postings.read(words)
        width = len(Postings._fields)
        return {
            word: Postings(*(numbers[field::width] for field in range(width)))
            for word, numbers in runs.items()
        }

    def frequency(self, word: int) -> int:
        """Return the number of passages that hold the word."""
        return self.frequencies([word]).get(word, 0)

    def counts(self, terms: Iterable[str]) -> dict[str, int]:
        """Return term -> the number of passages that hold it, for terms that any holds."""
        with self._file.guard():
            sql = "SELECT text, passages FROM json_each(?) CROSS JOIN words ON text = value WHERE passages"
            return dict(self._db.execute(sql, (_quoted(terms),)))

    def frequencies(self, words: Sequence[int]) -> dict[int, int]:
        """Return word -> the number of passages that hold it, for words that any holds."""
        with self._file.guard():
            sql = "SELECT word, passages FROM json_each(?) CROSS JOIN words ON word = value WHERE passages"
            return dict(self._db.execute(sql, (_listed(words),)))

    def features(self, rows: Sequence[int]) -> list[Features]:
        """Return what analysis found in the passages of these rows, in the order asked."""
        with self._file.guard():
            sql = "SELECT features.* FROM json_each(?) CROSS JOIN features ON passage = value"
            found = {row[0]: row for row in self._db.execute(sql, (_listed(rows),))}
        return [Features(found[row][1], found[row][2], found[row][3:]) for row in rows]

    def homes(self, names: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
        """Return name -> (row, kind) of the passages that are home to it, for names that have one."""
        found: dict[int, list[tuple[int, str]]] = {}
        with self._file.guard():
            sql = "SELECT name, passage, kind FROM json_each(?) CROSS JOIN homes ON name = value"
            for name, row, kind in self._db.execute(sql, (_listed(names),)):
                found.setdefault(name, []).append((row, kind))
        return found

    def mentioning(self, names: Iterable[int]) -> dict[int, list[int]]:
        """Return name -> rows of the passages that mention it."""
        with self._file.guard():
            return {name: rows.tolist() for name, rows in self._mentions.read(names).items()}

    def families(self, families: Sequence[int], most: int) -> dict[int, list[int]]:
        """Return family -> its rows, for families of at least two and at most ``most`` passages."""
        with self._file.guard():
            sql = (
                "SELECT family, group_concat(passage) FROM features WHERE family IN"
                " (SELECT value FROM json_each(?)) GROUP BY family HAVING count(*) BETWEEN 2 AND ?"
            )
            found: list[tuple[int, str]] = _rows(self._db.execute(sql, (_listed(families), most)))
        return {family: [*map(int, rows.split(","))] for family, rows in found}

    def ids_of(self, rows: Sequence[int]) -> list[str]:
        """Return the passage ids of these rows, in the order asked."""
        with self._file.guard():
            sql = "SELECT passage, features.id FROM json_each(?) CROSS JOIN features ON passage = value"
            found = dict(self._db.execute(sql, (_listed(rows),)))
        return [found[row] for row in rows]


def _rows(cursor: Iterable[Any]) -> list[Any]:
    return list(cursor)


def _beginning(start: str) -> tuple[str, str]:
    # As SQLite compares text: by its bytes, which come in the order of code points.
    return start, start[:-1] + chr(ord(start[-1]) + 1)


def _listed(numbers: Iterable[int]) -> str:
    # Each once: a join gives a row for every time it is asked.
    return f"[{','.join(map(str, dict.fromkeys(numbers)))}]"


def _quoted(texts: Iterable[str]) -> str:
    return canonical([*dict.fromkeys(texts)]).decode()


def _passage(row: tuple[Any, ...]) -> Passage:
    pid, document, evidence, title, section, start, end, unit, text, names = row
    return Passage(
        passage_id=pid,
        document=document,
        evidence_id=evidence,
        title=title,
        section=_sections(section),
        start=start,
        end=end,
        unit=unit,
        text=text,
        names=_names(names),
    )
