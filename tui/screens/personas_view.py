"""How the roster of all personas looks: found as you type, sorted by any column, many marked at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from engine.workspace import TIERS
from tui import keymap
from tui.panes.roster import WIDE, detail, head, roster_rows
from tui.panes.rows import Part, Row, View
from tui.persona_bench import Everyone
from tui.roster_order import RosterOrder
from tui.screens.personas_base import PersonaScreen
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.persona_lists import RosterList
from tui.widgets.prompt import Prompt
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual import events


class RosterView(PersonaScreen[None]):
    """The roster on the screen."""

    scope = "roster"
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("roster")

    def __init__(self) -> None:
        super().__init__()
        self.order = RosterOrder()
        self.everyone = Everyone([], [], [])
        self.busy = False

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield PartsLine(id="bench-title")
        yield Input(
            placeholder="words in id, name, tier or expertise", id="bench-filter", select_on_focus=False
        )
        yield Static("", id="bench-head", markup=False)
        yield RosterList(self._rows, id="roster")
        yield PartsLine(id="bench-detail")
        yield PartsLine(id="bench-notice")
        yield Prompt(id="bench-prompt")
        yield KeysLine()

    def on_mount(self) -> None:
        """Read the roster."""
        self.query_one("#bench-filter").display = False
        self.query_one("#bench-notice").display = False
        rows = self.query_one(RosterList)
        rows.tier_of = lambda name: self.order.lines[name].tier if name in self.order.lines else ""
        rows.focus()
        self.set_interval(0.25, self._tell_progress)
        self.show_title([("Personas", "strong"), ("  reading…", "dim")])
        self.read()

    @work(exclusive=True, group="read")
    async def read(self) -> None:
        """Read all personas anew."""
        everyone = await self.called(self.bench.everyone)
        if everyone is not None:
            self.everyone = everyone
            self.order.take(everyone.lines)
            self.draw()
            for note in self.bench.notes:
                self.say(note, "warn")
            self.bench.notes.clear()

    # -- drawing ---------------------------------------------------------------------------------
    def _rows(self, view: View, toggled: frozenset[str], width: int) -> Sequence[Row]:
        return roster_rows(
            self.order.shown,
            self.everyone.conflicts,
            self.everyone.problems,
            by_tier=self.order.column == "tier",
            toggled=toggled,
            marked=self.order.marked,
            width=width,
            glyphs=view.glyphs,
        )

    def draw(self) -> None:
        """Show the roster as it is ordered, filtered and marked now."""
        rows = self.query_one(RosterList)
        rows.show(self.view)
        rows.refresh()
        order, glyphs = self.order, self.moe.desk.glyphs
        width = rows.scrollable_content_region.width
        if width:
            line = head(width - 2, order.column, order.reverse, glyphs)
            self.query_one("#bench-head", Static).update(f"  {line}")
        parts: list[Part] = [("Personas ", "strong")]
        if order.text:
            parts.append((f" {len(order.shown)} found ", "accent"))
        if order.marked:
            hidden = len(order.marked) - len(order.marked_and_shown)
            parts.append((f" {len(order.marked)} marked{f', {hidden} not shown' if hidden else ''} ", "warn"))
        way = f" {glyphs.down}" if order.reverse else ""
        parts.append((f" by {order.column}{way} ", "accent"))
        for tier, count in order.counts.items():
            name = f" {tier}" if width >= WIDE or not (order.text or order.marked) else ""
            parts.append((f" {glyphs.tiers[tier]}{name} {count} ", "dim"))
        self.show_title(parts)
        self.tell_detail()

    def tell_detail(self) -> None:
        """Show what the columns have no room for."""
        line = self.order.lines.get(self.persona)
        self.query_one("#bench-detail", PartsLine).show(detail(line, self.size.width))

    def _tell_progress(self) -> None:
        done, total = self.bench.work.progress
        if self.busy and total > 1:
            self.say(f"{done} of {total}…")

    def on_resize(self, event: "events.Resize") -> None:
        """Draw the columns for the new width."""
        self.call_after_refresh(self.draw)

    @property
    def persona(self) -> str:
        """The persona under the cursor, or nothing."""
        line = self.query_one(RosterList).current
        key = line.key if line is not None else ""
        return key.removeprefix("persona:") if key.startswith("persona:") else ""

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Tell more of the persona under the cursor."""
        self.tell_detail()

    # -- finding and marking ---------------------------------------------------------------------
    def action_filter(self) -> None:
        """Go to the filter."""
        line = self.query_one("#bench-filter", Input)
        line.display = True
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        if event.input.id == "bench-filter":
            self.order.filter(event.value)
            self.draw()
            if self.order.shown:
                first = min(self.order.shown, key=lambda line: TIERS.index(line.tier))
                shown = first if self.order.column == "tier" else self.order.shown[0]
                self.query_one(RosterList).go_to(f"persona:{shown.persona_id}")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go from the filter to what was found."""
        if event.input.id == "bench-filter":
            event.input.display = bool(event.value)
            self.query_one(RosterList).focus()

    def on_key(self, event: "events.Key") -> None:
        """Let down lead from the filter into the list."""
        if event.key == "down" and self.query_one("#bench-filter").has_focus:
            event.stop()
            self.query_one(RosterList).focus()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.order.next_column()
        self.draw()

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self.order.turn_round()
        self.draw()

    def on_roster_list_marked(self) -> None:
        """Mark the persona, or all of a tier."""
        rows = self.query_one(RosterList)
        key = rows.current.key if rows.current else ""
        if key.startswith("tier:"):
            self.order.mark_all([each for each in self.order.shown if each.tier == key[5:]])
        elif self.persona:
            self.order.mark(self.persona)
            rows.action_down()
        self.draw()

    def action_mark_all(self) -> None:
        """Mark all that are shown, or none."""
        self.order.mark_all(self.order.shown)
        self.draw()

    @property
    def targets(self) -> list[str]:
        """The marked personas, else the one under the cursor."""
        return list(self.order.marked) or ([self.persona] if self.persona else [])
