"""Indexing from the app: it can be stopped, a question says that it waits, what was skipped has a reason."""

import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static
from tui_samples import QUESTION, journey_of, press_text, wait_until

from engine.pipeline import Engine
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.notices import Working
from tui.screens.first_run import FirstRunScreen
from tui.screens.main import MainScreen
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

Journey = Callable[[PersonaMoeApp, Any], Awaitable[None]]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"n{number:03}.md").write_text(
            f"# Lamp {number}\n\nLamp {number} burns oil.\n", encoding="utf-8"
        )
    return folder


def line(app: PersonaMoeApp, selector: str) -> str:
    return app.screen_stack[0].query_one(selector, PartsLine).text


def files_done(app: PersonaMoeApp) -> int:
    found = re.search(r"indexing (\d+) of 60", line(app, "#status"))
    return int(found[1]) if found else 0


async def index(app: PersonaMoeApp, pilot: Any, path: Path, seconds: float = 0.1) -> None:
    """Begin to index ``path``, each file of which takes ``seconds``."""
    put = app.desk.session.queue.put

    def slow(run: int, entry: object) -> None:
        if isinstance(entry, Working):
            time.sleep(seconds)
        put(run, entry)

    app.desk.session.queue.put = slow  # type: ignore[method-assign]
    await pilot.press("escape", "a")
    await wait_until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
    await pilot.press("2")
    app.screen.query_one("#path", Input).value = str(path)
    await pilot.press("enter")
    await wait_until(pilot, lambda: isinstance(app.screen, MainScreen))
    if seconds:
        await wait_until(pilot, lambda: "of 60" in line(app, "#status"))


def passages(workspace: Workspace) -> int:
    with Engine.open(workspace) as engine:
        return engine.store.size().passages


@pytest.mark.parametrize("keys", [("escape",), ("escape", "s"), ("ctrl+c",)], ids="-".join)
def test_what_stops_a_question_stops_indexing_and_keeps_what_is_done(
    workspace: Workspace, many: Path, keys: tuple[str, ...]
) -> None:
    before = passages(workspace)

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await index(app, pilot, many)
        await wait_until(pilot, lambda: files_done(app) >= 5)
        await pilot.press(*keys)
        await wait_until(pilot, lambda: "indexing stopped: " in line(app, "#notice"))
        await wait_until(pilot, lambda: "of 60" not in line(app, "#status"))
        await pilot.press("ctrl+c")
        await wait_until(pilot, lambda: "nothing runs" in line(app, "#notice"))

    journey_of(workspace, journey)
    assert before + 5 <= passages(workspace) < before + 60


def test_a_question_says_that_it_waits_and_can_be_given_up_before_the_indexing(
    workspace: Workspace, many: Path
) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await index(app, pilot, many)
        await press_text(pilot, QUESTION)
        await pilot.press("enter")
        below = app.screen.query_one("#below", Static)
        await wait_until(pilot, lambda: "waits until the documents are indexed" in str(below.content))
        assert "the question waits" in line(app, "#status")
        await pilot.press("escape")
        assert app.desk.ending == "stopped"
        assert app.desk.indexing
        await press_text(pilot, QUESTION)
        await pilot.press("enter", "escape", "escape")
        await wait_until(pilot, lambda: "indexing stopped: " in line(app, "#notice"))
        await press_text(pilot, QUESTION)
        await pilot.press("enter")
        await wait_until(pilot, lambda: not app.desk.running and app.desk.run.saved is not None)
        assert app.desk.run.outcome == "answered"

    journey_of(workspace, journey)


def test_documents_can_be_looked_at_while_others_are_indexed(workspace: Workspace, many: Path) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await index(app, pilot, many)
        assert await app.desk.session.call(lambda engine: engine.store.size().passages) > 0
        assert app.desk.indexing

    journey_of(workspace, journey)


def test_what_was_skipped_is_listed_with_its_reasons(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "good.md").write_text("# Good\n\nread\n", encoding="utf-8")
    (folder / "empty.md").write_text("", encoding="utf-8")
    (folder / "picture.bin").write_bytes(bytes(range(256)))

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await index(app, pilot, folder, 0)
        await wait_until(pilot, lambda: "2 skipped, a says why" in line(app, "#notice"))
        await pilot.press("escape", "a")
        await wait_until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        told = "\n".join(row.text for row in app.screen.query_one(RowList).rows)
        assert "1 file: empty\nodd/empty.md" in told
        assert "odd/picture.bin" in told

    journey_of(workspace, journey)
