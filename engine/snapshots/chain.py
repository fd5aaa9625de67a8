"""The walk along a journal's chain that judges every line, and names the first that is wrong."""

from typing import TypeVar

import msgspec

from engine.cleaning import one_line
from engine.errors import SnapshotError, SnapshotHeaderError
from engine.events import SCHEMA_VERSION, SnapshotSaved
from engine.snapshots.container import GZIP_MAGIC, too_long
from engine.snapshots.format import (
    FORMAT,
    MAX_LINE,
    VERSION,
    Ending,
    Entry,
    Header,
    crc_holds,
    entry_decoder,
    event_bytes,
    link,
)
from engine.snapshots.lines import RunDigest

BAD_JSON = (ValueError, RecursionError, OverflowError)
"""What a JSON decoder raises on hostile input."""

_BEGINNING = b'{"format":"%b"' % FORMAT.encode()
_HEADER_KEYS = (b'"format":"', b'"version":', b'"schema":', b'"snapshot":"', b'"created":"', b'"program":"')
_LONGEST_HEADER = 65_536
_T = TypeVar("_T")


class _Probe(msgspec.Struct):
    """The fields that the header of every version, past and future, has."""

    format: str
    version: int
    schema: int = 1


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk along the chain found.

    ``good_bytes`` is the length of the longest valid prefix, header included, and ``events`` how
    many events it holds; ``digest`` is theirs. ``line`` (from 1) and ``problem`` name the first line
    that is wrong; ``torn`` says that it is a tail cut short, with no whole line after it. ``ending``
    is there when the last line closes the run and the digest it claims is true.
    """

    header: Header
    good_bytes: int
    events: int
    digest: str
    last_link: str
    last_at: int
    ending: Ending | None
    line: int = 0
    problem: str = ""
    torn: bool = False


def read_header(text: bytes, name: str) -> tuple[Header, int]:
    """Return the header of a journal and its length in bytes, line feed included.

    Raises SnapshotHeaderError if this is empty or damaged, SnapshotError if it is another program's file,
    or from a newer version.
    """
    if not text or (text[0] == 0 and not text.strip(b"\0")):  # a power cut may leave zeros
        raise SnapshotHeaderError(
            f"'{name}' is empty: the run was cut off before its first line was written",
            how="it is empty",
        )
    if text.startswith(GZIP_MAGIC):
        raise SnapshotError(f"'{name}' is compressed but named as plain text", "give it the ending .jsonl.gz")
    end = text.find(b"\n", 0, MAX_LINE + 1)
    if end < 0 and len(text) > MAX_LINE:
        raise too_long(name, 1)
    if end < 0 and _BEGINNING.startswith(text[: len(_BEGINNING)]):
        raise SnapshotHeaderError(
            f"'{name}' is cut off inside its first line; no event was recorded", how="it is cut short"
        )
    line = text[:end] if end >= 0 else text
    probe = _decoded(line, _Probe)
    if probe is None or probe.format != FORMAT or not crc_holds(line):
        raise _not_ours(line, name)
    if probe.version > VERSION or probe.schema > SCHEMA_VERSION:
        raise SnapshotError(
            f"'{name}' was written by a newer persona-moe (format {probe.version}, events "
            f"{probe.schema}; this one reads up to {VERSION} and {SCHEMA_VERSION})",
            "install a newer version to read it",
        )
    header = _decoded(line, Header)
    if header is None or header.version < 1 or header.schema < 1:
        raise SnapshotHeaderError(
            f"line 1 of '{name}' is no header that any version wrote", how="it is no header"
        )
    return header, end + 1


def _decoded(line: bytes, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(line, type=kind)
    except BAD_JSON:
        return None


def _not_ours(line: bytes, name: str) -> SnapshotError:
    # The words "persona-moe snapshot" alone stand in many a text about one.
    if sum(key in line[:_LONGEST_HEADER] for key in _HEADER_KEYS) >= len(_HEADER_KEYS) // 2:
        return SnapshotHeaderError(
            f"line 1 of '{name}' is damaged: its checksum does not match", how="its checksum does not match"
        )
    value = _decoded(line[:_LONGEST_HEADER], dict[str, msgspec.Raw])
    if value is not None:
        keys = ", ".join(repr(key) for key in list(value)[:5]) or "none"
        return SnapshotError(
            f"'{name}' is JSON Lines of another program: it has no {FORMAT!r} header, the first keys "
            f"in it are {one_line(keys, 200)}"
        )
    return SnapshotError(f"'{name}' is not a snapshot: it does not begin with a {FORMAT!r} header")


def walk(text: bytes, name: str) -> Walk:
    """Follow the chain of a journal to its end, or to the first line that is wrong.

    Raises SnapshotError only where there is no header to begin from.
    """
    header, position = read_header(text, name)
    prev = link(text[:position])
    digest = RunDigest()
    count = at = 0
    ending: Ending | None = None
    line, problem = 1, ""
    size = len(text)
    while position < size:
        line += 1
        end = text.find(b"\n", position, position + MAX_LINE + 1)
        if end < 0:
            problem = "it is cut short" if size - position <= MAX_LINE else "it is too long to be an event"
            break
        raw = text[position:end]
        if ending is not None:
            problem = "it follows the line that ends the run"
            break
        if not crc_holds(raw):
            problem = "its checksum does not match"
            break
        try:
            entry = entry_decoder.decode(raw)
        except BAD_JSON as error:
            problem = f"it is no event this version knows ({one_line(str(error), 160)})"
            break
        if entry.event.seq != count:
            problem = _misplaced(text, end + 1, entry.event.seq, count)
            break
        if entry.prev != prev:
            problem = "it does not follow from the line before: one of the two was replaced"
            break
        encoded = event_bytes(raw)
        digest.add(entry.event, encoded)
        problem = _bad_ending(entry, digest, count)
        if problem:
            break
        ending = entry.end
        prev, at = link(text[position : end + 1]), entry.at
        count += 1
        position = end + 1
    return Walk(
        header=header,
        good_bytes=position,
        events=count,
        digest=digest.hexdigest(),
        last_link=prev,
        last_at=at,
        ending=ending,
        line=line if problem else 0,
        problem=problem,
        torn=bool(problem) and ending is None and not _whole_line_after(text, position),
    )


def _bad_ending(entry: Entry, digest: RunDigest, count: int) -> str:
    saved = isinstance(entry.event, SnapshotSaved)
    if saved != (entry.end is not None):
        return "it mixes up the end of a run with what comes before"
    if isinstance(entry.event, SnapshotSaved) and entry.end is not None:
        if entry.event.digest != digest.hexdigest():
            return "the digest it claims is not that of the events before it"
        if entry.end.events != count + 1:
            return f"it counts {entry.end.events} events where there are {count + 1}"
    return ""


def _misplaced(text: bytes, rest: int, found: int, wanted: int) -> str:
    if found < wanted:
        return f"it holds event {found}, which stands further up: a line was doubled or moved"
    if _find_event(text, rest, wanted):
        return f"it holds event {found} before event {wanted}: lines are out of order"
    missing = f"event {wanted} is" if found == wanted + 1 else f"events {wanted} to {found - 1} are"
    return f"{missing} missing before it"


def _find_event(text: bytes, position: int, seq: int) -> bool:
    wanted = b'"seq":%d,' % seq
    while (hit := text.find(wanted, position)) >= 0:
        start = text.rfind(b"\n", 0, hit) + 1
        end = text.find(b"\n", hit)
        if end > 0 and crc_holds(text[start:end]):
            return True
        position = hit + 1
    return False


def _whole_line_after(text: bytes, position: int) -> bool:
    """Return whether a whole line stands after the bad one: then it is damage, not a torn tail."""
    end = text.find(b"\n", position)
    while end >= 0:
        start, end = end + 1, text.find(b"\n", end + 1)
        if end > start and crc_holds(text[start:end]):
            return True
    return False
