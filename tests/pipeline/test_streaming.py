"""Events for callers without an event loop: in order, never far behind, closed with the caller."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import pytest

from engine.errors import InputError
from engine.events import Event, Warned
from engine.streaming import BURST, Emit, released_in_order, without_a_loop


def warned(number: int) -> Event:
    return Warned(problem=str(number), mend="", seq=number)


class Source:
    def __init__(self, count: int, *, fails: bool = False, waits_after: int = -1) -> None:
        self.count, self.fails, self.waits_after = count, fails, waits_after
        self.made = 0
        self.closed = False

    async def events(self) -> AsyncGenerator[Event, None]:
        try:
            for number in range(self.count):
                self.made += 1
                yield warned(number)
                if number == self.waits_after:
                    await asyncio.sleep(3600)
            if self.fails:
                raise InputError("nothing was asked", "ask something")
        finally:
            self.closed = True


def test_all_events_come_in_order() -> None:
    source = Source(5 * BURST + 3)
    assert [event.seq for event in without_a_loop(source.events())] == list(range(source.count))
    assert source.closed


def test_a_failure_comes_after_the_events_before_it() -> None:
    events = without_a_loop(Source(3, fails=True).events())
    assert [next(events).seq for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="nothing was asked"):
        next(events)


def test_an_event_does_not_wait_for_what_comes_after_it() -> None:
    source = Source(9, waits_after=4)
    events = without_a_loop(source.events())
    assert [next(events).seq for _ in range(5)] == [0, 1, 2, 3, 4]
    events.close()
    assert source.closed


def test_a_caller_that_stops_is_run_ahead_of_by_two_bursts_at_most() -> None:
    source = Source(1000)
    events = without_a_loop(source.events())
    next(events)
    events.close()
    assert source.closed
    assert source.made <= 2 * BURST + 2


@pytest.mark.parametrize("at_once", [1, 3])
def test_what_is_told_ahead_comes_at_once_and_moves_nothing_else(at_once: int) -> None:
    async def told() -> list[str]:
        last_is_done = asyncio.Event()

        async def job(number: int, emit: Emit) -> int:
            emit(warned(10 * number))
            if number == 2:
                last_is_done.set()
            if at_once > 1:
                await last_is_done.wait()
            emit(warned(10 * number + 1))
            return number

        def ahead(event: Event) -> Event | None:
            return Warned(problem="ahead", mend="") if event.seq == 20 else None

        results: list[int] = []
        jobs = [partial(job, number) for number in range(3)]
        events = released_in_order(jobs, results, at_once=at_once, ahead=ahead)
        found = [event.problem async for event in events if isinstance(event, Warned)]
        assert results == [0, 1, 2]
        return found

    found = asyncio.run(told())
    assert [each for each in found if each != "ahead"] == ["0", "1", "10", "11", "20", "21"]
    assert found.count("ahead") <= 1
    if at_once > 1:
        assert found.index("ahead") < found.index("10")
