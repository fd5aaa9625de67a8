"""Replay: the recorded events again, with the moments at which they are due."""

from collections.abc import AsyncIterator, Iterator

from engine.errors import InputError
from engine.events import AnyEvent
from engine.snapshots.reader import Snapshot

_SLEEP_FROM = 0.001


def replay(
    snapshot: Snapshot, *, speed: float | None = None, start: int = 0, until: int | None = None
) -> Iterator[tuple[float, AnyEvent]]:
    """Give (due, event) from event ``start`` to event ``until``, both included.

    ``due`` is in seconds after the first event given, the recorded time divided by ``speed``; with
    no speed it is 0 throughout. It never goes back. Nothing sleeps here: that is for the caller.
    Raises InputError for a speed that is not above 0.
    """
    if speed is not None and not 0 < speed < float("inf"):
        raise InputError(f"a speed of {speed} is not possible", "give a number above 0, such as 4")
    return _due(snapshot, speed, start, until)


def _due(
    snapshot: Snapshot, speed: float | None, start: int, until: int | None
) -> Iterator[tuple[float, AnyEvent]]:
    origin: int | None = None
    due = 0.0
    for timed in snapshot.timed(start, None if until is None else until + 1):
        if origin is None:
            origin = timed.at
        if speed is not None:
            due = max(due, (timed.at - origin) / 1e6 / speed)
        yield due, timed.event


async def paced(events: Iterator[tuple[float, AnyEvent]]) -> AsyncIterator[AnyEvent]:
    """Give the events of :func:`replay` when they are due, by the monotonic clock."""
    import asyncio

    clock = asyncio.get_running_loop().time
    began = clock()
    for due, event in events:
        wait = began + due - clock()
        if wait > _SLEEP_FROM:
            await asyncio.sleep(wait)
        yield event
