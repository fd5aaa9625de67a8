import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.credit import advantages, credit_events, lift, survival
from engine.evaluation.plain import PlainLexicon
from engine.events import SentenceChecked

TOTALS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1), min_size=1)


def sentence(text: str, *personas: str, kept: bool = True) -> SentenceChecked:
    return SentenceChecked(index=0, text=text, markers=[], personas=list(personas), support=1.0, kept=kept)


@given(TOTALS)
def test_advantages_are_bounded_and_even_out(totals: dict[str, float]) -> None:
    found = advantages(totals)
    assert list(found) == sorted(totals)
    assert all(-0.5 <= gap <= 0.5 for gap in found.values())
    if all(abs(gap) < 0.5 for gap in found.values()):
        assert sum(found.values()) == pytest.approx(0.0, abs=1e-4)


def test_a_hard_question_costs_nobody() -> None:
    assert advantages({"a": 0.1, "b": 0.1}) == advantages({"a": 0.9, "b": 0.9}) == {"a": 0.0, "b": 0.0}


def test_who_answers_alone_is_measured_by_the_control_arm() -> None:
    assert advantages({"a": 0.75}, control=0.5) == {"a": 0.25}
    assert advantages({"a": 0.75}) == {"a": 0.0}
    assert advantages({}) == {}


@pytest.mark.parametrize("bad", [float("nan"), 1.5])
def test_totals_out_of_range_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="total of a"):
        advantages({"a": bad})
    with pytest.raises(ValueError, match="control"):
        lift(0.5, bad)


def test_removed_sentences_earn_nothing() -> None:
    assert survival([sentence("red fox", "a", kept=False)], PlainLexicon()) == {}


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1), min_size=1, max_size=6))
def test_survival_shares_sum_to_one(supporters: list[list[str]]) -> None:
    found = survival([sentence("red fox", *who) for who in supporters], PlainLexicon())
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-5)


def test_telling_words_earn_more() -> None:
    lexicon = PlainLexicon([("system", 0.1), ("kernel", 0.9)])
    found = survival([sentence("system", "a"), sentence("kernel", "b")], lexicon)
    assert found == {"a": 0.1, "b": 0.9}


def test_events_name_every_expert_that_was_scored() -> None:
    events = credit_events({"b": 0.5, "a": 0.75}, [sentence("red fox", "a")], PlainLexicon())
    assert [(e.persona, e.advantage, e.survival) for e in events] == [("a", 0.25, 1.0), ("b", -0.25, 0.0)]
