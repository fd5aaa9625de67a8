"""Reading a question against a corpus: its terms, names, marks, and what it is after."""

import pytest

from engine.corpus.records import Name, ParsedDocument, Passage, passage_id
from engine.corpus.sqlite_store import SqliteStore
from engine.errors import InputError
from engine.graph.question import LONGEST_QUESTION, Question, read_question, require_question

PASSAGES = (
    ("Second Chance (1953 film)", "Second Chance is a film directed by Rudolph Mate. Use it well."),
    ("Rudolph Mate", "Rudolph Mate (born 1898) was a cinematographer and director."),
    ("Retrieval", "The run_target function walks the neighbourhood of passages."),
)


@pytest.fixture(scope="module")
def store() -> SqliteStore:
    made = SqliteStore(":memory:")
    with made.transaction():
        for title, text in PASSAGES:
            made.put_document(
                ParsedDocument(
                    name=title,
                    source="s",
                    kind="text",
                    title=title,
                    digest=title,
                    passages=(
                        Passage(
                            passage_id=passage_id(title, text, 0),
                            document=title,
                            evidence_id=title,
                            title=title,
                            section=(),
                            start=1,
                            end=1,
                            unit="row",
                            text=text,
                            names=(Name(title, "title"),),
                        ),
                    ),
                )
            )
    return made


def read(text: str, store: SqliteStore) -> Question:
    return read_question(text, store, part_weight=0.7, mark_weight=0.7, pair_gap=2)


def test_stop_words_and_words_that_only_ask_are_dropped(store: SqliteStore) -> None:
    question = read("Explain how many films Rudolph Mate directed", store)
    assert [term.term for term in question.terms] == ["direct", "film", "mate", "rudolph"]


def test_the_word_that_asks_for_a_meaning_is_dropped(store: SqliteStore) -> None:
    assert [term.term for term in read("What does film mean?", store).terms] == ["film"]
    assert "mean" in [term.term for term in read("What is the mean of a film?", store).terms]


def test_an_identifier_counts_whole_and_in_parts(store: SqliteStore) -> None:
    terms = {term.term: term for term in read("what does runTarget do", store).terms}
    assert {"run", "target", "runtarget"} <= terms.keys()
    assert terms["runtarget"].words
    assert terms["runtarget"].weight == 0.7


def test_the_longest_name_at_home_is_taken(store: SqliteStore) -> None:
    names = {name.key: name.capitalised for name in read("Who directed Second Chance?", store).names}
    assert names == {"second chance": True}
    assert {n.key: n.capitalised for n in read("who was rudolph mate", store).names} == {
        "rudolph mate": False
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Who directed it?", "person"),
        ("When was it made?", "date"),
        ("How many are there?", "number"),
        ("Where is it?", "place"),
        ("How do I run it?", "procedure"),
        ("Why is it so?", "reason"),
        ("Is it so?", "yes-no"),
        ("Name the film", "other"),
    ],
)
def test_what_form_of_answer_is_wanted(store: SqliteStore, text: str, kind: str) -> None:
    assert read(text, store).answer_type == kind


def test_a_comparison_is_seen(store: SqliteStore) -> None:
    assert read("Which film came out first, A or B?", store).comparison
    assert not read("Who directed A?", store).comparison


@pytest.mark.parametrize("text", ["", "  ", "?!", "a\x07b", "x" * (LONGEST_QUESTION + 1)])
def test_what_is_no_question_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        require_question(text)


def test_words_that_no_document_holds_are_told_as_typed(store: SqliteStore) -> None:
    question = read("Which zebra directed the run-quagga and the run_target of 1899 by xy?", store)
    assert question.unheld == ("zebra", "1899")
    assert read("Who directed Second Chance?", store).unheld == ()
