import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.quantities import agrees, quantities


def same(left: str, right: str) -> bool:
    return any(agrees(a, b) for a in quantities(left) for b in quantities(right))


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("1 June 1874", "June 1, 1874"),
        ("June 1st, 1874", "1874-06-01"),
        ("the 1st of June 1874", "01.06.1874"),
        ("June 1874", "1 June 1874"),
        ("in 1874", "June 1874"),
        ("1,200 people", "1200 people"),
        ("1 200 people".replace(" ", "\u00a0", 1), "1200 people"),
        ("12 percent", "12%"),
        ("2 million", "2,000,000"),
        ("2k", "2000"),
        ("1500 ms", "1.5 s"),
        ("1.5 MB", "1500 KB"),
        ("2 KiB", "2048 bytes"),
        ("the 3rd time", "third"),
        ("three ships", "3 ships"),
        ("twenty-one ships", "21 ships"),
        ("$5 million", "5,000,000 dollars"),
        ("2 years", "24 months"),
        ("5 seconds", "timeout = 5"),
    ],
)
def test_two_ways_of_writing_one_quantity_agree(claim: str, evidence: str) -> None:
    assert same(claim, evidence)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("1 June 1874", "1874"),
        ("1 June 1874", "2 June 1874"),
        ("June 1874", "July 1874"),
        ("5 s", "5 ms"),
        ("12 percent", "12 dollars"),
        ("1,200", "1,300"),
        ("version 3.10", "version 3.1"),
        ("3.11.2", "3.11.4"),
        ("1960", "the 1960s"),
        ("2", "IL-2"),
    ],
)
def test_different_quantities_do_not_agree(claim: str, evidence: str) -> None:
    assert not same(claim, evidence)


def test_a_number_inside_a_name_is_left_to_the_names() -> None:
    assert quantities("IL-2 and sha256 and HTTP2") == []


def test_little_words_are_no_demand() -> None:
    assert [q.weak for q in quantities("one of the first")] == [True, True]
    assert not quantities("one million")[0].weak


@given(st.text(max_size=200))
def test_any_text_can_be_read_and_agrees_with_itself(text: str) -> None:
    for quantity in quantities(text):
        assert agrees(quantity, quantity)


@given(st.dates())
def test_a_date_reads_the_same_in_each_common_form(date: object) -> None:
    forms = ["%d %B %Y", "%B %d, %Y", "%Y-%m-%d", "%d %b %Y"]
    written = [date.strftime(form) for form in forms]  # type: ignore[attr-defined]
    year = f"{date.year:04d}"  # type: ignore[attr-defined]
    values = {quantities(text.replace(str(int(year)), year))[0].value for text in written if year[0] != "0"}
    assert len(values) <= 1


@pytest.mark.parametrize("piece", ["1,", "1 ", "a", "9", "june ", "twenty-", "$1"])
def test_hostile_text_takes_linear_time(piece: str) -> None:
    bait = piece * 20_000
    started = time.process_time()
    quantities(bait)
    assert time.process_time() - started < 3.0
