"""Reading files by descriptor: bounded, hashed on the way, a dataset in runs of whole lines."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from engine.corpus.discover import reason_of
from engine.errors import InputError

_CHUNK = 256 * 1024


class UnreadableError(Exception):
    """The system refused to open or read a file; ``str(error)`` is its reason."""


@contextmanager
def reading() -> Iterator[None]:
    """Return a context in which an OSError is about the file being read, and nothing else."""
    try:
        yield
    except OSError as error:
        raise UnreadableError(reason_of(error)) from error


def _read(descriptor: int, most: int) -> bytes:
    with reading():
        return os.read(descriptor, most)


class ContentHash:
    """BLAKE2b-128 over bytes as they come, with their count.

    >>> content = ContentHash()
    >>> content.add(b"abc")
    >>> content.size, content.hexdigest()[:8]
    (3, 'cf4ab791')
    """

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self.size = 0

    def add(self, data: bytes) -> None:
        """Take in the next bytes."""
        self._hash.update(data)
        self.size += len(data)

    def hexdigest(self) -> str:
        """Return 32 hex digits for the bytes so far."""
        return self._hash.hexdigest()


def read_exactly(descriptor: int, most: int) -> bytes:
    """Return up to ``most`` bytes, fewer only at the end of the file; UnreadableError if it cannot be."""
    parts: list[bytes] = []
    while most > 0 and (part := _read(descriptor, min(most, 4 * 1024 * 1024))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def hash_stream(descriptor: int, most: int) -> ContentHash:
    """Return the hash of the rest of a file; InputError if that is more than ``most`` bytes."""
    content = ContentHash()
    while data := _read(descriptor, _CHUNK):
        content.add(data)
        if content.size > most:
            raise InputError("grew too large while it was read")
    return content


class Lines:
    """Runs of whole lines of a file, each with the number of its first line; iterate once.

    A line longer than ``most_line`` is dropped and its number kept in ``too_long``. Reading stops
    after ``most`` bytes, so a file that grows while it is read cannot go on for ever.
    """

    def __init__(self, descriptor: int, *, most: int, most_line: int, content: ContentHash) -> None:
        self._descriptor = descriptor
        self._most = most
        self._most_line = most_line
        # No read is longer than a line may be, so a line that is too long is always seen in parts.
        self._chunk = min(_CHUNK, most_line)
        self._content = content
        self.too_long: list[int] = []

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        number = 1
        parts: list[bytes] = []
        size = 0
        while self._content.size <= self._most and (data := _read(self._descriptor, self._chunk)):
            self._content.add(data)
            whole = data.rfind(b"\n") + 1
            if whole:
                first_end = data.find(b"\n") + 1
                too_long = size + first_end > self._most_line
                if too_long:
                    self.too_long.append(number)
                    run, begin = data[first_end:whole], number + 1
                else:
                    run, begin = b"".join((*parts, data[:whole])), number
                if run:
                    yield begin, run
                number += data.count(b"\n")
                parts, size = [], 0
            rest = data[whole:]
            size += len(rest)
            # Of a line already too long only the length matters.
            parts = [*parts, rest] if size <= self._most_line else []
        if size > self._most_line:
            self.too_long.append(number)
        elif size:
            yield number, b"".join(parts)
