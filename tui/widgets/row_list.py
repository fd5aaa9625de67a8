"""A list or tree of lines, of which only those in sight are drawn."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import keymap
from tui.panes.rows import LazyRows, Row, View

if TYPE_CHECKING:
    from textual import events

Build: TypeAlias = Callable[[View, frozenset[str], int], Sequence[Row]]

REVERSED: Final = RichStyle(reverse=True)
STYLE_NAMES: Final = ("dim", "strong", "accent", "good", "warn", "bad", "quote")


class RowList(ScrollView, can_focus=True):
    """Shows the rows that ``build`` makes of a view. The cursor and what is open survive every update."""

    BINDINGS = keymap.bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"row--{name}" for name in STYLE_NAMES}
    DEFAULT_CSS = """
    RowList {
        height: 1fr; overflow-x: hidden; overflow-y: auto;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    RowList > .row--dim { text-style: dim; }
    RowList > .row--strong { text-style: bold; }
    RowList > .row--accent { color: $text-accent; }
    RowList > .row--good { color: $text-success; }
    RowList > .row--warn { color: $text-warning; }
    RowList > .row--bad { color: $text-error; text-style: bold; }
    RowList > .row--quote { text-style: italic; }
    """

    class Chosen(Message):
        """A line was chosen with enter or a click on it while it had the cursor."""

        def __init__(self, rows: "RowList", row: Row) -> None:
            super().__init__()
            self.rows, self.row = rows, row

        @property
        def control(self) -> "RowList":
            """The list that the line is in."""
            return self.rows

    class Moved(Message):
        """The cursor went to another line."""

        def __init__(self, rows: "RowList", row: Row) -> None:
            super().__init__()
            self.rows, self.row = rows, row

    def __init__(self, build: Build, *, follow: bool = False, id: str | None = None) -> None:  # noqa: A002
        """``follow`` keeps the newest line in sight as long as the cursor is on the last one."""
        super().__init__(id=id)
        self._build = build
        self._follow = follow
        self._view: View | None = None
        self._rows: Sequence[Row] = ()
        self._cursor = 0
        self._touched = False
        self._base = RichStyle()
        self.toggled: frozenset[str] = frozenset()

    # -- content ---------------------------------------------------------------------------------
    @property
    def rows(self) -> Sequence[Row]:
        """The lines as they stand."""
        return self._rows

    @property
    def current(self) -> Row | None:
        """The line under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    def show(self, view: View) -> None:
        """Show ``view``; nothing is drawn if its lines are those shown already."""
        if self._view is None or self._view.run.started is not view.run.started:
            self._touched = False
        self._view = view
        self._rebuild()

    def _rebuild(self) -> None:
        width = self.scrollable_content_region.width
        if self._view is None or width <= 0:
            return
        rows = self._build(self._view, self.toggled, width)
        if rows == self._rows:
            return
        current, at_end = self.current, self._cursor >= len(self._rows) - 1
        self._rows = rows
        if self._follow and at_end:
            self._cursor = max(0, len(rows) - 1)
        elif current is not None:
            self._cursor = self._find(current.key) if self._touched else 0
        self.virtual_size = Size(width, len(rows))
        self.refresh()

    def _find(self, key: str) -> int:
        if self._cursor < len(self._rows) and self._rows[self._cursor].key == key:
            return self._cursor
        if isinstance(self._rows, LazyRows):
            found = self._rows.place_of(key)
        else:
            found = next((i for i, each in enumerate(self._rows) if each.key == key), None)
        if found is None and (stand_in := self.stand_in(key)):
            return self._find(stand_in)
        return min(self._cursor, max(0, len(self._rows) - 1)) if found is None else found

    def stand_in(self, key: str) -> str:
        """Return the key of the line that takes the cursor from one that is not shown; empty for any."""
        return ""

    def on_mount(self) -> None:
        """Keep the end in sight from the start, if it is to be followed."""
        if self._follow:
            self.anchor()

    def on_resize(self) -> None:
        """Wrap the lines anew."""
        self._rebuild()
        self._reveal()

    # -- drawing ---------------------------------------------------------------------------------
    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines in ``crop``; the style below them all is worked out once, not once a line."""
        self._base = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return the line at ``y`` of the part in sight."""
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        base = self._base
        if index >= len(self._rows):
            return Strip.blank(width, base)
        line = self._rows[index]
        glyphs = self._view.glyphs if self._view else None
        fold = " "
        if glyphs is not None and line.folded is not None:
            fold = glyphs.folded if line.folded else glyphs.unfolded
        room = max(0, width - 2 * line.depth - 2)
        segments = [Segment("  " * line.depth + fold + " ", base)]
        for text, name in line.parts:
            if room <= 0:
                break
            if cell_len(text) > room:
                dots = glyphs.ellipsis if glyphs else "…"
                text = set_cell_size(text, max(0, room - len(dots))) + dots[:room]  # noqa: PLW2901
            room -= cell_len(text)
            style = base + self.get_component_rich_style(f"row--{name}", partial=True) if name else base
            segments.append(Segment(text, style))
        strip = Strip(segments).adjust_cell_length(width, base)
        if index == self._cursor and self.has_focus:
            strip = strip.apply_style(REVERSED)
        return strip

    # -- moving ----------------------------------------------------------------------------------
    def _go(self, index: int) -> None:
        last = max(0, len(self._rows) - 1)
        index = min(max(index, 0), last)
        self._touched = True
        if self._follow:
            self.anchor(index == last)
        if index != self._cursor:
            self._cursor = index
            self.refresh()
            if (line := self.current) is not None:
                self.post_message(self.Moved(self, line))
        self._reveal()

    def _reveal(self) -> None:
        region = Region(0, self._cursor, max(1, self.size.width), 1)
        self.scroll_to_region(region, animate=False, force=True)

    def go_to(self, key: str) -> None:
        """Put the cursor on the line of this key, if there is one."""
        self._go(self._find(key))

    def action_up(self) -> None:
        """One line up."""
        self._go(self._cursor - 1)

    def action_down(self) -> None:
        """One line down."""
        self._go(self._cursor + 1)

    def action_first(self) -> None:
        """To the first line."""
        self._go(0)

    def action_last(self) -> None:
        """To the last line."""
        self._go(len(self._rows) - 1)

    def action_page_up(self) -> None:
        """Half a page up."""
        self._go(self._cursor - max(1, self.size.height // 2))

    def action_page_down(self) -> None:
        """Half a page down."""
        self._go(self._cursor + max(1, self.size.height // 2))

    # -- opening and closing ---------------------------------------------------------------------
    def toggle(self, key: str) -> None:
        """Open the line ``key`` if it is closed, and the other way round."""
        self.toggled = self.toggled ^ {key}
        self._rebuild()

    def action_fold(self) -> None:
        """Open or close the line under the cursor."""
        if (line := self.current) is not None and line.folded is not None:
            self.toggle(line.key)

    def action_in(self) -> None:
        """Open the line; go to its first part if it is open already; choose it if it has none."""
        line = self.current
        if line is None:
            return
        if line.folded is None:
            self.action_choose()
        elif line.folded:
            self.toggle(line.key)
        else:
            self.action_down()

    def action_out(self) -> None:
        """Close the line, or go to the one that it is part of."""
        line = self.current
        if line is None:
            return
        if line.folded is False:
            self.toggle(line.key)
            return
        above = (i for i in range(self._cursor - 1, -1, -1) if self._rows[i].depth < line.depth)
        self._go(next(above, self._cursor))

    def action_choose(self) -> None:
        """Say that the line under the cursor was chosen."""
        if (line := self.current) is not None:
            self.post_message(self.Chosen(self, line))

    def on_click(self, event: "events.Click") -> None:
        """Put the cursor there; open or close on the mark; choose on the second click."""
        index = event.y + self.scroll_offset.y
        if not 0 <= index < len(self._rows):
            return
        again = index == self._cursor
        self._go(index)
        line = self._rows[index]
        if line.folded is not None and event.x <= 2 * line.depth + 1:
            self.toggle(line.key)
        elif again:
            self.action_choose()
