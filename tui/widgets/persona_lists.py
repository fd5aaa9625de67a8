"""The two lists of the persona screens: the roster, whose lines can be marked, and the card."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual import events


class RosterList(RowList):
    """Personas, a line each; ``space`` marks where other lists fold."""

    tier_of: Callable[[str], str] = staticmethod(lambda _: "")
    """Gives the tier of a persona, also of one that is not shown."""

    def stand_in(self, key: str) -> str:
        """Return the tier's line for a persona in a closed tier: no other persona may take the cursor."""
        kind, _, persona = key.partition(":")
        tier = self.tier_of(persona) if kind == "persona" else ""
        return f"tier:{tier}" if tier else ""

    class Marked(Message):
        """The line under the cursor is to be marked, or no longer."""

    def action_fold(self) -> None:
        """Mark the line and go to the next."""
        self.post_message(self.Marked())


class CardList(RowList):
    """The lines of a card. On a trait, left and right turn it and a digit sets it."""

    class Nudged(Message):
        """The trait or cost under the cursor is to be turned up or down."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    digit = 0
    """The last digit that was typed."""

    @property
    def trait(self) -> str:
        """The trait under the cursor, or nothing."""
        key = self.current.key if self.current else ""
        return key.removeprefix("trait:") if key.startswith("trait:") else ""

    @property
    def turns(self) -> bool:
        """Whether the line under the cursor is something that can be turned up and down."""
        return bool(self.trait) or (self.current is not None and self.current.key == "field:cost")

    def on_key(self, event: "events.Key") -> None:
        """Remember which digit it was; the action that it is bound to asks."""
        if event.key.isdigit():
            self.digit = int(event.key)

    def action_in(self) -> None:
        """Turn it up; elsewhere open the line."""
        if self.turns:
            self.post_message(self.Nudged(1))
        else:
            super().action_in()

    def action_out(self) -> None:
        """Turn it down; elsewhere close the line."""
        if self.turns:
            self.post_message(self.Nudged(-1))
        else:
            super().action_out()
