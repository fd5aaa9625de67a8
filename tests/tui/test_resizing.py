"""Sizes that follow one another in one moment leave the app at the last of them, and awake."""

import asyncio
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Input
from tui_samples import wait_until

from tui.resizing import install


class Sized(App[None]):
    """An app with one line to type into."""

    def compose(self) -> ComposeResult:
        yield Input()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """The sizes that screens took, in order; the change to the class is undone afterwards."""
    found: list[Size] = []
    resized = Screen._screen_resized

    def noted(self: Screen[object], size: Size) -> None:
        found.append(size)
        resized(self, size)

    monkeypatch.setattr(Screen, "_screen_resized", noted)
    monkeypatch.setattr(Screen, "persona_moe_sizes", False, raising=False)
    install()
    return found


def run(journey: Any) -> None:
    async def go() -> None:
        app = Sized()
        async with app.run_test(size=(80, 24)) as pilot:
            await journey(app, pilot)

    asyncio.run(go())


def test_a_size_of_the_past_is_left_alone(taken: list[Size]) -> None:
    async def journey(app: Sized, pilot: Any) -> None:
        await pilot.pause()
        before = len(taken)
        app.screen._screen_resized(Size(40, 10))
        assert len(taken) == before
        assert app.screen.size == Size(80, 24)

    run(journey)


def test_a_storm_ends_at_the_last_size_and_keys_are_answered(taken: list[Size]) -> None:
    async def journey(app: Sized, pilot: Any) -> None:
        sizes = [Size(20 + 7 * n % 180, 5 + 3 * n % 45) for n in range(200)] + [Size(120, 40)]
        for size in sizes:
            app.post_message(events.Resize(size, size))
        await wait_until(pilot, lambda: app.screen.size == Size(120, 40))
        await pilot.press("x")
        assert app.query_one(Input).value == "x"
        assert taken[-1] == Size(120, 40)
        assert len(taken) < 4 * len(sizes)

    run(journey)
