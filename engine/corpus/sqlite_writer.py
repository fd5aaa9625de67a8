"""Passages on their way into the corpus file, many at once, and out of it again, exactly."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat

import apsw
import msgspec

from engine.corpus.features import STOPPED, Analysis, Features, pack
from engine.corpus.records import Passage
from engine.ids import canonical

_TOKENS_BUFFERED = 250_000
_STRINGS_REMEMBERED = 100_000


class _Pending(msgspec.Struct, frozen=True):
    document: int
    ordinal: int
    passage: Passage
    analysis: Analysis


class PassageWriter:
    """Buffers analysed passages and writes them table by table. Use it within one transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._pending: list[_Pending] = []
        self._tokens = 0
        self._words: dict[str, int] = {STOPPED: 0}
        self._names: dict[str, int] = {STOPPED: 0}

    def forget(self) -> None:
        """Drop what is buffered, and ids handed out since: the transaction was rolled back."""
        self._pending.clear()
        self._tokens = 0
        self._words = {STOPPED: 0}
        self._names = {STOPPED: 0}

    def put(self, document: int, ordinal: int, passage: Passage, analysis: Analysis) -> None:
        """Add a passage; it is written at once or with a later :meth:`flush`."""
        self._pending.append(_Pending(document, ordinal, passage, analysis))
        self._tokens += len(analysis.tokens)
        if self._tokens > _TOKENS_BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        if not self._pending:
            return
        pending, self._pending, self._tokens = self._pending, [], 0
        analyses = [each.analysis for each in pending]
        self._number("words", "word", self._words, (text for a in analyses for text in _word_texts(a)))
        self._number("names", "name", self._names, (text for a in analyses for text in _name_texts(a)))
        first: int = self._db.execute("SELECT coalesce(max(passage), 0) + 1 FROM passages").get
        self._db.executemany(
            "INSERT INTO passages VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [_passage_row(row, each) for row, each in enumerate(pending, first)],
        )
        postings: list[tuple[int, int, int, int, int, int]] = []
        self._db.executemany(
            "INSERT INTO features VALUES (?,?,?,?,?,?,?,?,?,?)",
            [self._features_row(row, each, postings) for row, each in enumerate(pending, first)],
        )
        postings.sort()
        self._db.executemany("INSERT INTO postings VALUES (?,?,?,?,?,?)", postings)
        self._count_words(Counter(word for word, *_ in postings))
        names = self._names
        numbered = list(enumerate(analyses, first))
        homes = {(names[home.key], row, home.kind) for row, a in numbered for home in a.homes}
        mentions = {(names[mention.key], row) for row, a in numbered for mention in a.mentions}
        self._db.executemany("INSERT INTO homes VALUES (?,?,?)", sorted(homes))
        self._db.executemany("INSERT INTO mentions VALUES (?,?)", sorted(mentions))

    def _features_row(
        self, row: int, each: _Pending, postings: list[tuple[int, int, int, int, int, int]]
    ) -> tuple[object, ...]:
        """The features of a passage as kept; its postings are added to ``postings``."""
        a, words, names = each.analysis, self._words, self._names
        title, title_marks = [words[t] for t in a.title_tokens], [words[t] for t in a.title_marks]
        body, marks = [words[t] for t in a.tokens], [words[t] for t in a.marks]
        wholes = [words[whole.term] for whole in a.wholes]
        in_title, in_body = Counter(title), Counter(body)
        in_title.update(title_marks)
        in_body.update(wholes)
        in_body.update(marks)
        lengths = len(title), len(body)
        postings.extend(
            (word, row, in_title[word], in_body[word], *lengths)
            for word in in_title.keys() | in_body.keys()
            if word
        )
        return (
            row,
            each.passage.passage_id,
            names[a.family],
            pack(title),
            pack(title_marks),
            pack(body),
            pack([n for whole, word in zip(a.wholes, wholes, strict=True) for n in (whole.position, word)]),
            pack(marks),
            pack([n for sentence in a.sentences for n in sentence]),
            pack([n for m in a.mentions for n in (names[m.key], m.sentence, m.first, m.last)]),
        )

    def remove(self, rows: Sequence[int], known: Sequence[Features]) -> None:
        """Subtract what :meth:`put` added for these rows, whose features are ``known``."""
        for row, features in zip(rows, known, strict=True):
            words = features.words.union(features.title_marks, features.marks)
            words = words.union(word for _, word in features.wholes) - {0}
            keys = zip(sorted(words), repeat(row))
            self._db.executemany("DELETE FROM postings WHERE word=? AND passage=?", keys)
            self._count_words(dict.fromkeys(words, -1))
            names = {name for name, *_ in features.mentions}
            self._db.executemany(
                "DELETE FROM mentions WHERE name=? AND passage=?", zip(sorted(names), repeat(row))
            )
        for table in ("homes", "features", "passages"):
            delete = f"DELETE FROM {table} WHERE passage=?"  # noqa: S608 - own names
            self._db.executemany(delete, [(row,) for row in rows])

    def _count_words(self, changes: Mapping[int, int]) -> None:
        self._db.executemany("UPDATE words SET passages=passages+?2 WHERE word=?1", sorted(changes.items()))

    def _number(self, table: str, column: str, known: dict[str, int], texts: Iterable[str]) -> None:
        """See to it that ``known`` has the id of each of these texts; new ones get the next ids."""
        wanted = dict.fromkeys(texts)
        if len(known) > _STRINGS_REMEMBERED:
            known.clear()
            known[STOPPED] = 0
        missing = [text for text in wanted if text not in known]
        select = f"SELECT text, {column} FROM {table} WHERE text IN (SELECT value FROM json_each(?))"  # noqa: S608
        known.update(self._db.execute(select, (canonical(missing).decode(),)))
        new = [text for text in missing if text not in known]
        last: int = self._db.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").get  # noqa: S608
        numbered = list(zip(new, range(last + 1, last + 1 + len(new)), strict=True))
        insert = f"INSERT INTO {table} (text, {column}) VALUES (?,?)"  # noqa: S608
        self._db.executemany(insert, sorted(numbered))
        known.update(numbered)


def _word_texts(a: Analysis) -> Iterable[str]:
    return (*a.title_tokens, *a.title_marks, *a.tokens, *(whole.term for whole in a.wholes), *a.marks)


def _name_texts(a: Analysis) -> Iterable[str]:
    return (a.family, *(mention.key for mention in a.mentions), *(home.key for home in a.homes))


def _passage_row(row: int, each: _Pending) -> tuple[object, ...]:
    passage = each.passage
    return (
        row,
        passage.passage_id,
        passage.evidence_id,
        each.document,
        each.ordinal,
        passage.title,
        canonical(passage.section).decode(),
        passage.start,
        passage.end,
        passage.unit,
        canonical(passage.names).decode(),
        passage.text,
    )
