"""What the persona screens ask of the engine's thread: the roster, cards, drafts, and acts on them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.errors import PersonaError, SnapshotError, WorkspaceError
from engine.files import make_folder, read_bounded, remove_file, write_atomic
from engine.personas.document import MAX_BYTES, Persona, decode_persona, encode_persona
from engine.personas.draft import Draft, blank
from engine.personas.lifecycle import Gauges, Limits
from engine.personas.overview import RosterLine, roster_lines
from engine.personas.registry import PersonaRegistry, Roster, StoredPersona
from engine.personas.track_record import TrackRecord, track_records
from engine.personas.workbench import Workbench
from tui.persona_card import Card, load_card
from tui.persona_desk import open_ledger

if TYPE_CHECKING:
    from engine.pipeline import Engine

NEW_SUFFIX: Final = ".new.json"
"""How drafts of personas that were never saved end, in ``state/edits``."""


class Conflict(NamedTuple):
    """One id in several tiers: all files are kept, and the user chooses."""

    persona_id: str
    tiers: tuple[str, ...]


class Everyone(NamedTuple):
    """The roster as the screen shows it."""

    lines: list[RosterLine]
    conflicts: list[Conflict]
    problems: list[str]


class Opened(NamedTuple):
    """A card with the draft that was left unsaved, and what to say about that.

    ``unusable`` says that a text is kept which does not make a persona yet.
    """

    card: Card
    draft: Draft
    said: str
    asked: Mapping[str, str]
    unusable: bool = False


class PersonaBench:
    """Everything below runs on the engine's thread; what was done is kept for undoing, all session."""

    def __init__(self, registry: PersonaRegistry) -> None:
        self.registry = registry
        self.work = Workbench(self.registry)
        self.notes: list[str] = []
        self._stored: dict[str, StoredPersona] = {}
        self._records: Mapping[str, TrackRecord] = {}
        self._gauges: Mapping[str, Gauges] = {}
        self._limits = Limits()

    # -- the roster ------------------------------------------------------------------------------
    def everyone(self) -> Everyone:
        """Return a line for each persona, ids that are in two tiers, and files that cannot be used."""
        roster = self.registry.load()
        self._stored = {each.persona.persona_id: each for each in roster.personas}
        self._read_ledger()
        conflicts, problems = _sorted_problems(roster)
        return Everyone(self._lines(roster.personas), conflicts, problems)

    def again(self, ids: Iterable[str]) -> dict[str, RosterLine | None]:
        """Return the lines of these personas as they are now, None for one that is gone."""
        found: dict[str, RosterLine | None] = {}
        for name in ids:
            try:
                self._stored[name] = self.registry.get(name)
                (found[name],) = self._lines((self._stored[name],))
            except PersonaError:
                self._stored.pop(name, None)
                found[name] = None
        return found

    def _lines(self, stored: Sequence[StoredPersona]) -> list[RosterLine]:
        roster = Roster(personas=tuple(stored), problems=())
        return roster_lines(roster, self._records, self._gauges, self._limits)

    def _read_ledger(self) -> None:
        from engine.personas.learning import read_gauges, read_limits

        ledger = open_ledger(self.registry.workspace, self.notes.append)
        if ledger is None:
            return
        with ledger:
            self._records, self._limits = track_records(ledger), read_limits(ledger)
            self._gauges = {name: topics[""] for name, topics in read_gauges(ledger).items()}

    # -- cards and drafts ------------------------------------------------------------------------
    def open(self, persona_id: str) -> Opened:
        """Return the card of a persona, going on with the draft that was left. Raises PersonaError."""
        card = load_card(self.registry, persona_id, list(self._stored.values()) or None, self.notes.append)
        saved = card.stored.persona
        draft, said, unusable = Draft(saved, saved), "", False
        path = self.draft_path(card.stored)
        if path.exists():
            try:
                draft = Draft(saved, decode_persona(read_bounded(path, MAX_BYTES), f"{persona_id}.json"))
                said = "going on with your unsaved changes; w saves, z discards them"
            except (PersonaError, WorkspaceError) as error:
                unusable = True
                mend = "e goes on with it, z discards it"
                said = f"an unfinished edit is kept but cannot be used yet: {error}; {mend}"
        older = [each for each in path.parent.glob(f"{persona_id}.*.json") if _is_older(each, path)]
        if older:
            kept = f"an unfinished edit of an older {persona_id} is kept in '{older[0]}'"
            said = f"{said}; {kept}" if said else kept
        return Opened(card, draft, said, self._questions(card), unusable)

    def _questions(self, card: Card) -> dict[str, str]:
        from engine.snapshots.library import SnapshotLibrary

        library = SnapshotLibrary(self.registry.workspace.snapshots)
        found = {}
        for each in card.questions:
            try:
                found[each.snapshot] = library.info(each.snapshot).question
            except SnapshotError:  # it was thrown away since
                continue
        return found

    def draft_path(self, stored: StoredPersona) -> Path:
        """Return where the draft of this version of a persona is kept, shared with ``personas edit``."""
        name = f"{stored.persona.persona_id}.{stored.content[:12]}.json"
        return self.registry.workspace.state / "edits" / name

    def new_path(self, persona_id: str) -> Path:
        """Return where the draft of a persona that was never saved is kept."""
        return self.registry.workspace.state / "edits" / f"{persona_id}{NEW_SUFFIX}"

    def keep_draft(self, path: Path, persona: Persona) -> None:
        """Keep a draft; a text there that cannot be used is set aside. Raises WorkspaceError."""
        make_folder(path.parent)
        self._set_aside(path)
        write_atomic(path, encode_persona(persona))

    def _set_aside(self, path: Path) -> None:
        """Move a text that does not make a persona out of the way, and note where it is then."""
        if not path.exists() or is_usable(path):
            return
        name = path.name.partition(".")[0]
        free = (path.with_name(f"{name}.unfinished-{number}.json") for number in count(1))
        target = next(each for each in free if not each.exists())
        write_atomic(target, read_bounded(path, MAX_BYTES))
        remove_file(path)
        self.notes.append(f"the unfinished edit is kept in '{target}'")

    def take_text(self, path: Path) -> bytes:
        """Return the text kept at ``path``, and forget it there. Raises WorkspaceError."""
        text = read_bounded(path, MAX_BYTES)
        remove_file(path)
        return text

    def put_text(self, path: Path, text: bytes) -> bool:
        """Put a text back that :meth:`take_text` took; return that it is there. Raises WorkspaceError."""
        write_atomic(path, text)
        return True

    def drop_draft(self, path: Path) -> bool:
        """Forget a draft that was saved or discarded; return whether there was one."""
        there = path.exists()
        if there:
            remove_file(path)
        return there

    def unfinished(self) -> list[Persona]:
        """Return the drafts of personas that were never saved, by id."""
        found = []
        for path in sorted((self.registry.workspace.state / "edits").glob(f"*{NEW_SUFFIX}")):
            try:
                found.append(decode_persona(read_bounded(path, MAX_BYTES), path.name))
            except (PersonaError, WorkspaceError):
                continue
        return found

    def begin(self, kind: str, value: str) -> Draft:
        """Return a new draft: ``blank``, ``clone`` of an id, of a ``template``, or a kept ``draft``.

        Raises PersonaError.
        """
        if kind == "draft":
            persona = decode_persona(read_bounded(self.new_path(value), MAX_BYTES), value)
            return Draft(blank(persona.persona_id), persona)
        if kind == "clone":
            parent = self.registry.get(value)
            lineage = {"parent": value, "parent_digest": parent.digest}
            rest = {key: each for key, each in parent.persona.metadata.items() if key != "pinned"}
            clone = msgspec.structs.replace(
                parent.persona,
                persona_id=self.free_id(value),
                historical_performance={},
                metadata={**rest, "lineage": lineage},
            )
            return Draft(clone, clone)
        if kind == "template":
            from engine.personas.templates import template

            chosen = template(value)
            made = msgspec.structs.replace(
                blank(self.free_id(value)),
                traits=dict(chosen.traits),
                expertise=list(chosen.expertise),
                activation_cost=chosen.cost,
                metadata={"voice": chosen.voice, "lineage": {"template": chosen.name}},
            )
            return Draft(made, made)
        nothing = blank(self.free_id("new-persona"))
        return Draft(nothing, nothing)

    def free_id(self, name: str) -> str:
        """Return ``name``, or the first of NAME-2, NAME-3 and so on that no persona has."""
        for number in range(1, 100_000):
            suffix = f"-{number}" if number > 1 else ""
            fresh = name[: 64 - len(suffix)] + suffix
            if not self.registry.places(fresh) and not self.new_path(fresh).exists():
                return fresh
        raise PersonaError(f"every name from {name}-2 on is taken")

    def new_card(self, draft: Draft) -> Opened:
        """Return the card of a persona that is not saved yet."""
        stored = StoredPersona(
            persona=draft.now,
            tier="experimental",
            path=self.new_path(draft.now.persona_id),
            digest="",
            content="",
        )
        return Opened(Card(stored, self.registry.workspace.settings().traits.rows, []), draft, "", {})

    def save(self, stored: StoredPersona, draft: Draft) -> StoredPersona:
        """Save a draft over the version it was made from; its kept copy goes. Raises PersonaError.

        A kept text that cannot be used does not go: it is set aside, and a note says where. If the file is
        gone meanwhile the persona is made again where it was.
        """
        if self.registry.places(draft.now.persona_id):
            after = self.work.update(draft.now, stored.content)
        else:
            after = self.work.create(draft.now, stored.tier)
        self._set_aside(self.draft_path(stored))
        self.drop_draft(self.draft_path(stored))
        return after

    def make(self, draft: Draft) -> StoredPersona:
        """Make the persona of a draft, experimental; its kept copy goes, as by :meth:`save`.

        Raises PersonaError.
        """
        after = self.work.create(draft.now)
        self._set_aside(self.new_path(draft.now.persona_id))
        self.drop_draft(self.new_path(draft.now.persona_id))
        return after


def is_usable(path: Path) -> bool:
    """Return whether the text at ``path`` makes a persona."""
    try:
        decode_persona(read_bounded(path, MAX_BYTES), path.name)
    except (PersonaError, WorkspaceError):
        return False
    return True


def _sorted_problems(roster: Roster) -> tuple[list[Conflict], list[str]]:
    places: dict[str, list[str]] = {}
    for each in roster.problems:
        places.setdefault(each.path.name, []).append(each.path.parent.name)
    conflicts = [
        Conflict(name.removesuffix(".json"), tuple(sorted(set(tiers))))
        for name, tiers in sorted(places.items())
        if len(set(tiers)) > 1
    ]
    twice = {f"{each.persona_id}.json" for each in conflicts}
    return conflicts, [each.reason for each in roster.problems if each.path.name not in twice]


def _is_older(each: Path, now: Path) -> bool:
    same_persona = each.name.partition(".")[0] == now.name.partition(".")[0]
    return same_persona and each != now and not each.name.endswith(NEW_SUFFIX)


def last_question(engine: "Engine") -> str:
    """Return the last question asked. Raises InputError if there was none."""
    from tui.persona_desk import last_questions

    return last_questions(engine.workspace, 1)[0]
