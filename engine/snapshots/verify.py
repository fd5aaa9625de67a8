"""Verifying a snapshot: every line of it, then, against a new run, every event."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from engine.errors import SnapshotError, SnapshotHeaderError
from engine.events import DISPLAY_ONLY, Event, QueryStarted
from engine.ids import canonical
from engine.snapshots.chain import walk
from engine.snapshots.container import GZIP_MAGIC, is_packed, seal_holds, unpack, unpack_prefix
from engine.snapshots.diff import InputChange, changed_inputs, documents_of
from engine.snapshots.format import MAX_TEXT
from engine.snapshots.reader import Snapshot, read_snapshot_file, refuse_endless_line, snapshot_id_of

Rerun: TypeAlias = Callable[[Snapshot], Iterator[Event]]
"""Runs the recorded question again, with the recorded model transcript; gives the new events."""

_SHOWN = 500
_SEAL_BROKEN = "its seal is broken: the packed file was changed"


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What checking every line gave; ``line`` (from 1) is the first that is wrong, 0 if none is."""

    id: str
    intact: bool
    complete: bool
    events: int
    digest: str
    line: int = 0
    problem: str = ""


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """The first place where a new run is not the recorded one.

    ``seq`` is the recorded event's (the new event's where the record has ended), ``field`` the path
    inside it, such as ``evidence[2].score``; the sides are JSON, empty where a side has ended.
    """

    seq: int
    type: str
    field: str
    recorded: str
    rerun: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How a new run compares: ``identical``, or where it first differs and what could explain it."""

    identical: bool
    compared: int
    divergence: Divergence | None = None
    inputs: list[InputChange] = msgspec.field(default_factory=list)
    documents_missing: list[str] = msgspec.field(default_factory=list)


def check_chain(path: Path) -> ChainReport:
    """Return whether every bit of the snapshot file is as it was written; never stops at the seal.

    Raises SnapshotError for a file that is no snapshot, or is from a newer version.
    """
    data = read_snapshot_file(path, MAX_TEXT)
    name = path.name
    text, packing = data, ""
    if is_packed(data):
        text, packing = unpack_prefix(data, name)
        if not packing and not seal_holds(data):
            packing = _SEAL_BROKEN
    elif data.startswith(GZIP_MAGIC):
        text, packing = unpack(data, name), _SEAL_BROKEN
    else:
        refuse_endless_line(text, name)
    try:
        found = walk(text, name)
    except SnapshotHeaderError as error:
        return _damaged(path, 1, packing or error.how)
    except SnapshotError:
        if is_packed(data):  # a whole header was packed, so what is there instead is damage
            return _damaged(path, 1, packing or "it is no header")
        raise
    line, problem = found.line, found.problem
    if packing and (found.torn or not problem):
        # What is missing is the rest of the line where unpacking stopped, or the line after it.
        whole = found.ending is not None or packing == _SEAL_BROKEN
        line, problem = line or (0 if whole else found.events + 2), packing
    return ChainReport(
        id=snapshot_id_of(path),
        intact=not problem,
        complete=found.ending is not None,
        events=found.events,
        digest=found.digest,
        line=line,
        problem=problem,
    )


def _damaged(path: Path, line: int, problem: str) -> ChainReport:
    return ChainReport(
        id=snapshot_id_of(path),
        intact=False,
        complete=False,
        events=0,
        digest="",
        line=line,
        problem=problem,
    )


def verify(snapshot: Snapshot, rerun: Rerun) -> Comparison:
    """Return how a new run of the recorded question compares with the record, event by event."""
    again = list(rerun(snapshot))
    comparison = compare(snapshot.events(), again)
    if comparison.identical:
        return comparison
    started = next((event for event in snapshot.events() if isinstance(event, QueryStarted)), None)
    new = next((event for event in again if isinstance(event, QueryStarted)), None)
    there = documents_of(again)
    return msgspec.structs.replace(
        comparison,
        inputs=changed_inputs(started, new),
        documents_missing=[each for each in documents_of(snapshot.events()) if each not in there],
    )


def _decided(events: Iterable[Event]) -> Iterator[Event]:
    return (event for event in events if not isinstance(event, DISPLAY_ONLY))


def compare(recorded: Iterable[Event], rerun: Iterable[Event]) -> Comparison:
    """Return whether two runs decided the same, or the first field in which they did not.

    Display-only events are passed over and ``seq`` is not compared, as in the digest.

    >>> from engine.events import QueryFinished
    >>> compare([QueryFinished(outcome="answered")], [QueryFinished(outcome="failed")]).divergence.field
    'outcome'
    """
    left, right = _decided(recorded), _decided(rerun)
    count = 0
    while True:
        one, two = next(left, None), next(right, None)
        if one is None and two is None:
            return Comparison(identical=True, compared=count)
        found = _first_difference(one, two)
        if found is not None:
            return Comparison(identical=False, compared=count, divergence=found)
        count += 1


def _first_difference(one: Event | None, two: Event | None) -> Divergence | None:
    known = one or two
    if known is None:
        raise SnapshotError("there is nothing to compare")
    kind = type(known).__name__
    if one is None or two is None or type(one) is not type(two):
        return Divergence(
            seq=known.seq, type=kind, field="", recorded=_shown(one, True), rerun=_shown(two, True)
        )
    for name in one.__struct_fields__:
        if name == "seq":
            continue
        left, right = getattr(one, name), getattr(two, name)
        if left != right:
            path, a, b = _descend(name, msgspec.to_builtins(left), msgspec.to_builtins(right))
            return Divergence(seq=one.seq, type=kind, field=path, recorded=_shown(a), rerun=_shown(b))
    return None


def _descend(path: str, left: Any, right: Any) -> tuple[str, Any, Any]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in {**left, **right}:
            if key not in left or key not in right or left[key] != right[key]:
                return _descend(f"{path}.{key}", left.get(key, _END), right.get(key, _END))
    if isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            a = left[index] if index < len(left) else _END
            b = right[index] if index < len(right) else _END
            if a != b:
                return _descend(f"{path}[{index}]", a, b)
    return path, left, right


_END = object()
"""Stands for what one side does not have at all."""


def _shown(value: object, whole: bool = False) -> str:
    if value is _END or (whole and value is None):
        return ""
    text = canonical(value).decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
