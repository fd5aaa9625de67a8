"""Nothing is indexed yet: three ways on, on one screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from engine.cleaning import counted
from tui import keymap
from tui.notices import Indexed
from tui.panes.rows import Row, View, capped, row, text_rows
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


def choice_rows(welcome: bool, width: int, indexed: Indexed | None = None) -> list[Row]:
    """Return the ways on, three for a ``welcome``, and below them what ``indexed`` left out, with reasons."""
    head = (
        "There is nothing to answer from yet. Choose with the arrows and enter."
        if welcome
        else "Add documents."
    )
    rows = [*text_rows("head", head, width), row("gap", "")]
    for number, (key, title, remark) in enumerate(_CHOICES if welcome else _CHOICES[:2], start=1):
        rows.append(row(f"choice:{key}", (f"{number}  ", "accent"), (title, "strong")))
        rows += text_rows(f"remark:{key}", remark, width, 2, "dim")
    if indexed is not None:
        rows += _left_out(indexed, width)
    return capped(rows)


def _left_out(indexed: Indexed, width: int) -> Iterator[Row]:
    if not (indexed.skipped or indexed.notes):
        return
    yield row("gap:skipped", "")
    yield row(
        "skipped", ("Indexed last, of which was skipped:" if indexed.skipped else "Indexed last:", "strong")
    )
    by_reason: dict[str, list[str]] = {}
    for name, reason in indexed.skipped:
        by_reason.setdefault(reason, []).append(name)
    for number, reason in enumerate(sorted(by_reason, key=lambda each: (-len(by_reason[each]), each))):
        names = by_reason[reason]
        yield from text_rows(f"reason:{number}", f"{counted(len(names), 'file')}: {reason}", width, 1, "warn")
        yield from (
            row(f"skipped:{number}/{place}", (name, "dim"), depth=2) for place, name in enumerate(names)
        )
    for number, note in enumerate(indexed.notes):
        yield from text_rows(f"note:{number}", f"note: {note}", width, 1, "dim")


class FirstRunScreen(ModalScreen[str | None]):
    """Returns ``sample``, the path to index, or None to look around."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings("dialog"),
        ("1", "choose('sample')", ""),
        ("2", "choose('folder')", ""),
        ("3", "choose('later')", ""),
    ]

    def __init__(self, view: View, welcome: bool = True, indexed: Indexed | None = None) -> None:
        """``welcome`` says why the choices are shown, ``indexed`` what came of the last one."""
        super().__init__()
        self._view, self._welcome, self._indexed = view, welcome, indexed

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader"):
            yield PartsLine(id="reader-title")
            yield RowList(self._rows, id="choices")
            yield Input(placeholder="path of a folder or file, then enter", id="path", select_on_focus=False)
            yield PartsLine(id="path-problem")
        yield KeysLine()

    def _rows(self, view: View, toggled: frozenset[str], width: int) -> list[Row]:
        return choice_rows(self._welcome, width, self._indexed)

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
