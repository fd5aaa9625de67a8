"""Moves between tiers: one rename each, in a journal that stays truthful through any crash.

An *intent* line is made durable, then the file is renamed, then a *done* line is added. A process
that dies in between leaves an intent without its end; :meth:`MoveJournal.reconcile` looks where the
file is and writes the end that is true: *done*, or *void* if the move never happened. A torn line
at the end is set aside in ``.torn`` before anything is added.
"""

import os
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from engine.errors import InputError, PersonaError, WorkspaceError
from engine.files import fsync_folder, is_missing, move_noreplace, os_failure, read_bounded, write_all
from engine.ids import canonical, require_safe_id

MAX_JOURNAL: Final = 256 * 1024 * 1024
MAX_LINE: Final = 64 * 1024
_TAIL: Final = 2 * MAX_LINE


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the journal. ``move`` is the ``seq`` of the intent that a done or void line ends."""

    seq: int
    kind: Literal["intent", "done", "void"]
    move: int
    persona_id: str
    from_tier: str = ""
    to_tier: str = ""
    reason: str = ""
    inputs: dict[str, Any] = {}
    at: str = ""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A move that happened, or (``state`` void) did not, or (pending) is not known to have."""

    seq: int
    persona_id: str
    from_tier: str
    to_tier: str
    reason: str
    inputs: dict[str, Any]
    at: str
    state: Literal["pending", "done", "void"]


def move_persona_to_folder(persona_id: str, current_folder: Path | str, target_folder: Path | str) -> Path:
    """Move the persona's file from one folder to the other; return where it is now.

    One rename that never overwrites, so at any instant exactly one of the two holds it. Raises
    PersonaError if there is none here or one of that name there, WorkspaceError if the system
    refuses.
    """
    try:
        name = f"{require_safe_id(persona_id, 'persona')}.json"
    except InputError as error:
        raise PersonaError(error.problem, error.mend) from error
    source, target = Path(current_folder) / name, Path(target_folder) / name
    try:
        move_noreplace(source, target)
    except WorkspaceError as error:
        if isinstance(error.__cause__, FileExistsError):
            problem = f"there is a persona {persona_id} in '{target.parent}' already"
            raise PersonaError(problem, f"run 'persona-moe personas resolve {persona_id}'") from error
        if is_missing(error) and not source.exists():
            raise PersonaError(f"there is no persona {persona_id} in '{source.parent}'") from error
        raise
    return target


class MoveJournal:
    """The append-only file of all moves. Whoever appends holds the workspace's lock."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    def lines(self) -> tuple[list[Line], int]:
        """Return the good lines in order, and how many bad ones there are."""
        try:
            data = read_bounded(self.path, MAX_JOURNAL)
        except WorkspaceError as error:
            if is_missing(error):
                return [], 0
            raise
        rows = data.split(b"\n")
        if not rows[-1]:
            rows.pop()
        parsed = [_parse(row) for row in rows]
        good = [line for line in parsed if line is not None]
        return good, len(parsed) - len(good)

    def moves(self, persona_id: str | None = None) -> list[Move]:
        """Return the moves of one persona, or of all, oldest first."""
        lines, _ = self.lines()
        ends = {line.move: line.kind for line in lines if line.kind != "intent"}
        return [
            Move(
                seq=line.seq,
                persona_id=line.persona_id,
                from_tier=line.from_tier,
                to_tier=line.to_tier,
                reason=line.reason,
                inputs=line.inputs,
                at=line.at,
                state="done" if ends.get(line.seq) == "done" else "void" if line.seq in ends else "pending",
            )
            for line in lines
            if line.kind == "intent" and persona_id in (None, line.persona_id)
        ]

    def intend(
        self, persona_id: str, from_tier: str, to_tier: str, reason: str, inputs: Mapping[str, Any]
    ) -> Line:
        """Record, durably, that the persona is about to be moved."""
        last = self._last()
        seq = last.seq + 1 if last else 0
        line = Line(
            seq=seq,
            kind="intent",
            move=seq,
            persona_id=persona_id,
            from_tier=from_tier,
            to_tier=to_tier,
            reason=reason[:2000],
            inputs=dict(inputs),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._append(line)
        return line

    def finish(self, intent: Line, kind: Literal["done", "void"], reason: str = "") -> None:
        """Record how a move ended."""
        last = self._last()
        seq = last.seq + 1 if last else intent.seq + 1
        self._append(Line(seq=seq, kind=kind, move=intent.seq, persona_id=intent.persona_id, reason=reason))

    def reconcile(self, settle: Callable[[Line], tuple[bool, str]]) -> list[str]:
        """End the move that a dead process left open, by where its file is now; return notes.

        ``settle(intent)`` returns whether the file is in its new tier and in no other, and a note.
        Only the last line can be open, because nobody appends before reconciling.
        """
        last = self._last()
        if last is None or last.kind != "intent":
            return []
        arrived, found = settle(last)
        self.finish(last, "done" if arrived else "void", f"interrupted; the file was {found}")
        return [
            f"moving {last.persona_id} from {last.from_tier} to {last.to_tier} was interrupted; "
            f"the file was {found}"
        ]

    def _last(self) -> Line | None:
        """Return the last good line, after setting aside whatever is torn behind it."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise os_failure("open", self.path, error) from error
        try:
            size = os.fstat(handle).st_size
            for window in (_TAIL, size):
                start = max(0, size - window)
                line, end = _last_good(os.pread(handle, size - start, start))
                if line is not None or start == 0:
                    break
            if start + end < size:
                self._set_aside(handle, start + end, size)
        except OSError as error:
            raise os_failure("read", self.path, error) from error
        finally:
            os.close(handle)
        return line

    def _set_aside(self, handle: int, end: int, size: int) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        side = os.open(self.path.with_name(f"{self.path.name}.torn"), flags, 0o600)
        try:
            write_all(side, os.pread(handle, size - end, end) + b"\n")
            os.fsync(side)
        finally:
            os.close(side)
        fsync_folder(self.path.parent)
        os.ftruncate(handle, end)
        os.fsync(handle)

    def _append(self, line: Line) -> None:
        content = msgspec.to_builtins(line)
        data = canonical({**content, "crc": zlib.crc32(canonical(content))}) + b"\n"
        if len(data) > MAX_LINE:
            raise PersonaError(f"the reason for moving {line.persona_id} is too long to record")
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(self.path, flags, 0o600)
            try:
                size = os.fstat(handle).st_size
                try:
                    write_all(handle, data)
                    os.fsync(handle)
                except OSError:
                    # What cannot be taken back now is a torn line, which the next append sets aside.
                    with suppress(OSError):
                        os.ftruncate(handle, size)
                    raise
            finally:
                os.close(handle)
        except OSError as error:
            raise os_failure("record the move in", self.path, error) from error
        if size == 0:
            fsync_folder(self.path.parent)


def _last_good(data: bytes) -> tuple[Line | None, int]:
    """Return the last good line in ``data`` and the offset just after it."""
    end = data.rfind(b"\n") + 1
    while end > 0:
        start = data.rfind(b"\n", 0, end - 1) + 1
        line = _parse(data[start : end - 1])
        if line is not None:
            return line, end
        end = start
    return None, 0


def _parse(row: bytes) -> Line | None:
    try:
        content = msgspec.json.decode(row)
        crc = content.pop("crc")
        if zlib.crc32(canonical(content)) != crc:
            return None
        return msgspec.convert(content, Line)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
