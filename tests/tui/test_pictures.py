"""The states of the app as pictures, each looked at: 80x24, 120x40 and 200x50; the themes at 120x40."""

from pathlib import Path
from typing import Any

import pytest
from picture_kit import OPENED, Snap, after, app, recorded, settled, sized
from textual.command import CommandList
from tui_samples import wait_until

from engine import events as ev
from engine.workspace import Workspace
from tui.glyphs import ASCII, UNICODE, Glyphs
from tui.notices import RunEnded
from tui.screens.first_run import FirstRunScreen

STATES: dict[str, tuple[dict[str, Any], list[str], int | None]] = {
    "empty": ({"events": 0}, ["escape"], None),
    "running": ({"events": 14}, [], None),
    "answered": ({}, ["escape"], None),
    "graph": ({}, ["escape", "2"], None),
    "personas": ({}, ["escape", "3", "j", "space"], None),
    "evidence": ({}, ["escape", "4"], None),
    "timeline": ({}, ["escape", "5"], None),
    "replay": ({"events": 0}, ["escape", "5"], 16),
}
"""What the app is made with, the keys pressed in it, and where a replay of the run stands."""


@sized
@pytest.mark.parametrize("state", STATES)
def test_main(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int], state: str) -> None:
    options, keys, replay = STATES[state]
    made = app(empty_workspace, **options)
    assert snap_compare(made, terminal_size=size, run_before=after(*keys, replay=replay))


@pytest.mark.parametrize("theme", ["persona-light", "persona-contrast"])
@pytest.mark.parametrize("state", STATES)
def test_themes(snap_compare: Snap, empty_workspace: Workspace, state: str, theme: str) -> None:
    options, keys, replay = STATES[state]
    made = app(empty_workspace, **options)
    made.theme = theme
    assert snap_compare(made, terminal_size=(120, 40), run_before=after(*keys, replay=replay))


ENDINGS = {
    "stopped": (14, RunEnded(cancelled=True)),
    "failed": (
        14,
        RunEnded(problem="nothing answers at http://127.0.0.1:11434; start it"),
    ),
}


@sized
@pytest.mark.parametrize("ending", ENDINGS)
def test_endings(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int], ending: str) -> None:
    events, ended = ENDINGS[ending]
    made = app(empty_workspace, events=events, ended=ended)
    assert snap_compare(made, terminal_size=size, run_before=after("escape"))


@sized
def test_passage(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    made = app(empty_workspace)

    async def call(work: object) -> object:
        from tui.context import Surroundings

        asks_for_the_file = made.screen is not made.screen_stack[0]
        return Surroundings(("## Solar lamps", ""), ("", "## Oil lamps")) if asks_for_the_file else ""

    made.desk.session.call = call  # type: ignore[method-assign, assignment]
    assert snap_compare(made, terminal_size=size, run_before=after("escape", "c"))


@sized
def test_node(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    made = app(empty_workspace)
    assert snap_compare(made, terminal_size=size, run_before=after("escape", "2", "j", "j", "enter"))


@sized
def test_help(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    made = app(empty_workspace, events=0)
    assert snap_compare(made, terminal_size=size, run_before=after("escape", "question_mark"))


@sized
def test_palette(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    made = app(empty_workspace, events=0)

    async def before(pilot: Any) -> None:
        await after("escape")(pilot)
        await pilot.press("colon")
        await wait_until(pilot, lambda: made.screen.query_one(CommandList).option_count > 5)
        await settled(pilot)

    assert snap_compare(made, terminal_size=size, run_before=before)


@pytest.mark.parametrize(
    ("glyphs", "options"),
    [(ASCII, {"plain_colours": True}), (UNICODE, {"low_bandwidth": True, "plain_colours": True})],
    ids=["ascii", "low-bandwidth"],
)
def test_poor_terminals(
    snap_compare: Snap, empty_workspace: Workspace, glyphs: Glyphs, options: dict[str, Any]
) -> None:
    made = app(empty_workspace, glyphs=glyphs, **options)
    assert snap_compare(made, terminal_size=(120, 40), run_before=after("escape", "3"))


def test_without_colour(
    snap_compare: Snap, empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app(empty_workspace), terminal_size=(120, 40), run_before=after("escape", "3"))


def test_too_small(snap_compare: Snap, empty_workspace: Workspace) -> None:
    assert snap_compare(app(empty_workspace, events=0), terminal_size=(40, 10), run_before=after("escape"))


@sized
def test_first_run(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    import msgspec

    made = app(empty_workspace, events=0)
    empty = msgspec.structs.replace(OPENED, passages=0, documents=(), file_count=0)
    made.start_session = lambda: made.desk.session.queue.put(0, empty)  # type: ignore[method-assign]
    assert snap_compare(made, terminal_size=size, run_before=after("down", on=FirstRunScreen))


def test_recorded_run_is_one_the_engine_could_have_made(tmp_path: Path) -> None:
    for event in recorded():
        assert ev.decoder.decode(ev.encoder.encode(event)) == event
