"""What small models write for a label is read as one where it names exactly one given passage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experts.labels import Labels
from engine.experts.parsing import Parsed, parse_claims

PASSAGES = {"S1": "p1", "S2": "p2", "S3": "p3", "S4": "p4", "S5": "p5", "S6": "p6"}
HEADINGS = {
    "p1": "Karl of Leiningen",
    "p2": "Lamps › Oil lamps",
    "p3": "George Pearson (filmmaker)",
    "p4": "Notes",
    "p5": "Notes",
    "p6": "src/lamps.py",
}
GUESSED = "guessed"


def read(reply: str) -> Parsed:
    return parse_claims(reply, Labels(PASSAGES, HEADINGS), 6, lambda text: GUESSED)


@pytest.mark.parametrize(
    ("reply", "text", "cites"),
    [
        ("Karl died. [S1]", "Karl died.", ["p1"]),
        ("Karl died [1].", "Karl died.", ["p1"]),
        ("[1] Karl died.", "Karl died.", ["p1"]),
        ("S1: Karl died.", "Karl died.", ["p1"]),
        ("- S1 - Karl died.", "Karl died.", ["p1"]),
        ("[Passages 1] Karl died.", "Karl died.", ["p1"]),
        ("Karl died [Passage 1, Passage 2]", "Karl died", ["p1", "p2"]),
        ("Karl died [S1] and [S2].", "Karl died.", ["p1", "p2"]),
        ("Karl died [S1 and S2].", "Karl died.", ["p1", "p2"]),
        ("Karl died, according to [S1].", "Karl died.", ["p1"]),
        ("According to [S1], Karl died.", "Karl died.", ["p1"]),
        ("[S1] states that Karl died.", "Karl died.", ["p1"]),
        ("[S1] (Karl of Leiningen) Karl died.", "Karl died.", ["p1"]),
        ("Karl died. [Karl of Leiningen]", "Karl died.", ["p1"]),
        ("[Karl of Leiningen] Karl died.", "Karl died.", ["p1"]),
        ("[KARL OF LEININGEN] died.", "KARL OF LEININGEN died.", ["p1"]),
        ("[George Pearson (filmmaker)] He made films.", "He made films.", ["p3"]),
        (
            "It was directed by [George Pearson (filmmaker)].",
            "It was directed by George Pearson (filmmaker).",
            ["p3"],
        ),
        ("[src/lamps.py] prints a list.", "prints a list.", ["p6"]),
        ("[13 February 1898] [S1]", "13 February 1898", ["p1"]),
        ("Oil burns. [Oil lamps]", "Oil burns.", ["p2"]),
    ],
)
def test_the_forms_in_which_models_name_a_passage(reply: str, text: str, cites: list[str]) -> None:
    (claim,) = read(reply).claims
    assert (claim.text, claim.cites) == (text, cites)


@pytest.mark.parametrize(
    "reply",
    [
        "Karl died. [Notes]",
        "Karl died. [S9]",
        "Karl died. [Passage 7]",
        "Karl died in [1894].",
        "S9: Karl died.",
    ],
)
def test_what_names_no_passage_or_several_cites_none(reply: str) -> None:
    (claim,) = read(reply).claims
    assert claim.cites == [GUESSED]


def test_each_sentence_of_a_line_has_its_own_label() -> None:
    assert [claim.cites for claim in read("One is so. [S1] Two is so. [S2]").claims] == [["p1"], ["p2"]]
    assert [claim.cites for claim in read("[S1] One is so. [S2] Two is so.").claims] == [["p1"], ["p2"]]
    assert [claim.cites for claim in read("One is so. Two is so. [S2]").claims] == [["p2"], ["p2"]]
    assert [claim.cites for claim in read("One is so [S1]. Two is so. Three [S2].").claims] == [
        ["p1"],
        [GUESSED],
        ["p2"],
    ]


def test_a_label_in_place_of_a_word_makes_no_claim() -> None:
    parsed = read("Moscow Pride was released in [S1].\nIt came out in 2006. [S1]")
    assert [claim.text for claim in parsed.claims] == ["It came out in 2006."]
    assert "has a label in place of a word: Moscow Pride was released in." in parsed.notes


def test_a_label_alone_makes_no_claim() -> None:
    parsed = read("[S1] [S2]\n[Carthage].\nKarl died. [S1].")
    assert [claim.text for claim in parsed.claims] == ["Karl died."]
    assert read("[Carthage]").notes == ["names no passage that it was given: [Carthage]"]


def test_a_question_makes_no_claim() -> None:
    parsed = read("Love his story. Who is yours?")
    assert [claim.text for claim in parsed.claims] == ["Love his story."]
    assert parsed.notes == ["asks, and claims nothing: Who is yours?"]


def test_of_a_copied_passage_prose_can_be_claimed_and_code_cannot() -> None:
    parsed = read("This opens a log.\n  import logging\n  logging.debug(f'{count}')\n  It writes to a file.")
    assert [claim.text for claim in parsed.claims] == ["This opens a log.", "It writes to a file."]
    assert [note.partition(":")[0] for note in parsed.notes] == ["not a claim", "not a claim"]


@given(st.text(alphabet="[]()S123 ,;.:AndNotesKarlofLing›-\n", max_size=120))
def test_nothing_that_was_not_given_is_ever_cited(reply: str) -> None:
    for claim in read(reply).claims:
        assert set(claim.cites) <= {*PASSAGES.values(), GUESSED}
        assert claim.text.strip()
