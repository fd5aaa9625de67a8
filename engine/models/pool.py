"""Which server takes the next call: spread over servers, but a loaded model is kept loaded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from engine.models.base import ModelCallError
from engine.models.endpoint import Endpoint


class EndpointPool:
    """Hands out servers, at most ``parallel`` calls each at a time.

    A call goes to a server that has the model in memory, else to the least busy one that has it.
    While others wait, a server that is free takes first a call for the model it has loaded, so that
    weights are not swapped for every call. A server that could not be reached gets no more calls.
    """

    def __init__(self, endpoints: Sequence[Endpoint], parallel: int) -> None:
        self.endpoints = list(endpoints)
        self._parallel = parallel
        self._waiting: list[tuple[str, asyncio.Future[Endpoint]]] = []

    def usable(self, model: str) -> list[Endpoint]:
        """Return the servers that could take a call for ``model``."""
        alive = [each for each in self.endpoints if each.fault is None]
        return [each for each in alive if each.models is None or model in each.models] or alive

    @asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Endpoint]:
        """Give a server for one call, as soon as one is free. Raises ModelCallError if none is left."""
        usable = self.usable(model)
        if not usable:
            raise self._given_up()
        free = [each for each in usable if each.active < self._parallel]
        if free:
            endpoint = min(free, key=lambda e: (not e.holds(model), e.active, self.endpoints.index(e)))
            endpoint.active += 1
            endpoint.take(model)
        else:
            endpoint = await self._wait(model)
        try:
            yield endpoint
        finally:
            endpoint.active -= 1
            self._hand_on()

    async def _wait(self, model: str) -> Endpoint:
        future: asyncio.Future[Endpoint] = asyncio.get_running_loop().create_future()
        waiting = (model, future)
        self._waiting.append(waiting)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().active -= 1
                self._hand_on()
            raise
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def _hand_on(self) -> None:
        """Give free servers to those who wait; those for whom none is left get the error."""
        # Who was cancelled has not been run yet, so it stands here still.
        self._waiting = [each for each in self._waiting if not each[1].done()]
        for waiting in list(self._waiting):
            if not self.usable(waiting[0]):
                self._waiting.remove(waiting)
                waiting[1].set_exception(self._given_up())
        for endpoint in self.endpoints:
            while self._waiting and endpoint.fault is None and endpoint.active < self._parallel:
                fitting = [each for each in self._waiting if endpoint in self.usable(each[0])]
                if not fitting:
                    break
                chosen = next((each for each in fitting if endpoint.holds(each[0])), fitting[0])
                self._waiting.remove(chosen)
                endpoint.active += 1
                endpoint.take(chosen[0])
                chosen[1].set_result(endpoint)

    def _given_up(self) -> ModelCallError:
        first = next((each.fault for each in self.endpoints if each.fault is not None), None)
        reason = f": {first.problem}" if first else ""
        return ModelCallError(
            "given-up", f"the model is not asked any more{reason}", first.mend if first else ""
        )
