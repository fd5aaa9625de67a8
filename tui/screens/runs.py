"""The recorded runs, newest first; one can be opened and played."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer

from tui import keymap
from tui.panes.rows import Row, Style, View, row
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.snapshots.library import SnapshotInfo

MOST: int = 500


def run_rows(infos: "Sequence[SnapshotInfo]") -> list[Row]:
    """Return a line for each run."""
    if not infos:
        return [row("none", ("No run is recorded yet. Ask a question; every run is kept.", "dim"))]
    rows = []
    for info in infos[:MOST]:
        style: Style = "good" if info.state == "complete" else "warn"
        rows.append(
            row(
                f"run:{info.id}",
                (f"{info.created[:16].replace('T', ' ') or info.id[:13]:<17}", "dim"),
                (f"{info.state:<9} ", style),
                info.question or info.problem or info.id,
                (f"  {', '.join(info.tags)}" if info.tags else "", "accent"),
                (f"  {info.events} events" if info.events else "", "dim"),
            )
        )
    if len(infos) > MOST:
        rows.append(row("older", (f"… {len(infos) - MOST:,} older: see persona-moe snapshots list", "dim")))
    return rows


class RunsScreen(ModalScreen[str | None]):
    """Lets a run be chosen; returns its id."""

    BINDINGS = keymap.bindings("runs")

    def __init__(self, view: View, infos: "Sequence[SnapshotInfo]") -> None:
        """List ``infos``."""
        super().__init__()
        self._view, self._infos = view, infos

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader"):
            yield PartsLine(id="reader-title")
            yield RowList(lambda view, toggled, width: run_rows(self._infos), id="runs-rows")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Show the list."""
        self.query_one(PartsLine).show([("Runs", "strong"), ("  enter replays one", "dim")])
        self.query_one(RowList).show(self._view)
        self.query_one(RowList).focus()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Return the run that was chosen."""
        if event.row.key.startswith("run:"):
            self.dismiss(event.row.key[4:])

    def action_close(self) -> None:
        """Go back without a run."""
        self.dismiss(None)
