"""The engine on a thread and a loop of its own, so that it and the screen never wait for each other."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.cleaning import one_line
from engine.errors import PersonaMoeError
from tui.event_queue import EventQueue
from tui.index_work import Indexing
from tui.model_work import ModelShelf, Pulls, look_for_model, shelf
from tui.notices import Opened, PersonaRow, RunEnded, Said, problem_in_app
from tui.workspace_watch import WorkspaceWatch

if TYPE_CHECKING:
    from engine.personas.registry import PersonaRegistry
    from engine.pipeline import Engine
    from engine.workspace import Workspace

T = TypeVar("T")
_DOCUMENTS_OFFERED = 5_000
LOOK_AROUND = 0.5
"""Seconds between two looks at the files that other programs may change."""
LOOK_SHARE = 30
"""Where a look takes long, the next one waits so many times as long."""


class Session:
    """One workspace and the engine over it. Every method but :meth:`call` returns at once.

    What happens comes through ``queue``: events with the number of their run, notices with 0 or
    the number of the run they end.
    """

    def __init__(self, workspace: "Workspace") -> None:
        self.workspace = workspace
        self._personas: PersonaRegistry | None = None
        self.queue = EventQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._engine: Engine | None = None
        self._stale = False
        self._run = 0
        self._cancelled = 0
        self._task: asyncio.Task[None] | None = None
        self._looking: concurrent.futures.Future[None] | None = None
        self._personas_lock = threading.Lock()
        self._pulls = Pulls(workspace, self.queue)
        self._indexing = Indexing(workspace, self.queue)

    # -- from the screen's thread ----------------------------------------------------------------
    def start(self) -> None:
        """Begin; what is in the workspace is told as soon as it is known."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        # The watch first: what is written while the workspace is read must not pass unnoticed.
        self._submit(self._watch())
        self._submit(self._look())
        self.look_for_model()

    def ask(self, question: str, personas: tuple[str, ...] = (), after: str = "") -> int:
        """Begin to answer ``question``, which follows the run ``after``; return this run's number."""
        self._run += 1
        self._submit(self._answer(self._run, question, personas, after))
        return self._run

    def cancel(self) -> None:
        """Give up the run that is going on; what it found so far stays, and is recorded as cut off."""
        self._cancelled = self._run
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel_task)

    def index(self, paths: list[Path]) -> None:
        """Index files and folders; questions asked from now on wait for it."""
        self._submit(self._index(self._indexing.begin(), paths))

    def stop_indexing(self) -> None:
        """Stop what is being indexed; what was finished stays."""
        self._indexing.stop()

    def look(self) -> None:
        """Look at the workspace again and tell what is in it."""
        self._submit(self._look())

    async def call(self, work: Callable[["Engine"], T]) -> T:
        """Return what ``work`` returns on the engine's thread; it is done between two events of a run.

        Raises what ``work`` raises.
        """

        async def done() -> T:
            return work(self._opened())

        return await asyncio.wrap_future(self._submit(done()))

    async def call_async(self, work: Callable[["Engine"], Awaitable[T]]) -> T:
        """Return what ``work`` gives after waiting on the engine's loop, as for a model's reply.

        Raises what ``work`` raises. Cancelling gives the work up.
        """

        async def done() -> T:
            return await work(self._opened())

        return await asyncio.wrap_future(self._submit(done()))

    def look_for_model(self) -> None:
        """Ask the model servers who would write, and tell it."""
        if self._looking is not None:
            self._looking.cancel()  # or its answer, which may come later, would stand for the new one
        self._looking = self._submit(self._look_for_model())

    async def models(self) -> ModelShelf:
        """Return what the model servers have. Raises ConfigError for bad settings."""
        return await asyncio.wrap_future(self._submit(shelf(self.workspace)))

    def pull(self, name: str) -> None:
        """Begin to fetch a model; it goes on beside questions, and is told through the queue."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._pulls.start, name)

    def cancel_pull(self, name: str) -> None:
        """Stop fetching a model; the server keeps what it has of it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._pulls.cancel, name)

    def close(self, seconds: float = 1.5) -> None:
        """End a run, close the journal and the index; wait at most ``seconds`` for it."""
        if not self._thread.is_alive():
            return
        self.cancel()
        self._indexing.stop()
        self._submit(self._stop())
        self._thread.join(seconds)

    def _submit(self, work: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        if self._loop is None:
            work.close()
            raise RuntimeError("the session was not started")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    # -- on the engine's thread ------------------------------------------------------------------
    def _work(self) -> None:
        if self._loop is not None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_forever()
            self._end_what_is_left(self._loop)
            self._loop.close()

    @staticmethod
    def _end_what_is_left(loop: asyncio.AbstractEventLoop) -> None:
        """Let every task that still waits, such as the watch or a look for a server, come to its end."""
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())

    async def _watch(self) -> None:
        """Look again when another program wrote a persona or a setting; say what cannot be read."""
        watch = WorkspaceWatch(self.workspace)
        while True:
            await asyncio.sleep(max(LOOK_AROUND, LOOK_SHARE * watch.took))
            if watch.has_changed():
                self.mark_stale()
                if problem := self._settings_problem():
                    self.queue.put(
                        0, Said(text=f"{problem}; until then the last good ones hold", level="error")
                    )
                await self._look()

    def _settings_problem(self) -> str:
        try:
            self.workspace.settings()
        except PersonaMoeError as error:
            return str(error)
        return ""

    async def _stop(self) -> None:
        self._pulls.cancel()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=1.0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._indexing.done(), 1.0)
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        asyncio.get_running_loop().stop()

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _opened(self) -> "Engine":
        from engine.pipeline import Engine

        if self._engine is None:
            self._engine = Engine.open(self.workspace)
        return self._engine

    def _reopen(self) -> None:
        """Open the engine anew, so that it sees the personas and settings as they are now, if it can."""
        if self._engine is not None and self._settings_problem():
            return
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._stale = False

    def mark_stale(self) -> None:
        """Have the next question see personas and settings as they are then."""
        self._stale = True

    async def _answer(self, run: int, question: str, personas: tuple[str, ...], after: str) -> None:
        self._task = asyncio.current_task()
        ended = RunEnded()
        try:
            from engine.pipeline import AskOptions

            await self._indexing.done()
            if self._stale:
                self._reopen()
            options = AskOptions(personas=personas, after=after)
            async with aclosing(self._opened().ask(question, options)) as events:
                async for event in events:
                    self.queue.put(run, event)
                    await asyncio.sleep(0)
                    if self._cancelled >= run:
                        ended = RunEnded(cancelled=True)
                        break
        except asyncio.CancelledError:
            ended = RunEnded(cancelled=True)
        except PersonaMoeError as error:
            ended = RunEnded(problem=problem_in_app(error))
        except Exception as error:
            ended = RunEnded(problem=f"internal error: {_kept(error)}")
        finally:
            self._task = None
            self.queue.put(run, ended)

    async def _look(self) -> None:
        try:
            self.queue.put(0, self._contents())
        except PersonaMoeError as error:
            self.queue.put(0, Said(text=str(error), level="error"))
        except Exception as error:
            self.queue.put(0, Said(text=f"internal error: {_kept(error)}", level="error"))

    async def _look_for_model(self) -> None:
        try:
            await look_for_model(self.workspace, lambda state: self.queue.put(0, state))
        except PersonaMoeError as error:
            self.queue.put(0, Said(text=str(error), level="error"))
        except Exception as error:
            self.queue.put(0, Said(text=f"internal error: {_kept(error)}", level="error"))

    @property
    def personas(self) -> "PersonaRegistry":
        """The workspace's personas, which remember the files they read; for any thread."""
        with self._personas_lock:
            if self._personas is None:
                from engine.personas.registry import PersonaRegistry

                self._personas = PersonaRegistry.of(self.workspace)
            return self._personas

    def _contents(self) -> Opened:
        engine = self._opened()
        sources = list(engine.store.sources())
        roster = self.personas.load()
        problems = [
            one_line(f"{each.path.parent.name}/{each.path.name}: {each.reason}") for each in roster.problems
        ]
        rows = []
        for stored in roster.personas:
            name = stored.persona.metadata.get("name")
            rows.append(
                PersonaRow(
                    persona_id=stored.persona.persona_id,
                    tier=stored.tier,
                    name=name if isinstance(name, str) else stored.persona.persona_id,
                    cost=stored.persona.activation_cost,
                    expertise=tuple(stored.persona.expertise[:8]),
                    pinned=stored.persona.metadata.get("pinned") is True,
                )
            )
        return Opened(
            passages=engine.store.size().passages,
            documents=tuple(sources[:_DOCUMENTS_OFFERED]),
            file_count=len(sources),
            personas=tuple(rows),
            problems=(*problems, *self.workspace.warnings()),
        )

    async def _index(self, number: int, paths: list[Path]) -> None:
        await self._indexing.index(number, paths)
        await self._look()


def _kept(error: Exception) -> str:
    from tui.panic import keep_details

    return keep_details(error)
