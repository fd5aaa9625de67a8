import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.plain import PlainLexicon
from engine.evaluation.support import Support, SupportChecker, quoted, support

PASSAGE = (
    "Karl, Prince of Leiningen\n"
    "Karl was born in Amorbach on 12 September 1804. He commanded 1,200 men and was not defeated in Vienna. "
    "His sister Victoria became Queen."
)
LEXICON = PlainLexicon()


def check(claim: str, *evidence: str) -> Support:
    return support(claim, evidence or (PASSAGE,), LEXICON)


def test_the_value_is_the_product_of_the_parts_shown() -> None:
    found = check("Karl was defeated in Vienna by 1,300 men of Napoleon.")
    assert found.missing == ["napoleon", "1,300"]
    assert found.polarity == 0.5
    assert found.value == pytest.approx(found.coverage * 0.5**2 * found.apart * 0.5, abs=1e-6)


@pytest.mark.parametrize(
    "claim",
    [
        "Karl was born in Amorbach on 12 September 1804.",
        "Karl was born in Amorbach in 1804.",
        "He commanded 1200 men.",
        "His sister Victoria became Queen.",
        "Karl commanded 1.2k men and was not defeated.",
    ],
)
def test_what_the_passage_says_is_supported(claim: str) -> None:
    assert check(claim).value >= 0.9


@pytest.mark.parametrize(
    ("claim", "lacking"),
    [
        ("Karl was born in Amorbach on 13 September 1804.", ["13 September 1804"]),
        ("Karl was born in Berlin on 12 September 1804.", ["berlin"]),
        ("He commanded 1,300 men in Amorbach.", ["1,300"]),
    ],
)
def test_a_wrong_name_number_or_date_halves_the_value_and_is_named(claim: str, lacking: list[str]) -> None:
    found = check(claim)
    assert found.missing == lacking
    assert found.value <= 0.5


def test_negating_what_the_passage_states_counts_half_both_ways() -> None:
    assert check("Karl was not born in Amorbach.").polarity == 0.5
    assert check("He was defeated in Vienna.").polarity == 0.5
    assert check("He was not defeated in Vienna.").polarity == 1.0


def test_a_second_negation_does_not_hide_the_first() -> None:
    evidence = "The cells that were able to divide were unable to spread through tissue."
    assert (
        check(
            "The cells that were not able to divide were unable to spread through tissue.", evidence
        ).polarity
        == 0.5
    )


def test_an_anchor_found_only_elsewhere_in_the_passage_lowers_the_value() -> None:
    text = "Ada wrote the first program. Grace built the compiler in 1952. Linus wrote a kernel in 1991."
    right, wrong = (
        check("Grace built the compiler in 1952.", text),
        check("Grace built the compiler in 1991.", text),
    )
    assert (right.distant, wrong.distant) == ([], ["1991"])
    assert wrong.value == pytest.approx(0.8 * wrong.coverage)


def test_another_passage_is_no_support() -> None:
    assert check("Karl was born in Amorbach.", "The kernel schedules threads fairly.").value < 0.1


def test_nothing_supports_without_evidence_or_content() -> None:
    assert check("Karl was born.", "").value == 0.0
    assert support("Karl was born.", [], LEXICON).value == 0.0
    assert check("is it of the?").value == 0.0


def test_telling_words_weigh_more() -> None:
    lexicon = PlainLexicon([("system", 0.0), ("kernel", 1.0)])
    evidence = ["The kernel runs."]
    assert support("kernel system", evidence, lexicon).value > 0.9
    assert support("kernel tornado", evidence, lexicon).value == 0.5


WORDS = st.sampled_from(
    "karl berlin prince was not born in 1804 on 5 ms Anna's Vienna, however (the) it's no IL-2 Straße".split()
)


@given(st.lists(WORDS, min_size=1, max_size=12))
def test_a_sentence_word_for_word_in_the_evidence_is_fully_supported(words: list[str]) -> None:
    sentence = " ".join(words)
    checker = SupportChecker(LEXICON)
    if checker.weights(LEXICON.terms(sentence)):
        assert checker.check(sentence, [sentence]).value == 1.0


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3))
def test_support_is_a_share_for_any_text(claim: str, evidence: list[str]) -> None:
    assert 0.0 <= support(claim, evidence, LEXICON).value <= 1.0


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("It costs 3", "It costs 3.10 euros."),
        ("It costs 1", "It costs 1,200 euros."),
        ("10 is supported.", "Version 3.10 is supported."),
        ("safe to eat", "It is not (in general) safe to eat."),
        ("Smith died.", "Nobody but Mr. Smith died."),
        ("It is safe", "It is safe only in winter."),
    ],
)
def test_a_part_of_a_sentence_is_no_quote_of_it(claim: str, passage: str) -> None:
    assert not quoted(claim, passage)


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("It is safe.", "Built in 1874. It is safe. So it stays."),
        ("`q` | quits", "| key | what |\n|---|---|\n| `q` | quits |\n| `u` | undoes |"),
        ("def f(x):", "import os\n\ndef f(x):\n    return 1"),
        ("It asks whether all is said\N{HORIZONTAL ELLIPSIS}", "It asks whether all is said: yes."),
    ],
)
def test_a_whole_sentence_row_or_line_is_a_quote(claim: str, passage: str) -> None:
    assert quoted(claim, passage)
