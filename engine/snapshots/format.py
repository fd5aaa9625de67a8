"""The layout of a journal: its lines, its limits, its digests. ``docs/snapshots.md`` is the long form.

A journal is JSON Lines. The first line is a header; every other line is one event::

    {"at":MICROSECONDS,"event":{...},"prev":"DIGEST OF THE LINE BEFORE","crc":"CRC-32"}

``crc`` is the CRC-32 of the line up to its own comma, so one line can be judged alone. ``prev`` is
the first 32 hex digits of the SHA-256 of the line before, line feed included. SHA-256 and not the
BLAKE2 of :mod:`engine.ids`: on lines of 250 bytes it is measured twice as fast from Python, and the
chain is most of what an append costs.
"""

import hashlib
import re
import zlib
from typing import Annotated, Final

import msgspec

from engine.events import SCHEMA_VERSION, AnyEvent

FORMAT: Final = "persona-moe snapshot"
VERSION: Final = 1
MAX_LINE: Final = 16 << 20
"""The longest line in bytes: what an event may weigh."""
MAX_TEXT: Final = 1 << 30
"""The longest journal in bytes, decompressed."""

SNAPSHOT_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}\Z")
PLAIN_SUFFIX: Final = ".jsonl"
PACKED_SUFFIX: Final = ".jsonl.gz"

CRC_BYTES: Final = len(b',"crc":"01234567"}')
_PREV_KEY: Final = b',"prev":"'
_EVENT_KEY: Final = b'"event":'


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the machine that ran; no name of it, so that a snapshot can be passed on."""

    system: str = ""
    python: str = ""


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first line: what this is, and the wall-clock and host facts, which stand nowhere else.

    A run that followed another names it in ``after``, and the first of them all in ``session``.
    """

    format: str
    version: int
    schema: int
    snapshot: str
    created: str
    program: str
    label: str
    host: Host
    session: str = ""
    after: str = ""


class Ending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the last line of a complete snapshot adds, so that a list need not read the middle."""

    chosen: list[str]
    events: int
    outcome: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line as it is read when everything about it is checked."""

    at: Annotated[int, msgspec.Meta(ge=0)]
    event: AnyEvent
    prev: str
    crc: str
    end: Ending | None = None


class Timed(msgspec.Struct, frozen=True, gc=False):
    """A line as it is read when its file is known to be whole: the chain is skipped."""

    at: int
    event: AnyEvent


header_encoder = msgspec.json.Encoder()
entry_decoder = msgspec.json.Decoder(Entry)
timed_decoder = msgspec.json.Decoder(Timed)


def link(line: bytes) -> str:
    """Return the 32 hex digits by which the next line names ``line`` (given with its line feed).

    >>> link(b'{"a":1}\\n')
    'e346432021b04179518d9614f3560ccd'
    """
    return hashlib.sha256(line).hexdigest()[:32]


def with_crc(encoded: bytes) -> bytes:
    """Return an encoded JSON object as a line: its checksum added as last key, and a line feed.

    >>> with_crc(b'{"a":1}')
    b'{"a":1,"crc":"a702fc6e"}\\n'
    """
    body = encoded[:-1]
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def crc_holds(line: bytes) -> bool:
    """Return whether ``line`` (without line feed) ends with its own checksum."""
    body = line[:-CRC_BYTES]
    return line[-CRC_BYTES:] == b',"crc":"%08x"}' % zlib.crc32(body)


def event_bytes(line: bytes) -> bytes:
    """Return the event in a line, byte for byte as it was encoded.

    Quotes inside JSON strings are escaped, so ``"event":`` and ``,"prev":`` can only be the keys.
    """
    return line[line.find(_EVENT_KEY) + len(_EVENT_KEY) : line.rfind(_PREV_KEY)]


def make_header(
    snapshot: str, created: str, program: str, label: str, host: Host, session: str = "", after: str = ""
) -> Header:
    """Return the header of a new journal in the present format."""
    return Header(
        format=FORMAT,
        version=VERSION,
        schema=SCHEMA_VERSION,
        snapshot=snapshot,
        created=created,
        program=program,
        label=label,
        host=host,
        session=session,
        after=after,
    )
