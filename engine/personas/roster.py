"""Personas as they lie in their folders: read one by one, a file that did not change only once."""

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from engine.errors import PersonaError, WorkspaceError
from engine.events import Tier
from engine.files import read_bounded
from engine.ids import digest
from engine.personas.document import MAX_BYTES, Persona, decode_persona, persona_digest

_COARSEST: Final = 2_000_000_000
"""Nanoseconds between two readings of the coarsest clock of a file system in use (FAT)."""


class StoredPersona(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A persona and where it lies. ``digest`` is :func:`persona_digest`, ``content`` that of the file."""

    persona: Persona
    tier: Tier
    path: Path
    digest: str
    content: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A file that takes no part, and why."""

    path: Path
    reason: str


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """All personas, by tier (active first) and id, and the files that could not be used."""

    personas: tuple[StoredPersona, ...]
    problems: tuple[Problem, ...]

    def in_tier(self, *tiers: Tier) -> tuple[StoredPersona, ...]:
        """Return the personas of these tiers, in order."""
        return tuple(stored for stored in self.personas if stored.tier in tiers)

    @property
    def usable(self) -> tuple[StoredPersona, ...]:
        """Return the personas that may be asked: all but the pruned."""
        return self.in_tier("active", "stable", "experimental")


class _Stamp(NamedTuple):
    """What changes whenever a file does: the times of its last changes, its size, its inode."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int


class KnownFiles:
    """Reads persona files, those that did not change since from memory."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Stamp, StoredPersona]] = {}

    def read(self, name: str, tier: Tier) -> StoredPersona:
        """Return the persona in the file ``name``. Raises PersonaError."""
        stamp = _stamp_of(name)
        known = self._known.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        stored = read_stored(Path(name), tier)
        if stamp is not None and time.time_ns() - stamp.ctime_ns > _COARSEST:
            self._known[name] = (stamp, stored)
        else:  # another change could leave the same stamp
            self._known.pop(name, None)
        return stored


def _stamp_of(path: str) -> _Stamp | None:
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return _Stamp(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def read_stored(path: Path, tier: Tier) -> StoredPersona:
    """Return the persona in the file. Raises PersonaError, also if it is named after another one."""
    where = f"{tier}/{path.name}"
    try:
        data = read_bounded(path, MAX_BYTES)
    except WorkspaceError as error:
        raise PersonaError(error.problem, error.mend) from error
    persona = decode_persona(data, where)
    if path.name != f"{persona.persona_id}.json":
        mend = f"rename the file to {persona.persona_id}.json, or change the id"
        raise PersonaError(f"{where} holds the persona {persona.persona_id}", mend)
    return StoredPersona(
        persona=persona,
        tier=tier,
        path=path,
        digest=persona_digest(persona),
        content=digest("file.v1", data),
    )
