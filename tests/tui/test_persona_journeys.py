"""Caring for personas by key on the running app: make, change, move, take back, compare, share."""

import asyncio
import contextlib
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input
from tui_samples import QUESTION, press_text, still, wait_until

from engine.events import Event
from engine.personas.document import load_persona_from_file
from engine.personas.registry import PersonaRegistry
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE
from tui.screens.personas import PersonasScreen
from tui.screens.personas_card import CardScreen
from tui.screens.personas_import import ImportScreen
from tui.screens.personas_new import NewPersonaScreen
from tui.screens.reader import ReaderScreen
from tui.widgets.parts_line import PartsLine
from tui.widgets.persona_lists import CardList, RosterList
from tui.widgets.prompt import Prompt
from tui.widgets.row_list import RowList

Journey = Callable[[PersonaMoeApp, Any], Awaitable[None]]


def go(workspace: Workspace, journey: Journey, size: tuple[int, int] = (80, 24)) -> None:
    """Open the roster and do the journey there."""

    async def run() -> None:
        app = PersonaMoeApp(workspace, glyphs=UNICODE, clock=still)
        async with app.run_test(size=size) as pilot:
            await wait_until(pilot, lambda: app.desk.opened is not None)
            await pilot.press("escape", "P")
            await wait_until(pilot, lambda: isinstance(app.screen, PersonasScreen))
            await wait_until(pilot, lambda: len(app.screen.query_one(RosterList).rows) > 4)
            await journey(app, pilot)

    asyncio.run(run())


def said(app: PersonaMoeApp) -> str:
    return app.screen.query_one("#bench-notice", PartsLine).text


def shown(app: PersonaMoeApp) -> str:
    return "\n".join(row.text for row in app.screen.query_one(RowList).rows)


async def on(app: PersonaMoeApp, pilot: Any, kind: type[Any]) -> Any:
    await wait_until(pilot, lambda: isinstance(app.screen, kind))
    await wait_until(pilot, lambda: bool(app.screen.query_one(RowList).rows))
    return app.screen


async def tells(app: PersonaMoeApp, pilot: Any, words: str) -> None:
    await wait_until(pilot, lambda: words in said(app))


async def open_card(app: PersonaMoeApp, pilot: Any, name: str) -> CardScreen:
    app.screen.query_one(RosterList).go_to(f"persona:{name}")
    await pilot.press("enter")
    card: CardScreen = await on(app, pilot, CardScreen)
    return card


async def answer(app: PersonaMoeApp, pilot: Any, text: str) -> None:
    """Write ``text`` over what stands in the prompt, and send it."""
    line = app.screen.query_one(Prompt).query_one(Input)
    await wait_until(pilot, lambda: line.has_focus)
    line.value = text
    await pilot.press("enter")
    await pilot.pause()


def test_create_edit_move_undo_restore(workspace: Workspace) -> None:
    registry = PersonaRegistry.of(workspace)

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        # create, from a template, in a form that is the card itself
        await pilot.press("n")
        new = await on(app, pilot, NewPersonaScreen)
        new.query_one(RowList).go_to("template:checker")
        await pilot.press("enter")
        card = await on(app, pilot, CardScreen)
        rows = card.query_one(CardList)
        rows.go_to("field:id")
        await pilot.press("enter")
        await answer(app, pilot, "../lamp-checker")
        problem = card.query_one(".problem", PartsLine).text
        assert "persona" in problem
        assert registry.load().problems == ()
        await answer(app, pilot, "lamp-checker")
        rows.go_to("field:expertise")
        await pilot.press("enter")
        await answer(app, pilot, "lamps, wicks, lamps")
        rows.go_to("trait:depth")
        await pilot.press("right", "right")
        await pilot.press("w")
        await tells(app, pilot, "lamp-checker is made")
        made = registry.get("lamp-checker")
        assert (made.tier, made.persona.traits["depth"]) == ("experimental", 7)
        assert made.persona.expertise == ["lamps", "wicks"]
        # edit
        rows.go_to("trait:rigour")
        await pilot.press("3")
        assert registry.get("lamp-checker").persona.traits["rigour"] == 9
        assert "was 9" in shown(app)
        await pilot.press("w")
        await tells(app, pilot, "saved")
        assert registry.get("lamp-checker").persona.traits["rigour"] == 3
        # move
        await pilot.press("p")
        await tells(app, pilot, "went from experimental to stable")
        assert "moved by hand" in shown(app)
        # undo the move, then the edit, then the making
        await pilot.press("u")
        await wait_until(pilot, lambda: registry.get("lamp-checker").tier == "experimental")
        await tells(app, pilot, "taken back")
        await pilot.press("u")
        await wait_until(pilot, lambda: registry.get("lamp-checker").persona.traits["rigour"] == 9)
        # restore: through the history, back into the archive's counterpart
        await tells(app, pilot, "the edit of lamp-checker")
        await pilot.press("x")
        await wait_until(pilot, lambda: registry.get("lamp-checker").tier == "pruned")
        await tells(app, pilot, "to pruned")
        await pilot.press("v")
        await wait_until(pilot, lambda: registry.get("lamp-checker").tier == "experimental")
        await tells(app, pilot, "experimental again")
        await pilot.press("u", "u", "u")
        await wait_until(pilot, lambda: not registry.places("lamp-checker"))
        await on(app, pilot, PersonasScreen)

    go(workspace, journey)
    assert list((workspace.state / "set_aside").glob("lamp-checker.made.1.json"))


def test_many_are_found_marked_moved_and_taken_back_as_one(workspace: Workspace) -> None:
    registry = PersonaRegistry.of(workspace)
    before = {each.persona.persona_id: each.tier for each in registry.load().personas}

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        screen = app.screen
        assert isinstance(screen, PersonasScreen)
        await pilot.press("slash")
        await press_text(pilot, "reader")
        found = [line.persona_id for line in screen.order.shown]
        assert found == ["api-docs-reader", "code-reader", "rule-reader"]
        await pilot.press("enter", "A")
        assert list(screen.order.marked) == found
        await pilot.press("x")
        await tells(app, pilot, "3 personas moved")
        assert {registry.get(name).tier for name in found} == {"pruned"}
        await pilot.press("f")
        await tells(app, pilot, "3 personas pinned")
        assert all(registry.get(name).persona.metadata["pinned"] for name in found)
        await pilot.press("u")
        await tells(app, pilot, "taken back: 3 personas pinned")
        await pilot.press("u")
        await tells(app, pilot, "taken back: 3 personas moved")
        await pilot.press("u")
        await tells(app, pilot, "nothing was done")
        await pilot.press("escape")
        assert screen.order.text == ""
        assert len(screen.order.shown) == len(before)
        await pilot.press("escape")
        assert not screen.order.marked
        # what cannot be moved is named, the others are moved
        screen.order.mark("sceptic")
        screen.order.mark("historian")
        await pilot.press("p")
        await tells(app, pilot, "historian went from stable to active; sceptic is active already")
        await pilot.press("u")
        await tells(app, pilot, "taken back")

    go(workspace, journey)
    assert {each.persona.persona_id: each.tier for each in registry.load().personas} == before


def test_the_roster_is_sorted_by_any_column(workspace: Workspace) -> None:
    from engine.personas.overview import COLUMNS

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        screen = app.screen
        assert isinstance(screen, PersonasScreen)
        seen = []
        for _ in COLUMNS:
            await pilot.press("o")
            seen.append(screen.order.column)
            if screen.order.column == "cost":
                costs = [line.activation_cost for line in screen.order.shown]
                assert costs == sorted(costs)
                await pilot.press("O")
                again = [line.activation_cost for line in screen.order.shown]
                assert again == sorted(costs, reverse=True)
        assert sorted(seen) == sorted(COLUMNS)

    go(workspace, journey)


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


def test_a_card_leads_to_the_run_it_took_part_in(workspace: Workspace, run_events: list[Event]) -> None:
    from engine import events as ev

    chosen = next(event.persona for event in run_events if isinstance(event, ev.ExpertChosen))

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        card = await open_card(app, pilot, chosen)
        assert "1 answers" in shown(app)
        key = next(row.key for row in card.query_one(CardList).rows if row.key.startswith("question:"))
        card.query_one(CardList).go_to(key)
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.desk.player is not None)
        assert app.screen is app.screen_stack[0]
        assert key.endswith(app.desk.replay_name)

    go(workspace, journey)


def test_personas_are_compared_side_by_side(workspace: Workspace, run_events: list[Event]) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        screen = app.screen
        assert isinstance(screen, PersonasScreen)
        screen.query_one(RosterList).go_to("persona:sceptic")
        await pilot.press("c")
        assert "mark two or more" in said(app)
        await pilot.press("space")
        screen.query_one(RosterList).go_to("persona:scout")
        await pilot.press("space", "c")
        await on(app, pilot, ReaderScreen)
        await wait_until(pilot, lambda: "the same evidence" in shown(app))
        assert "sceptic" in shown(app)
        assert "scout" in shown(app)
        assert "max hops" in shown(app)

    go(workspace, journey)


def test_an_import_shows_conflicts_and_each_is_resolved_by_key(workspace: Workspace, tmp_path: Path) -> None:
    registry = PersonaRegistry.of(workspace)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("sceptic", "scout", "historian"):
        raw = json.loads(registry.get(name).path.read_text("utf-8"))
        raw["traits"]["depth"] = 1
        raw["colour"] = "blue"
        (folder / f"{name}.json").write_text(json.dumps(raw), encoding="utf-8")
    (folder / "bad.json").write_text('{"persona_id": "bad"', encoding="utf-8")

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("I")
        await answer(app, pilot, str(tmp_path / "nowhere"))
        assert "there is nothing at" in app.screen.query_one(".problem", PartsLine).text
        await answer(app, pilot, str(folder))
        screen = await on(app, pilot, ImportScreen)
        await wait_until(pilot, lambda: "conflict" in shown(app))
        assert "traits.depth: here 5, there 1" in shown(app)
        assert "bad.json is not valid JSON" in shown(app)
        rows = screen.query_one(RowList)

        def place(name: str) -> str:
            return next(row.key for row in rows.rows if f"persona {name} " in row.text)

        rows.go_to(place("sceptic"))
        await pilot.press("r")
        await wait_until(pilot, lambda: "sceptic is replaced" in shown(app))
        rows.go_to(place("scout"))
        await pilot.press("n")
        await wait_until(pilot, lambda: "scout comes in as scout-2" in shown(app))
        await pilot.press("w")
        await on(app, pilot, PersonasScreen)
        await tells(app, pilot, "2 personas taken in; bad")
        assert registry.get("sceptic").persona.traits["depth"] == 1
        assert registry.get("sceptic").persona.metadata["foreign"] == {"colour": "blue"}
        assert registry.get("scout-2").tier == "experimental"
        assert registry.get("historian").persona.traits["depth"] != 1
        await pilot.press("u")
        await tells(app, pilot, "taken back: 2 personas taken in")
        assert registry.get("sceptic").persona.traits["depth"] == 5
        assert not registry.places("scout-2")

    go(workspace, journey)


def test_export_writes_a_bundle_or_a_file_each(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        screen = app.screen
        assert isinstance(screen, PersonasScreen)
        screen.order.mark("scout")
        await pilot.press("E")
        await answer(app, pilot, str(tmp_path / "out.json"))
        await tells(app, pilot, "1 personas written")
        assert json.loads((tmp_path / "out.json").read_text("utf-8"))["format"] == "persona-moe/personas"
        await pilot.press("E")
        await answer(app, pilot, str(tmp_path / "out"))
        await wait_until(pilot, (tmp_path / "out" / "scout.json").exists)
        assert load_persona_from_file(tmp_path / "out" / "scout.json").persona_id == "scout"

    go(workspace, journey)


def test_an_id_in_two_tiers_is_shown_and_the_user_chooses(workspace: Workspace) -> None:
    registry = PersonaRegistry.of(workspace)
    one = registry.get("scout").path
    other = workspace.personas / "stable" / "scout.json"
    other.write_text(one.read_text("utf-8").replace('"depth": ', '"depth": 1, "deep": '), encoding="utf-8")

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        assert "scout is in experimental and stable; both files are kept" in shown(app)
        app.screen.query_one(RosterList).go_to("conflict:scout")
        await pilot.press("enter")
        await answer(app, pilot, "active")
        assert "write experimental or stable" in app.screen.query_one(".problem", PartsLine).text
        await answer(app, pilot, "stable")
        await tells(app, pilot, "scout is stable; the other file is kept")
        assert registry.get("scout").tier == "stable"
        await pilot.press("u")
        await wait_until(pilot, lambda: one.exists() and other.exists())

    go(workspace, journey)


def test_without_a_model_a_paragraph_leads_to_the_form(workspace: Workspace) -> None:
    registry = PersonaRegistry.of(workspace)

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("n")
        await on(app, pilot, NewPersonaScreen)
        await pilot.press("enter")
        await press_text(pilot, "Reads lamp manuals.")
        await pilot.press("enter")
        card = await on(app, pilot, CardScreen)
        label = card.query_one(Prompt).query_one(".label", PartsLine)
        for step, text in enumerate(("lamps", "Lamp reader", "", "Plainly.", "lamps, oil", "nine")):
            number = f"{step + 1} of 6"
            await wait_until(pilot, lambda number=number: label.text.startswith(number))  # type: ignore[misc]
            line = card.query_one(Prompt).query_one(Input)
            if step == 2:
                assert line.value == "Reads lamp manuals."
                await pilot.press("enter")
            else:
                await answer(app, pilot, text)
        assert "is not a number" in card.query_one(".problem", PartsLine).text
        await answer(app, pilot, "0.5")
        await tells(app, pilot, "now the traits")
        await pilot.press("w")
        await tells(app, pilot, "lamps is made")
        made = registry.get("lamps").persona
        assert (made.activation_cost, made.expertise) == (0.5, ["lamps", "oil"])
        assert made.metadata == {
            "name": "Lamp reader", "description": "Reads lamp manuals.", "voice": "Plainly."
        }  # fmt: skip

    go(workspace, journey)
