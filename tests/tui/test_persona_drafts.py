"""Changing a persona in the app: nothing unsaved is lost; a draft is tried, and nothing of it recorded."""

import contextlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from persona_kit import go, on, open_card, shown, tells
from tui_samples import QUESTION, wait_until

from engine.events import Event
from engine.personas.registry import PersonaRegistry
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.screens.personas import PersonasScreen
from tui.screens.reader import ReaderScreen
from tui.widgets.persona_lists import CardList


def test_what_is_not_saved_is_kept_and_can_be_discarded_and_brought_back(workspace: Workspace) -> None:
    registry = PersonaRegistry.of(workspace)

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        card = await open_card(app, pilot, "sceptic")
        card.query_one(CardList).go_to("trait:depth")
        await pilot.press("9", "escape")
        await on(app, pilot, PersonasScreen)
        assert registry.get("sceptic").persona.traits["depth"] == 5
        card = await open_card(app, pilot, "sceptic")
        await tells(app, pilot, "going on with your unsaved changes")
        assert card.draft is not None
        assert card.draft.now.traits["depth"] == 9
        await pilot.press("z")
        assert not card.draft.changed
        await pilot.press("z")
        assert card.draft.now.traits["depth"] == 9
        await pilot.press("z", "escape")
        await on(app, pilot, PersonasScreen)
        assert not list((workspace.state / "edits").iterdir())

    go(workspace, journey)


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have ``$EDITOR`` change the file, whose path is ``$1``, and the app lend its terminal."""
    path = tmp_path / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(path))
    monkeypatch.setattr(PersonaMoeApp, "suspend", lambda self: contextlib.nullcontext())


def test_the_editor_names_the_field_and_loses_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = PersonaRegistry.of(workspace)

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        card = await open_card(app, pilot, "sceptic")
        editor(tmp_path, monkeypatch, """sed -i 's/"depth": 5/"depth": 12/; s/risk/peril/' "$1" """)
        await pilot.press("e")
        await tells(app, pilot, "trait depth must be a whole number from 1 to 9, not 12")
        current = card.query_one(CardList).current
        assert current is not None
        assert current.key == "trait:depth"
        assert registry.get("sceptic").persona.traits["depth"] == 5
        (kept,) = (workspace.state / "edits").iterdir()
        assert "peril" in kept.read_text("utf-8")
        editor(tmp_path, monkeypatch, """sed -i 's/"depth": 12/"depth": 8/' "$1" """)
        await pilot.press("e")
        await tells(app, pilot, "sceptic is saved")
        saved = registry.get("sceptic").persona
        assert saved.traits["depth"] == 8
        assert "peril" in saved.expertise
        assert not kept.exists()
        await pilot.press("u")
        await wait_until(pilot, lambda: "risk" in registry.get("sceptic").persona.expertise)

    go(workspace, journey)


BROKEN = """sed -i 's/"depth": 5/"depth": 12/; s/risk/peril/' "$1" """


def edits(workspace: Workspace) -> list[str]:
    return [path.read_text("utf-8") for path in sorted((workspace.state / "edits").iterdir())]


@pytest.mark.parametrize("again", [False, True], ids=["at-once", "opened-again"])
def test_a_text_that_cannot_be_used_is_discarded_and_brought_back(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await open_card(app, pilot, "sceptic")
        editor(tmp_path, monkeypatch, BROKEN)
        await pilot.press("e")
        await tells(app, pilot, "z discards it")
        if again:
            await pilot.press("escape")
            await on(app, pilot, PersonasScreen)
            await open_card(app, pilot, "sceptic")
            await tells(app, pilot, "z discards it")
        kept = edits(workspace)
        await pilot.press("z")
        await tells(app, pilot, "the unfinished edit is discarded; z brings it back")
        assert not edits(workspace)
        await pilot.press("z")
        await tells(app, pilot, "the unfinished edit is back")
        assert edits(workspace) == kept
        await pilot.press("z")
        await tells(app, pilot, "discarded")
        await pilot.press("escape")
        await on(app, pilot, PersonasScreen)
        assert not edits(workspace)

    go(workspace, journey)


@pytest.mark.parametrize("leave", ["w", "escape"])
def test_a_text_that_cannot_be_used_outlives_other_changes(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        card = await open_card(app, pilot, "sceptic")
        editor(tmp_path, monkeypatch, BROKEN)
        await pilot.press("e")
        await tells(app, pilot, "your text is kept")
        (kept,) = edits(workspace)
        card.query_one(CardList).go_to("trait:breadth")
        await pilot.press("9", leave)
        if leave == "w":
            await tells(app, pilot, "sceptic is saved; u takes it back; the unfinished edit is kept in '")
            assert PersonaRegistry.of(workspace).get("sceptic").persona.traits["breadth"] == 9
        else:
            await on(app, pilot, PersonasScreen)
            await open_card(app, pilot, "sceptic")
            await tells(app, pilot, "going on with your unsaved changes")
            await tells(app, pilot, "sceptic.unfinished-1.json")
        assert kept in edits(workspace)

    go(workspace, journey)


def test_a_file_that_another_program_changes_is_noticed_and_both_changes_stand(workspace: Workspace) -> None:
    registry = PersonaRegistry.of(workspace)

    def elsewhere(**traits: int) -> None:
        path = registry.get("sceptic").path
        raw = json.loads(path.read_text("utf-8"))
        raw["traits"].update(traits)
        path.write_text(json.dumps(raw), encoding="utf-8")

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        card = await open_card(app, pilot, "sceptic")
        elsewhere(breadth=2)
        await tells(app, pilot, "was changed by another program and is shown as it is")
        assert card.draft is not None
        assert card.draft.now.traits["breadth"] == 2
        card.query_one(CardList).go_to("trait:depth")
        await pilot.press("9")
        elsewhere(rigour=1, depth=2)
        await tells(app, pilot, "your changes stand over that")
        assert "was 2" in shown(app)
        await pilot.press("w")
        await tells(app, pilot, "saved")
        traits = registry.get("sceptic").persona.traits
        assert (traits["depth"], traits["rigour"], traits["breadth"]) == (9, 1, 2)
        # removed while it is open: what is on the screen can be saved again
        registry.get("sceptic").path.unlink()
        await tells(app, pilot, "there is no persona sceptic")
        await pilot.press("7", "w")
        await wait_until(pilot, lambda: bool(registry.places("sceptic")))
        assert registry.get("sceptic").persona.traits["depth"] == 7

    go(workspace, journey)


def files(workspace: Workspace) -> dict[Path, bytes]:
    """What must stay as it was: all but the log and what SQLite keeps beside an open database."""
    everything = [path for path in workspace.root.rglob("*") if path.is_file()]
    return {
        path: path.read_bytes() for path in everything if not path.name.endswith((".log", "-shm", "-wal"))
    }


def test_a_draft_is_tried_beside_the_saved_one_and_nothing_is_recorded(
    workspace: Workspace, run_events: list[Event]
) -> None:
    before = files(workspace)

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        card = await open_card(app, pilot, "scout")
        card.query_one(CardList).go_to("trait:depth")
        await pilot.press("1", "t")
        await on(app, pilot, ReaderScreen)
        await wait_until(pilot, lambda: "nothing was recorded" in shown(app))
        assert QUESTION in shown(app)
        assert "the draft scores" in shown(app)
        assert files(workspace) == before
        await pilot.press("escape")
        await pilot.press("z")

    go(workspace, journey)
