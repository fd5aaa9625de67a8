"""Earlier versions of personas, and undo: the last change taken back, whatever it was.

Before a persona's file is replaced its bytes are kept in ``state/versions`` under
``NUMBER.MOVE.ID.json``: NUMBER counts versions, MOVE is the journal's last move by then. The two
numbers alone tell which of an edit and a move came later, so no clock is asked.
"""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from engine.events import Tier
from engine.files import make_folder, os_failure, read_bounded, remove_file, write_atomic
from engine.personas.document import MAX_BYTES, decode_persona
from engine.personas.moves import Move, MoveJournal
from engine.workspace import Workspace

_NAME: Final = re.compile(
    r"(?P<number>\d{8,15})\.(?P<move>\d{1,15})\.(?P<id>[a-z0-9][a-z0-9_-]{0,63})\.json\Z"
)


class Version(NamedTuple):
    """A kept version; ``move`` counts the moves, of all personas, that were begun before it."""

    number: int
    move: int
    persona_id: str
    path: Path


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """What an undo took back: a move or an edit of a persona, and the tier it is in now."""

    persona_id: str
    what: str
    tier: Tier


def keep_version(workspace: Workspace, persona_id: str, path: Path) -> Path:
    """Keep the bytes of the persona's file before it is replaced; return where. Hold the lock."""
    folder = workspace.state / "versions"
    make_folder(folder)
    held = _all(workspace)
    number = held[-1].number + 1 if held else 1
    kept = folder / f"{number:08}.{_begun(workspace)}.{persona_id}.json"
    write_atomic(kept, read_bounded(path, MAX_BYTES), replace=False)
    return kept


def versions(workspace: Workspace, persona_id: str = "") -> list[Version]:
    """Return the kept versions of a persona, or of all, oldest first."""
    return [each for each in _all(workspace) if persona_id in ("", each.persona_id)]


def take_back(workspace: Workspace, version: Version, current: Path) -> None:
    """Put the version's bytes back in the persona's file; what they replace is set aside. Hold the lock.

    Raises PersonaError, and changes nothing, if the version cannot be used.
    """
    data = read_bounded(version.path, MAX_BYTES)
    decode_persona(data, version.path.name)
    now = read_bounded(current, MAX_BYTES)
    if now != data:
        aside = workspace.state / "set_aside"
        make_folder(aside)
        target = aside / f"{version.persona_id}.undone.{version.number}.json"
        if not os.path.lexists(target):
            write_atomic(target, now, replace=False)
        write_atomic(current, data)
    remove_file(version.path)  # its bytes are the persona's own again


def last_change(workspace: Workspace, persona_id: str = "") -> tuple[Version | None, Move | None]:
    """Return the last change that can be taken back, as a version or as a move; both None for none."""
    held = versions(workspace, persona_id)
    stack = open_moves(MoveJournal(workspace.moves_path).moves(persona_id or None))
    version = held[-1] if held else None
    move = stack[-1] if stack else None
    if version is not None and move is not None:
        return (version, None) if move.seq < version.move else (None, move)
    return version, move


def open_moves(moves: list[Move]) -> list[Move]:
    """Return the moves that happened and are not undone yet, oldest first."""
    undone = {move.inputs.get("undoes") for move in moves if move.state == "done"}
    return [
        move
        for move in moves
        if move.state == "done" and move.seq not in undone and "undoes" not in move.inputs
    ]


def _begun(workspace: Workspace) -> int:
    """Return a number above the seq of every move begun so far."""
    lines, _ = MoveJournal(workspace.moves_path).lines()
    return lines[-1].seq + 1 if lines else 0


def _all(workspace: Workspace) -> list[Version]:
    folder = workspace.state / "versions"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise os_failure("list", folder, error) from error
    found = []
    for name in names:
        match = _NAME.match(name)
        if match:
            found.append(Version(int(match["number"]), int(match["move"]), match["id"], folder / name))
    return sorted(found)
