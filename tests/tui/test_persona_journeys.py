"""Caring for personas by key on the running app: make, move, take back, compare, share."""

import json
from pathlib import Path
from typing import Any

import pytest
from persona_kit import answer, go, on, open_card, said, shown, tells
from textual.widgets import Input
from tui_samples import press_text, wait_until

from engine.events import Event
from engine.personas.document import load_persona_from_file
from engine.personas.registry import PersonaRegistry
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.screens.personas import PersonasScreen
from tui.screens.personas_card import CardScreen
from tui.screens.personas_import import ImportScreen
from tui.screens.personas_new import NewPersonaScreen
from tui.screens.reader import ReaderScreen
from tui.widgets.parts_line import PartsLine
from tui.widgets.persona_lists import CardList, RosterList
from tui.widgets.prompt import Prompt
from tui.widgets.row_list import RowList


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


def test_a_card_leads_to_the_run_it_took_part_in(workspace: Workspace, run_events: list[Event]) -> None:
    from engine import events as ev

    chosen = next(event.persona for event in run_events if isinstance(event, ev.ExpertChosen))

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        card = await open_card(app, pilot, chosen)
        assert "1 answer," in shown(app)
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


@pytest.mark.parametrize("how", ["folded", "filtered", "sorted"])
def test_a_demote_key_held_down_in_the_roster_never_reaches_another_persona(
    workspace: Workspace, how: str
) -> None:
    def tiers() -> dict[str, str]:
        return {each.persona.persona_id: each.tier for each in PersonaRegistry.of(workspace).load().personas}

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        before = tiers()
        rows = app.screen.query_one(RosterList)
        if how == "folded":
            rows.toggle("tier:pruned")
        elif how == "filtered":
            await pilot.press("slash", *before["sceptic"], "enter")
        else:
            await pilot.press("o", "slash", *before["sceptic"], "enter")
        rows.go_to("persona:sceptic")
        for _ in range(6):
            await pilot.press("d")
            await pilot.pause(0.2)
        await wait_until(pilot, lambda: tiers()["sceptic"] == "pruned")
        await pilot.pause(0.3)
        assert {**before, "sceptic": "pruned"} == tiers()

    go(workspace, journey)
