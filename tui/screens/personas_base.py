"""What the persona screens share: a title, a line that says what was done, a prompt, the engine's thread."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar, cast

from textual.screen import Screen

from engine.errors import PersonaMoeError
from tui import keymap
from tui.panes.rows import Part, View
from tui.widgets.parts_line import PartsLine
from tui.widgets.prompt import Prompt, Take
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from tui.app import PersonaMoeApp
    from tui.persona_bench import PersonaBench
    from tui.screens.main import MainScreen

T = TypeVar("T")
Result = TypeVar("Result")


class PersonaScreen(Screen[Result]):
    """A screen with a title, a list, a notice and a prompt."""

    scope: ClassVar[keymap.Scope] = "dialog"
    """Whose keys come first in the help."""

    def __init__(self) -> None:
        super().__init__()
        self.turn: Final = asyncio.Lock()
        """Held by an act until what it did is shown, so that keys typed ahead are taken in order."""

    @property
    def moe(self) -> "PersonaMoeApp":
        """The app."""
        return cast("PersonaMoeApp", self.app)

    @property
    def main(self) -> "MainScreen":
        """The screen that all others lie over."""
        return cast("MainScreen", self.app.screen_stack[0])

    @property
    def bench(self) -> "PersonaBench":
        """What is done to personas; it runs on the engine's thread."""
        return self.moe.bench

    @property
    def view(self) -> View:
        """What the lists are drawn with."""
        return self.moe.desk.view()

    async def called(self, work: Callable[[], T]) -> T | None:
        """Return what ``work`` returns on the engine's thread; None, and the problem shown, if it fails."""
        try:
            return await self.moe.desk.session.call(lambda _: work())
        except PersonaMoeError as error:
            self.say(str(error), "bad")
            return None

    def say(self, text: str, style: str = "dim") -> None:
        """Show what was done, or what is wrong, until the next such line."""
        notice = self.query_one("#bench-notice", PartsLine)
        notice.display = bool(text)
        notice.show([(text, "bad" if style == "bad" else "warn" if style == "warn" else "accent")])

    def show_title(self, parts: list[Part]) -> None:
        """Show the line on top."""
        self.query_one("#bench-title", PartsLine).show(parts)

    def ask(self, label: str, value: str, take: Take) -> None:
        """Ask for one thing below the list."""
        self.query_one(Prompt).ask(label, value, take, self.query_one(RowList))

    def personas_changed(self) -> None:
        """Have the next question see the personas as they are now."""
        self.moe.desk.session.mark_stale()
