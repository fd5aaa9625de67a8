"""Nothing is indexed yet: three ways on, on one screen."""

from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui import keymap
from tui.panes.rows import Row, View, row, text_rows
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

SAMPLE: Final = "sample"

_CHOICES: Final = (
    ("sample", "Try it with the documentation of persona-moe itself", "ready in a second"),
    (
        "folder",
        "Index a folder or file of yours",
        "Markdown, text, HTML, PDF, Word, code; it stays on this machine",
    ),
    ("later", "Look around first", "a in any pane adds documents"),
)


def choice_rows(welcome: bool, width: int) -> list[Row]:
    """Return the three ways on; who asks for them has looked around."""
    head = (
        "There is nothing to answer from yet. Choose with the arrows and enter."
        if welcome
        else "Add documents."
    )
    rows = [*text_rows("head", head, width), row("gap", "")]
    for number, (key, title, remark) in enumerate(_CHOICES if welcome else _CHOICES[:2], start=1):
        rows.append(row(f"choice:{key}", (f"{number}  ", "accent"), (title, "strong")))
        rows += text_rows(f"remark:{key}", remark, width, 2, "dim")
    return rows


class FirstRunScreen(ModalScreen[str | None]):
    """Returns ``sample``, the path to index, or None to look around."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings("dialog"),
        ("1", "choose('sample')", ""),
        ("2", "choose('folder')", ""),
        ("3", "choose('later')", ""),
    ]

    def __init__(self, view: View, welcome: bool = True) -> None:
        """``welcome`` says why the choices are shown."""
        super().__init__()
        self._view, self._welcome = view, welcome

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader"):
            yield PartsLine(id="reader-title")
            yield RowList(lambda view, toggled, width: choice_rows(self._welcome, width), id="choices")
            yield Input(placeholder="path of a folder or file, then enter", id="path", select_on_focus=False)
            yield PartsLine(id="path-problem")
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the choices, the sample under the cursor."""
        title = "Welcome to persona-moe" if self._welcome else "Documents"
        self.query_one("#reader-title", PartsLine).show([(title, "strong")])
        self.query_one("#path", Input).display = False
        rows = self.query_one(RowList)
        rows.show(self._view)
        rows.focus()
        rows.call_after_refresh(rows.go_to, "choice:sample" if self._welcome else "choice:folder")

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Take the choice under the cursor."""
        key = event.row.key.partition(":")[2].partition("/")[0]
        if any(key == each for each, _, _ in _CHOICES):
            self.action_choose(key)

    def action_choose(self, key: str) -> None:
        """Take a choice; a folder is asked for."""
        if key == "folder":
            path = self.query_one("#path", Input)
            path.display = True
            path.focus()
            return
        self.dismiss(SAMPLE if key == "sample" else None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the path, if there is something there."""
        name = event.value.strip()
        if not name:
            return
        path = Path(name).expanduser()
        if not path.exists():
            problem = f"there is nothing at {name[:200]}; give the path of a folder or file"
            self.query_one("#path-problem", PartsLine).show([(problem, "bad")])
            return
        self.dismiss(str(path))

    def action_close(self) -> None:
        """Leave the path, or go on without documents."""
        path = self.query_one("#path", Input)
        if path.has_focus:
            path.display = False
            self.query_one(RowList).focus()
            return
        self.dismiss(None)
