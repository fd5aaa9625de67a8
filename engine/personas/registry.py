"""The personas of a workspace: four tier folders of files, a bad one of which never stops the rest.

The folder a file lies in *is* its tier, so a move is one operation. Nothing is ever deleted: the
lowest tier is an archive, and of two files with one id the user chooses which to set aside.
"""

import os
from collections import Counter
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.config_file import nearest
from engine.errors import InputError, PersonaError, WorkspaceError
from engine.events import Tier
from engine.files import fsync_folder, make_folder, move_noreplace, os_failure, read_bounded, remove_file
from engine.ids import require_safe_id
from engine.personas.document import (
    MAX_BYTES,
    Persona,
    save_persona_to_file,
)
from engine.personas.moves import Line, Move, MoveJournal, move_persona_to_folder
from engine.personas.roster import KnownFiles, Problem, Roster, StoredPersona, read_stored
from engine.personas.versions import Undone, keep_version, last_change, open_moves, take_back
from engine.workspace import TIERS, Workspace

__all__ = ["PersonaRegistry", "Problem", "Roster", "StoredPersona", "move_persona_to_folder"]


class PersonaRegistry:
    """Reads, makes, changes and moves the personas under ``folder``.

    Reading needs the folder alone; everything else needs the ``workspace`` too, for its lock and
    its journal of moves.
    """

    def __init__(self, folder: Path, workspace: Workspace | None = None) -> None:
        self.folder: Final = folder
        self._workspace: Final = workspace
        self._files: Final = KnownFiles()

    @classmethod
    def of(cls, workspace: Workspace) -> "PersonaRegistry":
        """Return the registry of a workspace's personas."""
        return cls(workspace.personas, workspace)

    # -- reading ---------------------------------------------------------------------------------
    def load(self) -> Roster:
        """Return every persona that can be used and, for every file that cannot, the reason.

        A file that did not change since this registry read it last is not read again.
        """
        found: list[StoredPersona] = []
        problems: list[Problem] = []
        names = {tier: self._names(tier) for tier in TIERS}
        for tier, members in names.items():
            folder = self.folder / tier
            for name in members:
                try:
                    found.append(self._files.read(f"{folder}/{name}", tier))
                except PersonaError as error:
                    problems.append(Problem(path=folder / name, reason=str(error)))
        times = Counter(chain.from_iterable(names.values()))
        twice = {name for name, many in times.items() if many > 1}
        for name in sorted(twice):
            paths = [self.folder / tier / name for tier, members in names.items() if name in members]
            reason = str(_duplicate(name.removesuffix(".json"), paths))
            problems.extend(Problem(path=path, reason=reason) for path in paths)
        return Roster(
            personas=tuple(each for each in found if not twice or each.path.name not in twice),
            problems=tuple(problems),
        )

    def get(self, persona_id: str) -> StoredPersona:
        """Return the persona of this id.

        Raises PersonaError: no such persona (with the nearest id), a bad file, or two of that id.
        """
        paths = self.places(persona_id)
        if not paths:
            known = [name.removesuffix(".json") for tier in TIERS for name in self._names(tier)]
            guess = nearest(persona_id, known)
            mend = f"did you mean {guess}?" if guess else "'persona-moe personas list' shows all"
            raise PersonaError(f"there is no persona {persona_id}", mend)
        if len(paths) > 1:
            raise _duplicate(persona_id, list(paths.values()))
        ((tier, path),) = paths.items()
        return read_stored(path, tier)

    def places(self, persona_id: str) -> dict[Tier, Path]:
        """Return the file of this id by tier: one, unless there is none or a conflict."""
        name = f"{_safe(persona_id)}.json"
        paths: dict[Tier, Path] = {tier: self.folder / tier / name for tier in TIERS}
        return {tier: path for tier, path in paths.items() if os.path.lexists(path)}

    def history(self, persona_id: str) -> list[Move]:
        """Return every move of the persona, oldest first."""
        return self._journal().moves(_safe(persona_id))

    # -- changing --------------------------------------------------------------------------------
    def create(self, persona: Persona, tier: Tier = "experimental") -> StoredPersona:
        """Add a persona. Raises PersonaError if there is one of that id in any tier."""
        with self.workspace.lock():
            taken = self.places(persona.persona_id)
            if taken:
                problem = f"there is a persona {persona.persona_id} already ({', '.join(taken)})"
                raise PersonaError(problem, "choose another id")
            path = self.folder / tier / f"{persona.persona_id}.json"
            make_folder(path.parent)
            save_persona_to_file(persona, path, replace=False)
            return read_stored(path, tier)

    def update(self, persona: Persona, seen: str) -> StoredPersona:
        """Replace the persona of that id, unless its file is no longer the one seen.

        ``seen`` is the ``content`` of the StoredPersona that was edited. Raises PersonaError if
        another program changed the file meanwhile.
        """
        with self.workspace.lock():
            stored = self.get(persona.persona_id)
            if stored.content != seen:
                raise PersonaError(
                    f"{persona.persona_id} was changed by another program meanwhile",
                    "nothing was written; look at it and edit again",
                )
            kept = keep_version(self.workspace, persona.persona_id, stored.path)
            try:
                save_persona_to_file(persona, stored.path)
            except (PersonaError, WorkspaceError):
                remove_file(kept)
                raise
            return read_stored(stored.path, stored.tier)

    def pin(self, persona_id: str, pinned: bool = True) -> tuple[StoredPersona, bool]:
        """Say whether the lifecycle must leave the persona where it is; return it, and if that changed."""
        with self.workspace.lock():
            stored = self.get(persona_id)
            if (stored.persona.metadata.get("pinned") is True) == pinned:
                return stored, False
            metadata = {key: value for key, value in stored.persona.metadata.items() if key != "pinned"}
            if pinned:
                metadata["pinned"] = True
            changed = msgspec.structs.replace(stored.persona, metadata=metadata)
            return self.update(changed, stored.content), True

    def clone(self, persona_id: str, new_id: str, tier: Tier = "experimental") -> StoredPersona:
        """Add a copy under another id, without the original's past but with its lineage."""
        parent = self.get(persona_id)
        lineage = {"parent": persona_id, "parent_digest": parent.digest}
        child = msgspec.structs.replace(
            parent.persona,
            persona_id=_safe(new_id),
            historical_performance={},
            metadata={**parent.persona.metadata, "lineage": lineage},
        )
        return self.create(child, tier)

    def move(
        self, persona_id: str, tier: Tier, *, reason: str, inputs: Mapping[str, Any] | None = None
    ) -> StoredPersona:
        """Move the persona to ``tier`` and record why; return it in its new place.

        Raises PersonaError if it is there already, is missing or is in conflict; WorkspaceError if
        the system refuses. An error that says "moved" is about the record alone.
        """
        workspace = self.workspace
        with workspace.lock():
            journal = self._journal()
            journal.reconcile(self._settle)
            stored = self.get(persona_id)
            if stored.tier == tier:
                raise PersonaError(f"{persona_id} is {tier} already")
            make_folder(self.folder / tier)
            intent = journal.intend(persona_id, stored.tier, tier, reason, inputs or {})
            path = self._rename(journal, intent.persona_id, stored.tier, tier)
            try:
                journal.finish(intent, "done")
            except WorkspaceError as error:
                raise WorkspaceError(
                    f"{persona_id} was moved to {tier}, but not yet recorded: {error.problem}", error.mend
                ) from error
            return read_stored(path, tier)

    def _rename(self, journal: MoveJournal, persona_id: str, source: Tier, target: Tier) -> Path:
        try:
            return move_persona_to_folder(persona_id, self.folder / source, self.folder / target)
        except (PersonaError, WorkspaceError):
            try:
                journal.reconcile(self._settle)
            except WorkspaceError as second:  # the next move reconciles; the first error says more
                second.add_note("while recording that a move failed")
            raise

    def restore(self, persona_id: str) -> StoredPersona:
        """Undo the persona's last move that is not undone yet. Raises PersonaError if there is none."""
        with self.workspace.lock():
            self._journal().reconcile(self._settle)
            stack = open_moves(self.history(persona_id))
            stored = self.get(persona_id)
            if not stack:
                raise PersonaError(f"{persona_id} has no move to undo")
            last = stack[-1]
            tier: Tier = next((each for each in TIERS if each == last.from_tier), "experimental")
            reason = f"restored: undoes the move to {last.to_tier}"
            return self.move(stored.persona.persona_id, tier, reason=reason, inputs={"undoes": last.seq})

    def undo(self, persona_id: str = "") -> Undone:
        """Take back the last change of the persona, or of any: a move, or an edit with all it changed.

        Again takes back the one before. Raises PersonaError if there is none.
        """
        with self.workspace.lock():
            self._journal().reconcile(self._settle)
            version, move = last_change(self.workspace, _safe(persona_id) if persona_id else "")
            if version is None:
                if move is None:
                    who = f"{persona_id} has" if persona_id else "there is"
                    raise PersonaError(f"{who} no change to undo")
                stored = self.restore(move.persona_id)
                what = f"the move from {move.from_tier} to {move.to_tier}"
                return Undone(persona_id=move.persona_id, what=what, tier=stored.tier)
            paths = self.places(version.persona_id)
            if len(paths) != 1:
                self.get(version.persona_id)  # says what is wrong: gone, or in two tiers
            ((tier, path),) = paths.items()
            take_back(self.workspace, version, path)
            return Undone(persona_id=version.persona_id, what="the last edit", tier=tier)

    def resolve(self, persona_id: str, tier: Tier) -> list[Path]:
        """Of several files of one id keep the one in ``tier``; return where the others were set aside."""
        workspace = self.workspace
        with workspace.lock():
            paths = self.places(persona_id)
            if len(paths) < 2 or tier not in paths:
                where = ", ".join(paths) or "no tier"
                raise PersonaError(f"{persona_id} is in {where}; there is no conflict to resolve for {tier}")
            aside = workspace.state / "set_aside"
            make_folder(aside)
            targets = []
            for other, path in paths.items():
                if other != tier:
                    taken = sum(1 for name in os.listdir(aside) if name.startswith(f"{persona_id}.{other}."))
                    target = aside / f"{persona_id}.{other}.{taken + 1}.json"
                    move_noreplace(path, target)
                    targets.append(target)
            return targets

    def recover(self) -> list[str]:
        """End moves that a dead process left open and clear its leftovers; return notes."""
        workspace = self.workspace
        with workspace.lock():
            return [*workspace.recover(), *self._journal().reconcile(self._settle)]

    # -- inside ----------------------------------------------------------------------------------
    def _names(self, tier: str) -> list[str]:
        try:
            names = os.listdir(self.folder / tier)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise os_failure("list", self.folder / tier, error) from error
        return sorted(name for name in names if name.lower().endswith(".json") and name[0] != ".")

    def _settle(self, intent: Line) -> tuple[bool, str]:
        """Say where an interrupted move left its file; after a power cut it may be in both tiers."""
        paths = self.places(intent.persona_id)
        old = next((path for tier, path in paths.items() if tier == intent.from_tier), None)
        new = next((path for tier, path in paths.items() if tier == intent.to_tier), None)
        if old and new:
            try:
                same = read_bounded(old, MAX_BYTES) == read_bounded(new, MAX_BYTES)
            except WorkspaceError as error:
                return False, f"in both tiers, and cannot be compared: {error.problem}"
            if not same:
                return False, "in both tiers, with different content"
            remove_file(old)  # the other name of the very bytes that moved
            fsync_folder(old.parent)
            return True, "in both tiers; the old name was removed"
        if new:
            return True, "in its new tier"
        return False, "still in its old tier" if old else "in neither tier"

    @property
    def workspace(self) -> Workspace:
        """Return the workspace that the personas belong to. Raises WorkspaceError if to none."""
        if self._workspace is None:
            raise WorkspaceError(f"the personas in '{self.folder}' are not part of a workspace")
        return self._workspace

    def _journal(self) -> MoveJournal:
        return MoveJournal(self.workspace.moves_path)


def _safe(persona_id: str) -> str:
    try:
        return require_safe_id(persona_id, "persona")
    except InputError as error:
        raise PersonaError(error.problem, error.mend) from error


def _duplicate(persona_id: str, paths: list[Path]) -> PersonaError:
    tiers = " and ".join(path.parent.name for path in paths)
    return PersonaError(
        f"there is a persona {persona_id} in {tiers}; none takes part",
        f"keep one with 'persona-moe personas resolve {persona_id} TIER'",
    )
