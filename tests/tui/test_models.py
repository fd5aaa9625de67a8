"""The model line and the list of models, against a real server on loopback."""

import socket
from contextlib import ExitStack
from typing import Any

import pytest
from loopback import CHAT_MODEL, EMBEDDER, Loopback
from picture_kit import Snap, after, app, recorded, sized
from test_journeys import ask, go, shown
from textual.widgets import Input
from tui_samples import press_text, wait_until

from engine import events as ev
from engine.config import set_value
from engine.models.base import ModelInfo
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE
from tui.model_work import ModelShelf
from tui.notices import ModelState, Pulling
from tui.panes.model import model_parts, shelf_rows
from tui.panes.rows import View
from tui.screens.main import MainScreen
from tui.screens.models import ModelsScreen
from tui.state import EMPTY, fold
from tui.widgets.answer import below, fault_lines
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def point_at(workspace: Workspace, url: str, provider: str = "auto") -> None:
    set_value(workspace.configs, "ollama.provider", provider)
    set_value(workspace.configs, "ollama.api_endpoint", url)


def line(moe: PersonaMoeApp) -> str:
    return moe.screen_stack[0].query_one("#model", PartsLine).text


async def open_list(moe: PersonaMoeApp, pilot: Any) -> RowList:
    await pilot.press("M")
    await wait_until(pilot, lambda: isinstance(moe.screen, ModelsScreen))
    rows = moe.screen.query_one(RowList)
    await wait_until(pilot, lambda: "automatic" in shown(moe.screen, "RowList"))
    return rows


def test_the_line_names_the_model_and_a_run_adds_context_and_speed(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: "ollama tiny:1b" in line(moe))
        assert f"at 127.0.0.1:{server.port}" in line(moe)
        assert "M picks" in line(moe)
        await ask(moe, pilot)
        await wait_until(pilot, lambda: "tokens," in line(moe))
        used = moe.desk.run.context_used
        assert used > 0
        assert f"context {used:,} of" in line(moe)

    with Loopback() as server:
        point_at(workspace, server.url)
        go(workspace, journey, (120, 40))


def test_a_call_that_fails_is_told_at_once_with_the_server_and_what_it_had_written(
    workspace: Workspace,
) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: "ollama tiny:1b" in line(moe))
        await press_text(pilot, "Who designed the Helio lamp?")
        await pilot.press("enter")
        lost = f"asked at 127.0.0.1:{server.port}: the model server closed the connection in the middle of"
        await wait_until(pilot, lambda: lost in below(moe.desk.view(), ""))
        assert moe.desk.running, "told only when all was done"
        await wait_until(pilot, lambda: not moe.desk.running)
        told = fault_lines(moe.desk.view())
        calls = [each for each in told if lost in each]
        assert len(calls) == len(moe.desk.run.calls)
        assert all(each.endswith("its answer; ask again") for each in calls)
        assert told[-2].startswith("Warning: answer, asked at")
        assert told[-1].startswith("  it had written: ")
        assert "Mara Voss" in moe.desk.run.answer_text

    with Loopback("drop", delay=0.2) as server:
        point_at(workspace, server.url)
        go(workspace, journey, (120, 40))


def test_a_server_that_went_away_is_said_with_the_next_question(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: "ollama tiny:1b" in line(moe))
        up.close()
        await ask(moe, pilot)
        await wait_until(pilot, lambda: f"none at 127.0.0.1:{server.port}" in line(moe))
        assert "documents are quoted" in line(moe)

    with ExitStack() as up:
        server = up.enter_context(Loopback())
        point_at(workspace, server.url)
        go(workspace, journey, (120, 40))


@pytest.mark.parametrize(
    ("provider", "instead"), [("auto", "documents are quoted"), ("ollama", "questions fail")]
)
def test_a_server_that_is_not_there_is_said_with_what_happens_instead_and_asked_again(
    workspace: Workspace, provider: str, instead: str
) -> None:
    port = free_port()

    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: instead in line(moe))
        assert f"none at 127.0.0.1:{port}" in line(moe)
        assert "no model server is listening there; check that it runs ('ollama serve')" in line(moe)
        assert "R tries again, M picks." in line(moe)[:79]
        await press_text(pilot, "wicks")
        await pilot.press("enter")
        await wait_until(pilot, lambda: not moe.desk.running)
        if provider == "ollama":
            assert "no model server is listening there" in moe.desk.problem
        else:
            assert moe.desk.run.outcome == "answered"
        await pilot.press("escape")
        with Loopback() as server:
            moe.desk.session.workspace.settings()
            set_value(workspace.configs, "ollama.api_endpoint", server.url)
            moe.desk.session.mark_stale()
            await pilot.press("R")
            await wait_until(pilot, lambda: not moe.desk.running and moe.desk.run.saved is not None)
            assert moe.desk.run.started is not None
            assert moe.desk.run.started.model.name == "tiny:1b"
            await wait_until(pilot, lambda: "ollama tiny:1b" in line(moe))

    point_at(workspace, f"http://127.0.0.1:{port}", provider)
    go(workspace, journey, (120, 40))


def test_the_list_says_why_a_server_cannot_be_asked(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape")
        await open_list(moe, pilot)
        lines = " ".join(shown(moe.screen, "RowList").split())
        assert "cannot be asked" in lines
        assert "Without a model, documents are quoted. R asks again." in lines

    point_at(workspace, f"http://127.0.0.1:{free_port()}")
    go(workspace, journey)


def test_a_model_is_picked_and_the_next_question_is_written_by_it(workspace: Workspace) -> None:
    other = {**CHAT_MODEL, "name": "other:3b", "model": "other:3b"}

    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: "ollama tiny:1b" in line(moe))
        await pilot.press("escape")
        rows = await open_list(moe, pilot)
        rows.go_to("model:embedder:latest")
        await pilot.press("enter")
        assert "cannot chat" in moe.screen.query_one("#reader-title", PartsLine).text
        rows.go_to("model:other:3b")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "ollama other:3b" in line(moe))
        assert workspace.settings().ollama.model_name == "other:3b"
        await pilot.press("i")
        await ask(moe, pilot)
        assert moe.desk.run.started is not None
        assert moe.desk.run.started.model.name == "other:3b"
        await pilot.press("escape")
        rows = await open_list(moe, pilot)
        rows.go_to("use:none")
        await pilot.press("enter")
        await wait_until(pilot, lambda: moe.desk.model is not None and moe.desk.model.status == "off")
        assert workspace.settings().ollama.provider == "extractive"
        asked = len(server.log)
        rows = await open_list(moe, pilot)
        assert "No model server is asked" in shown(moe.screen, "RowList")
        await fetch(moe, pilot, "new:1b")
        await wait_until(pilot, lambda: "no model server is used" in shown(moe.screen, "RowList"))
        assert len(server.log) == asked, "a server was asked although none is to be"
        rows.go_to("use:auto")
        await pilot.press("enter")
        await wait_until(pilot, lambda: moe.desk.model is not None and moe.desk.model.status == "ready")
        assert workspace.settings().ollama.model_name == ""

    with Loopback(models=[CHAT_MODEL, EMBEDDER, other]) as server:
        point_at(workspace, server.url)
        go(workspace, journey, (120, 40))


async def fetch(moe: PersonaMoeApp, pilot: Any, name: str) -> None:
    await pilot.press("p")
    moe.screen.query_one("#path", Input).value = name
    await pilot.press("enter")


def test_a_model_is_fetched_and_stands_in_the_list(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape")
        await open_list(moe, pilot)
        await fetch(moe, pilot, "new:1b")
        await wait_until(pilot, lambda: "new:1b" in moe.desk.pulls)
        await wait_until(pilot, lambda: moe.desk.pulls["new:1b"].state == "done")
        await wait_until(
            pilot, lambda: any(r.key == "model:new:1b" for r in moe.screen.query_one(RowList).rows)
        )
        await fetch(moe, pilot, "missing")
        await wait_until(pilot, lambda: "cannot fetch 'missing'" in shown(moe.screen, "RowList"))
        await fetch(moe, pilot, "two words")
        assert "is no name of a model" in moe.screen.query_one("#reader-title", PartsLine).text

    with Loopback() as server:
        point_at(workspace, server.url)
        go(workspace, journey)


def test_fetching_goes_on_when_the_list_is_closed_and_stops_when_it_is_told_to(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape")
        await open_list(moe, pilot)
        await fetch(moe, pilot, "slow:1b")
        await wait_until(pilot, lambda: "50 %" in shown(moe.screen, "RowList"))
        await pilot.press("escape")
        assert isinstance(moe.screen, MainScreen)
        status = moe.screen.query_one("#status", PartsLine)
        await wait_until(pilot, lambda: "fetching slow:1b 50 %" in status.text)
        rows = await open_list(moe, pilot)
        rows.go_to("pull:slow:1b")
        await pilot.press("x")
        await wait_until(pilot, lambda: "cancelled" in shown(moe.screen, "RowList"))
        await wait_until(
            pilot, lambda: any(each["gone"] for each in server.log if each["path"].endswith("/pull"))
        )
        await pilot.press("x")
        assert "nothing is being fetched" in moe.screen.query_one("#reader-title", PartsLine).text

    with Loopback() as server:
        point_at(workspace, server.url)
        go(workspace, journey)


# -- words -------------------------------------------------------------------------------------------
VIEW = View(run=EMPTY, glyphs=UNICODE)


def text_of(state: ModelState | None, view: View = VIEW, pace: float = 0.0) -> str:
    return "".join(text for text, _ in model_parts(view, state, pace))


def test_the_line_before_anything_is_known_and_when_no_model_is_wanted() -> None:
    assert "looking for a model server" in text_of(None)
    assert "none, as set" in text_of(ModelState(status="off", instead="documents are quoted"))


def test_a_replay_shows_the_model_of_its_own_run() -> None:
    started = next(each for each in recorded() if isinstance(each, ev.QueryStarted))
    view = View(run=fold(EMPTY, [started]), glyphs=UNICODE, replaying=True)
    ready = ModelState(status="ready", name="tiny:1b", where="h")
    assert "no model server is listening" in text_of(ready, view)
    assert "tiny:1b" not in text_of(ready, view)


def test_a_server_far_away_that_runs_models_elsewhere_is_told() -> None:
    shelf = ModelShelf(
        provider="auto",
        model_name="",
        where=("http://h:1",),
        models=(ModelInfo(name="cloud", remote=True, capabilities=("completion",)),),
    )
    assert any("leaves this machine" in row.text for row in shelf_rows(VIEW, shelf, {}, 100))


# -- pictures ----------------------------------------------------------------------------------------
SHELF = ModelShelf(
    provider="auto",
    model_name="qwen3:4b",
    where=("http://127.0.0.1:11434", "http://10.0.0.7:11434"),
    models=(
        ModelInfo(
            name="qwen3:4b",
            parameters="4.0B",
            quantization="Q4_K_M",
            size=2_600_000_000,
            window=262_144,
            allocated=8_192,
            capabilities=("completion",),
        ),
        ModelInfo(name="nomic-embed-text:latest", parameters="137M", capabilities=("embedding",)),
    ),
    faults=(("http://10.0.0.7:11434", "nothing answers at http://10.0.0.7:11434", "start it there"),),
)
PULLS = {
    "llama3.2:3b": Pulling(name="llama3.2:3b", what="pulling dde5", done=1_200_000_000, total=2_000_000_000),
    "tiny:1b": Pulling(name="tiny:1b", what="fetched", state="done"),
}


@sized
def test_picture_of_the_list(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    made = app(empty_workspace)
    made.desk.pulls.update(PULLS)

    async def models() -> ModelShelf:
        return SHELF

    made.desk.session.models = models  # type: ignore[method-assign]

    async def before(pilot: Any) -> None:
        await after("escape")(pilot)
        await made.push_screen(ModelsScreen(made.desk))
        await after(on=ModelsScreen)(pilot)

    assert snap_compare(made, terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", ["persona-dark", "persona-light", "persona-contrast"])
def test_picture_of_no_server(snap_compare: Snap, empty_workspace: Workspace, theme: str) -> None:
    made = app(empty_workspace, events=0)
    made.theme = theme
    problem = "nothing answers at http://127.0.0.1:11434 (connection refused)"
    made.desk.model = ModelState(
        status="missing", where="127.0.0.1:11434", problem=problem, instead="documents are quoted"
    )
    assert snap_compare(made, terminal_size=(120, 40), run_before=after("escape"))
