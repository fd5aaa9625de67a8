"""What learning changes for later questions, and what it must never touch."""

from pathlib import Path

import pytest

from engine import events as ev
from engine.config import set_value
from engine.pipeline import AskOptions, Engine
from engine.snapshots.reader import open_snapshot
from engine.snapshots.verify import compare
from engine.workspace import Workspace

QUESTION = "Where was the designer of Tolland Bridge from?"


def contents(workspace: Workspace) -> dict[Path, bytes]:
    folders = (workspace.personas, workspace.state)
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if path.suffix != ".log" and "corpus" not in path.name}


def test_gauges_move_beside_the_digest(engine: Engine) -> None:
    first, second = (list(engine.ask_sync(QUESTION)) for _ in range(2))
    moved = [event for event in second if isinstance(event, ev.GaugeMoved)]
    assert {event.persona for event in moved} == {
        event.persona for event in second if isinstance(event, ev.ExpertChosen)
    }
    assert first[-1].digest == second[-1].digest


@pytest.mark.parametrize("by_setting", [True, False])
def test_without_learning_nothing_changes_by_a_byte(workspace: Workspace, by_setting: bool) -> None:
    with Engine.open(workspace) as engine:
        list(engine.ask_sync(QUESTION))
    before = contents(workspace)
    assert workspace.ledger_path in before
    if by_setting:
        set_value(workspace.configs, "system.learn", "false")
    with Engine.open(workspace) as engine:
        events = list(engine.ask_sync(QUESTION, AskOptions(learn=by_setting)))
    assert not any(isinstance(event, ev.AFTERMATH) for event in events)
    assert contents(workspace) == before


def test_a_run_with_records_can_be_repeated_after_more_was_learned(workspace: Workspace) -> None:
    set_value(workspace.configs, "system.learn_every", "2")
    set_value(workspace.configs, "thresholds.min_questions", "2")
    with Engine.open(workspace) as engine:
        runs = [list(engine.ask_sync(QUESTION)) for _ in range(6)]
        told = [(run[0].learned_runs, bool(run[0].learned)) for run in runs]
        assert told == [(0, False), (0, False), (2, True), (2, True), (4, True), (4, True)]
        assert runs[2][0].learned == runs[3][0].learned != runs[4][0].learned
        third = open_snapshot(engine.snapshot_path(runs[2][-1].snapshot))
        assert compare(third.events(), engine.rerun(third)).identical
        values = [
            {event.persona: event.value for event in run if isinstance(event, ev.GateScored)} for run in runs
        ]
        assert values[0] == values[1] != values[2] == values[3]


def test_questions_go_on_while_somebody_else_holds_the_workspace(
    engine: Engine, workspace: Workspace
) -> None:
    with Workspace(workspace.root).lock():
        events = list(engine.ask_sync(QUESTION))
    assert not any(isinstance(event, ev.Warned) for event in events)
    assert any(isinstance(event, ev.GaugeMoved) for event in events)
