"""The questions of a session, each following the one before."""

from typing import Final

import msgspec


class Turn(msgspec.Struct, frozen=True):
    """A question that was answered, and the snapshot that holds the answer."""

    snapshot: str
    question: str


class Conversation:
    """Knows after which run the next question comes; ``turns`` are those before it, oldest first."""

    def __init__(self) -> None:
        self.turns: tuple[Turn, ...] = ()
        self.before: tuple[Turn, ...] = ()

    def begin(self, *, again: bool = False) -> str:
        """Begin a question and return the run it follows; ``again`` repeats the last one as it was asked."""
        if again:
            self.turns = self.before
        self.before = self.turns
        return self.turns[-1].snapshot if self.turns else ""

    def end(self, snapshot: str, question: str) -> None:
        """Take the run that has come to its end as the one to follow."""
        self.turns = (*self.before, Turn(snapshot, question))

    def resume(self, turns: tuple[Turn, ...]) -> None:
        """Go on after the last of ``turns``."""
        self.turns, self.before = turns, turns[:-1]

    def clear(self) -> None:
        """Begin a new session."""
        self.turns = self.before = ()


NEW_SESSION: Final = "a new session: the next question stands alone"
