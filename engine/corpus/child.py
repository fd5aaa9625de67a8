"""The parser process: ``python -m engine.corpus.child``, fed by :mod:`engine.corpus.parser_process`.

The parent reads the files; this process gets their bytes and has no need to open any. Messages are
msgpack, each after its length in 4 bytes, big-endian. The first one sets the limits.
"""

import gc
import math
import os
import signal
import sys
from typing import IO, TypeAlias

import msgspec

from engine.cleaning import one_line
from engine.corpus.parsers import parse
from engine.corpus.parsers.dataset import BadRow, rows
from engine.corpus.records import ParsedDocument
from engine.errors import InputError

OUT_OF_MEMORY = 77
"""Exit status when there was not even memory to take the job in."""
NEEDS_MEMORY = "needs more memory than the parser may use"
NO_LIMITS = "this platform cannot limit the parser's memory; only its time is limited"


class Limits(msgspec.Struct, frozen=True, tag=True):
    """The first message: memory of the process, processor seconds for a job."""

    memory_bytes: int
    seconds: float


class FileJob(msgspec.Struct, frozen=True, tag=True):
    """Parse the whole of a file."""

    name: str
    filename: str
    data: bytes
    limit: int


class RowsJob(msgspec.Struct, frozen=True, tag=True):
    """Parse whole lines of a dataset, the first of which is row ``first``."""

    name: str
    data: bytes
    first: int
    titles: bool
    limit: int


Job: TypeAlias = FileJob | RowsJob


class Reply(msgspec.Struct, frozen=True):
    """What became of a job; ``reason`` is why nothing did, "" if all went well."""

    documents: list[ParsedDocument] = []
    bad_rows: list[BadRow] = []
    notes: list[str] = []
    reason: str = ""


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Return the next message, or None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    body = stream.read(size)
    return body if len(body) == size else None


def write_frame(stream: IO[bytes], body: bytes) -> None:
    """Send one message; OSError if nobody reads any more."""
    stream.write(len(body).to_bytes(4, "big"))
    stream.write(body)
    stream.flush()


def run(job: Job) -> Reply:
    """Return what became of ``job``; no document can make this raise.

    >>> run(FileJob("d/a.txt", "a.txt", b"", 1200)).reason
    'no text'
    """
    try:
        if isinstance(job, FileJob):
            document, notes = parse(job.data, name=job.name, filename=job.filename, limit=job.limit)
            return Reply(documents=[document], notes=notes)
        made = list(rows(job.data, job.first, source=job.name, titles=job.titles, limit=job.limit))
        return Reply(
            documents=[row for row in made if isinstance(row, ParsedDocument)],
            bad_rows=[row for row in made if isinstance(row, BadRow)],
        )
    except InputError as error:
        return Reply(reason=str(error))
    except MemoryError:
        return Reply(reason=NEEDS_MEMORY)
    except Exception as error:  # parsers have errors of their own for every kind of damage
        return Reply(reason=f"could not be parsed ({one_line(f'{type(error).__name__}: {error}', 160)})")


def _limit(limits: Limits) -> list[str]:
    try:
        import resource
    except ImportError:
        return [NO_LIMITS]
    notes: list[str] = []
    most = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
    }
    for kind, value in most.items():
        hard = resource.getrlimit(kind)[1]
        try:
            resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
        except (ValueError, OSError):  # macOS refuses to limit the address space
            notes.append(NO_LIMITS)
    return notes[:1]


def _limit_processor(seconds: float) -> None:
    try:
        import resource
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


def main() -> None:
    """Parse until the parent closes the pipe."""
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # A library that prints or asks must not speak on the pipes.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(50_000, 20, 20)
    sys.setrecursionlimit(2_000)
    encoder = msgspec.msgpack.Encoder()
    jobs: msgspec.msgpack.Decoder[FileJob | RowsJob] = msgspec.msgpack.Decoder(FileJob | RowsJob)
    first = read_frame(inbox)
    if first is None:
        return
    limits = msgspec.msgpack.decode(first, type=Limits)
    write_frame(outbox, encoder.encode(Reply(notes=_limit(limits))))
    try:
        while (frame := read_frame(inbox)) is not None:
            _limit_processor(limits.seconds)
            write_frame(outbox, encoder.encode(run(jobs.decode(frame))))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
