"""The main states of the app as pictures, each looked at: 80x24, 120x40 and 200x50."""

from pathlib import Path
from typing import Any

import pytest
from picture_kit import OPENED, SIZES, Snap, after, app, recorded

from engine import events as ev
from engine.workspace import Workspace
from tui.glyphs import ASCII, UNICODE, Glyphs
from tui.screens.first_run import FirstRunScreen


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    ("events", "keys", "replay"),
    [
        (0, ["escape"], None),
        (14, [], None),
        (None, ["escape"], None),
        (None, ["escape", "2"], None),
        (None, ["escape", "3", "j", "space"], None),
        (None, ["escape", "4"], None),
        (0, ["escape", "5"], 16),
    ],
    ids=["empty", "running", "answered", "graph", "personas", "evidence", "replay"],
)
def test_main(
    snap_compare: Snap,
    empty_workspace: Workspace,
    size: tuple[int, int],
    events: int | None,
    keys: list[str],
    replay: int | None,
) -> None:
    made = app(empty_workspace, events=events)
    assert snap_compare(made, terminal_size=size, run_before=after(*keys, replay=replay))


def test_wide(snap_compare: Snap, empty_workspace: Workspace) -> None:
    assert snap_compare(app(empty_workspace), terminal_size=(200, 50), run_before=after("escape", "2"))


def test_passage(snap_compare: Snap, empty_workspace: Workspace) -> None:
    made = app(empty_workspace)

    async def call(work: object) -> object:
        from tui.context import Surroundings

        asks_for_the_file = made.screen is not made.screen_stack[0]
        return Surroundings(("## Solar lamps", ""), ("", "## Oil lamps")) if asks_for_the_file else ""

    made.desk.session.call = call  # type: ignore[method-assign, assignment]
    assert snap_compare(made, terminal_size=(80, 24), run_before=after("escape", "c"))


def test_node(snap_compare: Snap, empty_workspace: Workspace) -> None:
    made = app(empty_workspace)
    assert snap_compare(made, terminal_size=(80, 24), run_before=after("escape", "2", "j", "j", "enter"))


def test_help(snap_compare: Snap, empty_workspace: Workspace) -> None:
    made = app(empty_workspace, events=0)
    assert snap_compare(made, terminal_size=(80, 24), run_before=after("escape", "question_mark"))


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


@pytest.mark.parametrize("theme", ["persona-light", "persona-contrast"])
def test_themes(snap_compare: Snap, empty_workspace: Workspace, theme: str) -> None:
    made = app(empty_workspace)
    made.theme = theme
    assert snap_compare(made, terminal_size=(120, 40), run_before=after("escape", "4"))


def test_too_small(snap_compare: Snap, empty_workspace: Workspace) -> None:
    assert snap_compare(app(empty_workspace, events=0), terminal_size=(40, 10), run_before=after("escape"))


def test_first_run(snap_compare: Snap, empty_workspace: Workspace) -> None:
    import msgspec

    made = app(empty_workspace, events=0)
    empty = msgspec.structs.replace(OPENED, passages=0, documents=(), document_count=0)
    made.start_session = lambda: made.desk.session.queue.put(0, empty)  # type: ignore[method-assign]
    assert snap_compare(made, terminal_size=(80, 24), run_before=after("down", on=FirstRunScreen))


def test_recorded_run_is_one_the_engine_could_have_made(tmp_path: Path) -> None:
    for event in recorded():
        assert ev.decoder.decode(ev.encoder.encode(event)) == event
