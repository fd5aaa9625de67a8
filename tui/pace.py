"""How fast text arrives right now."""

from collections import deque
from typing import Final

SECONDS: Final = 4.0
"""What counts as now."""
LEAST: Final = 1.0
"""Seconds of arrivals before a pace is told: one burst is none."""


class Pace:
    """Counts pieces by the second of their arrival; a server sends a token in each."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, int]] = deque()

    def note(self, now: float, pieces: int) -> None:
        """Note that so many pieces came."""
        if pieces:
            self._arrivals.append((now, pieces))
        while self._arrivals and self._arrivals[0][0] < now - SECONDS:
            self._arrivals.popleft()

    def per_second(self, now: float) -> float:
        """Return pieces a second over the last few seconds, 0 while nothing came for long enough.

        >>> pace = Pace()
        >>> for second in range(3): pace.note(float(second), 40)
        >>> pace.per_second(2.0)
        40.0
        """
        recent = [pair for pair in self._arrivals if pair[0] >= now - SECONDS]
        if not recent or now - recent[0][0] < LEAST:
            return 0.0
        # What came with the first arrival took its time before the span began.
        return sum(pieces for _, pieces in recent[1:]) / (now - recent[0][0])
