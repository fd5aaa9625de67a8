"""Indexing on a thread of its own, so that the engine's thread stays free; it can be stopped."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cleaning import counted
from engine.errors import PersonaMoeError
from tui.event_queue import EventQueue
from tui.notices import Indexed, Working, problem_in_app

if TYPE_CHECKING:
    from engine.corpus.report import IndexReport, Progress
    from engine.workspace import Workspace


class _StoppedError(Exception):
    """No more vectors are wanted."""


class Indexing:
    """What is indexed, one after the other; :meth:`begin` and :meth:`stop` may be called by any thread."""

    def __init__(self, workspace: "Workspace", queue: EventQueue) -> None:
        self._workspace, self._queue = workspace, queue
        self._turn = asyncio.Lock()
        self._begun = 0
        self._stopped = 0

    def begin(self) -> int:
        """Return the number of a piece of work that is wanted from now on."""
        self._begun += 1
        return self._begun

    def stop(self) -> None:
        """Give up all that was begun; what is done is kept."""
        self._stopped = self._begun

    async def done(self) -> None:
        """Wait until all that was begun is done or given up."""
        async with self._turn:
            pass

    async def index(self, number: int, paths: list[Path]) -> None:
        """Index files and folders; how it went is told through the queue."""
        async with self._turn:
            ended = await _apart(lambda: self._index(number, paths))
        self._queue.put(0, ended)

    def _index(self, number: int, paths: list[Path]) -> Indexed:
        from engine.pipeline import Engine

        stopped = False

        def stop() -> bool:
            nonlocal stopped
            stopped = number <= self._stopped
            return stopped

        def told(progress: "Progress") -> None:
            self._tell("indexing", progress.done_files, progress.total_files)

        def embedded(done: int, total: int) -> None:
            self._tell("embedding", done, total)
            if stop():
                raise _StoppedError

        try:
            engine = Engine.open(self._workspace)
            try:
                report = engine.index(paths, progress=told, stop=stop)
                if engine.embedder and not stop():
                    try:
                        asyncio.run(engine.embed(embedded))
                    except _StoppedError:
                        stopped = True
            finally:
                engine.store.close()  # the log is shared with the engine that answers
        except PersonaMoeError as error:
            return Indexed(problem=problem_in_app(error))
        except Exception as error:
            from tui.panic import keep_details

            return Indexed(problem=f"internal error: {keep_details(error)}")
        return _told(report, stopped)

    def _tell(self, what: str, done: int, total: int) -> None:
        self._queue.put(0, Working(what=what, done=done, total=total))


def _told(report: "IndexReport", stopped: bool) -> Indexed:
    done = f"{counted(report.passages, 'passage')} from {counted(report.added + report.changed, 'document')}"
    gone = f"; {report.removed} removed" if report.removed else ""
    return Indexed(
        text=f"indexing stopped: {done} kept" if stopped else f"{done} indexed{gone}",
        skipped=tuple((each.name, each.reason) for each in report.skipped),
        notes=tuple(report.notes),
    )


def _apart(work: Callable[[], Indexed]) -> "asyncio.Future[Indexed]":
    """Do ``work`` on a thread that does not keep the program from ending; return what it will return."""
    done: concurrent.futures.Future[Indexed] = concurrent.futures.Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="indexing", daemon=True).start()
    return asyncio.wrap_future(done)
