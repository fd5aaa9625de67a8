"""What the engine's thread has for the screen: appended there, drained by the screen's timer."""

import threading
from collections import deque
from typing import Final, TypeVar

import msgspec

from engine.events import Token

MOST_BEFORE_MERGING: Final = 2_000
"""Entries waiting from which on pieces of text are joined to the one before."""

T = TypeVar("T")


class EventQueue:
    """A queue that never makes the engine wait.

    Only streamed text can come in any amount, and it can be joined without loss: when the screen
    does not keep up, a piece is added to the piece before it. All else is bounded by the run's own
    budgets, and nothing is dropped.
    """

    def __init__(self, limit: int = MOST_BEFORE_MERGING) -> None:
        self._limit = max(1, limit)
        self._entries: deque[tuple[int, object]] = deque()
        self._lock = threading.Lock()

    def put(self, run: int, entry: object) -> None:
        """Append ``entry`` of run number ``run``."""
        with self._lock:
            if len(self._entries) >= self._limit and isinstance(entry, Token):
                last_run, last = self._entries[-1]
                if (
                    last_run == run
                    and isinstance(last, Token)
                    and (last.call, last.thinking) == (entry.call, entry.thinking)
                ):
                    joined = msgspec.structs.replace(entry, text=last.text + entry.text)
                    self._entries[-1] = (run, joined)
                    return
            self._entries.append((run, entry))

    def drain(self, most: int = 4_000) -> list[tuple[int, object]]:
        """Return up to ``most`` entries with their run's number, oldest first, and forget them."""
        with self._lock:
            return [self._entries.popleft() for _ in range(min(most, len(self._entries)))]

    def __len__(self) -> int:
        return len(self._entries)
