"""The sessions: questions that followed one another; one can be gone back to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui import keymap
from tui.panes.rows import Row, View, capped, is_open, row
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.snapshots.sessions import SessionInfo

MOST: Final = 200


def session_rows(view: View, found: "Sequence[SessionInfo]", toggled: frozenset[str], here: str) -> list[Row]:
    """Return a line for each session and, below it, its questions; the one gone on with is marked."""
    if not found:
        return [row("none", ("No session yet. Ask a question; what you ask next follows it.", "dim"))]
    rows: list[Row] = []
    for each in found[:MOST]:
        key = f"session:{each.id}"
        opened = is_open(key, toggled, each.id == here)
        count = len(each.runs)
        rows.append(
            row(
                key,
                (f"{view.glyphs.live if each.id == here else ' '} ", "accent"),
                (f"{each.last.created[:16].replace('T', ' '):<17}", "dim"),
                each.runs[0].question or each.runs[0].problem or each.id,
                (f"  and {count - 1} more" if count > 1 else "", "dim"),
                folded=not opened,
            )
        )
        if opened:
            for run in each.runs:
                state = "" if run.state == "complete" else f"  {run.state}"
                rows.append(row(f"run:{run.id}", run.question or run.id, (state, "warn"), depth=2))
    if len(found) > MOST:
        rows.append(row("older", (f"… {len(found) - MOST:,} older", "dim")))
    return capped(rows)


class SessionsScreen(ModalScreen[str | None]):
    """Lets a session be gone back to; returns the run after which it goes on."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("dialog")

    def __init__(self, view: View, found: "Sequence[SessionInfo]", here: str = "") -> None:
        """List ``found``; ``here`` is the session the user is in."""
        super().__init__()
        self._view, self._found, self._here = view, found, here

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader", classes="-broad"):
            yield PartsLine(id="reader-title")
            yield RowList(
                lambda view, toggled, width: session_rows(view, self._found, toggled, self._here),
                id="sessions-rows",
            )
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the list."""
        hint = "  enter goes on with one; space shows its questions"
        self.query_one("#reader-title", PartsLine).show([("Sessions", "strong"), (hint, "dim")])
        self.query_one(RowList).show(self._view)
        self.query_one(RowList).focus()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Return the run that was chosen, of a session the last that came to its end."""
        kind, _, name = event.row.key.partition(":")
        if kind == "run":
            self.dismiss(name)
        elif kind == "session":
            session = next((each for each in self._found if each.id == name), None)
            if session is not None:
                whole = [run for run in session.runs if run.state == "complete"] or session.runs
                self.dismiss(whole[-1].id)

    def action_close(self) -> None:
        """Go back with everything as it was."""
        self.dismiss(None)
