"""Passages on their way into the corpus file, many at once, and out of it again, exactly."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

import apsw
import msgspec

from engine.corpus.features import STOPPED, Analysis, Features, Mention, Postings, pack, pack_places
from engine.corpus.records import Passage
from engine.corpus.runs import PackedRuns
from engine.ids import canonical

_TOKENS_BUFFERED = 250_000
_STRINGS_REMEMBERED = 100_000
_SMALL_BATCH = 100
_POSTING = len(Postings._fields)


class _Pending(msgspec.Struct, frozen=True):
    document: int
    ordinal: int
    passage: Passage
    analysis: Analysis


class _Runs(NamedTuple):
    """What a batch adds to packed runs, passage by passage: ``packed[i]`` under ``keys[i]``."""

    keys: list[int]
    packed: list[bytes]


class PassageWriter:
    """Buffers analysed passages and writes them table by table. Use it within one transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._postings = PackedRuns(db, "postings", _POSTING)
        self._mentions = PackedRuns(db, "mentions", 1)
        self.forget()

    def forget(self) -> None:
        """Drop what is buffered, and ids handed out since: the transaction was rolled back."""
        self._pending: list[_Pending] = []
        self._tokens = 0
        self._words: dict[str, int] = {STOPPED: 0}
        self._names: dict[str, int] = {STOPPED: 0}

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
        words = self._number("words", "word", self._words, (_word_texts(e.analysis) for e in pending))
        names = self._number("names", "name", self._names, (_name_texts(e.analysis) for e in pending))
        first: int = self._db.execute("SELECT coalesce(max(passage), 0) + 1 FROM passages").get
        self._db.executemany(
            "INSERT INTO passages VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [_passage_row(row, each) for row, each in enumerate(pending, first)],
        )
        postings, mentions = _Runs([], []), _Runs([], [])
        self._db.executemany(
            "INSERT INTO features VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [self._features_row(row, each, postings, mentions) for row, each in enumerate(pending, first)],
        )
        few = len(pending) < _SMALL_BATCH
        holding = self._postings.append(*postings, extend=few)
        mentioned = self._mentions.append(*mentions, extend=few)
        ids = self._names
        homes = {
            (ids[home.key], row, home.kind)
            for row, each in enumerate(pending, first)
            for home in each.analysis.homes
        }
        self._db.executemany("INSERT INTO homes VALUES (?,?,?)", sorted(homes))
        self._insert_words(words, holding)
        self._insert_names(names, mentioned, Counter(name for name, *_ in homes))

    def _features_row(self, row: int, each: _Pending, postings: _Runs, mentions: _Runs) -> tuple[object, ...]:
        """The features of a passage as kept; its postings and mentions are added to the runs under way."""
        a, word, name = each.analysis, self._words.__getitem__, self._names.__getitem__
        title, title_marks = [*map(word, a.title_tokens)], [*map(word, a.title_marks)]
        marks = [*map(word, a.marks)]
        wholes = _numbered(a.wholes, 1, word)
        tokens = [*map(word, a.tokens)]
        found = Counter(tokens)
        words = sorted(found)
        counts = [*map(found.__getitem__, words)]
        pack_posting, lengths = self._postings.pack, (len(title), len(tokens))
        # Of a passage's many words most stand there equally often: what is kept of them is the same.
        packed = {count: pack_posting(row, 0, count, *lengths) for count in dict.fromkeys(counts)}
        posted = [*map(packed.__getitem__, counts)]
        only_beside: dict[int, bytes] = {}
        in_title, beside = Counter((*title, *title_marks)), Counter((*wholes[1::2], *marks))
        for number in (*in_title, *beside):
            in_body = found.get(number, 0) + beside.get(number, 0)
            one = pack_posting(row, in_title.get(number, 0), in_body, *lengths)
            if number in found:
                posted[bisect_left(words, number)] = one
            elif number:
                only_beside[number] = one
        stopped = 1 if 0 in found else 0  # a stop word has no postings, and is the first of the words
        postings.keys.extend(chain(words[stopped:], only_beside))
        postings.packed.extend(chain(posted[stopped:], only_beside.values()))
        named = _numbered(a.mentions, 0, name)
        mentioned = dict.fromkeys(named[:: len(Mention._fields)])
        mentions.keys.extend(mentioned)
        mentions.packed.extend(repeat(self._mentions.pack(row), len(mentioned)))
        return (
            row,
            each.passage.passage_id,
            name(a.family),
            pack(title),
            pack(title_marks),
            *pack_places(tokens, words, counts),
            pack(wholes),
            pack(marks),
            pack([*chain.from_iterable(a.sentences)]),
            pack(named),
        )

    def remove(self, rows: Sequence[int], known: Sequence[Features]) -> None:
        """Subtract what :meth:`put` added for these rows, whose features are ``known``."""
        for row, features in zip(rows, known, strict=True):
            words = features.words.union(features.title_marks, features.marks)
            words = words.union(word for _, word in features.wholes) - {0}
            self._postings.remove(sorted(words), row)
            self._insert_words({}, dict.fromkeys(words, -1))
            mentioned = {name for name, *_ in features.mentions}
            self._mentions.remove(sorted(mentioned), row)
            gone = self._db.execute("DELETE FROM homes WHERE passage=? RETURNING name", (row,))
            homes: Counter[int] = Counter()
            homes.subtract(name for (name,) in gone)
            self._insert_names({}, Counter(dict.fromkeys(mentioned, -1)), homes)
        for table in ("features", "passages"):
            delete = f"DELETE FROM {table} WHERE passage=?"  # noqa: S608 - own names
            self._db.executemany(delete, [(row,) for row in rows])

    def _insert_words(self, new: Mapping[int, str], counts: Mapping[int, int]) -> None:
        """Add the words that are new, and ``counts`` passages to each word."""
        insert = "INSERT INTO words (word, text, passages) VALUES (?,?,?)"
        self._db.executemany(insert, [(word, text, counts.get(word, 0)) for word, text in new.items()])
        changes = [(count, word) for word, count in sorted(counts.items()) if word not in new]
        self._db.executemany("UPDATE words SET passages=passages+? WHERE word=?", changes)

    def _insert_names(self, new: Mapping[int, str], passages: Counter[int], homes: Counter[int]) -> None:
        """Add the names that are new, and what they are counted for to each name."""
        insert = "INSERT INTO names (name, text, passages, homes) VALUES (?,?,?,?)"
        self._db.executemany(
            insert, [(name, text, passages[name], homes[name]) for name, text in new.items()]
        )
        changes = [
            (passages[name], homes[name], name)
            for name in sorted(passages.keys() | homes.keys())
            if name not in new
        ]
        self._db.executemany("UPDATE names SET passages=passages+?, homes=homes+? WHERE name=?", changes)

    def _number(
        self, table: str, column: str, known: dict[str, int], texts: Iterable[Sequence[Iterable[str]]]
    ) -> dict[int, str]:
        """See to it that ``known`` has the id of each of these texts; return the new ids with their texts."""
        wanted: set[str] = set().union(*chain.from_iterable(texts))
        if len(known) > _STRINGS_REMEMBERED:
            known.clear()
            known[STOPPED] = 0
        missing = sorted(wanted - known.keys())
        select = f"SELECT text, {column} FROM {table} WHERE text IN (SELECT value FROM json_each(?))"  # noqa: S608
        known.update(self._db.execute(select, (canonical(missing).decode(),)))
        last: int = self._db.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").get  # noqa: S608
        new = dict(enumerate((text for text in missing if text not in known), last + 1))
        known.update((text, number) for number, text in new.items())
        return new


def _word_texts(a: Analysis) -> Sequence[Iterable[str]]:
    return (a.title_tokens, a.title_marks, a.tokens, [term for _, term in a.wholes], a.marks)


def _name_texts(a: Analysis) -> Sequence[Iterable[str]]:
    return ([a.family], [key for key, *_ in a.mentions], [key for key, _ in a.homes])


def _numbered(rows: Sequence[tuple[Any, ...]], column: int, number: Callable[[str], int]) -> list[int]:
    """Return the fields of all ``rows``, one after the other, with numbers in place of one column's texts."""
    fields = [*chain.from_iterable(rows)]
    if rows:
        width = len(rows[0])
        fields[column::width] = map(number, fields[column::width])
    return fields


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
