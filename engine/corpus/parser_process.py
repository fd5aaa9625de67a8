"""The parent's side of the parser process: jobs go in, replies come out in the same order.

The process is ended and replaced when a job takes too long or kills it. That job is answered with
the reason; those behind it go to the new process.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import msgspec

import engine
from engine.cleaning import one_line
from engine.corpus.child import NEEDS_MEMORY, OUT_OF_MEMORY, Job, Limits, Reply, read_frame, write_frame
from engine.errors import CorpusError

_START_SECONDS = 60.0
_DYING_SECONDS = 5.0
_KEPT_ENVIRONMENT = (
    "HOME",
    "PATH",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "TMPDIR",
    "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV",
)


class _Running:
    """One process with a thread that feeds it and one that collects, so that neither pipe can jam."""

    def __init__(self, limits: Limits) -> None:
        environment = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
        environment["PYTHONPATH"] = str(Path(engine.__file__).parent.parent)
        environment["PYTHONUTF8"] = "1"
        # -P keeps the current folder off the module path; a session of its own keeps Ctrl-C away.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.corpus.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        if self.process.stdin is None or self.process.stdout is None:
            raise CorpusError("the parser process has no pipes")
        self.inbox, self.outbox = self.process.stdin, self.process.stdout
        self.outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.incoming: queue.SimpleQueue[tuple[float, bytes | None]] = queue.SimpleQueue()
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self._feed, self._collect)]
        for thread in self.threads:
            thread.start()
        self.outgoing.put(msgspec.msgpack.encode(limits))

    def _feed(self) -> None:
        while (body := self.outgoing.get()) is not None:
            try:
                write_frame(self.inbox, body)
            except OSError:  # it died; the collector sees that too and tells
                return

    def _collect(self) -> None:
        while True:
            body = read_frame(self.outbox)
            self.incoming.put((time.monotonic(), body))
            if body is None:
                return

    def end(self, grace: float = 0.0) -> int:
        """Kill the process if it still runs after ``grace`` seconds; return its exit status."""
        try:
            status = self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.outgoing.put(None)
        for thread in self.threads:
            thread.join()
        with suppress(BrokenPipeError):  # what was left to send has no reader any more
            self.inbox.close()
        self.outbox.close()
        return status


def _not_started(why: str) -> CorpusError:
    return CorpusError(
        f"the parser process did not start ({why})", "run 'persona-moe doctor' to check the installation"
    )


class ParserProcess:
    """A parser in a process of its own, started with the first job.

    ``seconds`` is the wall-clock and processor time for a job, ``memory_bytes`` the address space.
    Use it as a context manager; leaving ends the process.
    """

    def __init__(self, *, memory_bytes: int, seconds: float) -> None:
        self._limits = Limits(memory_bytes, seconds)
        self._running: _Running | None = None
        self._jobs: deque[tuple[float, bytes]] = deque()
        self._free_since = 0.0
        self._decoder = msgspec.msgpack.Decoder(Reply)
        self.notes: list[str] = []

    def __enter__(self) -> "ParserProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """How many jobs have no reply yet."""
        return len(self._jobs)

    @property
    def waiting_bytes(self) -> int:
        """The size of the jobs that have no reply yet."""
        return sum(len(body) for _, body in self._jobs)

    @property
    def pid(self) -> int | None:
        """The process that parses now, if there is one."""
        return self._running.process.pid if self._running else None

    def submit(self, job: Job) -> None:
        """Hand over a job; :meth:`reply` gives its outcome after those of the jobs before it."""
        body = msgspec.msgpack.encode(job)
        running = self._running or self._start()
        self._jobs.append((time.monotonic(), body))
        running.outgoing.put(body)

    def reply(self) -> Reply:
        """Return the outcome of the oldest job without one, waiting for it no longer than allowed.

        IndexError if there is no such job.
        """
        submitted, _ = self._jobs[0]
        deadline = max(submitted, self._free_since) + self._limits.seconds
        running = self._running or self._start()
        try:
            arrived, body = running.incoming.get(timeout=max(deadline - time.monotonic(), 0.0))
        except queue.Empty:
            return self._lost(running, f"took longer than {self._limits.seconds:g} s")
        if body is None:
            return self._lost(running, "")
        self._jobs.popleft()
        self._free_since = arrived
        return self._decoder.decode(body)

    def close(self) -> None:
        """End the process; jobs without a reply are dropped."""
        if self._running is not None:
            self._running.end()
            self._running = None
        self._jobs.clear()

    def _start(self) -> _Running:
        try:
            running = _Running(self._limits)
        except OSError as error:
            raise _not_started(one_line(str(error))) from error
        self._running = running
        try:
            _, body = running.incoming.get(timeout=_START_SECONDS)
        except queue.Empty:
            body = None
        if body is None:
            status = running.end(_DYING_SECONDS)
            self._running = None
            raise _not_started(f"status {status}")
        self.notes.extend(note for note in self._decoder.decode(body).notes if note not in self.notes)
        self._free_since = time.monotonic()
        return running

    def _lost(self, running: _Running, reason: str) -> Reply:
        # Its pipe closes a moment before its status is known; a kill in between would be mistaken for it.
        status = running.end(0.0 if reason else _DYING_SECONDS)
        self._running = None
        self._jobs.popleft()
        if self._jobs:
            fresh = self._start()
            for _, body in self._jobs:
                fresh.outgoing.put(body)
        return Reply(reason=reason or _cause(status, self._limits.seconds))


def _cause(status: int, seconds: float) -> str:
    if status == -getattr(signal, "SIGXCPU", 24):
        return f"took longer than {seconds:g} s"
    if status == OUT_OF_MEMORY:
        return NEEDS_MEMORY
    if status < 0:
        return f"made the parser crash (signal {-status})"
    return f"made the parser end (status {status})"
