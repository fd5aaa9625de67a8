"""What the tests of the app share."""

import asyncio
from collections.abc import Callable
from typing import Any

QUESTION = "Who designed the Helio lamp?"


async def wait_until(pilot: Any, ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Let the app go on until ``ready``; what it is waited for may take its time on a busy machine."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not ready():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("it did not happen in time")
        await pilot.pause(0.05)


def still() -> float:
    """A clock that stands still."""
    return 0.0


async def press_text(pilot: Any, text: str) -> None:
    """Type ``text`` as a user does."""
    names = {" ": "space", "?": "question_mark", "@": "at", ".": "full_stop", "/": "slash"}
    for char in text:
        await pilot.press(names.get(char, char))
