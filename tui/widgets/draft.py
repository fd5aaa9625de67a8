"""The answer while it is written, of which only the lines in sight are drawn."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.glyphs import UNICODE, Glyphs
from tui.panes.draft import Draft
from tui.panes.rows import Row
from tui.widgets.row_list import STYLE_NAMES


class DraftText(Widget):
    """As high as its text; what is complete of it is never laid out again."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"row--{name}" for name in STYLE_NAMES}
    DEFAULT_CSS = """
    DraftText { height: auto; width: 1fr; }
    DraftText > .row--dim { text-style: dim; }
    DraftText > .row--strong { text-style: bold; }
    DraftText > .row--accent { color: $text-accent; }
    DraftText > .row--quote { text-style: italic; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._draft = Draft()
        self._text = ""
        self._glyphs = UNICODE
        self._base = RichStyle()

    def show(self, text: str, glyphs: Glyphs) -> None:
        """Show ``text``, which is mostly that of the last time with something added."""
        self._text, self._glyphs = text, glyphs
        width = self.size.width
        if not width:  # not laid out yet
            self.refresh(layout=True)
            return
        before = len(self._draft.rows)
        first = self._draft.show(text, width, glyphs)
        if len(self._draft.rows) != before:
            self.refresh(layout=True)
        else:
            self.refresh(Region(0, first, width, before - first))

    @property
    def rows(self) -> list[Row]:
        """The lines as they stand."""
        return self._draft.rows

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines."""
        self._draft.show(self._text, width, self._glyphs)
        return len(self._draft.rows)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines in ``crop``; the style below them all is worked out once, not once a line."""
        self._base = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return line ``y`` of the text."""
        width, base = self.size.width, self._base
        if y >= len(self._draft.rows):
            return Strip.blank(width, base)
        segments = []
        for text, name in self._draft.rows[y].parts:
            style = base + self.get_component_rich_style(f"row--{name}", partial=True) if name else base
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, base)
