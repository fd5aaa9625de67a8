"""Whole journeys by key on the running app: ask, read the citation, look at the numbers, replay, leave."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input
from tui_samples import QUESTION, press_text, still, wait_until

from engine.events import Event
from engine.personas.registry import PersonaRegistry
from engine.snapshots.library import SnapshotLibrary
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE
from tui.screens.first_run import FirstRunScreen
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen
from tui.screens.personas_card import CardScreen
from tui.screens.reader import ReaderScreen
from tui.screens.runs import RunsScreen
from tui.state import EMPTY, fold
from tui.widgets.parts_line import PartsLine
from tui.widgets.question import Question
from tui.widgets.row_list import RowList

Journey = Callable[[PersonaMoeApp, Any], Awaitable[None]]


def go(
    workspace: Workspace, journey: Journey, size: tuple[int, int] = (80, 24), **options: Any
) -> PersonaMoeApp:
    async def run() -> PersonaMoeApp:
        app = PersonaMoeApp(workspace, glyphs=UNICODE, clock=still, **options)
        async with app.run_test(size=size) as pilot:
            await wait_until(pilot, lambda: app.desk.opened is not None)
            await journey(app, pilot)
        return app

    return asyncio.run(run())


async def ask(app: PersonaMoeApp, pilot: Any, text: str = QUESTION) -> None:
    await press_text(pilot, text)
    await pilot.press("enter")
    await wait_until(pilot, lambda: not app.desk.running and app.desk.run.saved is not None)


def shown(screen: Any, selector: str) -> str:
    return "\n".join(row.text for row in screen.query_one(selector, RowList).rows)


def test_ask_cite_look_and_leave_at_80_by_24(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await ask(app, pilot)
        assert "Mara Voss" in app.desk.run.answer_text
        await pilot.press("escape", "c")
        await wait_until(pilot, lambda: isinstance(app.screen, ReaderScreen))
        await wait_until(pilot, lambda: "## Solar lamps" in shown(app.screen, "RowList"))
        assert "designed by Mara Voss" in shown(app.screen, "RowList")
        await pilot.press("escape", "4")
        await wait_until(pilot, lambda: "Evidence" in shown(app.screen, "#evidence"))
        await pilot.press("2")
        await wait_until(pilot, lambda: "lamp" in shown(app.screen, "#graph").lower())
        await pilot.press("3")
        await wait_until(pilot, lambda: "chosen" in shown(app.screen, "#personas"))
        await pilot.press("5")
        await wait_until(pilot, lambda: "finished: answered" in shown(app.screen, "#timeline"))
        await pilot.press("q")

    app = go(workspace, journey)
    assert app.return_code in (0, None)


def test_every_number_opens_into_its_terms(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await ask(app, pilot)
        await pilot.press("escape", "4")
        evidence = app.screen.query_one("#evidence", RowList)
        first = next(row.key for row in evidence.rows if row.key.startswith("expert:"))
        evidence.go_to(first)
        await pilot.press("space")
        relevance = f"{first}/relevance"
        evidence.go_to(relevance)
        await pilot.press("l")
        terms = [row for row in evidence.rows if row.key.startswith(f"{relevance}/")]
        assert terms
        assert all(row.text.lstrip()[0] in "+-" for row in terms)

    go(workspace, journey, (120, 40))


def test_a_run_is_replayed_to_the_very_state_it_had(workspace: Workspace, run_events: list[Event]) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape", "r")
        await wait_until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert QUESTION in shown(app.screen, "RowList")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.desk.player is not None)
        player = app.desk.player
        assert player is not None
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert not player.playing
        middle = player.position
        assert player.state == fold(EMPTY, run_events[:middle])
        await pilot.press("full_stop", "comma", "comma")
        assert player.position == middle - 1
        await pilot.press("dollar_sign")
        assert player.state == fold(EMPTY, run_events)
        assert "REPLAY" in app.screen.query_one("#status", PartsLine).text
        await pilot.press("5")
        timeline = app.screen.query_one("#timeline", RowList)
        await wait_until(pilot, lambda: len(timeline.rows) > 5)
        timeline.go_to("at:1")
        await pilot.press("enter")
        assert player.position == 2
        await pilot.press("escape")
        assert app.desk.player is None

    go(workspace, journey)


def test_stop_is_at_once_keeps_what_there_is_and_marks_the_record(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        session = app.desk.session
        seen = asyncio.Event()
        put = session.queue.put

        def slow(run: int, entry: object) -> None:
            import time

            if isinstance(entry, Event):
                time.sleep(0.02)
            put(run, entry)
            seen.set()

        session.queue.put = slow  # type: ignore[method-assign]
        await press_text(pilot, QUESTION)
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.desk.run.timeline) > 2)
        await pilot.press("escape")
        assert not app.desk.running
        assert app.desk.ending == "stopped"
        kept = app.desk.run
        assert kept.question == QUESTION
        await wait_until(pilot, lambda: SnapshotLibrary(workspace.snapshots).list()[0].state == "cut off")
        assert app.desk.run is kept
        session.queue.put = put  # type: ignore[method-assign]
        await ask(app, pilot)
        assert app.desk.run.outcome == "answered"

    go(workspace, journey)


def test_a_persona_is_moved_and_moved_back_by_key(workspace: Workspace) -> None:
    def tier() -> str:
        return PersonaRegistry.of(workspace).get("sceptic").tier

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape", "3")
        roster = app.screen.query_one("#personas", RowList)
        await wait_until(pilot, lambda: "sceptic" in shown(app.screen, "#personas"))
        roster.go_to("persona:sceptic")
        before = tier()
        await pilot.press("d")
        await wait_until(pilot, lambda: tier() != before)
        await wait_until(
            pilot, lambda: "sceptic went from" in app.screen.query_one("#notice", PartsLine).text
        )
        await pilot.press("u")
        await wait_until(pilot, lambda: tier() == before)
        await pilot.press("p")
        await wait_until(
            pilot, lambda: "no tier further up" in app.screen.query_one("#notice", PartsLine).text
        )
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, CardScreen))
        await wait_until(pilot, lambda: "Traits" in shown(app.screen, "#card"))

    go(workspace, journey)


def test_a_demote_key_held_down_never_reaches_another_persona(workspace: Workspace) -> None:
    def pruned() -> list[str]:
        found = PersonaRegistry.of(workspace).load().personas
        return [each.persona.persona_id for each in found if each.tier == "pruned"]

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        before = pruned()
        await pilot.press("escape", "3")
        roster = app.screen.query_one("#personas", RowList)
        await wait_until(pilot, lambda: "sceptic" in shown(app.screen, "#personas"))
        roster.go_to("persona:sceptic")
        for _ in range(9):
            await pilot.press("d")
            await pilot.pause(0.2)
        await wait_until(pilot, lambda: "persona:sceptic" not in {row.key for row in roster.rows})
        await pilot.press("d", "d")
        await pilot.pause(0.3)
        assert roster.current is not None
        assert roster.current.key == "tier:pruned"
        assert sorted(pruned()) == sorted([*before, "sceptic"])
        await pilot.press("space", "u")
        await wait_until(pilot, lambda: "sceptic" not in pruned())

    go(workspace, journey)


def test_from_nothing_to_a_cited_answer_with_the_sample(empty_workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("1")
        await wait_until(pilot, lambda: bool(app.desk.opened and app.desk.opened.passages))
        await wait_until(pilot, lambda: isinstance(app.screen, MainScreen))
        assert app.screen.query_one(Question).text
        await pilot.press("enter")
        await wait_until(pilot, lambda: not app.desk.running and app.desk.run.saved is not None)
        assert app.desk.run.citations

    go(empty_workspace, journey)


def test_a_folder_that_is_not_there_is_said_where_it_was_typed(
    empty_workspace: Workspace, documents: Path
) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("2")
        path = app.screen.query_one("#path", Input)
        path.value = str(documents / "nowhere")
        await pilot.press("enter")
        assert "there is nothing at" in app.screen.query_one("#path-problem", PartsLine).text
        path.value = str(documents)
        await pilot.press("enter")
        await wait_until(pilot, lambda: bool(app.desk.opened and app.desk.opened.passages))

    go(empty_workspace, journey)


def test_help_lists_the_users_own_keys(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape", "f2")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "f2" in shown(app.screen, "RowList")
        await pilot.press("escape")
        await pilot.press("Q")

    go(workspace, journey, keys={"app.help": "f2", "main.quit": "Q"})


def test_history_and_completion(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        question = app.screen.query_one(Question)
        await wait_until(pilot, lambda: bool(question.personas))
        await press_text(pilot, "@scep")
        await pilot.press("tab")
        assert question.text == "@sceptic "
        await press_text(pilot, QUESTION)
        await pilot.press("enter")
        await wait_until(pilot, lambda: not app.desk.running and app.desk.run.saved is not None)
        assert app.desk.run.started is not None
        assert app.desk.run.started.only == ["sceptic"]
        await pilot.press("up")
        assert question.text == f"@sceptic {QUESTION}"
        await pilot.press("down")
        assert question.text == ""

    go(workspace, journey)


def test_an_error_is_said_below_the_answer_with_its_mend(empty_workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await wait_until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press("3")
        await press_text(pilot, "is it so?")
        await pilot.press("enter")
        await wait_until(pilot, lambda: bool(app.desk.problem))
        assert "nothing is indexed yet; a in any pane adds documents" in app.desk.last_word()
        assert "persona-moe index" not in app.desk.last_word()

    go(empty_workspace, journey)


def test_zoom_and_sizes_lose_nothing(workspace: Workspace) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await ask(app, pilot)
        await pilot.press("escape", "2", "j", "j")
        graph = app.screen.query_one("#graph", RowList)
        line = graph.current
        for size in ((200, 50), (80, 24), (40, 12), (20, 5), (1, 1), (120, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await wait_until(pilot, lambda: app.focused is graph)
        assert graph.current == line
        await pilot.press("z")
        assert app.screen.has_class("-solo")
        await pilot.press("z")
        assert not app.screen.has_class("-solo")

    go(workspace, journey, (120, 40))


class PlantedError(Exception):
    """A defect."""


def test_a_defect_leaves_one_line_and_a_private_log(workspace: Workspace, tmp_path: Path) -> None:
    apps: list[PersonaMoeApp] = []

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        apps.append(app)
        secret = "-".join(["sk", "SECRET", "123"])

        def fail() -> None:
            raise PlantedError(f"bad \x1b]0;x\x07{len(secret)}")

        app.call_later(fail)
        await wait_until(pilot, lambda: bool(app.last_problem))

    with pytest.raises(PlantedError):
        go(workspace, journey)
    (app,) = apps
    assert app.return_code == 1
    assert app.last_problem.startswith("internal error: PlantedError: bad ␛]0;x␇13")
    (log,) = (tmp_path / "home").rglob("last-error.txt")
    assert str(log) in app.last_problem
    assert log.stat().st_mode & 0o777 == 0o600
    assert "sk-SECRET" not in log.read_text("utf-8")


def test_question_that_arrives_in_one_burst_is_asked_whole(workspace: Workspace) -> None:
    """A slow link delivers a line and its enter at once: the key must not overtake the text."""

    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        for char in "wicks":
            app.post_message(events.Key(char, char))
        app.post_message(events.Key("enter", "\r"))
        await wait_until(pilot, lambda: app.screen.query_one(Question).asked != [])
        assert app.screen.query_one(Question).asked == ["wicks"]
        assert app.screen.query_one(Question).text == ""

    go(workspace, journey)
