"""The roster: a list that can also move personas between tiers."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from tui import keymap
from tui.widgets.row_list import RowList


class PersonasPane(RowList):
    """Personas by tier."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("personas")

    class MoveWanted(Message):
        """A persona is to go ``step`` tiers up (1), down (-1), or back (0)."""

        def __init__(self, persona: str, step: int) -> None:
            super().__init__()
            self.persona, self.step = persona, step

    @property
    def persona(self) -> str:
        """The persona that the line under the cursor is about, or nothing."""
        line = self.current
        if line is None or not line.key.startswith("persona:"):
            return ""
        return line.key[len("persona:") :].partition("/")[0]

    def _want(self, step: int) -> None:
        if self.persona:
            self.post_message(self.MoveWanted(self.persona, step))

    def action_promote(self) -> None:
        """One tier up."""
        self._want(1)

    def action_demote(self) -> None:
        """One tier down."""
        self._want(-1)

    def action_undo(self) -> None:
        """Undo its last move."""
        self._want(0)
