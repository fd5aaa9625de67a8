"""Events made into chained lines, and the digest of a run."""

import binascii
import hashlib
import zlib
from typing import Final

from engine.events import DISPLAY_ONLY, Event, SnapshotSaved, encoder
from engine.ids import canonical
from engine.snapshots.format import Ending, link, with_crc

_DISPLAY_ONLY: Final = frozenset(DISPLAY_ONLY)
_DIGEST_TAG: Final = b"persona-moe snapshot digest 1\n"


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

    def add(self, event: Event, encoded: bytes) -> None:
        """Take in the next event of the run, with its canonical bytes."""
        self.add_all([event], encoded)

    def add_all(self, events: list[Event], encoded: bytes) -> None:
        """Take in the next events of the run, with the canonical bytes of each, a line feed between."""
        count = self._count
        # Until the first token a run is numbered as the digest wants it, and the bytes are taken as
        # they are.
        if not events:
            return
        if events[0].seq == count and _DISPLAY_ONLY.isdisjoint(map(type, events)):
            self._hash.update(encoded)
            self._hash.update(b"\n")
            self._count = count + len(events)
            return
        for event, raw in zip(events, encoded.split(b"\n"), strict=True):
            if type(event) not in _DISPLAY_ONLY:
                # Keys that users name stand only in fields that sort after "seq".
                self._hash.update(raw.replace(b'"seq":%d' % event.seq, b'"seq":%d' % count, 1) + b"\n")
                count += 1
        self._count = count

    def hexdigest(self) -> str:
        """Return the digest of the events so far; more may be added after."""
        return self._hash.hexdigest()[:32]


class LineChain:
    """Turns events into lines, each naming the one before, and keeps the run's digest."""

    def __init__(self, prev: bytes, digest: RunDigest) -> None:
        """Go on after the line that ``prev`` is the link of; ``digest`` holds the events so far."""
        self.prev = prev
        self.digest = digest

    def encode(self, events: list[Event], times: list[int]) -> list[bytes]:
        """Return the lines of ``events``, which happened at these microseconds."""
        # The hottest loop of a recording, so the events are encoded and the digest is fed in one go
        # each: no line feed stands inside an event. A line is formatted in two steps because the
        # checksum is over the first.
        if not events:
            return []
        crc32, sha256, hexlify = zlib.crc32, hashlib.sha256, binascii.hexlify
        encoded = encoder.encode_lines(events)[:-1]
        lines = []
        prev = self.prev
        for at, raw in zip(times, encoded.split(b"\n"), strict=True):
            body = b'{"at":%d,"event":%b,"prev":"%b"' % (at, raw, prev)
            line = b'%b,"crc":"%08x"}\n' % (body, crc32(body))
            prev = hexlify(sha256(line).digest()[:16])
            lines.append(line)
        self.prev = prev
        self.digest.add_all(events, encoded)
        return lines

    def encode_last(self, saved: SnapshotSaved, at: int, end: Ending) -> bytes:
        """Return the line that closes a complete run."""
        line = with_crc(
            b'{"at":%d,"end":%b,"event":%b,"prev":"%b"}'
            % (at, canonical(end), encoder.encode(saved), self.prev)
        )
        self.prev = link(line).encode()
        return line
