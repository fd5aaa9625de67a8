"""What the tests of the app share."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events

from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE

QUESTION = "Who designed the Helio lamp?"


async def wait_until(pilot: Any, ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Let the app go on until ``ready``, and come to rest: what is shown may have the focus a moment later.

    What it is waited for may take its time on a busy machine.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while not ready():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("it did not happen in time")
        await asyncio.sleep(0.01)
    await pilot.pause()


def still() -> float:
    """A clock that stands still."""
    return 0.0


KEYS = {" ": "space", "?": "question_mark", "@": "at", ".": "full_stop", "/": "slash"}


async def press_text(pilot: Any, text: str) -> None:
    """Type ``text``, faster than anybody does: no key waits for the app to be done with the one before."""
    for char in text:
        pilot.app.post_message(events.Key(KEYS.get(char, char), char))
    await pilot.pause()


def journey_of(
    workspace: Workspace, journey: Callable[[PersonaMoeApp, Any], Awaitable[None]], **options: Any
) -> None:
    """Open the app on ``workspace`` at 80 by 24 and do the journey there."""

    async def run() -> None:
        app = PersonaMoeApp(workspace, **{"glyphs": UNICODE, "clock": still, **options})
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_until(pilot, lambda: app.desk.opened is not None)
            await journey(app, pilot)

    asyncio.run(run())
