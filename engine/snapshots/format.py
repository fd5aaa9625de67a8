"""The layout of a journal: its lines, its limits, its digests. ``docs/snapshots.md`` is the long form.

A journal is JSON Lines. The first line is a header; every other line is one event::

    {"at":MICROSECONDS,"event":{...},"prev":"DIGEST OF THE LINE BEFORE","crc":"CRC-32"}

``crc`` is the CRC-32 of the line up to its own comma, so one line can be judged alone. ``prev`` is
the first 32 hex digits of the SHA-256 of the line before, without its line feed. SHA-256 and not the
BLAKE2 of :mod:`engine.ids`: on lines of 250 bytes it is measured twice as fast from Python, and the
chain is most of what an append costs.
"""

import hashlib
import re
import zlib
from typing import Annotated, Final

import msgspec

from engine.events import DISPLAY_ONLY, SCHEMA_VERSION, AnyEvent, Event

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
_PREV_BYTES: Final = len(b',"prev":""') + 32
_EVENT_KEY: Final = b'"event":'
_DISPLAY_ONLY: Final = frozenset(DISPLAY_ONLY)
_DIGEST_TAG: Final = b"persona-moe snapshot digest 1\n"
_BATCH: Final = 256


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the machine that ran; no name of it, so that a snapshot can be passed on."""

    system: str = ""
    python: str = ""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: what this is, and the wall-clock and host facts, which stand nowhere else."""

    format: str
    version: int
    schema: int
    snapshot: str
    created: str
    program: str
    label: str
    host: Host


class Ending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the last line of a complete snapshot adds, so that a list need not read the middle."""

    chosen: list[str]
    events: int
    outcome: str


class Line(msgspec.Struct, frozen=True):
    """An event with its time in microseconds since the start, as it is written."""

    at: int
    event: Event
    prev: str


class LastLine(Line, frozen=True, kw_only=True):
    """The line of the SnapshotSaved event that closes a complete snapshot."""

    end: Ending


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


line_encoder = msgspec.json.Encoder(order="sorted")
header_encoder = msgspec.json.Encoder()
entry_decoder = msgspec.json.Decoder(Entry)
timed_decoder = msgspec.json.Decoder(Timed)


def link(line: bytes) -> str:
    """Return the 32 hex digits by which the next line names ``line`` (given without line feed).

    >>> link(b'{"a":1}')
    '015abd7f5cc57a2dd94b7590f04ad808'
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


def event_bytes(line: bytes, tail: int = CRC_BYTES) -> bytes:
    """Return the event in a line (without line feed), byte for byte as it was encoded.

    ``tail`` is what follows the link to the line before: the checksum, or ``1`` for a line that has
    none yet. Quotes inside JSON strings are escaped, so the first ``"event":`` is the key.
    """
    return line[line.find(_EVENT_KEY) + len(_EVENT_KEY) : -_PREV_BYTES - tail]


def make_header(snapshot: str, created: str, program: str, label: str, host: Host) -> Header:
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
    )


class RunDigest:
    """The digest of a run: 32 hex digits over what was decided, whenever and wherever it was.

    SHA-256 over the canonical bytes of every event that is not display-only, each followed by a
    line feed. Their ``seq`` is renumbered from 0, because tokens take numbers too and how many
    pieces a text arrives in is chance.

    >>> from engine.events import QueryFinished, Token, encoder
    >>> def of(*events):
    ...     digest = RunDigest()
    ...     for event in events:
    ...         digest.add(event, encoder.encode(event))
    ...     return digest.hexdigest()
    >>> of(QueryFinished(seq=0, outcome="answered"))
    '8e376fd84d792346c26cef73cf359017'
    >>> of(Token(seq=0, call="c", text="x"), QueryFinished(seq=1, outcome="answered"))
    '8e376fd84d792346c26cef73cf359017'
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256(_DIGEST_TAG)
        self._count = 0
        self._pending: list[bytes] = []

    def add(self, event: Event, encoded: bytes) -> None:
        """Take in the next event of the run, with its canonical bytes."""
        if type(event) in _DISPLAY_ONLY:
            return
        if event.seq != self._count:
            # Only ScoresReady and what sorts after it may hold keys that users name, behind "seq".
            encoded = encoded.replace(b'"seq":%d' % event.seq, b'"seq":%d' % self._count, 1)
        self._count += 1
        self._pending.append(encoded)
        if len(self._pending) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._hash.update(b"\n".join(self._pending) + b"\n")
            self._pending.clear()

    def hexdigest(self) -> str:
        """Return the digest of the events so far; more may be added after."""
        self._flush()
        return self._hash.hexdigest()[:32]
