"""The roster as it is shown, and personas side by side."""

from pathlib import Path

import pytest

from engine.errors import PersonaError
from engine.events import Scores
from engine.personas import comparison
from engine.personas.ledger import Ledger, Outcome
from engine.personas.lifecycle import Gauges, Limits
from engine.personas.overview import COLUMNS, Finder, RosterLine, counts, outlook, roster_lines, sorted_lines
from engine.personas.registry import PersonaRegistry
from engine.personas.templates import template, templates
from engine.personas.track_record import TREND, by_topic, duels, questions_of, track_records
from engine.workspace import create_workspace


@pytest.fixture
def registry(tmp_path: Path) -> PersonaRegistry:
    return PersonaRegistry.of(create_workspace(tmp_path / "place"))


def outcome(persona_id: str, total: float, topic: str = "", *, chosen: bool = True) -> Outcome:
    return Outcome(
        persona_id=persona_id,
        persona_digest="d" * 32,
        topic=topic,
        tier="active",
        chosen=chosen,
        cost=1.0,
        scores=Scores(relevance=total, consistency=0.5, novelty=0.5, grounding=1.0, total=total),
        advantage=total - 0.5,
        survival=0.0,
    )


@pytest.fixture
def ledger(registry: PersonaRegistry) -> Ledger:
    ledger = Ledger.open(registry.workspace.ledger_path)
    for number in range(TREND + 4):
        rows = [outcome("sceptic", number / 32, "risk" if number % 2 else "")]
        rows.append(outcome("scout", 0.25, chosen=number < 10))
        ledger.record(f"run-{number}", rows)
    return ledger


def test_records_hold_the_latest_scores_in_order(ledger: Ledger) -> None:
    record = track_records(ledger)["sceptic"]
    assert record.n == TREND + 4
    assert record.trend == tuple(number / 32 for number in range(4, TREND + 4))
    assert track_records(ledger)["scout"].n == 10


def test_topics_and_questions_of_a_persona(ledger: Ledger) -> None:
    assert [(each.topic, each.n) for each in by_topic(ledger, "sceptic")] == [("", 10), ("risk", 10)]
    assert [each.snapshot for each in questions_of(ledger, "sceptic", 2)] == ["run-19", "run-18"]
    assert questions_of(ledger, "nobody") == []


def test_wins_count_only_questions_that_both_answered(ledger: Ledger) -> None:
    (duel,) = duels(ledger, ["sceptic", "scout", "sceptic"])
    assert (duel.together, duel.left, duel.right) == (10, 1, 8)  # 8/32 is a draw
    assert duel.lead < 0


def lines(registry: PersonaRegistry, ledger: Ledger) -> list[RosterLine]:
    return roster_lines(registry.load(), track_records(ledger))


def test_lines_are_found_by_all_words_in_any_field(registry: PersonaRegistry, ledger: Ledger) -> None:
    finder = Finder(lines(registry, ledger))
    assert [each.persona_id for each in finder.find("TRADE-off caveat")] == ["sceptic"]
    assert {each.tier for each in finder.find("experimental")} == {"experimental"}
    assert finder.find("no such words") == []
    assert len(finder.find("  ")) == len(registry.load().personas)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_sorts_both_ways_with_the_unknown_last(
    registry: PersonaRegistry, ledger: Ledger, column: str
) -> None:
    found = lines(registry, ledger)
    up, down = sorted_lines(found, column), sorted_lines(found, column, reverse=True)
    assert {each.persona_id for each in up} == {each.persona_id for each in down}
    assert sorted_lines(reversed(found), column) == up
    if column == "mean":
        assert [each.persona_id for each in up[:2]] == ["scout", "sceptic"]
        assert [each.persona_id for each in down[:2]] == ["sceptic", "scout"]
        assert all(each.n == 0 for each in up[2:] + down[2:])


def test_counts_by_tier(registry: PersonaRegistry, ledger: Ledger) -> None:
    assert counts(lines(registry, ledger)) == {"active": 5, "stable": 6, "experimental": 6, "pruned": 0}


def test_the_distance_to_a_move_is_what_is_left_of_its_gauge(registry: PersonaRegistry) -> None:
    stored = registry.get("historian")
    gauges = Gauges(tier="stable", digest=stored.digest, n=9, wait=2, down=0.3, up=0.9)
    near = outlook(stored, gauges, Limits(down=1.2, up=1.2))
    assert (near.promotion, near.demotion, near.wait) == (0.25, 0.75, 2)
    assert "2 answers before any move" in near.said
    assert outlook(stored, Gauges(tier="active", down=1.0), Limits()).demotion == 1.0
    assert outlook(registry.get("sceptic"), None, Limits()).promotion is None
    pinned = outlook(registry.get("fact-finder"), None, Limits())
    assert (pinned.promotion, pinned.demotion) == (None, None)


def test_traits_policies_and_evidence_side_by_side(registry: PersonaRegistry) -> None:
    personas = [registry.get(name).persona for name in ("sceptic", "scout")]
    rows = {row.name: row for row in comparison.trait_rows(personas)}
    assert rows["bluntness"].values == [7, None]
    assert any(row.differs for row in comparison.policy_rows(personas))
    assert comparison.shared_expertise([personas[0], personas[0]]) == personas[0].expertise
    found = [{"a": ["1", "2"], "b": ["2"]}, {"a": ["1"], "b": ["3"]}]
    (pair,) = comparison.overlaps(["a", "b"], found)
    assert (pair.shared, pair.only_first, pair.only_second, pair.overlap) == (1, 2, 1, 0.25)
    assert comparison.overlaps(["a", "b"], [])[0].overlap == 0


def test_every_template_makes_a_persona_and_a_wrong_name_names_the_nearest() -> None:
    names = [each.name for each in templates()]
    assert len(names) == len(set(names))
    assert {"blank", "specialist", "sceptic"} <= set(names)
    with pytest.raises(PersonaError, match="did you mean specialist"):
        template("specialst")
