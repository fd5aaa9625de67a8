"""What another program writes while the app is open: seen without a key, and never a reason to stop."""

import json
from typing import Any

from test_journeys import ask, go
from tui_samples import wait_until

from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.widgets.parts_line import PartsLine
from tui.workspace_watch import WorkspaceWatch


def test_files_that_come_change_and_go_are_noticed_once(empty_workspace: Workspace) -> None:
    watch = WorkspaceWatch(empty_workspace)
    assert not watch.has_changed()
    path = empty_workspace.personas / "stable" / "guest.json"
    for text in ("{}", "{} "):
        path.write_text(text, encoding="utf-8")
        assert watch.has_changed()
        assert not watch.has_changed()
    path.unlink()
    (empty_workspace.configs / ".thresholds.toml.swp").write_text("", encoding="utf-8")
    assert watch.has_changed()
    (empty_workspace.configs / ".thresholds.toml.swp").unlink()
    assert not watch.has_changed(), "hidden files are the editor's own"


def test_a_persona_written_meanwhile_is_on_the_roster(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        made = json.loads((workspace.personas / "active" / "fact-finder.json").read_text("utf-8"))
        made["persona_id"] = "guest"
        (workspace.personas / "stable" / "guest.json").write_text(json.dumps(made), encoding="utf-8")
        await wait_until(
            pilot,
            lambda: (
                app.desk.opened is not None and any(p.persona_id == "guest" for p in app.desk.opened.personas)
            ),
        )

    go(workspace, journey)


def test_settings_that_cannot_be_read_leave_the_last_good_ones(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        notice = app.screen.query_one("#notice", PartsLine)
        thresholds = workspace.configs / "thresholds.toml"
        thresholds.write_text("budget = 3.0\nmax_experts = = 2\n", encoding="utf-8")
        await wait_until(pilot, lambda: "thresholds.toml" in notice.text)
        assert "line 2" in notice.text
        assert "the last good ones hold" in notice.text
        await ask(app, pilot)
        assert app.desk.run.outcome == "answered"
        thresholds.write_text("budget = 3.0\n", encoding="utf-8")
        await wait_until(pilot, lambda: app.desk.session._stale)
        await ask(app, pilot)
        assert app.desk.run.started is not None
        assert app.desk.run.started.budget == 3.0

    go(workspace, journey)
