import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PersonaError
from engine.evaluation.plain import PlainLexicon
from engine.events import Facet, Tier
from engine.personas.document import Persona
from engine.personas.gate import Candidate, GateResult, GateWeights, Record, choose_experts
from engine.personas.policy import Policy

LEXICON = PlainLexicon()


def candidate(
    name: str, *expertise: str, cost: float = 1.0, tier: Tier = "active", **knobs: int
) -> Candidate:
    persona = Persona(
        persona_id=name,
        traits={},
        expertise=list(expertise),
        activation_cost=cost,
        historical_performance={},
        metadata={},
    )
    return Candidate(persona=persona, tier=tier, policy=Policy(**knobs))  # type: ignore[arg-type]


def facet(text: str, weight: float) -> Facet:
    return Facet(facet_id=text, kind="term", text=text, weight=weight, terms=LEXICON.terms(text))


FACETS = [facet("director", 0.6), facet("birthday", 0.4)]
FILM = candidate("film", "director", "films")
DATES = candidate("dates", "birthday", "years")
PLAIN = candidate("plain")
TRIAL = candidate("trial", "director", tier="experimental")


def choose(*candidates: Candidate, **changes: object) -> GateResult:
    options: dict[str, object] = {
        "budget": 4.0,
        "max_experts": 4,
        "price": 0.05,
        "seed": 1,
        "question_digest": "q",
        "weights": GateWeights(audition_every=10**9),
    }
    return choose_experts(candidates, FACETS, LEXICON, **(options | changes))  # type: ignore[arg-type]


def chosen(result: GateResult) -> list[str]:
    return [each.persona for each in result.chosen]


def reasons(result: GateResult) -> dict[str, str]:
    return {each.persona: each.reason for each in result.skipped}


def test_who_knows_the_heaviest_facet_is_asked_first_and_the_reason_names_it() -> None:
    result = choose(PLAIN, DATES, FILM)
    assert chosen(result)[0] == "film"
    assert result.chosen[0].reason.startswith("picked first for 'director': +0.")
    assert result.chosen[0].reason.endswith(" for 1")


def test_the_second_expert_is_the_one_that_covers_what_is_left() -> None:
    twin = candidate("film-too", "director", "films")
    result = choose(FILM, twin, DATES, max_experts=2)
    assert chosen(result) == ["film", "dates"]


def test_gains_shrink_as_experts_join() -> None:
    clones = [candidate(f"c{i}", "director") for i in range(4)]
    gains = [each.gain for each in choose(*clones, price=0.0).chosen]
    assert gains == sorted(gains, reverse=True)
    assert len(set(gains)) == 4


def test_every_candidate_is_scored_and_either_chosen_or_skipped_with_a_reason() -> None:
    pruned = candidate("gone", "director", tier="pruned")
    result = choose(FILM, DATES, PLAIN, TRIAL, pruned, max_experts=1)
    assert [each.persona for each in result.scored] == ["dates", "film", "gone", "plain", "trial"]
    assert sorted(chosen(result) + list(reasons(result))) == ["dates", "film", "gone", "plain", "trial"]
    assert reasons(result)["gone"] == "skipped: pruned personas are not asked"
    assert "no audition on this question" in reasons(result)["trial"]
    assert "1 chosen already, the most allowed" in reasons(result)["plain"]


def test_terms_sum_to_the_value_and_all_numbers_are_shares() -> None:
    known = {"film": Record(n=9, mean=0.9, topic_n=6, topic_mean=0.8)}
    for each in choose(FILM, PLAIN, records=known).scored:
        assert math.fsum(term.value for term in each.terms) == pytest.approx(each.value, abs=1e-6)
        assert 0.0 <= each.affinity <= 1.0
        assert 0.0 <= each.value <= 1.0


def test_budget_is_never_exceeded_and_a_cheaper_one_may_still_fit() -> None:
    dear, cheap = candidate("dear", "director", "birthday", cost=3.5), candidate("cheap", cost=0.4)
    result = choose(dear, FILM, cheap, budget=1.5)
    assert sum(each.cost for each in result.chosen) <= 1.5
    assert "does not fit" in reasons(result)["dear"]
    assert set(chosen(result)) == {"film", "cheap"}


def test_the_price_stops_after_the_first_expert() -> None:
    result = choose(FILM, DATES, price=0.9)
    assert chosen(result) == ["film"]
    assert "is under the price 0.9" in reasons(result)["dates"]


def test_nobody_affordable_leaves_everybody_skipped() -> None:
    result = choose(FILM, DATES, budget=0.5)
    assert chosen(result) == []
    assert set(reasons(result)) == {"film", "dates"}


def test_ties_end_in_the_id() -> None:
    assert chosen(choose(candidate("b"), candidate("a"), candidate("c"))) == ["a", "b", "c"]


@given(st.permutations([FILM, DATES, PLAIN, TRIAL]))
def test_the_order_of_candidates_does_not_matter(order: list[Candidate]) -> None:
    assert choose(*order) == choose(FILM, DATES, PLAIN, TRIAL)


def test_reach_of_the_policy_matters() -> None:
    wide, narrow = candidate("wide", beam_width=16, max_hops=4), candidate("narrow", beam_width=2, max_hops=1)
    assert chosen(choose(narrow, wide, max_experts=1)) == ["wide"]


def test_a_record_moves_the_choice_only_where_it_is_given() -> None:
    good = {"plain": Record(n=50, mean=0.95, topic_n=50, topic_mean=0.95)}
    bad = {"film": Record(n=50, mean=0.05, topic_n=50, topic_mean=0.05)}
    assert chosen(choose(FILM, PLAIN, max_experts=1)) == ["film"]
    assert chosen(choose(FILM, PLAIN, max_experts=1, records=good | bad)) == ["plain"]


def test_neither_the_cheap_nor_the_dear_crowd_out_those_worth_more_together() -> None:
    cheap = [candidate(f"cheap{i}", cost=0.1) for i in range(2)]
    result = choose(*cheap, FILM, DATES, max_experts=2, budget=3.0)
    assert set(chosen(result)) == {"film", "dates"}
    costly = {"film": Record(cost_factor=2.8)}
    result = choose(FILM, DATES, PLAIN, max_experts=2, budget=3.0, records=costly)
    assert set(chosen(result)) == {"dates", "plain"}


def test_of_those_that_are_planned_who_gains_most_per_cost_begins() -> None:
    dear = candidate("dear", "director", "birthday", cost=2.0)
    assert set(chosen(choose(dear, DATES, PLAIN))) == {"dear", "dates", "plain"}
    assert chosen(choose(dear, DATES, PLAIN, first=1)) == ["dates"]
    assert "for now" in reasons(choose(dear, DATES, PLAIN, first=1))["dear"]


def test_what_a_record_shows_expertise_need_not_promise() -> None:
    shown = {"plain": Record(n=40, mean=0.5, topic_n=40, topic_mean=0.5)}
    known = shown | {"film": Record(n=40, mean=0.45, topic_n=40, topic_mean=0.45)}
    assert chosen(choose(FILM, PLAIN, max_experts=1, records=shown)) == ["film"]
    assert chosen(choose(FILM, PLAIN, max_experts=1, records=known)) == ["plain"]


def test_who_was_not_asked_for_long_is_tried_again() -> None:
    poor = Record(n=20, mean=0.45)
    usual = {"plain": Record(n=40, mean=0.5)}
    dates = candidate("other")
    assert chosen(choose(dates, PLAIN, max_experts=1, records=usual | {"other": poor})) == ["plain"]
    forgotten = msgspec.structs.replace(poor, n=0.4)
    assert chosen(choose(dates, PLAIN, max_experts=1, records=usual | {"other": forgotten})) == ["other"]


def test_auditions_come_about_as_often_as_set_and_take_one_place() -> None:
    auditions = 0
    for i in range(300):
        result = choose(FILM, DATES, TRIAL, max_experts=2, question_digest=f"q{i}", weights=GateWeights())
        assert len(result.chosen) == 2
        if "trial" in chosen(result):
            auditions += 1
            assert chosen(result)[-1] == "trial"
            assert result.chosen[-1].reason.startswith("audition: one question in 10")
    assert 15 <= auditions <= 50


def test_the_experimental_persona_tried_longest_ago_has_its_turn() -> None:
    others = [candidate(name, tier="experimental") for name in ("x", "y", "z")]
    tried = {"x": Record(last_tried=5), "y": Record(last_tried=2), "z": Record(last_tried=9)}
    result = choose(FILM, *others, weights=GateWeights(audition_every=1), records=tried)
    assert chosen(result) == ["film", "y"]
    fresh = [
        chosen(choose(FILM, *others, weights=GateWeights(audition_every=1), question_digest=f"q{i}"))[-1]
        for i in range(40)
    ]
    assert set(fresh) == {"x", "y", "z"}


def test_an_audition_never_replaces_the_only_expert() -> None:
    always = GateWeights(audition_every=1)
    assert chosen(choose(FILM, TRIAL, weights=always, max_experts=1)) == ["film"]
    assert chosen(choose(FILM, TRIAL, weights=always, budget=1.0)) == ["film"]


def test_experimental_personas_answer_where_there_are_no_others() -> None:
    assert chosen(choose(TRIAL, candidate("gone", tier="pruned"))) == ["trial"]


def test_only_asks_exactly_those_named_whatever_they_cost() -> None:
    dear = candidate("dear", cost=50.0)
    result = choose(FILM, dear, TRIAL, only=["trial", "dear"])
    assert chosen(result) == ["trial", "dear"]
    assert list(reasons(result)) == ["film"]


@pytest.mark.parametrize(("name", "problem"), [("nobody", "there is no persona"), ("gone", "is pruned")])
def test_only_refuses_unknown_and_pruned_personas(name: str, problem: str) -> None:
    with pytest.raises(PersonaError, match=problem):
        choose(FILM, candidate("gone", tier="pruned"), only=[name])


def test_a_question_without_facets_and_a_pool_without_personas_are_defined() -> None:
    empty = choose_experts(
        [], FACETS, LEXICON, budget=1.0, max_experts=1, price=0.0, seed=1, question_digest="q"
    )
    assert (empty.scored, empty.chosen, empty.skipped, empty.bench.reserves) == ([], [], [], ())
    bare = choose_experts(
        [PLAIN], [], LEXICON, budget=1.0, max_experts=1, price=0.0, seed=1, question_digest="q"
    )
    assert chosen(bare) == ["plain"]


@given(
    st.lists(st.tuples(st.floats(0.1, 3), st.sampled_from(["director", "birthday", "other"])), max_size=7),
    st.floats(0.1, 6),
)
def test_somebody_is_chosen_wherever_anybody_fits(pool: list[tuple[float, str]], budget: float) -> None:
    people = [candidate(f"p{i}", known, cost=round(cost, 2)) for i, (cost, known) in enumerate(pool)]
    result = choose(*people, budget=budget, max_experts=7, price=0.0)
    assert sum(each.cost for each in result.chosen) <= budget + 1e-9
    fitting = [p for p in people if p.persona.activation_cost <= budget]
    assert bool(result.chosen) == bool(fitting)


# -- the bench -----------------------------------------------------------------------------------
def test_who_does_not_begin_waits_on_the_bench_with_what_is_left() -> None:
    result = choose(FILM, DATES, PLAIN, first=1)
    assert chosen(result) == ["film"]
    assert "for now" in reasons(result)["dates"]
    assert [each.persona_id for each in result.bench.reserves] == ["dates", "plain"]
    assert result.bench.left == 3.0
    picked = result.bench.pick({"birthday": 0.4}, 2)
    assert picked is not None
    assert picked[0].persona == "dates"
    assert picked[0].order == 1
    assert [each.persona_id for each in picked[1].reserves] == ["plain"]


def test_the_bench_keeps_to_budget_number_and_price() -> None:
    lacking = {"birthday": 0.4}
    assert choose(FILM, DATES, first=1, budget=1.5).bench.pick(lacking, 2) is None
    assert choose(FILM, DATES, first=1, max_experts=1).bench.pick(lacking, 2) is None
    assert choose(FILM, DATES, first=1, price=0.9).bench.pick(lacking, 2) is None
    assert choose(FILM, DATES, only=["film"]).bench.pick(lacking, 2) is None
    assert choose(FILM, DATES, alone="one is enough").bench.pick(lacking, 2) is None


def test_an_audition_takes_place_beside_one_who_begins() -> None:
    always = GateWeights(audition_every=1)
    assert chosen(choose(FILM, DATES, TRIAL, first=1, weights=always)) == ["film", "trial"]


def sibling_of(parent: str) -> Candidate:
    born = candidate(f"{parent}--depth-6", tier="experimental")
    origin = {"lineage": {"parent": parent}}
    return msgspec.structs.replace(born, persona=msgspec.structs.replace(born.persona, metadata=origin))


def test_a_trial_does_not_wait_for_the_other_experimental_personas() -> None:
    born = sibling_of("plain")
    others = [candidate(f"other-{i}", tier="experimental") for i in range(20)]
    seasoned = {each.persona.persona_id: Record(tried=50, last_tried=-1) for each in (born, *others)}
    asked: dict[str, int] = {}
    for i in range(300):
        result = choose(
            FILM, PLAIN, born, *others, question_digest=f"q{i}", weights=GateWeights(), records=seasoned
        )
        for each in result.chosen:
            asked[each.persona] = asked.get(each.persona, 0) + each.reason.startswith("audition")
    assert 15 <= asked.pop("plain--depth-6") <= 50
    assert 15 <= sum(asked.values()) <= 50


def test_a_sibling_on_trial_is_asked_beside_the_parent_it_has_to_beat() -> None:
    born = sibling_of("plain")
    always = GateWeights(audition_every=1)
    assert chosen(choose(FILM, DATES, PLAIN, born, first=2, weights=always)) == ["plain", "plain--depth-6"]
    whole = choose(FILM, DATES, PLAIN, born, weights=always)
    assert chosen(whole) == ["plain", "film", "dates", "plain--depth-6"]
    assert whole.chosen[0].reason.startswith("asked beside plain--depth-6, which has to beat it")
    assert sum(each.cost for each in whole.chosen) <= 4.0
    assert "plain" not in chosen(choose(FILM, PLAIN, born, max_experts=2, budget=1.5, weights=always))
