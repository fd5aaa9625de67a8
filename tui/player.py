"""A recorded run being played: where it stands, how fast it goes, and the state at any point.

Nothing here waits or draws. States are kept every few hundred events, so going back is as quick as
going on.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from engine.events import Event
from tui.state import DECISIONS, EMPTY, RunState, fold

EVERY: Final = 256
"""Events between two kept states."""

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
LONGEST_WAIT: Final = 2.0
"""Seconds: a longer silence in the record is shortened to this."""


class Player:
    """``position`` is the number of events shown, 0 to ``len(events)``."""

    def __init__(self, events: Sequence[Event], at: Sequence[float]) -> None:
        """Play ``events``, the first of which happened ``at`` these seconds."""
        self.events: Final = events
        self._due: Final = _without_long_waits(at)
        self._kept: dict[int, RunState] = {0: EMPTY}
        self.position = 0
        self.playing = False
        self.speed = 1.0
        self._clock = 0.0
        self.state = EMPTY

    @property
    def at_end(self) -> bool:
        """Whether all events are shown."""
        return self.position >= len(self.events)

    def seek(self, position: int) -> RunState:
        """Show the first ``position`` events and return that state, the same as playing them gives."""
        target = min(max(position, 0), len(self.events))
        base = self.position if self.position <= target else -1
        nearest = max(key for key in self._kept if key <= target)
        state = self.state if base >= nearest else self._kept[nearest]
        done = max(base, nearest)
        while done < target:
            stop = min(target, (done // EVERY + 1) * EVERY)
            state = fold(state, self.events[done:stop])
            done = stop
            if done % EVERY == 0:
                self._kept[done] = state
        self.state, self.position = state, target
        self._clock = self._due[target - 1] if target else 0.0
        if self.at_end:
            self.playing = False
        return state

    def tick(self, seconds: float) -> RunState:
        """Go on for ``seconds`` of real time and return the state then."""
        if not self.playing:
            return self.state
        clock = self._clock + seconds * self.speed
        state = self.seek(max(self.position, bisect_right(self._due, clock)))
        self._clock = clock
        return state

    def toggle(self) -> None:
        """Play, or hold; at the end play from the start."""
        if not self.playing and self.at_end:
            self.seek(0)
        self.playing = not self.playing

    def faster(self, step: int) -> None:
        """Go ``step`` speeds up, or down."""
        index = SPEEDS.index(self.speed) + step
        self.speed = SPEEDS[min(max(index, 0), len(SPEEDS) - 1)]

    def decision(self, step: int) -> RunState:
        """Show up to and including the next decision, or (``step`` -1) the one before."""
        if step > 0:
            found = (i for i in range(self.position, len(self.events)) if self._decides(i))
            return self.seek(next(found, len(self.events) - 1) + 1)
        before = (i for i in range(self.position - 2, -1, -1) if self._decides(i))
        return self.seek(next(before, -1) + 1)

    def _decides(self, index: int) -> bool:
        return isinstance(self.events[index], DECISIONS)


def _without_long_waits(at: Sequence[float]) -> list[float]:
    due: list[float] = []
    shortened = 0.0
    for index, moment in enumerate(at):
        wait = moment - at[index - 1] if index else 0.0
        shortened += max(0.0, wait - LONGEST_WAIT)
        due.append(moment - shortened)
    return due
