import math

import pytest

from engine.config import ThresholdSettings
from engine.events import Tier
from engine.personas.lifecycle import (
    Gauges,
    Limits,
    Standing,
    Verdict,
    evaluate_pruning_thresholds,
    fresh,
    guarded,
    why_held,
)

SETTINGS = ThresholdSettings()


def after(gauges: Gauges, *advantages: float, grounding: float | None = 1.0) -> Gauges:
    for advantage in advantages:
        gauges = gauges.after(advantage, 0.5 + advantage, grounding, SETTINGS)
    return gauges


def judge(gauges: Gauges, limits: Limits = Limits()) -> Verdict:  # noqa: B008
    return evaluate_pruning_thresholds({"p": gauges}, SETTINGS, limits)["p"]


def standing(name: str, tier: Tier, *expertise: str, pinned: bool = False) -> Standing:
    return Standing(persona_id=name, tier=tier, expertise=expertise, pinned=pinned)


def falling(name: str, tier: Tier = "active", down: float = 2.0) -> Verdict:
    gauges = {name: Gauges(tier=tier, n=20, down=down, advantage=-0.2)}
    return evaluate_pruning_thresholds(gauges, SETTINGS)[name]


@pytest.mark.parametrize(
    ("tier", "action", "target"),
    [
        ("active", "demote", "stable"),
        ("stable", "demote", "experimental"),
        ("experimental", "prune", "pruned"),
        ("pruned", "keep", "pruned"),
    ],
)
def test_behind_again_and_again_sinks_one_tier(tier: Tier, action: str, target: Tier) -> None:
    verdict = judge(after(fresh(tier, "", 8), *[-0.25] * 12))
    assert (verdict.action, verdict.target) == (action, target)


@pytest.mark.parametrize(
    ("tier", "action", "target"),
    [("active", "keep", "active"), ("stable", "promote", "active"), ("experimental", "promote", "stable")],
)
def test_ahead_again_and_again_rises_one_tier(tier: Tier, action: str, target: Tier) -> None:
    verdict = judge(after(fresh(tier, "", 8), *[0.25] * 12))
    assert (verdict.action, verdict.target) == (action, target)


def test_one_bad_answer_and_few_answers_move_nobody() -> None:
    assert judge(after(fresh("active", "", 0), -0.5)).action == "keep"
    early = judge(after(fresh("active", "", 8), *[-0.5] * 7))
    assert (early.action, early.rule) == ("keep", "wait")
    assert "1 more before it can move" in early.reason


def test_a_persona_that_does_not_rise_above_the_floor_is_pruned_only_from_experimental() -> None:
    low = [0.0] * 60
    for tier, action in (("experimental", "prune"), ("stable", "keep")):
        gauges = fresh(tier, "", 8)  # type: ignore[arg-type]
        for advantage in low:
            gauges = gauges.after(advantage, 0.1, 1.0, SETTINGS)
        verdict = judge(gauges)
        assert verdict.action == action
        if action == "prune":
            assert verdict.rule == "score"
            assert "scored 0.10 on average" in verdict.reason


def test_invented_answers_suspend_at_once_and_refusals_do_not() -> None:
    invented = judge(after(fresh("active", "", 8), 0.1, 0.1, grounding=0.0))
    assert (invented.action, invented.target, invented.rule) == ("prune", "pruned", "grounding")
    refused = after(fresh("active", "", 8), -0.2, -0.2, grounding=None)
    assert judge(refused).rule == "wait"
    assert refused.short == 0.0


def test_scoring_well_without_grounding_does_not_rise() -> None:
    gauges = Gauges(tier="stable", n=30, up=5.0, advantage=0.2, grounding=0.4)
    assert judge(gauges).action == "keep"


def test_the_reason_is_about_the_answers_that_filled_the_gauge() -> None:
    gauges = after(fresh("active", "", 8), *[0.05] * 40, *[-0.25] * 10)
    assert judge(gauges).reason.startswith("over its last 10 questions it scored 0.25 worse")


def test_a_lucky_streak_of_a_persona_that_is_behind_on_the_whole_does_not_rise() -> None:
    gauges = after(fresh("stable", "", 8), *[-0.09] * 60, *[0.25] * 10)
    assert gauges.up > 1.2
    assert (judge(gauges).action, judge(gauges).rule) == ("keep", "lucky")


def test_every_number_that_counted_is_told_and_the_reason_has_no_formula() -> None:
    verdict = judge(after(fresh("active", "", 8), *[-0.25] * 12))
    told = {term.name: term.value for term in verdict.inputs}
    assert told["questions"] == 12
    assert told["mean advantage"] == -0.25
    assert told["behind gauge"] > told["behind limit"] == 1.2
    assert verdict.reason == (
        "over its last 12 questions it scored 0.25 worse than the other experts who were asked the same"
    )


def test_one_fall_a_question_and_the_fullest_gauge_first() -> None:
    crowd = [standing(f"p{i}", "active", "x") for i in range(5)]
    moves = guarded([falling("p0", down=1.5), falling("p1", down=2.5)], crowd, {})
    assert [each.persona_id for each in moves] == ["p1"]


def test_pinned_personas_and_the_last_two_active_stay() -> None:
    crowd = [standing("a", "active"), standing("b", "active", pinned=True), standing("c", "stable")]
    assert guarded([falling("a"), falling("b")], crowd, {}) == []
    assert "must stay active" in why_held(falling("a"), crowd, {})
    assert why_held(falling("b"), [*crowd, standing("d", "active")], {}) == "it is pinned"


def test_the_only_one_who_knows_a_subject_it_does_well_on_is_still_asked() -> None:
    crowd = [standing("a", "stable", "birth year"), standing("b", "active", "war"), standing("c", "active")]
    verdict = falling("a", "stable")
    assert "nobody else who is asked knows 'birth year'" in why_held(verdict, crowd, {"a": ["birth year"]})
    assert why_held(verdict, crowd, {"a": []}) == ""
    assert why_held(verdict, [*crowd, standing("d", "stable", "Birth")], {"a": ["birth year"]}) == ""


@pytest.mark.parametrize("value", [math.nan, 1.5, -0.1, math.inf])
def test_scores_that_are_none_are_refused(value: float) -> None:
    gauges = fresh("active", "", 8)
    with pytest.raises(ValueError, match="number in"):
        gauges.after(0.0, value, 1.0, SETTINGS)
    with pytest.raises(ValueError, match="number in"):
        gauges.after(0.0, 0.5, value, SETTINGS)


def test_nobody_to_judge_is_no_error() -> None:
    assert evaluate_pruning_thresholds({}, SETTINGS) == {}
    assert guarded([], [], {}) == []
