import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.personas.gauges import (
    MOST,
    fall_behind,
    fall_short,
    go_ahead,
    mean_answers,
    radius,
    solve_limit,
)

ADVANTAGES = st.lists(st.floats(-0.5, 0.5), max_size=200)


@given(ADVANTAGES)
def test_gauges_never_fall_below_zero_and_one_answer_moves_them_little(advantages: list[float]) -> None:
    down = up = 0.0
    for advantage in advantages:
        before = down, up
        down, up = fall_behind(down, advantage), go_ahead(up, advantage)
        assert down >= 0
        assert up >= 0
        assert down - before[0] <= MOST
        assert up - before[1] <= MOST


@given(ADVANTAGES)
def test_being_as_good_as_the_others_keeps_both_gauges_at_rest(advantages: list[float]) -> None:
    down = up = 0.0
    for advantage in advantages:
        down, up = fall_behind(down, advantage * 0.14), go_ahead(up, advantage * 0.14)
    assert (down, up) == (0.0, 0.0)


@pytest.mark.parametrize("refusals", [0, 100])
def test_the_limit_keeps_the_promise_it_was_solved_for(refusals: int) -> None:
    rng = random.Random(3)
    pool = [rng.gauss(0.08 if refusals else 0.0, 0.12) for _ in range(600 - refusals)] + [-0.4] * refusals
    limit = solve_limit(300, pool, 0.1, -1)
    lengths = []
    for _ in range(150):
        gauge, length = 0.0, 0
        while gauge <= limit:
            gauge = fall_behind(gauge, rng.choice(pool))
            length += 1
        lengths.append(length)
    assert 250 < sum(lengths) / len(lengths) < 1_000


def test_more_certainty_and_more_noise_raise_the_limit() -> None:
    calm, rough = [0.1, -0.1] * 200, [0.3, -0.3] * 200
    limits = [solve_limit(n, calm, 0.1, -1) for n in (100, 1_000, 100_000)]
    assert limits == sorted(limits)
    assert solve_limit(1_000, rough, 0.1, -1) > limits[1]


def test_a_limit_that_luck_never_reaches_is_the_least_one_that_outliers_allow() -> None:
    assert mean_answers(0.5, [0.0] * 100, 0.1, -1) == 1e6
    assert solve_limit(5_000, [0.0] * 600, 0.1, -1) > MOST - 0.1


def test_two_invented_answers_fill_the_grounding_gauge_and_grounded_ones_empty_it() -> None:
    gauge = fall_short(fall_short(0.0, 0.0, 0.6), 0.0, 0.6)
    assert gauge > 1.0
    for _ in range(4):
        gauge = fall_short(gauge, 1.0, 0.6)
    assert gauge == 0.0


def test_the_radius_shrinks_with_answers() -> None:
    assert radius(0, 0.2) == float("inf")
    assert radius(10, 0.2) > radius(100, 0.2) > radius(1_000, 0.2) > 0
