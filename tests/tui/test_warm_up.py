"""The model is loaded when the app opens, where the settings say so; nobody waits for it."""

import time
from typing import Any

import pytest
from loopback import Loopback
from test_journeys import ask, go
from test_models import line, point_at
from tui_samples import wait_until

from engine.config import set_value
from engine.workspace import Workspace
from tui.app import PersonaMoeApp


def memory(moe: PersonaMoeApp) -> str:
    return moe.desk.model.memory if moe.desk.model is not None else "unknown"


def open_naming_a_model(workspace: Workspace, server: Loopback, journey: Any) -> None:
    point_at(workspace, server.url)
    set_value(workspace.configs, "ollama.model_name", "tiny:1b")
    go(workspace, journey, (120, 40))


def test_a_named_model_is_loaded_with_the_window_that_questions_ask_for(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: "loading it" in line(moe))
        await wait_until(pilot, lambda: memory(moe) == "loaded")
        assert "ollama tiny:1b" in line(moe)
        assert "loading" not in line(moe)
        assert not server.chats
        await ask(moe, pilot)
        asked = {chat["body"]["options"]["num_ctx"] for chat in (*server.loads, *server.chats)}
        assert len(asked) == 1, "another window would have the server load the model again"
        assert len(server.loads) == 1
        assert {chat["body"]["keep_alive"] for chat in (*server.loads, *server.chats)} == {"10m"}

    with Loopback() as server:
        server.load_seconds = 0.5
        open_naming_a_model(workspace, server, journey)


@pytest.mark.parametrize(
    ("name", "warm_up", "loads"),
    [("", "named", 0), ("", "always", 1), ("tiny:1b", "never", 0), ("tiny:1b", "named", 1)],
)
def test_the_settings_say_whether_a_model_is_loaded(
    workspace: Workspace, name: str, warm_up: str, loads: int
) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: memory(moe) == ("loaded" if loads else ""))
        assert len(server.loads) == loads

    with Loopback() as server:
        point_at(workspace, server.url)
        set_value(workspace.configs, "ollama.model_name", f'"{name}"')
        set_value(workspace.configs, "ollama.warm_up", warm_up)
        go(workspace, journey, (120, 40))


def test_a_model_in_memory_is_not_loaded_again(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: memory(moe) == "loaded")
        assert not server.loads

    with Loopback() as server:
        server.loaded["tiny:1b"] = 4096
        open_naming_a_model(workspace, server, journey)


def test_a_load_that_fails_is_a_few_words_in_the_line_and_questions_go_on(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: memory(moe) == "failed")
        assert "not loaded yet: the model server failed (status 500): out of memory" in line(moe)
        assert not moe.desk.said
        assert not moe.desk.problem
        await ask(moe, pilot)
        assert moe.desk.run.started is not None
        assert moe.desk.run.started.model.name == "tiny:1b"

    with Loopback("load-500") as server:
        open_naming_a_model(workspace, server, journey)


def test_nobody_waits_for_a_load_and_leaving_the_app_ends_it(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: memory(moe) == "loading")
        await wait_until(pilot, lambda: moe.desk.opened is not None)
        await ask(moe, pilot)
        assert moe.desk.run.outcome == "answered"

    with Loopback("load-silent") as server:
        open_naming_a_model(workspace, server, journey)
        until = time.monotonic() + 10
        while not all(each["gone"] for each in server.loads) and time.monotonic() < until:
            time.sleep(0.02)
        assert server.loads
        assert all(each["gone"] for each in server.loads), "the load goes on for nobody"
