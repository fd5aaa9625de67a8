"""The recording of a run: each event is numbered and in the journal before anybody sees it."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import msgspec

from engine.errors import PersonaMoeError, WorkspaceError
from engine.events import Event, QueryFinished, Warned
from engine.log import logger
from engine.snapshots.journal import Journal


async def numbered(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Yield the events of a run with ``seq`` counting from 0."""
    count = 0
    async with aclosing(events):
        async for event in events:
            yield msgspec.structs.replace(event, seq=count)
            count += 1


class Recording:
    """Where a run is written down.

    Attributes:
        run_id: the snapshot's id, empty if the run is not recorded.
        problem: why it is not recorded, None if it is: an answer is worth having without a record.
    """

    def __init__(self, folder: Path, label: str, session: str = "", after: str = "") -> None:
        """Begin a journal in ``folder``; ``label`` says in its header what was asked.

        ``after`` is the run it follows and ``session`` the first of them all; empty where it follows none.
        """
        self.run_id = ""
        self.problem: PersonaMoeError | None = None
        self._journal: Journal | None = None
        try:
            self._journal = Journal.create(folder, label=label, session=session, after=after)
            self.run_id = self._journal.snapshot_id
        except WorkspaceError as error:
            self.problem = error

    async def record(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Yield ``events`` numbered, each written first, and then the one that says how they were saved.

        A run that fails or is given up half-way stays as a snapshot marked so. Raises WorkspaceError if
        an event could not be saved.
        """
        journal = self._journal
        began = time.monotonic()
        count = 0
        outcome = "cut off"
        complete = False
        try:
            async with aclosing(numbered(events)) as stamped:
                async for event in stamped:
                    count += 1
                    if isinstance(event, QueryFinished):
                        outcome = event.outcome
                    elif isinstance(event, Warned):
                        logger.warning("%s", event.problem)
                    if journal is not None:
                        journal.append(event, time.monotonic() - began)
                    yield event
            complete = True
        finally:
            saved = journal.close(complete) if journal is not None else None
        told = self.run_id or "not recorded"
        logger.info("question %s: %s, %d events in %.2f s", told, outcome, count, time.monotonic() - began)
        if saved is not None:
            yield saved
