"""Where a new persona begins: a paragraph, a form, nothing, another persona, a template."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from engine.cleaning import one_line
from engine.errors import ModelUnavailableError, PersonaMoeError
from engine.personas.draft import Draft
from tui import keymap
from tui.panes.rows import Row, View, row
from tui.screens.personas_base import PersonaScreen
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.pipeline import Engine
    from engine.proposing import Proposal


class Start(msgspec.Struct, frozen=True):
    """How a persona begins: what :meth:`PersonaBench.begin` takes, or a draft that a model proposed."""

    kind: str
    value: str = ""
    draft: Draft | None = None
    said: str = ""


class Paragraph(TextArea):
    """A few lines of text that ``enter`` sends."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Propose", priority=True),
        Binding("alt+enter,ctrl+n", "newline", "New line", priority=True),
        Binding("escape", "leave", "Leave", priority=True),
    ]

    class Sent(Message):
        """The paragraph is done."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The paragraph is not wanted."""

    def action_send(self) -> None:
        """Send the paragraph."""
        if self.text.strip():
            self.post_message(self.Sent(self.text))

    def action_newline(self) -> None:
        """Start a new line."""
        self.insert("\n")

    def action_leave(self) -> None:
        """Leave it."""
        self.post_message(self.Left())


def start_rows(current: str, unfinished: Sequence[str]) -> list[Row]:
    """Return the ways to begin; ``current`` is the persona under the roster's cursor."""
    from engine.personas.templates import templates

    rows = [
        row("paragraph:", ("from a paragraph", "strong"), ("  a model proposes, you accept", "dim")),
        row("guided:", ("answer a form", "strong"), ("  one field after the other", "dim")),
        row("blank:", ("blank", "strong"), ("  every trait in the middle, nothing said", "dim")),
    ]
    if current:
        rows.append(row(f"clone:{current}", ("clone ", "strong"), current, ("  without its past", "dim")))
    rows += [
        row(f"draft:{name}", ("go on with ", "strong"), name, ("  unsaved", "warn")) for name in unfinished
    ]
    rows.append(row("gap", ("templates", "dim")))
    rows += [
        row(f"template:{each.name}", (f"{each.name:<19}", ""), (each.purpose, "dim"), depth=1)
        for each in templates()
        if each.name != "blank"
    ]
    return rows


class NewPersonaScreen(PersonaScreen[Start | None]):
    """Returns how to begin, None if nothing is to be made."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("dialog")

    def __init__(self, view: View, current: str, unfinished: Sequence[str]) -> None:
        """``current`` can be cloned; ``unfinished`` were begun and never saved."""
        super().__init__()
        self._rows = start_rows(current, unfinished)

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield PartsLine(id="bench-title")
        yield RowList(lambda view, toggled, width: self._rows, id="starts")
        yield Paragraph(id="paragraph", soft_wrap=True, show_line_numbers=False)
        yield PartsLine(id="bench-notice")
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the ways to begin."""
        self.query_one(Paragraph).display = False
        self.query_one("#bench-notice").display = False
        self.show_title([("A new persona", "strong"), ("  enter begins", "dim")])
        rows = self.query_one(RowList)
        rows.show(self.view)
        rows.focus()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Begin, or ask for the paragraph."""
        kind, _, value = event.row.key.partition(":")
        if kind == "paragraph":
            paragraph = self.query_one(Paragraph)
            paragraph.display = True
            paragraph.focus()
            self.say("who is it, what does it look for, how does it speak? enter sends, alt+enter: new line")
        elif kind != "gap":
            self.dismiss(Start(kind, value))

    def on_paragraph_sent(self, event: Paragraph.Sent) -> None:
        """Have a persona proposed."""
        self._propose(event.text)

    @work(exclusive=True, group="propose")
    async def _propose(self, text: str) -> None:
        async def work_(engine: "Engine") -> "Proposal":
            from engine.proposing import propose

            return await propose(engine.workspace.settings(), text)

        self.say("a model reads the paragraph…; esc leaves it")
        try:
            proposal = await self.moe.desk.session.call_async(work_)
        except ModelUnavailableError as error:
            draft = await self.called(lambda: self.bench.begin("blank", ""))
            if draft is not None:
                told = draft.with_text("description", one_line(text, 300).strip())
                said = f"{error.problem}; answer these instead"
                self.dismiss(Start("guided", draft=told, said=one_line(said, 300)))
            return
        except PersonaMoeError as error:
            self.say(str(error), "bad")
            return
        left_out = f"; left out: {'; '.join(proposal.notes)}" if proposal.notes else ""
        said = (
            f"{proposal.model.name} proposes this, * marks what differs from a blank one; w accepts{left_out}"
        )
        self.dismiss(Start("proposed", draft=proposal.draft, said=one_line(said, 300)))

    def on_paragraph_left(self) -> None:
        """Go back to the ways to begin; a model that was asked is given up."""
        self.workers.cancel_group(self, "propose")
        self.query_one(Paragraph).display = False
        self.say("")
        self.query_one(RowList).focus()

    def action_close(self) -> None:
        """Make nothing."""
        self.dismiss(None)
