"""What every corpus store must do: add and subtract exactly, whatever the order; fail plainly."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import RetrievalSettings
from engine.corpus.records import Name, ParsedDocument, Passage, SourceState, passage_id
from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.store import CorpusStore
from engine.errors import CorpusError, WorkspaceBusyError, WorkspaceError
from engine.graph.query_graph import QueryGraph

TEXTS = (
    "Ada Lovelace (born 1815) was a mathematician. She wrote to Charles Babbage in London.",
    "Charles Babbage designed the Analytical Engine. Analytical Engines need cards.",
    "def run_target(self): ... The runTarget method calls Ada Lovelace twice.",
    "Minutes of 2026-05-14: nothing was decided, again.",
    "",
    "...",
)
TITLES = ("", "Ada Lovelace", "Analytical Engine", "Minutes of 2026-05-14", "run_target")


def document(name: str, *parts: tuple[str, str], source: str = "s") -> ParsedDocument:
    """A document with one passage for each (title, text)."""
    passages = tuple(
        Passage(
            passage_id=passage_id(name, text, i),
            document=name,
            evidence_id=f"{name}#{i}",
            title=title,
            section=("Part", title) if title else (),
            start=i + 1,
            end=i + 1,
            unit="row" if i % 2 else "line",
            text=text,
            names=(Name(title, "title"),) if title else (),
        )
        for i, (title, text) in enumerate(parts)
    )
    return ParsedDocument(name=name, source=source, kind="text", title="", digest=name, passages=passages)


def add(store: CorpusStore, *documents: ParsedDocument) -> None:
    with store.transaction():
        for each in documents:
            store.put_document(each)


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CorpusStore]:
    made = SqliteStore(tmp_path / "corpus.sqlite3" if request.param == "file" else ":memory:")
    yield made
    made.close()


def dump(store: SqliteStore) -> dict[str, list[Any]]:
    """All that is kept, by names instead of row numbers; a word or name that nothing holds is no content."""
    db = store._db  # what the file holds cannot be seen through the protocol
    words = dict(db.execute("SELECT word, text FROM words")) | {0: ""}
    names = dict(db.execute("SELECT name, text FROM names"))
    ids = dict(db.execute("SELECT passage, id FROM passages"))
    features = store.features(list(ids))
    return {
        "meta": sorted(db.execute("SELECT key, value FROM meta")),
        "words": sorted(db.execute("SELECT text, passages FROM words WHERE passages")),
        "names": sorted(
            db.execute("SELECT text, passages, homes FROM names WHERE passages OR homes"),
        ),
        "documents": sorted(
            db.execute("SELECT name, source, kind, title, content, fingerprint FROM documents")
        ),
        "passages": sorted(
            db.execute(
                "SELECT id, d.name, evidence, ordinal, p.title, section, first, last, unit, names, text"
                " FROM passages p JOIN documents d USING (document)"
            )
        ),
        "postings": sorted(
            (words[w], ids[p], *rest)
            for w, posting in store.postings(list(words)).items()
            for p, *rest in zip(*posting, strict=True)
        ),
        "homes": sorted((names[n], ids[p], kind) for n, p, kind in db.execute("SELECT * FROM homes")),
        "mentions": sorted((names[n], ids[p]) for n, rows in store.mentioning(names).items() for p in rows),
        "features": sorted(
            [
                each.passage_id,
                names[each.family],
                [words[w] for w in each.title_tokens],
                [words[w] for w in each.title_marks],
                [words[w] for w in each.tokens],
                [(at, words[w]) for at, w in each.wholes],
                [words[w] for w in each.marks],
                each.sentences,
                [(names[n], *rest) for n, *rest in each.mentions],
            ]
            for each in features
        ),
    }


parts = st.lists(st.tuples(st.sampled_from(TITLES), st.sampled_from(TEXTS)), max_size=3)
documents = st.lists(parts, max_size=4).map(lambda d: [document(f"d{i}", *p) for i, p in enumerate(d)])


@given(kept=documents, gone=documents)
@settings(max_examples=25, deadline=None)
def test_removing_subtracts_exactly_what_adding_added(
    kept: list[ParsedDocument], gone: list[ParsedDocument]
) -> None:
    gone = [document(f"x{each.name}", *((p.title, p.text) for p in each.passages)) for each in gone]
    plain, both = SqliteStore(":memory:"), SqliteStore(":memory:")
    add(plain, *kept)
    add(both, *kept)
    add(both, *gone)
    with both.transaction():
        for each in gone:
            both.remove_document(each.name)
    assert both.digest() == plain.digest()
    assert dump(both) == dump(plain)


@given(given_=documents, order=st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_order_of_arrival_leaves_no_trace(given_: list[ParsedDocument], order: Any) -> None:
    shuffled = list(given_)
    order.shuffle(shuffled)
    first, second = SqliteStore(":memory:"), SqliteStore(":memory:")
    add(first, *given_)
    for each in shuffled:
        add(second, each)
    assert first.digest() == second.digest()
    assert dump(first) == dump(second)


def test_put_replaces_a_document_of_that_name(store: CorpusStore) -> None:
    add(store, document("a", ("Old", TEXTS[0])))
    add(store, document("a", ("New", TEXTS[1])))
    alone = SqliteStore(":memory:")
    add(alone, document("a", ("New", TEXTS[1])))
    assert store.digest() == alone.digest()


def test_a_document_put_twice_in_one_transaction_is_there_once(store: SqliteStore) -> None:
    add(store, document("a", ("Old", TEXTS[0])), document("a", ("New", TEXTS[1])))
    assert store.size().passages == 1


def test_removing_what_is_unknown_changes_nothing(store: CorpusStore) -> None:
    add(store, document("a", ("", TEXTS[0])))
    before = store.digest()
    with store.transaction():
        store.remove_document("b")
        store.remove_source("t")
    assert store.digest() == before


def test_passages_come_in_the_order_asked_and_unknown_ids_are_left_out(store: CorpusStore) -> None:
    made = document("a", ("Ada Lovelace", TEXTS[0]), ("", TEXTS[1]), ("", TEXTS[2]))
    add(store, made)
    first, second, third = made.passages
    found = store.passages([third.passage_id, "no such id", first.passage_id, second.passage_id])
    assert found == [third, first, second]


def test_what_is_asked_for_twice_is_told_once(store: SqliteStore) -> None:
    add(store, document("a", ("Ada Lovelace", TEXTS[0]), ("", TEXTS[1])))
    (word,) = store.word_ids(["ada", "ada"]).values()
    (name,) = store.name_ids(["ada lovelace", "ada lovelace"]).values()
    (row, _), *_ = store.homes([name])[name]
    assert store.postings([word, word]) == store.postings([word])
    assert store.homes([name, name]) == store.homes([name])
    assert store.mentioning([name, name]) == store.mentioning([name])
    assert store.leading_names([name, name]) == store.leading_names([name])
    assert store.ids_of([row, row]) == store.ids_of([row]) * 2
    (first, again) = store.features([row, row])
    assert first.passage_id == again.passage_id


def test_words_and_names_are_found_by_how_they_begin_and_only_while_a_document_holds_them(
    store: SqliteStore,
) -> None:
    add(store, document("a", ("Ada Lovelace", TEXTS[0])), document("b", ("Analytical Engine", TEXTS[1])))
    assert store.words_from("mat", 1, 64) == {"mathematician": 1}
    assert store.words_from("mat", 1, 12) == {}
    assert store.words_from("charl", 1, 64) == {"charl": 2}
    assert store.names_from("ada l").keys() == {"ada lovelace"}
    assert "analytical engine" in store.names_from("a")
    assert "analytical engine" not in store.names_from("a", " lovelace")
    with store.transaction():
        store.remove_document("b")
    assert "analytical engine" not in store.names_from("a")
    assert store.words_from("card", 1, 64) == {}
    # What a name begins with may stand at the end of what letters there are.
    assert store.names_from("\ud7fb") == store.words_from("\U0010fffe", 1, 9) == {}


def test_sources_and_their_documents(store: CorpusStore) -> None:
    state = SourceState(name="s", path="/x/s", size=3, mtime_ns=4, digest="d", documents=2)
    add(store, document("b"), document("a"), document("other", source="t"))
    with store.transaction():
        store.put_source(state)
    assert store.sources() == {"s": state}
    assert store.document_digests("s") == {"a": "a", "b": "b"}
    with store.transaction():
        store.remove_source("s")
    assert (store.sources(), store.document_digests("s"), store.document_digests("t")) == (
        {},
        {},
        {"other": "other"},
    )


def test_after_an_exception_nothing_happened(store: SqliteStore) -> None:
    add(store, document("a", ("", TEXTS[0])))
    before, kept = store.digest(), dump(store)

    def interrupted() -> None:
        with store.transaction():
            store.put_document(document("b", ("", TEXTS[1])))
            store.remove_document("a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (store.digest(), dump(store)) == (before, kept)
    add(store, document("b", ("", TEXTS[1])))
    assert store.size().passages == 2


def test_the_file_is_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "corpus.sqlite3"
    first = SqliteStore(path)
    add(first, document("a", ("Ada Lovelace", TEXTS[0])))
    kept = first.digest(), dump(first)
    first.close()
    for read_only in (False, True):
        again = SqliteStore(path, read_only=read_only)
        assert (again.digest(), dump(again)) == kept
        again.close()


def _scribble(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[100:] = bytes(b ^ 0x5A for b in raw[100:])
    path.write_bytes(raw)


def _foreign(path: Path) -> None:
    path.unlink()
    apsw.Connection(str(path)).execute("CREATE TABLE mine (x)")


def _newer(path: Path) -> None:
    apsw.Connection(str(path)).execute("PRAGMA user_version=99")


def _other_analysis(path: Path) -> None:
    apsw.Connection(str(path)).execute("UPDATE meta SET value='0' WHERE key='analysis'")


@pytest.mark.parametrize(
    "damage",
    [lambda p: p.write_bytes(b"no database at all, only text"), _scribble, _foreign, _newer, _other_analysis],
)
def test_a_file_that_is_no_index_is_named_and_left_alone(
    tmp_path: Path, damage: Callable[[Path], Any]
) -> None:
    path = tmp_path / "corpus.sqlite3"
    made = SqliteStore(path)
    add(made, document("a", ("", TEXTS[0])))
    made.close()
    damage(path)
    before = path.read_bytes()
    with pytest.raises(CorpusError) as error:
        SqliteStore(path).digest()
    assert str(path) in str(error.value) or str(path) in error.value.mend
    assert path.read_bytes() == before


def test_another_writer_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.corpus.sqlite_file.BUSY_MILLISECONDS", 20)
    first, second = SqliteStore(tmp_path / "c"), SqliteStore(tmp_path / "c")
    with first.transaction():
        first.put_document(document("a"))
        with pytest.raises(WorkspaceBusyError), second.transaction():
            pass
    assert second.digest() == first.digest()


def test_read_only_changes_nothing_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "corpus.sqlite3"
    SqliteStore(path).close()
    with pytest.raises(WorkspaceError), SqliteStore(path, read_only=True).transaction():
        pass
    with pytest.raises(WorkspaceError):
        SqliteStore(tmp_path / "absent", read_only=True)


def test_an_empty_store_answers_every_question_with_nothing(store: SqliteStore) -> None:
    graph = QueryGraph("Who was Ada Lovelace?", store, RetrievalSettings())
    assert graph.seeds() == []
    assert store.passages(["a"]) == []


def test_a_file_with_our_number_but_not_our_tables_is_named(tmp_path: Path) -> None:
    path = tmp_path / "corpus.sqlite3"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE other (a); PRAGMA user_version=2")
    connection.close()
    with pytest.raises(CorpusError, match="run 'persona-moe index' again"):
        SqliteStore(path)
