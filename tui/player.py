"""A recorded run being played: where it stands, how fast it goes, and the state at any point.

Nothing here waits or draws. States are kept along the run, so going back is as quick as going on.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engine.events import Event
from tui.state import DECISIONS, EMPTY, RunState, fold

EVERY: Final = 512
_PART: Final = 8

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
LONGEST_WAIT: Final = 2.0
"""Seconds: a longer silence in the record is shortened to this."""


def keyframes(events: Sequence[Event]) -> dict[int, RunState]:
    """Return states along the run, by the number of events they show; for any thread to make.

    The distance from one to the next is an eighth of the way up to it, 512 events at least. A seek takes
    in at most that many, and all copies of the growing state together cost about eight times the last.
    """
    kept = {0: EMPTY}
    done = 0
    for mark in _marks(len(events)):
        kept[mark] = fold(kept[done], events[done:mark])
        done = mark
    return kept


def _marks(count: int) -> Iterator[int]:
    """Give the places where a state is kept.

    >>> [*_marks(6000)]
    [512, 1024, 1536, 2048, 2560, 3072, 3584, 4096, 4608, 5184, 5832]
    """
    mark = EVERY
    while mark <= count:
        yield mark
        mark += max(EVERY, mark // _PART)


class Player:
    """``position`` is the number of events shown, 0 to ``len(events)``."""

    def __init__(
        self, events: Sequence[Event], at: Sequence[float], kept: Mapping[int, RunState] | None = None
    ) -> None:
        """Play ``events``, the first of which happened ``at`` these seconds; ``kept`` are their keyframes."""
        self.events: Final = events
        self._due: Final = _without_long_waits(at)
        self._kept: Final = keyframes(events) if kept is None else kept
        self._marks: Final = sorted(self._kept)
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
        mark = self._marks[bisect_right(self._marks, target) - 1]
        base, state = mark, self._kept[mark]
        if mark <= self.position <= target:
            base, state = self.position, self.state
        if base < target:
            state = fold(state, self.events[base:target])
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
