"""A finished journal at rest: gzip that any tool opens, sealed so that no flipped bit goes unseen.

The file is two gzip members: all lines but the last, then the last line, so that the end can be
read without the middle. The first member's header carries a subfield ``PM``: the length of the
second member and the SHA-256 of that length and of everything after the header. gzip alone would
let a flipped bit in a header or in padding pass.
"""

import hashlib
import zlib
from collections.abc import Iterator
from typing import Final

from engine.errors import SnapshotError
from engine.snapshots.format import MAX_LINE, MAX_TEXT

GZIP_MAGIC: Final = b"\x1f\x8b"
_FIXED: Final = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + b"\x28\x00" + b"PM\x24\x00"
_LENGTH: Final = slice(len(_FIXED), len(_FIXED) + 4)
_SEAL: Final = slice(_LENGTH.stop, _LENGTH.stop + 32)
HEADER_BYTES: Final = _SEAL.stop
_MEMBER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_CHUNK: Final = 1 << 20
_CRUMB: Final = 256
"""How much of what stands before a broken place may be lost: zlib gives nothing of a step that fails."""
_FED: Final = 64 << 10
_RATIO: Final = 200
_RATIO_FROM: Final = 64 << 20
"""Below this size no ratio is suspicious: it is little memory whatever it came from."""


def _deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    return engine.compress(data) + engine.flush() + trailer


def pack(text: bytes) -> bytes:
    r"""Return the sealed gzip file of a whole journal.

    >>> import gzip
    >>> gzip.decompress(pack(b"one\ntwo\nthree\n"))
    b'one\ntwo\nthree\n'
    """
    split = text.rfind(b"\n", 0, len(text) - 1) + 1
    last = _MEMBER + _deflate(text[split:])
    rest = _deflate(text[:split]) + last
    length = len(last).to_bytes(4, "little")
    return _FIXED + length + hashlib.sha256(length + rest).digest() + rest


def is_packed(data: bytes) -> bool:
    """Return whether ``data`` begins like a file that :func:`pack` made."""
    return data.startswith(_FIXED)


def seal_holds(data: bytes) -> bool:
    """Return whether every bit of a packed file is as it was written."""
    seal = hashlib.sha256(data[_LENGTH])
    seal.update(memoryview(data)[HEADER_BYTES:])
    return is_packed(data) and data[_SEAL] == seal.digest()


def last_member_bytes(head: bytes) -> int:
    """Return the length of the second member, given the first :data:`HEADER_BYTES` of the file."""
    return int.from_bytes(head[_LENGTH], "little")


def _at_most(name: str, limit: int) -> SnapshotError:
    return SnapshotError(f"'{name}' unpacks to more than {limit} bytes, the most a snapshot may hold")


def unpack(data: bytes, name: str, *, limit: int = MAX_TEXT) -> bytes:
    """Return the text of a gzip file. Raises SnapshotError for a bomb, an endless line or bad gzip.

    Memory stays bounded by ``limit``, by 200 times the file's size once past 64 MiB, and by the
    longest line allowed: each is looked at before the next megabyte is unpacked.
    """
    text, problem = _unpacked(data, name, limit, _CHUNK)
    if problem:
        raise SnapshotError(f"'{name}' is damaged: {problem}", "take it from a copy")
    return text


def unpack_prefix(data: bytes, name: str, *, limit: int = MAX_TEXT) -> tuple[bytes, str]:
    """Return what text of a damaged file can be unpacked, and what stopped it (empty if it was the end)."""
    return _unpacked(data, name, limit, _CRUMB)


def _unpacked(data: bytes, name: str, limit: int, step: int) -> tuple[bytes, str]:
    pieces: list[bytes] = []
    size = line_start = 0
    suspicious = max(_RATIO_FROM, _RATIO * len(data))
    try:
        for piece in _inflated(data, step):
            newline = piece.rfind(b"\n")
            if newline >= 0:
                line_start = size + newline + 1
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise _at_most(name, limit)
            if size > suspicious:
                raise SnapshotError(f"'{name}' unpacks to over {_RATIO} times its size; it is not opened")
            if size - line_start > MAX_LINE:
                raise too_long(name, sum(each.count(b"\n") for each in pieces) + 1)
    except EOFError:
        return b"".join(pieces), "it ends in the middle of the compressed data"
    except zlib.error as error:
        return b"".join(pieces), f"its compressed data is broken ({error})"
    return b"".join(pieces), ""


def _inflated(data: bytes, step: int) -> Iterator[bytes]:
    """Give the text of all members, ``step`` bytes at most at once. Raises zlib.error, EOFError if cut."""
    view = memoryview(data)
    position = 0
    while position < len(view):
        engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not engine.eof:
            # A little at a time, because zlib copies what it did not get to.
            given: memoryview | bytes = view[position : position + _FED]
            position += _FED
            if not given:
                raise EOFError
            more = True
            while more:
                piece = engine.decompress(given, step)
                yield piece
                given = engine.unconsumed_tail
                more = bool(piece or given) and not engine.eof
        position = min(position, len(view)) - len(engine.unused_data)


def too_long(name: str, line: int) -> SnapshotError:
    """Return the error for a line that is longer than any event may be."""
    return SnapshotError(f"line {line} of '{name}' is longer than {MAX_LINE} bytes; it is not read")
