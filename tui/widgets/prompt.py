"""One line that asks for something, with what is wrong about the answer below it."""

from collections.abc import Callable
from typing import ClassVar, TypeAlias

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from tui import keymap
from tui.widgets.parts_line import PartsLine

Take: TypeAlias = Callable[[str], str]
"""Takes an answer; returns what is wrong with it, empty if it is taken."""


class Prompt(Vertical):
    """Asks one thing at a time. An answer that cannot be used stays in the line, with the reason."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("prompt")
    DEFAULT_CSS = """
    Prompt { display: none; height: auto; background: $panel; }
    Prompt Input, Prompt Input:focus { border: none; height: 1; padding: 0; background: $surface; }
    Prompt .problem { display: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._take: Take = lambda _: ""
        self._back: Widget | None = None
        self._asked = 0

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield PartsLine(classes="label")
        yield Input(select_on_focus=False)
        yield PartsLine(classes="problem")

    def ask(self, label: str, value: str, take: Take, back: Widget) -> None:
        """Ask; ``value`` stands in the line already, and the focus goes ``back`` afterwards."""
        self._take, self._back = take, back
        self._asked += 1
        self.query_one(".label", PartsLine).show(
            [(label, "strong"), ("  enter takes it, esc leaves it", "dim")]
        )
        self._tell("")
        line = self.query_one(Input)
        line.value = value
        line.cursor_position = len(value)
        self.display = True
        line.focus()

    def _tell(self, problem: str) -> None:
        line = self.query_one(".problem", PartsLine)
        line.display = bool(problem)
        line.show([(problem, "bad")])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer to whoever asked."""
        event.stop()
        asked = self._asked
        problem = self._take(event.value)
        if problem:
            self._tell(problem)
        elif self._asked == asked:
            self.close()

    def close(self) -> None:
        """Ask no longer."""
        self.display = False
        if self._back is not None:
            self._back.focus()

    def action_cancel(self) -> None:
        """Leave it as it was."""
        self.close()
