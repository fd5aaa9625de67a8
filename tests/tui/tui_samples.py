"""What the tests of the app share."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual import events

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
