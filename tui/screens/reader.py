"""Something to be read in full: a passage where it stands, a node, a persona's card."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui import keymap
from tui.panes.rows import Row, View
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

Make: TypeAlias = Callable[[View, object, int], list[Row]]


class Page(msgspec.Struct, frozen=True):
    """One thing to read: ``make`` gives its lines from what ``load`` brought (None until then)."""

    title: str
    make: Make
    load: Callable[[], Awaitable[object]] | None = None


class ReaderScreen(ModalScreen[None]):
    """Pages to be read, one at a time."""

    BINDINGS = keymap.bindings("reader")

    def __init__(
        self, view: View, pages: Sequence[Page], copy: Callable[[str], object], index: int = 0
    ) -> None:
        """Show ``pages[index]`` first; ``copy`` copies a text."""
        super().__init__()
        self._copy = copy
        self._view, self._pages, self._index = view, pages, index
        self._loaded: dict[int, object] = {}

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader"):
            yield PartsLine(id="reader-title")
            yield RowList(self._rows, id="reader-rows")
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the first page."""
        self.query_one(RowList).focus()
        self._turn(0)

    def _rows(self, view: View, toggled: frozenset[str], width: int) -> list[Row]:
        return self._pages[self._index].make(view, self._loaded.get(self._index), width)

    def _turn(self, step: int) -> None:
        self._index = (self._index + step) % len(self._pages)
        page = self._pages[self._index]
        number = f"  {self._index + 1} of {len(self._pages)}" if len(self._pages) > 1 else ""
        self.query_one(PartsLine).show([(page.title, "strong"), (number, "dim")])
        rows = self.query_one(RowList)
        rows.show(self._view)
        if step:
            rows.action_first()
        if page.load is not None and self._index not in self._loaded:
            self._load(self._index, page.load)

    @work
    async def _load(self, index: int, load: Callable[[], Awaitable[object]]) -> None:
        self._loaded[index] = await load()
        if index == self._index:
            self.query_one(RowList).show(self._view)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is possible; one page has none before or after it."""
        return len(self._pages) > 1 if action in {"next", "previous"} else True

    def action_next(self) -> None:
        """Turn to the next page."""
        self._turn(1)

    def action_previous(self) -> None:
        """Turn to the page before."""
        self._turn(-1)

    def action_copy(self) -> None:
        """Copy what is shown."""
        lines = ["  " * row.depth + row.text for row in self.query_one(RowList).rows]
        self._copy("\n".join([self._pages[self._index].title, *lines]))

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
