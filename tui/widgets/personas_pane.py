"""The roster: a list that can also move personas between tiers."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from tui import keymap
from tui.panes.personas import tier_of
from tui.widgets.row_list import RowList


class PersonasPane(RowList):
    """Personas by tier."""

    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("personas")

    class MoveWanted(Message):
        """A persona is to go ``step`` tiers up (1) or down (-1); 0 takes the last change back."""

        def __init__(self, persona: str, step: int) -> None:
            super().__init__()
            self.persona, self.step = persona, step

    class RosterWanted(Message):
        """The roster of all personas is to be shown."""

    @property
    def persona(self) -> str:
        """The persona that the line under the cursor is about, or nothing."""
        line = self.current
        if line is None or not line.key.startswith("persona:"):
            return ""
        return line.key[len("persona:") :].partition("/")[0]

    def stand_in(self, key: str) -> str:
        """Return the tier's line for a persona in a closed tier: no other persona may take the cursor."""
        if self._view is None or not key.startswith("persona:"):
            return ""
        tier = tier_of(self._view, key[len("persona:") :].partition("/")[0])
        return f"tier:{tier}" if tier else ""

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
        """Take back what was last done, to whatever persona."""
        self.post_message(self.MoveWanted("", 0))

    def action_roster(self) -> None:
        """Go to the roster of all personas."""
        self.post_message(self.RosterWanted())
