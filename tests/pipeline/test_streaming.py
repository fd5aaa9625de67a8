"""Concurrent work may change when an event arrives, never its place."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import Event, Token
from engine.streaming import Emit, released_in_order


def job(name: str, pauses: list[float]) -> Callable[[Emit], Awaitable[str]]:
    async def run(emit: Emit) -> str:
        for number, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            emit(Token(call=name, text=str(number)))
        return name

    return run


async def collect(
    jobs: list[Callable[[Emit], Awaitable[str]]], at_once: int
) -> tuple[list[Event], list[str]]:
    results: list[str] = []
    events = [event async for event in released_in_order(jobs, results, at_once=at_once)]
    return events, results


@given(st.lists(st.lists(st.sampled_from([0.0, 0.001, 0.003]), max_size=4), max_size=4), st.integers(1, 4))
def test_order_is_that_of_one_after_the_other(pauses: list[list[float]], at_once: int) -> None:
    jobs = [job(str(i), each) for i, each in enumerate(pauses)]
    expected = [Token(call=str(i), text=str(n)) for i, each in enumerate(pauses) for n in range(len(each))]
    events, results = asyncio.run(collect(jobs, at_once))
    assert events == expected
    assert results == [str(i) for i in range(len(pauses))]


def test_failure_of_one_cancels_the_rest() -> None:
    cancelled = []

    async def fails(emit: Emit) -> str:
        emit(Token(call="0", text="partial"))
        raise RuntimeError("gone")

    async def waits(emit: Emit) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return "never"

    async def run() -> list[Event]:
        seen: list[Event] = []

        async def listen() -> None:
            async for event in released_in_order([fails, waits], [], at_once=2):
                seen.append(event)

        with pytest.raises(RuntimeError, match="gone"):
            await listen()
        return seen

    assert asyncio.run(run()) == [Token(call="0", text="partial")]
    assert cancelled
