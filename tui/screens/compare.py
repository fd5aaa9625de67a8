"""Two recorded runs side by side."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui import keymap
from tui.panes.compare import Comparison, as_text, compare_rows
from tui.panes.rows import View
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList


class CompareScreen(ModalScreen[str | None]):
    """Shows a comparison; returns the id of the run to replay, or None."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("compare")

    def __init__(self, view: View, comparison: Comparison, copy: Callable[[str], object]) -> None:
        """``copy`` copies a text."""
        super().__init__()
        self._view, self._comparison, self._copy = view, comparison, copy

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader", classes="-broad"):
            yield PartsLine(id="reader-title")
            yield RowList(
                lambda view, toggled, width: compare_rows(view, self._comparison, toggled, width),
                id="compare-rows",
            )
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the comparison."""
        self.query_one("#reader-title", PartsLine).show(
            [("Two runs", "strong"), ("  left and right; + gained, - lost on the right", "dim")]
        )
        rows = self.query_one(RowList)
        rows.show(self._view)
        rows.focus()

    def action_left(self) -> None:
        """Replay the run on the left."""
        self.dismiss(self._comparison.left.snapshot)

    def action_right(self) -> None:
        """Replay the run on the right."""
        self.dismiss(self._comparison.right.snapshot)

    def action_copy(self) -> None:
        """Copy the comparison."""
        self._copy(as_text(self._comparison))

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
