"""What the journeys through the persona screens share."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.widgets import Input
from tui_samples import still, wait_until

from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE
from tui.screens.personas import PersonasScreen
from tui.screens.personas_card import CardScreen
from tui.widgets.parts_line import PartsLine
from tui.widgets.persona_lists import RosterList
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
