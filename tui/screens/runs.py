"""The recorded runs, newest first: one can be opened and played, two can be compared."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui import keymap
from tui.panes.rows import Row, Style, View, row
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.snapshots.library import SnapshotInfo

MOST: Final = 500


class RunsChosen(msgspec.Struct, frozen=True):
    """What was chosen: one run to replay, or two to compare, the older on the left."""

    replay: str = ""
    compare: tuple[str, str] | None = None


def run_rows(infos: "Sequence[SnapshotInfo]", marked: Sequence[str] = (), mark: str = "*") -> list[Row]:
    """Return a line for each run; those in ``marked`` begin with ``mark``."""
    if not infos:
        return [row("none", ("No run is recorded yet. Ask a question; every run is kept.", "dim"))]
    rows = []
    for info in infos[:MOST]:
        style: Style = "good" if info.state == "complete" else "warn"
        rows.append(
            row(
                f"run:{info.id}",
                (f"{mark if info.id in marked else ' '} ", "accent"),
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


class RunsScreen(ModalScreen[RunsChosen | None]):
    """Lets one run be chosen for a replay, or two for a comparison."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("runs")

    def __init__(self, view: View, infos: "Sequence[SnapshotInfo]", shown: str = "") -> None:
        """List ``infos``; ``shown`` is the run on the screen now, with which another can be compared."""
        super().__init__()
        self._view, self._infos, self._shown = view, infos, shown
        self._marked: list[str] = []

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader", classes="-broad"):
            yield PartsLine(id="reader-title")
            yield RowList(
                lambda view, toggled, width: run_rows(self._infos, self._marked, view.glyphs.live),
                id="runs-rows",
            )
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the list."""
        self._tell("enter replays one; m marks, c compares two")
        self.query_one(RowList).show(self._view)
        self.query_one(RowList).focus()

    def _tell(self, words: str, style: Style = "dim") -> None:
        self.query_one("#reader-title", PartsLine).show([("Runs", "strong"), (f"  {words}", style)])

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Return the run that was chosen."""
        if event.row.key.startswith("run:"):
            self.dismiss(RunsChosen(replay=event.row.key[4:]))

    def _current(self) -> str:
        line = self.query_one(RowList).current
        return line.key[4:] if line is not None and line.key.startswith("run:") else ""

    def action_mark(self) -> None:
        """Mark the run, or take the mark off; of three the first loses its own."""
        run = self._current()
        if not run:
            return
        if run in self._marked:
            self._marked.remove(run)
        else:
            self._marked = [*self._marked, run][-2:]
        told = "c compares these two" if len(self._marked) == 2 else "mark another, or go to it, then c"
        self._tell(told if self._marked else "enter replays one; m marks, c compares two", "accent")
        self.query_one(RowList).show(self._view)

    def action_compare(self) -> None:
        """Compare the two marked; with one, it and the run under the cursor; with none, the one shown."""
        current = self._current()
        pair = [*self._marked]
        if len(pair) < 2 and current and current not in pair:
            pair.append(current)
        if len(pair) < 2 and self._shown and self._shown not in pair:
            pair.append(self._shown)
        if len(pair) < 2:
            self._tell("two runs are needed: mark one with m, go to another, then c", "warn")
            return
        left, right = sorted(pair)
        self.dismiss(RunsChosen(compare=(left, right)))

    def action_close(self) -> None:
        """Go back without a run."""
        self.dismiss(None)
