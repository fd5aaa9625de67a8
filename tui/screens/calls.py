"""What every part of the main screen needs: work on the engine's thread, and the clipboard."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual import work

from engine.cleaning import one_line
from engine.errors import PersonaMoeError
from tui.clipboard import copy
from tui.screens.main_view import MainView

if TYPE_CHECKING:
    from engine.pipeline import Engine

T = TypeVar("T")


class Calls(MainView):
    """The main screen with its ways out: to the engine's thread, and to the user's clipboard."""

    async def _called(self, task: "Callable[[Engine], T]") -> T | None:
        """Return what ``task`` returns on the engine's thread; None, and the problem shown, if it fails."""
        try:
            return await self.desk.session.call(task)
        except PersonaMoeError as error:
            self.say(str(error), "bad")
            return None

    @work
    async def copy(self, text: str) -> None:
        """Copy ``text`` and say which way it went."""
        file = self.desk.session.workspace.state / "copied.txt"
        style = "dim"
        try:
            route = await asyncio.to_thread(copy, text, self.moe.write_sequence, file)
        except OSError as error:
            route, style = f"could not copy: {error.strerror or error}", "bad"
        if self.is_current:
            self.say(one_line(route), style)
        else:  # a window covers the line above the question
            self.app.notify(one_line(route), markup=False, timeout=4)
