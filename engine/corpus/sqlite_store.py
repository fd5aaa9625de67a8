"""The corpus in one SQLite file: postings, names and passages, each added and subtracted exactly.

Own postings tables rather than FTS5: the walk needs every question word's contribution to every
passage by itself (what is *left* of the question after a hop decides where to go next), and FTS5
hands out only the sum. ``docs/retrieval.md`` has the measurement.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, cast

import apsw
import msgspec

from engine.corpus.analysis import ANALYSIS_VERSION, analyse
from engine.corpus.features import STOPPED, Analysis, CorpusSize, Features, Posting, pack
from engine.corpus.records import Name, ParsedDocument, Passage, SourceState
from engine.errors import CorpusError, WorkspaceBusyError, WorkspaceError
from engine.ids import canonical, digest

SCHEMA_VERSION = 2
BUSY_MILLISECONDS = 2_000
_POSTINGS_BUFFERED = 200_000
_STRINGS_REMEMBERED = 100_000
_MODULUS = 1 << 128


class SqliteStore:
    """A corpus store kept at ``path``, or in memory for ``":memory:"``.

    ``read_only`` opens what is there and changes nothing. Raises CorpusError if the file is not an
    index or was written by another version, WorkspaceBusyError if another process is writing,
    WorkspaceError if the file cannot be opened.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._path = str(path)
        self._read_only = read_only
        with self._guard():
            self._db = self._connect()
            self._prepare()
        self._postings: list[tuple[int, int, int, int, int, int]] = []
        self._word_changes: Counter[int] = Counter()
        self._change = [0, 0, 0, 0]
        self._word_ids: dict[str, int] = {STOPPED: 0}
        self._name_ids: dict[str, int] = {STOPPED: 0}

    # -- opening ---------------------------------------------------------------------------------
    def _connect(self) -> apsw.Connection:
        if self._path == ":memory:":
            return apsw.Connection(":memory:")
        folder = os.path.dirname(self._path)
        if self._read_only:
            # Without write access to the folder SQLite cannot share a WAL index, so it is told that
            # the file will not change.
            immutable = "" if os.access(folder, os.W_OK) else "?immutable=1"
            uri = Path(self._path).absolute().as_uri() + immutable
            return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        if not os.path.exists(self._path):
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        return apsw.Connection(self._path)

    def _prepare(self) -> None:
        self._db.set_busy_timeout(BUSY_MILLISECONDS)
        if not self._read_only:
            self._db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY")
        self._db.execute("PRAGMA cache_size=-65536")
        found = self._db.execute("PRAGMA user_version").get
        if found == 0 and not self._read_only:
            with self._db:
                if self._db.execute("PRAGMA user_version").get == 0:
                    if self._db.execute("SELECT count(*) FROM sqlite_master").get:
                        raise self._foreign("it holds something else")
                    self._db.execute(resources.files("engine.corpus").joinpath("schema.sql").read_text())
                    rows: list[tuple[str, str | int]] = [
                        ("analysis", ANALYSIS_VERSION),
                        ("fingerprint", "0" * 32),
                    ]
                    rows += [("passages", 0), ("title_tokens", 0), ("body_tokens", 0)]
                    self._db.executemany("INSERT INTO meta VALUES (?, ?)", rows)
                    self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        elif found not in (0, SCHEMA_VERSION):
            raise self._foreign(f"it has format {found}, this program reads {SCHEMA_VERSION}")
        if (found or not self._read_only) and self._meta("analysis") != ANALYSIS_VERSION:
            raise self._foreign("it was made by another version of the text analysis")

    def _foreign(self, why: str) -> CorpusError:
        mend = f"move {self._path} away and run 'persona-moe index' again"
        return CorpusError(f"the index cannot be used: {why}", mend)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except apsw.BusyError as error:
            raise WorkspaceBusyError(
                "another process is writing to the index", "wait until it is done, then try again"
            ) from error
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise self._foreign("it is damaged") from error
        except (apsw.ReadOnlyError, apsw.PermissionsError, apsw.CantOpenError) as error:
            raise WorkspaceError(
                f"the index at {self._path} cannot be opened or written: {error}",
                "check the folder's permissions",
            ) from error
        except (apsw.FullError, apsw.IOError) as error:
            raise WorkspaceError(
                f"the index at {self._path} could not be saved: {error}", "free some disk space and try again"
            ) from error

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    # -- writing ---------------------------------------------------------------------------------
    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Return a context in which all writes happen, or, after an exception, none."""
        with self._guard():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._flush()
                self._flush_counts()
                self._db.execute("COMMIT")
            except BaseException:
                # Ids handed out inside are gone with the rollback.
                self._postings.clear()
                self._word_changes.clear()
                self._change = [0, 0, 0, 0]
                self._word_ids = {STOPPED: 0}
                self._name_ids = {STOPPED: 0}
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def put_document(self, document: ParsedDocument) -> None:
        """Add ``document``, in place of the one of that name if there is one."""
        self.remove_document(document.name)
        fingerprint = digest("document.v1", canonical(document.name), canonical(document.passages))
        row = self._insert(
            "INSERT INTO documents (name, source, kind, title, content, fingerprint) VALUES (?,?,?,?,?,?)",
            (document.name, document.source, document.kind, document.title, document.digest, fingerprint),
        )
        lengths = [0, 0]
        for ordinal, passage in enumerate(document.passages):
            analysis = analyse(passage)
            self._put_passage(row, ordinal, passage, analysis)
            lengths[0] += len(analysis.title_tokens)
            lengths[1] += len(analysis.tokens)
        self._count(fingerprint, 1, len(document.passages), *lengths)
        if len(self._postings) > _POSTINGS_BUFFERED:
            self._flush()

    def _put_passage(self, document: int, ordinal: int, passage: Passage, analysis: Analysis) -> None:
        row = self._insert(
            "INSERT INTO passages (id, evidence, document, ordinal, title, section, first, last, unit, names,"
            " text) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                passage.passage_id,
                passage.evidence_id,
                document,
                ordinal,
                passage.title,
                canonical(passage.section).decode(),
                passage.start,
                passage.end,
                passage.unit,
                canonical(passage.names).decode(),
                passage.text,
            ),
        )
        a = analysis
        word = self._string_ids(
            {*a.title_tokens, *a.title_marks, *a.tokens, *(w.term for w in a.wholes), *a.marks},
            self._word_ids,
            "words",
            "word",
        )
        name = self._string_ids(
            {a.family, *(m.key for m in a.mentions), *(h.key for h in a.homes)},
            self._name_ids,
            "names",
            "name",
        )
        title, title_marks = [word[t] for t in a.title_tokens], [word[t] for t in a.title_marks]
        body, marks = [word[t] for t in a.tokens], [word[t] for t in a.marks]
        wholes = [(w.position, word[w.term]) for w in a.wholes]
        mentions = [(name[m.key], m.sentence, m.first, m.last) for m in a.mentions]
        in_title = Counter(title)
        in_title.update(title_marks)
        in_body = Counter(body)
        in_body.update(w for _, w in wholes)
        in_body.update(marks)
        words = (in_title.keys() | in_body.keys()) - {0}
        lengths = len(title), len(body)
        self._postings.extend((w, row, in_title[w], in_body[w], *lengths) for w in words)
        self._word_changes.update(words)
        self._db.execute(
            "INSERT INTO features VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                row,
                passage.passage_id,
                name[a.family],
                pack(title),
                pack(title_marks),
                pack(body),
                pack(n for pair in wholes for n in pair),
                pack(marks),
                pack(n for sentence in a.sentences for n in sentence),
                pack(n for mention in mentions for n in mention),
            ),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO homes VALUES (?,?,?)",
            [(name[home.key], row, home.kind) for home in analysis.homes],
        )
        self._db.executemany(
            "INSERT INTO mentions VALUES (?,?)", [(n, row) for n in sorted({m[0] for m in mentions})]
        )

    def remove_document(self, name: str) -> None:
        """Subtract exactly what adding the document added; unknown names are no error."""
        found = self._db.execute(
            "SELECT document, fingerprint FROM documents WHERE name=?", (name,)
        ).fetchone()
        if found is None:
            return
        self._flush()
        document, fingerprint = found
        rows = [
            row for (row,) in self._db.execute("SELECT passage FROM passages WHERE document=?", (document,))
        ]
        lengths = [0, 0]
        for row, features in zip(rows, self.features(rows), strict=True):
            words = {*features.title_tokens, *features.title_marks, *features.tokens, *features.marks}
            words.update(word for _, word in features.wholes)
            words.discard(0)
            self._db.executemany("DELETE FROM postings WHERE word=? AND passage=?", [(w, row) for w in words])
            self._word_changes.subtract(words)
            names = {name for name, *_ in features.mentions}
            self._db.executemany("DELETE FROM mentions WHERE name=? AND passage=?", [(n, row) for n in names])
            lengths[0] += len(features.title_tokens)
            lengths[1] += len(features.tokens)
        keys = [(row,) for row in rows]
        for table in ("homes", "features", "passages"):
            self._db.executemany(f"DELETE FROM {table} WHERE passage=?", keys)  # noqa: S608 - own names
        self._db.execute("DELETE FROM documents WHERE document=?", (document,))
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
        total = (int(str(self._meta("fingerprint")), 16) + fingerprint) % _MODULUS
        self._db.execute("UPDATE meta SET value=? WHERE key='fingerprint'", (f"{total:032x}",))
        for key, change in zip(("passages", "title_tokens", "body_tokens"), counts, strict=True):
            self._db.execute("UPDATE meta SET value=value+? WHERE key=?", (change, key))
        self._change = [0, 0, 0, 0]

    def _insert(self, sql: str, values: tuple[Any, ...]) -> int:
        self._db.execute(sql, values)
        return self._db.last_insert_rowid()

    def _flush(self) -> None:
        self._postings.sort()
        self._db.executemany("INSERT INTO postings VALUES (?,?,?,?,?,?)", self._postings)
        self._postings.clear()
        changes = sorted((word, change) for word, change in self._word_changes.items() if change)
        self._db.executemany("UPDATE words SET passages=passages+?2 WHERE word=?1", changes)
        self._word_changes.clear()

    def _string_ids(self, texts: set[str], known: dict[str, int], table: str, column: str) -> dict[str, int]:
        new = sorted(text for text in texts if text not in known)
        if new:
            if len(known) > _STRINGS_REMEMBERED:
                known.clear()
                known.update({STOPPED: 0})
                new = sorted(texts - {STOPPED})
            insert = f"INSERT INTO {table} (text) VALUES (?) ON CONFLICT DO NOTHING"  # noqa: S608 - own names
            self._db.executemany(insert, [(text,) for text in new])
            known.update(self._ids(new, table, column))
        return known

    # -- reading ---------------------------------------------------------------------------------
    def _meta(self, key: str) -> str | int:
        value: str | int = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).get
        return value

    def _empty(self) -> bool:
        """True for a file that was opened read-only before anything was ever indexed."""
        return self._read_only and self._db.execute("PRAGMA user_version").get == 0

    def sources(self) -> dict[str, SourceState]:
        """Return the files indexed so far, by name."""
        with self._guard():
            rows = self._db.execute(
                "SELECT name, path, size, mtime_ns, digest, documents FROM sources ORDER BY name"
            )
            fields = SourceState.__struct_fields__
            return {row[0]: SourceState(**dict(zip(fields, row, strict=True))) for row in rows}

    def document_digests(self, source: str) -> dict[str, str]:
        """Return name -> content digest of the documents of one source."""
        with self._guard():
            return dict(
                self._db.execute(
                    "SELECT name, content FROM documents WHERE source=? ORDER BY name", (source,)
                )
            )

    def digest(self) -> str:
        """Return the digest of all content: equal for equal documents, in whatever order they came."""
        with self._guard():
            return digest("corpus.v1", ANALYSIS_VERSION, str(self._meta("fingerprint")))

    def size(self) -> CorpusSize:
        """Return the number of passages and the mean lengths of title and body."""
        with self._guard():
            passages, title, body = (int(self._meta(k)) for k in ("passages", "title_tokens", "body_tokens"))
            count = max(1, passages)
            return CorpusSize(passages, max(title / count, 1.0), max(body / count, 1.0))

    def passages(self, ids: Iterable[str]) -> list[Passage]:
        """Return the passages of these ids, in the order asked; unknown ids are left out."""
        wanted = list(ids)
        with self._guard():
            sql = (
                "SELECT p.id, d.name, evidence, p.title, section, first, last, unit, text, names"
                " FROM passages p JOIN documents d USING (document)"
                " WHERE p.id IN (SELECT value FROM json_each(?))"
            )
            found = {row[0]: _passage(row) for row in self._db.execute(sql, (canonical(wanted).decode(),))}
        return [found[i] for i in wanted if i in found]

    def word_ids(self, terms: Iterable[str]) -> dict[str, int]:
        """Return term -> word id of those terms that occur, or did before they were removed."""
        return self._ids(terms, "words", "word")

    def name_ids(self, keys: Iterable[str]) -> dict[str, int]:
        """Return name key -> name id of those names that occur, or did before they were removed."""
        return self._ids(keys, "names", "name")

    def names(self, ids: Iterable[int]) -> dict[int, str]:
        """Return name id -> name key."""
        with self._guard():
            sql = "SELECT name, text FROM names WHERE name IN (SELECT value FROM json_each(?))"
            return dict(self._db.execute(sql, (_listed(ids),)))

    def _ids(self, texts: Iterable[str], table: str, column: str) -> dict[str, int]:
        with self._guard():
            sql = f"SELECT text, {column} FROM {table} WHERE text IN (SELECT value FROM json_each(?))"  # noqa: S608
            return dict(self._db.execute(sql, (canonical(list(texts)).decode(),)))

    def postings(self, word: int) -> list[Posting]:
        """Return where a word stands, by row, as tuples of Posting's fields."""
        with self._guard():
            sql = "SELECT passage, in_title, in_body, title_length, body_length FROM postings WHERE word=?"
            # Plain tuples: a question reads thousands, and naming their fields would double the cost.
            return cast("list[Posting]", self._db.execute(sql, (word,)).fetchall())

    def frequency(self, word: int) -> int:
        """Return the number of passages that hold the word."""
        return self.frequencies([word]).get(word, 0)

    def frequencies(self, words: Sequence[int]) -> dict[int, int]:
        """Return word -> the number of passages that hold it, for words that any holds."""
        with self._guard():
            sql = "SELECT word, passages FROM words WHERE word IN (SELECT value FROM json_each(?)) AND passages"
            return dict(self._db.execute(sql, (_listed(words),)))

    def features(self, rows: Sequence[int]) -> list[Features]:
        """Return what analysis found in the passages of these rows, in the order asked."""
        with self._guard():
            sql = "SELECT * FROM features WHERE passage IN (SELECT value FROM json_each(?))"
            found = {row[0]: row for row in self._db.execute(sql, (_listed(rows),))}
        return [Features(found[row][1], found[row][2], found[row][3:]) for row in rows]

    def homes(self, names: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
        """Return name -> (row, kind) of the passages that are home to it, for names that have one."""
        found: dict[int, list[tuple[int, str]]] = {}
        with self._guard():
            sql = "SELECT name, passage, kind FROM homes WHERE name IN (SELECT value FROM json_each(?))"
            for name, row, kind in self._db.execute(sql, (_listed(names),)):
                found.setdefault(name, []).append((row, kind))
        return found

    def mentioning(self, names: Sequence[int], most: int) -> dict[int, tuple[int, list[int]]]:
        """Return name -> (number of passages that mention it, their rows), for names that any mentions.

        The rows are left out where more than ``most`` passages mention the name.
        """
        with self._guard():
            sql = (
                "SELECT name, count(*), CASE WHEN count(*) <= ? THEN group_concat(passage) END FROM mentions"
                " WHERE name IN (SELECT value FROM json_each(?)) GROUP BY name"
            )
            found = self._db.execute(sql, (most, _listed(names))).fetchall()
        return {name: (count, [*map(int, rows.split(","))] if rows else []) for name, count, rows in found}

    def families(self, families: Sequence[int], most: int) -> dict[int, list[int]]:
        """Return family -> its rows, for families of at least two and at most ``most`` passages."""
        with self._guard():
            sql = (
                "SELECT family, group_concat(passage) FROM features"
                " WHERE family IN (SELECT value FROM json_each(?)) GROUP BY family HAVING count(*) BETWEEN 2 AND ?"
            )
            found = self._db.execute(sql, (_listed(families), most)).fetchall()
        return {family: [*map(int, rows.split(","))] for family, rows in found}

    def ids_of(self, rows: Sequence[int]) -> list[str]:
        """Return the passage ids of these rows, in the order asked."""
        with self._guard():
            sql = "SELECT passage, id FROM features WHERE passage IN (SELECT value FROM json_each(?))"
            found = dict(self._db.execute(sql, (_listed(rows),)))
        return [found[row] for row in rows]


def _listed(numbers: Iterable[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"


def _passage(row: tuple[Any, ...]) -> Passage:
    pid, document, evidence, title, section, start, end, unit, text, names = row
    return Passage(
        passage_id=pid,
        document=document,
        evidence_id=evidence,
        title=title,
        section=tuple(msgspec.json.decode(section, type=list[str])),
        start=start,
        end=end,
        unit=unit,
        text=text,
        names=tuple(msgspec.json.decode(names, type=list[Name])),
    )
