"""Traits to policy: the table of the settings decides, and explains itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.personas.policy import Policy, derive_policy, explain, policy_digest
from engine.trait_table import DEFAULT_ROWS, KNOBS, TraitRow

TRAITS = sorted({row.trait for row in DEFAULT_ROWS})
some_traits = st.dictionaries(st.sampled_from([*TRAITS, "warmth"]), st.integers(1, 9))


def test_all_ones_and_all_nines_give_the_ends_of_the_table() -> None:
    low, high = (derive_policy(dict.fromkeys(TRAITS, value)) for value in (1, 9))
    assert low == Policy(
        max_hops=1, hop_discount=0.6, beam_width=2, seeds=2, exploration=0.0, relevance_floor=0.05,
        specificity_mix=0.3, sources_per_claim=1, overlap_penalty=0.0, counter_seeds=0, freshness=0.0,
        context_share=1.0, max_claims=8,
    )  # fmt: skip
    assert high == Policy(
        max_hops=4, hop_discount=0.95, beam_width=16, seeds=8, exploration=0.3, relevance_floor=0.35,
        specificity_mix=0.8, sources_per_claim=2, overlap_penalty=0.6, counter_seeds=3, freshness=0.3,
        context_share=0.5, max_claims=4,
    )  # fmt: skip


def test_a_persona_without_traits_stands_in_the_middle() -> None:
    assert derive_policy({}) == derive_policy(dict.fromkeys(TRAITS, 5)) == Policy()


@pytest.mark.parametrize(("rigour", "sources"), [(6, 1), (7, 2)])
def test_a_switch_turns_at_its_value(rigour: int, sources: int) -> None:
    assert derive_policy({"rigour": rigour}).sources_per_claim == sources


@pytest.mark.parametrize(("breadth", "width"), [(1, 2), (3, 6), (7, 13), (9, 16)])
def test_halves_are_rounded_up(breadth: int, width: int) -> None:
    assert derive_policy({"breadth": breadth}).beam_width == width


@given(some_traits)
def test_every_knob_stays_in_its_range_and_is_explained(traits: dict[str, int]) -> None:
    explained = explain(traits)
    assert explained.policy == derive_policy(traits)
    assert [reason.knob for reason in explained.knobs] == list(KNOBS)
    for reason in explained.knobs:
        assert KNOBS[reason.knob].low <= reason.value <= KNOBS[reason.knob].high
        assert reason.formula.endswith(f"{reason.value:g}")
        assert reason.given == (reason.trait in traits)
    assert explained.voice_only == (("warmth",) if "warmth" in traits else ())


@given(st.sampled_from(DEFAULT_ROWS), st.integers(1, 8))
def test_more_of_a_trait_never_turns_its_knob_back(row: TraitRow, value: int) -> None:
    one, more = (getattr(derive_policy({row.trait: each}), row.knob) for each in (value, value + 1))
    assert (more - one) * (row.high - row.low) >= 0


def test_a_trait_of_the_users_own_can_be_wired() -> None:
    rows = [TraitRow(trait="patience", knob="max_hops", low=1, high=5)]
    assert derive_policy({"patience": 9, "depth": 1}, rows).max_hops == 5
    explained = explain({"patience": 9, "depth": 1}, rows)
    assert explained.voice_only == ("depth",)
    assert explained.policy.beam_width == Policy().beam_width
    assert explained.knobs[2].formula == "no trait turns it = 9"


def test_voice_takes_no_part_in_the_policys_digest() -> None:
    assert policy_digest(derive_policy({"warmth": 9})) == policy_digest(derive_policy({}))
    assert policy_digest(derive_policy({"depth": 9})) != policy_digest(derive_policy({}))
