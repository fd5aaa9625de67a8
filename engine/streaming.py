"""Events of concurrent work, released in one fixed order; and for callers without an event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from engine.events import Event

T = TypeVar("T")
Emit = Callable[[Event], None]
BURST = 32
"""Events that may be made before the first of them is looked at: entering a loop costs as much as one."""


async def released_in_order(
    jobs: Sequence[Callable[[Emit], Awaitable[T]]],
    results: list[T],
    *,
    at_once: int = 1,
    ahead: Callable[[Event], Event | None] = lambda event: None,
) -> AsyncIterator[Event]:
    """Run ``jobs``, at most ``at_once`` together; yield their events job by job, as if run in turn.

    The first unfinished job's events come as they happen, those of later jobs are held back until
    their turn, so concurrency can change when an event arrives but never its place. Of one that is
    held back, what ``ahead`` gives comes at once; its place is up to the clock. ``results`` receives
    the jobs' results in the same order. If a job fails or the caller stops, the others are cancelled.
    """
    queues: list[asyncio.Queue[Event | None]] = [asyncio.Queue() for _ in jobs]
    gate = asyncio.Semaphore(max(1, at_once))
    turn = 0

    def emit(index: int, event: Event) -> None:
        queues[index].put_nowait(event)
        if index > turn and (told := ahead(event)) is not None:
            queues[turn].put_nowait(told)

    async def run(index: int) -> T:
        async with gate:
            try:
                return await jobs[index](partial(emit, index))
            finally:
                queues[index].put_nowait(None)

    tasks = [asyncio.create_task(run(index)) for index in range(len(jobs))]
    try:
        for index, (queue, task) in enumerate(zip(queues, tasks, strict=True)):
            turn = index
            while (event := await queue.get()) is not None:
                yield event
            results.append(await task)
            while not queue.empty():  # told ahead after the last event of this job
                if (event := queue.get_nowait()) is not None:
                    yield event
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def without_a_loop(events: AsyncGenerator[Event, None]) -> Iterator[Event]:
    """Yield ``events`` as they come, at most two bursts behind; closes them when the caller stops.

    Raises whatever ``events`` raises.
    """
    ready: asyncio.Queue[Event | BaseException | None] = asyncio.Queue(BURST)

    async def fill() -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    await ready.put(event)
        except Exception as error:  # the caller gets it below, in its turn
            await ready.put(error)
        else:
            await ready.put(None)

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(fill())

    async def burst() -> list[Event | BaseException | None]:
        found = [await ready.get()]
        while not ready.empty():
            found.append(ready.get_nowait())
        return found

    async def end() -> None:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        await events.aclose()

    with asyncio.Runner() as runner:
        filling = runner.run(begin())
        try:
            while True:
                for each in runner.run(burst()):
                    if each is None:
                        return
                    if isinstance(each, BaseException):
                        raise each
                    yield each
        finally:
            runner.run(end())
