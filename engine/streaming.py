"""Events of concurrent work, released in one fixed order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from engine.events import Event

T = TypeVar("T")
Emit = Callable[[Event], None]


async def released_in_order(
    jobs: Sequence[Callable[[Emit], Awaitable[T]]], results: list[T], *, at_once: int = 1
) -> AsyncIterator[Event]:
    """Run ``jobs``, at most ``at_once`` together; yield their events job by job, as if run in turn.

    The first unfinished job's events come as they happen, those of later jobs are held back until
    their turn, so concurrency can change when an event arrives but never its place. ``results``
    receives the jobs' results in the same order. If a job fails or the caller stops, the others are
    cancelled.
    """
    queues: list[asyncio.Queue[Event | None]] = [asyncio.Queue() for _ in jobs]
    gate = asyncio.Semaphore(max(1, at_once))

    async def run(index: int) -> T:
        async with gate:
            try:
                return await jobs[index](queues[index].put_nowait)
            finally:
                queues[index].put_nowait(None)

    tasks = [asyncio.create_task(run(index)) for index in range(len(jobs))]
    try:
        for queue, task in zip(queues, tasks, strict=True):
            while (event := await queue.get()) is not None:
                yield event
            results.append(await task)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
