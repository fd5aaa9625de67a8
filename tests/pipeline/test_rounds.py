"""A question goes on for what its first answers lack, tells each step, and stops at its price."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from engine import events as ev
from engine.config import set_value
from engine.personas.ledger import Ledger
from engine.pipeline import AskOptions, Engine
from engine.snapshots.reader import open_snapshot
from engine.workspace import Workspace

QUESTION = "Who designed Tolland Bridge, when did its wool market close and where does the Wend rise?"
QUIET = AskOptions(no_model=True)


@pytest.fixture
def narrow(workspace: Workspace) -> Iterator[Engine]:
    """An engine whose questions begin with one expert, so that much is left open."""
    set_value(workspace.configs, "thresholds.first_round", "1")
    with Engine.open(workspace) as opened:
        yield opened


def only(events: Sequence[ev.Event], kind: type[ev.Event]) -> list[ev.Event]:
    return [event for event in events if isinstance(event, kind)]


def with_setting(engine: Engine, **changes: object) -> None:
    thresholds = msgspec.structs.replace(engine.settings.thresholds, **changes)
    engine.settings = msgspec.structs.replace(engine.settings, thresholds=thresholds)


def test_a_round_says_why_it_is_held_and_who_is_asked(narrow: Engine) -> None:
    events = list(narrow.ask_sync(QUESTION, QUIET))
    rounds = only(events, ev.RoundPlanned)
    assert [event.round for event in rounds] == list(range(2, 2 + len(rounds)))
    assert rounds
    for planned in rounds:
        assert planned.reason
        following = events[events.index(planned) + 1]
        assert isinstance(following, ev.ExpertChosen)
        assert f"round {planned.round}" in following.reason
        asked = following.persona
        kinds = [type(e) for e in events[events.index(following) :] if getattr(e, "persona", "") == asked]
        assert ev.ContextPacked in kinds
        assert ev.ClaimsParsed in kinds
        assert ev.ScoresReady in kinds


def test_rounds_cover_more_of_the_question(narrow: Engine) -> None:
    longer = only(list(narrow.ask_sync(QUESTION, QUIET)), ev.AnswerReady)[0]
    with_setting(narrow, max_rounds=1)
    events = list(narrow.ask_sync(QUESTION, QUIET))
    shorter = only(events, ev.AnswerReady)[0]
    assert not only(events, ev.RoundPlanned)
    assert len(longer.citations) > len(shorter.citations)


def test_the_budget_and_the_number_of_experts_hold_over_all_rounds(narrow: Engine) -> None:
    with_setting(narrow, max_rounds=9, budget=2.0)
    chosen = only(list(narrow.ask_sync(QUESTION, QUIET)), ev.ExpertChosen)
    assert sum(event.cost for event in chosen) <= 2.0
    with_setting(narrow, budget=50.0, first_round=2, max_experts=3)
    chosen = only(list(narrow.ask_sync(QUESTION, QUIET)), ev.ExpertChosen)
    assert 1 < len(chosen) <= 3
    assert len({event.persona for event in chosen}) == len(chosen)
    assert [event.order for event in chosen] == list(range(len(chosen)))


def test_an_expert_that_adds_less_than_its_price_stands_down_and_ends_the_rounds(narrow: Engine) -> None:
    with_setting(narrow, activation_threshold=0.0, max_rounds=9, max_experts=9, budget=50.0, first_round=3)
    open_ended = list(narrow.ask_sync("When was Tolland Bridge opened?", QUIET))
    assert not only(open_ended, ev.ExpertStoodDown)  # at no price nobody adds too little
    with_setting(narrow, activation_threshold=0.15)
    events = list(narrow.ask_sync("When was Tolland Bridge opened?", QUIET))
    down = only(events, ev.ExpertStoodDown)
    assert down
    cost = {event.persona: event.cost for event in only(events, ev.ExpertChosen)}
    for event in down:
        assert event.gain < 0.15 * cost[event.persona]
        assert "less than" in event.reason
    later = [event.seq for event in down if event.round > 1]
    assert all(event.seq < min(later, default=event.seq + 1) for event in only(events, ev.RoundPlanned))


def test_rounds_are_recorded_and_run_again_event_by_event(narrow: Engine, tmp_path: Path) -> None:
    events = list(narrow.ask_sync(QUESTION, QUIET))
    (path,) = (tmp_path / "workspace" / "snapshots").glob("*.jsonl*")
    snapshot = open_snapshot(path)
    assert list(snapshot.events()) == events
    aftermath = ev.DISPLAY_ONLY
    kept = [msgspec.structs.replace(e, seq=0) for e in events[:-1] if not isinstance(e, aftermath)]
    again = [
        msgspec.structs.replace(e, seq=0) for e in narrow.rerun(snapshot) if not isinstance(e, aftermath)
    ]
    assert again == kept


def test_who_was_asked_later_is_credited_but_compared_with_nobody(narrow: Engine, tmp_path: Path) -> None:
    events = list(narrow.ask_sync(QUESTION, QUIET))
    later = {event.persona for event in only(events, ev.ExpertChosen) if event.order >= 1}
    credit = {event.persona: event for event in only(events, ev.CreditAssigned)}
    assert later
    assert later < set(credit)
    assert all(credit[name].advantage == 0 for name in later)
    assert any(credit[name].survival > 0 for name in later)
    assert not later & {event.persona for event in only(events, ev.GaugeMoved)}
    with Ledger.open(tmp_path / "workspace" / "state" / "ledger.sqlite3") as ledger:
        rows = dict(ledger.rows("SELECT persona_id, chosen FROM outcome"))
    assert {name for name, compared in rows.items() if not compared} == later


def test_personas_asked_for_by_name_answer_and_nobody_else(narrow: Engine) -> None:
    events = list(narrow.ask_sync(QUESTION, AskOptions(no_model=True, personas=("sceptic",))))
    assert [event.persona for event in only(events, ev.ExpertChosen)] == ["sceptic"]
    assert not only(events, ev.RoundPlanned)
