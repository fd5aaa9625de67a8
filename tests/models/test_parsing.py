"""Claims are read from whatever form a reply takes, and nothing is lost without a word."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experts.labels import Labels
from engine.experts.parsing import parse_claims, speaks_of_itself

LABELS = {"S1": "p1", "S2": "p2", "S3": "p3"}
HEADINGS = {"p1": "Karl of Leiningen", "p2": "Lamps › Oil lamps", "p3": "Owls (birds)"}
GOOD = {"claims": [{"text": "Karl was born in 1804.", "cites": ["S1", "S2"], "kind": "counter"}]}


def read(reply: str, most: int = 6, cut: bool = False, best: str = "") -> object:
    return parse_claims(reply, Labels(LABELS, HEADINGS), most, lambda text: best, cut=cut)


@pytest.mark.parametrize(
    ("reply", "mode"),
    [
        (json.dumps(GOOD), "schema"),
        (f"```json\n{json.dumps(GOOD, indent=1)}\n```", "repaired"),
        (f"Sure! Here it is:\n{json.dumps(GOOD)}\nI hope that helps.", "repaired"),
        (json.dumps(GOOD)[:-2], "repaired"),
        (json.dumps(GOOD)[:-2] + ', {"text": "half a cl', "repaired"),
        ("- Karl was born in 1804. [S1, S2]", "lines"),
        ("1. Karl was born in 1804 [S1][S2].", "lines"),
        ("Here are the claims:\n* Karl was born in 1804. (S1, S2)", "lines"),
        ("Karl was born in 1804 [s1;S2].", "lines"),
    ],
)
def test_the_same_claim_in_every_form(reply: str, mode: str) -> None:
    parsed = read(reply)
    assert parsed.mode == mode
    (claim,) = parsed.claims
    assert claim.text.rstrip(".") == "Karl was born in 1804"
    assert claim.cites == ["p1", "p2"]
    assert claim.kind == ("fact" if mode == "lines" else "counter")


def test_plain_sentences_get_the_passage_that_bears_them_out() -> None:
    parsed = read("Karl was born in 1804. He was a prince.", best="p3")
    assert parsed.mode == "sentences"
    assert [claim.cites for claim in parsed.claims] == [["p3"], ["p3"]]


@pytest.mark.parametrize(
    "reply", ["NONE", "none.", '{"claims": []}', "The passages do not answer the question."]
)
def test_a_model_may_say_that_the_passages_do_not_answer(reply: str) -> None:
    parsed = read(reply)
    assert (parsed.mode, parsed.claims) == ("none", [])


def test_what_cannot_be_used_is_told() -> None:
    parsed = read(
        "- One. [S1]\nsome chatter\n- Two. [S9]\n- The text does not answer the question. [S1]\n"
        "- Three. [S2]\n- Four. [S3]",
        most=2,
    )
    assert [claim.text for claim in parsed.claims] == ["One.", "Two."]
    told = "\n".join(parsed.notes)
    for part in ("some chatter", "S9", "says nothing of the subject", "Three.", "Four."):
        assert part in told


def test_half_a_line_at_a_cut_end_is_no_claim() -> None:
    parsed = read("- One is true. [S1]\n- Two is not tr", cut=True)
    assert [claim.text for claim in parsed.claims] == ["One is true."]
    assert "Two is not tr" in parsed.notes[0]
    assert read("- The lamp", cut=True).claims == []
    assert [claim.text for claim in read("One is so. The other", cut=True).claims] == ["One is so."]


def test_a_claim_said_twice_is_one_claim() -> None:
    assert len(read("- One. [S1]\n- One. [S1]\n- One. [S2]").claims) == 1


@given(st.text(max_size=400), st.booleans())
def test_any_reply_is_read_without_an_error(reply: str, cut: bool) -> None:
    parsed = read(reply, cut=cut)
    assert parsed.mode in {"schema", "repaired", "lines", "sentences", "none"}
    for claim in parsed.claims:
        assert claim.text
        assert set(claim.cites) <= set(LABELS.values())


@pytest.mark.parametrize("unit", ["[1 ", "[S1, ", "1 1 ", "{", '{"text": "a', "- ", "not ", "`", "(S1;"])
def test_hostile_replies_take_no_time(unit: str) -> None:
    began = time.process_time()
    read(unit * (50_000 // len(unit)))
    speaks_of_itself(unit * (50_000 // len(unit)))
    assert time.process_time() - began < 2.0
