"""One line made of styled parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.cleaning import one_line
from tui.panes.rows import Part

if TYPE_CHECKING:
    from textual import events

STYLES: Final = {
    "": "",
    "dim": "$text-muted",
    "strong": "bold",
    "accent": "$text-accent",
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "bold $text-error",
    "quote": "italic",
}


class PartsLine(Static):
    """Shows parts on one line; what does not fit is cut."""

    DEFAULT_CSS = "PartsLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }"

    class Clicked(Message):
        """A part was clicked; ``share`` is where in it, 0 at its left end, 1 at its right."""

        def __init__(self, line: "PartsLine", part: int, share: float) -> None:
            super().__init__()
            self.line, self.part, self.share = line, part, share

        @property
        def control(self) -> "PartsLine":
            """The line that was clicked."""
            return self.line

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__("", markup=False, id=id, classes=classes)
        self._parts: Sequence[Part] = ()

    def show(self, parts: Sequence[Part]) -> None:
        """Show ``parts``; nothing is drawn if they are shown already."""
        if parts == self._parts:
            return
        self._parts = parts
        self.update(Content.assemble(*((_flat(text), STYLES[style]) for text, style in parts)))

    def on_click(self, event: "events.Click") -> None:
        """Say which part was clicked."""
        left = 0
        for number, (text, _) in enumerate(self._parts):
            width = cell_len(_flat(text))
            if left <= event.x < left + width:
                self.post_message(self.Clicked(self, number, (event.x - left) / max(1, width - 1)))
                return
            left += width

    @property
    def text(self) -> str:
        """The line without style."""
        return "".join(text for text, _ in self._parts)


def _flat(text: str) -> str:
    """Return ``text`` harmless and on one line, its outer spaces kept."""
    left = " " if text.startswith(" ") else ""
    right = " " if text.endswith(" ") and text.strip() else ""
    return f"{left}{one_line(text, 600)}{right}"
