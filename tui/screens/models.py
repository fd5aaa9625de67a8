"""The models of the configured servers: pick one, fetch one, see what is wrong with a server."""

from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from engine.cleaning import one_line
from engine.errors import PersonaMoeError
from tui import keymap
from tui.model_work import ModelShelf, require_model_name
from tui.panes.model import chosen_key, shelf_rows
from tui.panes.rows import Row, Style, View
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from tui.desk import Desk

HINT: Final = "enter picks who writes; p fetches another"


class ModelPicked(msgspec.Struct, frozen=True):
    """Who is to write from now on."""

    mode: Literal["named", "auto", "none"]
    name: str = ""


class ModelsScreen(ModalScreen[ModelPicked | None]):
    """Lets the model be picked; fetching goes on when it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("models")

    def __init__(self, desk: "Desk") -> None:
        """Ask the servers that ``desk`` knows of."""
        super().__init__()
        self._desk = desk
        self._shelf: ModelShelf | None = None
        self._fetched = 0
        self._placed = False

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader"):
            yield PartsLine(id="reader-title")
            yield RowList(self._rows, id="models-rows")
            yield Input(placeholder="name of a model to fetch, such as qwen3:4b", id="path")
        yield KeysLine()

    def on_mount(self) -> None:
        """Ask the servers, and follow what is being fetched."""
        self.query_one("#path", Input).display = False
        self._tell(HINT)
        self.query_one(RowList).show(self._desk.view())
        self.query_one(RowList).focus()
        self._fetched = self._done()
        self.set_interval(0.25, self._follow)
        self._ask()

    def _tell(self, words: str, style: Style = "dim") -> None:
        title = self.query_one("#reader-title", PartsLine)
        title.show([("Models", "strong"), (f"  {one_line(words)}", style)])

    def _rows(self, view: View, toggled: frozenset[str], width: int) -> list[Row]:
        return shelf_rows(view, self._shelf, self._desk.pulls, width)

    def _done(self) -> int:
        return sum(1 for each in self._desk.pulls.values() if each.state == "done")

    def _follow(self) -> None:
        """Show how far the fetching is; what has arrived belongs into the list."""
        self.query_one(RowList).show(self._desk.view())
        if self._done() != self._fetched:
            self._fetched = self._done()
            self._ask()

    @work(exclusive=True)
    async def _ask(self) -> None:
        try:
            self._shelf = await self._desk.session.models()
        except PersonaMoeError as error:
            self._tell(str(error), "bad")
        rows = self.query_one(RowList)
        rows.show(self._desk.view())
        if self._shelf is not None and not self._placed:
            self._placed = True
            rows.go_to(chosen_key(self._shelf))

    # -- keys ------------------------------------------------------------------------------------
    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Take the choice under the cursor."""
        kind, _, name = event.row.key.partition(":")
        if kind == "use":
            self.dismiss(ModelPicked(cast("Literal['auto', 'none']", name)))
        elif kind == "model" and self._shelf is not None:
            info = next((each for each in self._shelf.models if each.name == name), None)
            if info is not None and info.chats:
                self.dismiss(ModelPicked("named", name))
            else:
                self._tell(f"{name} cannot chat; pick another", "warn")

    def action_retry(self) -> None:
        """Ask the servers again."""
        self._shelf = None
        self._tell(HINT)
        self.query_one(RowList).show(self._desk.view())
        self._desk.session.look_for_model()
        self._ask()

    def action_pull(self) -> None:
        """Ask for the name of a model to fetch; that of a missing one is written there already."""
        field = self.query_one("#path", Input)
        line = self.query_one(RowList).current
        if line is not None and line.key.startswith("gone:"):
            field.value = line.key[len("gone:") :]
        field.display = True
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Begin to fetch it."""
        try:
            name = require_model_name(event.value)
        except PersonaMoeError as error:
            self._tell(str(error), "bad")
            return
        self._desk.session.pull(name)
        self._tell("x on its line stops the fetching; it goes on when this window is closed")
        event.input.value = ""
        self._leave_field()

    def _leave_field(self) -> None:
        self.query_one("#path", Input).display = False
        self.query_one(RowList).focus()

    def action_cancel_pull(self) -> None:
        """Stop the fetching under the cursor, or the only one there is."""
        running = [name for name, each in self._desk.pulls.items() if each.state == "running"]
        line = self.query_one(RowList).current
        under = line.key[len("pull:") :] if line is not None and line.key.startswith("pull:") else ""
        name = under if under in running else running[0] if len(running) == 1 else ""
        if name:
            self._desk.session.cancel_pull(name)
        else:
            told = "go to the line of one first" if running else "nothing is being fetched"
            self._tell(told, "warn")

    def action_close(self) -> None:
        """Leave the field, or go back with everything as it was."""
        if self.query_one("#path", Input).has_focus:
            self._leave_field()
            return
        self.dismiss(None)
