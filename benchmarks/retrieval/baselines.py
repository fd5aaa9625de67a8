"""Other ways to rank the same passages: SQLite FTS5, bm25s, tantivy, personalised PageRank."""

import importlib.util
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import apsw

from engine.corpus.features import STOPPED
from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.tokens import QUESTION_WORDS, STOP_WORDS, fold, tokenise

Row = tuple[str, str, str]
Search = Callable[[str], list[str]]
_WORD = re.compile(r"\w+")
_SEEDS = 10
_RESTART = 0.5
_TURNS = 12


def kept_words(question: str) -> list[str]:
    """Return the words of a question without stop words and words that only ask."""
    words = _WORD.findall(question.lower())
    return [w for w in dict.fromkeys(words) if w not in STOP_WORDS | QUESTION_WORDS] or words


def fts5(rows: Sequence[Row]) -> Search:
    """SQLite's own full text search: porter stems, title and text, any of the kept words."""
    db = apsw.Connection(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(title, text, tokenize='porter unicode61')")
    with db:
        db.executemany("INSERT INTO t VALUES (?,?)", ((title, text) for _, title, text in rows))
    sql = "SELECT rowid FROM t WHERE t MATCH ? ORDER BY bm25(t), rowid LIMIT 50"

    def search(question: str) -> list[str]:
        match = " OR ".join(f'"{word}"' for word in kept_words(question))
        return [rows[row - 1][0] for (row,) in db.execute(sql, (match,))]

    return search


def bm25s(rows: Sequence[Row]) -> Search:
    """The bm25s package: Lucene's BM25 over Snowball stems, its English stop words dropped."""
    import bm25s as library
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def cut(texts: Sequence[str]) -> object:
        return library.tokenize(list(texts), stopwords="en", stemmer=stemmer, show_progress=False)

    index = library.BM25()
    index.index(cut([f"{title}\n{text}" for _, title, text in rows]), show_progress=False)

    def search(question: str) -> list[str]:
        found, _ = index.retrieve(cut([question]), k=50, show_progress=False)
        return [rows[int(i)][0] for i in found[0]]

    return search


def tantivy(rows: Sequence[Row]) -> Search:
    """The tantivy package: BM25 over English stems, title and text in one field."""
    import tantivy as library

    schema = library.SchemaBuilder()
    schema.add_integer_field("row", stored=True)
    schema.add_text_field("text", tokenizer_name="en_stem")
    index = library.Index(schema.build())
    writer = index.writer()
    for number, (_, title, text) in enumerate(rows):
        writer.add_document(library.Document(row=number, text=f"{title}\n{text}"))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def search(question: str) -> list[str]:
        query = index.parse_query(" ".join(kept_words(question)), ["text"])
        hits = searcher.search(query, 50).hits
        return [rows[searcher.doc(address)["row"][0]][0] for _, address in hits]

    return search


def pagerank(store: SqliteStore, seeds: Callable[[str], Mapping[int, float]]) -> Search:
    """Personalised PageRank over passages and the names they share, restarted at the first hop.

    The graph is that of the product's own index: the same names, the same passages, the same seeds
    as the product's first hop. Names in more than one passage in twenty are left out.
    """
    rows: list[int] = [row for (row,) in store._db.execute("SELECT passage FROM features")]
    evidence = dict(store._db.execute("SELECT passage, evidence FROM passages"))
    every_name = [name for (name,) in store._db.execute("SELECT name FROM names")]
    most = max(2, len(rows) // 20)
    holders = {name: found for name, found in store.mentioning(every_name).items() if 2 <= len(found) <= most}
    names: dict[int, list[int]] = {}
    for name, found in holders.items():
        for row in found:
            names.setdefault(row, []).append(name)

    def search(question: str) -> list[str]:
        start = seeds(question)
        total = sum(start.values()) or 1.0
        restart = {row: value / total for row, value in start.items()}
        rank = dict(restart)
        for _ in range(_TURNS):
            flow: dict[int, float] = {}
            for row, value in rank.items():
                for name in names.get(row, ()):
                    flow[name] = flow.get(name, 0.0) + value / len(names[row])
            moved: dict[int, float] = {}
            for name, value in flow.items():
                if value > 1e-6:
                    for row in holders[name]:
                        moved[row] = moved.get(row, 0.0) + value / len(holders[name])
            rank = {row: (1 - _RESTART) * value for row, value in moved.items()}
            for row, value in restart.items():
                rank[row] = rank.get(row, 0.0) + _RESTART * value
        best = sorted(rank, key=lambda row: (-round(rank[row], 9), evidence[row]))
        return [evidence[row] for row in best[:10]]

    return search


def fused(first: Mapping[str, Sequence[str]], second: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return reciprocal rank fusion of two rankings of the same questions, with the customary 60."""
    found = {}
    for query, ranked in first.items():
        worth: dict[str, float] = {}
        for ranking in (ranked, second[query]):
            for place, passage in enumerate(ranking, 1):
                worth[passage] = worth.get(passage, 0.0) + 1 / (60 + place)
        found[query] = sorted(worth, key=lambda passage: (-worth[passage], passage))
    return found


def available(name: str) -> bool:
    """Return whether an optional package can be imported."""
    return importlib.util.find_spec(name) is not None


def contributions_by_fts5(path: Path, rows: Sequence[Row], questions: Sequence[str]) -> tuple[float, float]:
    """Return CPU ms a question to get every kept word's own score in every passage: FTS5, then plain FTS5.

    FTS5 gives only sums, so each word is a query of its own; the second figure is one query for all.
    """
    db = apsw.Connection(str(path))
    db.execute("CREATE VIRTUAL TABLE t USING fts5(title, text, tokenize='porter unicode61')")
    with db:
        db.executemany("INSERT INTO t VALUES (?,?)", ((title, text) for _, title, text in rows))

    def cpu(work: Callable[[str], object]) -> float:
        before = time.process_time()
        for question in questions:
            work(question)
        return (time.process_time() - before) * 1000 / len(questions)

    def each(question: str) -> list[dict[int, float]]:
        sql = "SELECT rowid, bm25(t) FROM t WHERE t MATCH ?"
        return [dict(db.execute(sql, (f'"{word}"',))) for word in kept_words(question)]

    def all_at_once(question: str) -> list[object]:
        match = " OR ".join(f'"{word}"' for word in kept_words(question))
        return list(db.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY bm25(t) LIMIT 10", (match,)))

    return cpu(each), cpu(all_at_once)


def contributions_by_postings(store: SqliteStore, questions: Sequence[str]) -> float:
    """Return CPU ms a question to read the same from the product's postings."""
    before = time.process_time()
    for question in questions:
        terms = [term for term in dict.fromkeys(tokenise(fold(question)).terms) if term != STOPPED]
        for posting in store.postings(list(store.word_ids(terms).values())).values():
            for row, in_title, in_body, _, length in zip(*posting, strict=True):
                _ = row, (in_title + in_body) / (in_title + in_body + length)
    return (time.process_time() - before) * 1000 / len(questions)
