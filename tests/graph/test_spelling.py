"""Misspelt words of a question: read as the word that was meant, in its name where it stands in one."""

import string
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.corpus.records import Name, ParsedDocument, Passage, passage_id
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.question import Question, read_question

PASSAGES = (
    ("Rudolph Mate", "Rudolph Mate (born 1898) was a cinematographer and director."),
    ("Rudolf Steiner", "Rudolf Steiner was a philosopher. He had no rudder."),
    ("Mussolini", "Mussolini spoke in Milan, and the muscles of his neck stood out."),
    ("Metastasis", "Most metastases disseminate from the primary tumour. Metastases are rare here."),
    ("Retrieval", "The run_target function walks the neighbourhood of 12 passages; IFIH1 and class do not."),
    ("Collaboration", "A collaborative method displays every type of component."),
    ("Collaboration again", "Another collaborative method displays other types."),
)


def corpus(rows: Sequence[tuple[str, str]]) -> SqliteStore:
    made = SqliteStore(":memory:")
    with made.transaction():
        for title, text in rows:
            passage = Passage(
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
            )
            made.put_document(
                ParsedDocument(
                    name=title, source="s", kind="text", title=title, digest=title, passages=(passage,)
                )
            )
    return made


@pytest.fixture(scope="module")
def store() -> SqliteStore:
    return corpus(PASSAGES)


def read(text: str, store: SqliteStore) -> Question:
    return read_question(text, store, part_weight=0.7, mark_weight=0.7, pair_gap=2)


def respelt(text: str, store: SqliteStore) -> dict[str, str]:
    return {each.typed: each.read for each in read(text, store).respelt}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cinematograhper", "cinematograph"),  # two in the wrong order
        ("cinematogapher", "cinematograph"),  # one too few
        ("philosoppher", "philosoph"),  # one too many
        ("philosofer", "philosoph"),  # two off, in a long word
        ("matasteses", "metastas"),
        ("collaborattive", "collabor"),  # the slip hides the ending from the stemmer
        ("disply", "display"),
        ("tyues", "type"),
    ],
)
def test_a_slip_is_read_as_the_word_that_was_meant(store: SqliteStore, typed: str, meant: str) -> None:
    assert respelt(typed, store) == {typed: meant}
    (term,) = read(typed, store).terms
    assert term.term == meant
    assert [*term.words] == [*store.word_ids([meant]).values()]


@pytest.mark.parametrize(
    "text", ["neighbourhood", "director", "kubernetes", "xyzzy", "describe", "1899", "mate", "comet", "IFIT1"]
)
def test_what_is_known_short_a_number_or_like_nothing_stays(store: SqliteStore, text: str) -> None:
    assert respelt(text, store) == {}


def test_an_english_word_is_no_slip_but_may_be_another_form_of_a_word() -> None:
    store = corpus(
        [("Print", "Go back and print what the form shows. They spoil the side of the main schema.")]
    )
    for text in ("banking", "painting", "shoes", "sites", "mails"):
        assert respelt(text, store) == {}, text
    assert respelt("Who was spoilt by which schemes?", store) == {"spoilt": "spoil", "schemes": "schema"}
    # Not English, so a slip.
    assert respelt("How does it pritn?", store) == {"pritn": "print"}


def test_an_english_word_may_still_stand_for_a_name(store: SqliteStore) -> None:
    assert respelt("Who was Rudolf Stainer?", store) == {"stainer": "steiner"}


def test_a_slip_in_a_name_finds_the_name(store: SqliteStore) -> None:
    for text in ("Where was Rudloph Mate born?", "who was rudolhp mate"):
        question = read(text, store)
        assert [name.key for name in question.names] == ["rudolph mate"], text
    # Alone it may be either; in its name it is the one whose name it is.
    assert respelt("Who was Rudolp Steiner?", store) == {"rudolp": "rudolf"}
    assert [name.key for name in read("Who was Rudolp Steiner?", store).names] == ["rudolf steiner"]


def test_a_slip_in_a_name_of_one_word_finds_the_name(store: SqliteStore) -> None:
    question = read("Where did Mussolni speak?", store)
    assert [name.key for name in question.names] == ["mussolini"]
    assert not read("where did mussolni speak", store).names


def test_a_slip_in_an_identifier_is_mended_in_its_part_and_its_whole(store: SqliteStore) -> None:
    question = read("what does runTaregt do", store)
    assert {term.term for term in question.terms} >= {"run", "target", "runtarget"}
    assert {each.typed: each.read for each in question.respelt} == {"taregt": "target"}


def test_a_word_with_digits_is_read_as_the_longest_known_beginning(store: SqliteStore) -> None:
    (term,) = (term for term in read("class7", store).terms if not term.term.startswith("#"))
    assert [*term.words] == [*store.word_ids(["class"]).values()]


def test_a_question_in_another_language_is_left_alone(store: SqliteStore) -> None:
    words = "filosofo cinematografo colaborativa metastasico componente direttore metodo tipologia"
    assert respelt(words, store)
    assert respelt(f"{words} displaying typicals neckings primaria tumoure rarely", store) == {}


@given(word=st.text(string.ascii_lowercase + "äß0", min_size=1, max_size=12))
def test_respelling_ends_and_only_words_that_a_document_holds_come_of_it(
    store: SqliteStore, word: str
) -> None:
    for term in (each.read for each in read(f"a {word} b", store).respelt):
        assert store.counts([term]) or store.name_ids([term])
