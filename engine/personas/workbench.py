"""What a person does to personas in one sitting, one or many at a time, and how it is taken back.

Every act is kept with what undoes it, so ``undo`` walks back through the whole sitting. What other
programs changed since is never overwritten: such a step is refused and named.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from engine.errors import PersonaError, WorkspaceError
from engine.events import Tier
from engine.personas.bundle import Planned, carry_out
from engine.personas.document import Persona
from engine.personas.registry import PersonaRegistry, StoredPersona
from engine.personas.set_aside import put_back, withdraw
from engine.personas.versions import take_back, versions
from engine.workspace import TIERS

Back: TypeAlias = Callable[[], object]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What was done: in words, to whom, and who was left out, each with the reason."""

    said: str
    ids: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """All of it on one line."""
        return "; ".join(part for part in (self.said, *self.refused[:3], _more(self.refused)) if part)


def _more(refused: Sequence[str]) -> str:
    return f"and {len(refused) - 3} more could not" if len(refused) > 3 else ""


class _Done(msgspec.Struct):
    said: str
    back: list[tuple[str, Back]]


def target_of(stored: StoredPersona, wanted: str) -> Tier:
    """Return the tier that ``wanted`` (a tier, ``up`` or ``down``) means. Raises PersonaError at an end."""
    name = stored.persona.persona_id
    if wanted in ("up", "down"):
        step = TIERS.index(stored.tier) + (1 if wanted == "down" else -1)
        if not 0 <= step < len(TIERS):
            raise PersonaError(f"{name} is {stored.tier} already; there is no tier further {wanted}")
        return TIERS[step]
    if wanted == stored.tier:
        raise PersonaError(f"{name} is {stored.tier} already")
    return next(tier for tier in TIERS if tier == wanted)


class Workbench:
    """Acts on the personas of a registry; of several, those that can be acted on are."""

    def __init__(self, registry: PersonaRegistry) -> None:
        self.registry = registry
        self._done: list[_Done] = []
        self.progress = (0, 0)
        """How many of how many personas the act that goes on has dealt with; read by whoever waits."""

    @property
    def next_undo(self) -> str:
        """What ``undo`` would take back, empty if nothing was done."""
        return self._done[-1].said if self._done else ""

    # -- moving ----------------------------------------------------------------------------------
    def move(self, ids: Iterable[str], wanted: str, *, reason: str = "moved by hand in the app") -> Act:
        """Move each to the tier ``wanted``, or a step ``up`` or ``down``."""

        def one(name: str) -> tuple[str, Back]:
            stored = self.registry.get(name)
            moved = self.registry.move(name, target_of(stored, wanted), reason=reason)
            return f"{stored.tier} to {moved.tier}", self._unmove(name, stored.tier, moved.tier)

        return self._all(ids, one, lambda name, how: f"{name} went from {how}", "moved")

    def restore(self, ids: Iterable[str]) -> Act:
        """Undo each one's last move that its history holds."""

        def one(name: str) -> tuple[str, Back]:
            before = self.registry.get(name).tier
            after = self.registry.restore(name).tier
            return after, self._unrestore(name, before, after)

        return self._all(ids, one, lambda name, how: f"{name} is {how} again", "restored")

    def _unmove(self, name: str, source: Tier, target: Tier) -> Back:
        def back() -> None:
            self._require_tier(name, target)
            self.registry.restore(name)
            if (now := self.registry.get(name).tier) != source:  # somebody else's move came later
                raise PersonaError(f"{name} is {now}, not {source}: it was moved meanwhile")

        return back

    def _unrestore(self, name: str, before: Tier, after: Tier) -> Back:
        def back() -> None:
            self._require_tier(name, after)
            self.registry.move(name, before, reason="moved back: the restoring was undone")

        return back

    def _require_tier(self, name: str, tier: Tier) -> None:
        now = self.registry.get(name).tier
        if now != tier:
            raise PersonaError(f"{name} is {now} and no longer {tier}: it was moved meanwhile")

    # -- pinning ---------------------------------------------------------------------------------
    def pin(self, ids: Iterable[str], pinned: bool = True) -> Act:
        """Tell the lifecycle to leave each where it is, or no longer."""
        word = "pinned" if pinned else "no longer pinned"

        def one(name: str) -> tuple[str, Back]:
            after, changed = self.registry.pin(name, pinned)
            if not changed:
                raise PersonaError(f"{name} is {word} already")
            return word, self._unedit(after)

        return self._all(ids, one, lambda name, how: f"{name} is {how}", word)

    def retire(self, ids: Iterable[str]) -> Act:
        """Move each to the archive and pin it there."""

        def one(name: str) -> tuple[str, Back]:
            stored = self.registry.get(name)
            unmove: Back = lambda: None  # noqa: E731
            if stored.tier != "pruned":
                self.registry.move(name, "pruned", reason="retired by hand in the app")
                unmove = self._unmove(name, stored.tier, "pruned")
            after, changed = self.registry.pin(name)
            unpin = self._unedit(after) if changed else (lambda: None)

            def back() -> None:
                unpin()
                unmove()

            return "retired: in the archive, pinned", back

        return self._all(ids, one, lambda name, how: f"{name} is {how}", "retired")

    # -- making and changing ---------------------------------------------------------------------
    def create(self, persona: Persona, tier: Tier = "experimental") -> StoredPersona:
        """Add a persona. Raises what the registry raises."""
        stored = self.registry.create(persona, tier)
        self._keep(f"{persona.persona_id} made in {tier}", [(persona.persona_id, self._unmake(stored))])
        return stored

    def update(self, persona: Persona, seen: str) -> StoredPersona:
        """Replace a persona whose file is still the one seen. Raises what the registry raises."""
        stored = self.registry.update(persona, seen)
        self._keep(f"the edit of {persona.persona_id}", [(persona.persona_id, self._unedit(stored))])
        return stored

    def take_in(self, planned: Sequence[Planned], tier: Tier = "experimental") -> Act:
        """Carry out an import; what is a conflict, refused or the same is left alone."""
        back: list[tuple[str, Back]] = []
        refused = [f"{each.persona_id or each.origin}: {each.what}" for each in planned if _stuck(each)]
        for each in planned:
            try:
                stored = carry_out(self.registry, each, tier)
            except (PersonaError, WorkspaceError) as error:
                refused.append(f"{each.persona_id}: {error}")
                continue
            if stored is not None:
                undoing = self._unmake(stored) if each.status == "add" else self._unedit(stored)
                back.append((stored.persona.persona_id, undoing))
        said = f"{len(back)} persona{'s' * (len(back) != 1)} taken in"
        self._keep(said, back)
        return Act(said=said, ids=tuple(name for name, _ in back), refused=tuple(refused))

    def resolve(self, persona_id: str, tier: Tier) -> Act:
        """Of two files of one id keep the one in ``tier``; undo brings back the other, which is set aside."""
        before = {each: path for each, path in self.registry.places(persona_id).items() if each != tier}
        aside = self.registry.resolve(persona_id, tier)

        def back() -> None:
            for path, kept in zip(before.values(), aside, strict=True):
                put_back(self.registry, kept, path)

        said = f"{persona_id} is {tier}; the other file is kept in {aside[0].parent.name}/{aside[0].name}"
        self._keep(said, [(persona_id, back)])
        return Act(said=said, ids=(persona_id,))

    def _unedit(self, after: StoredPersona) -> Back:
        name = after.persona.persona_id

        def back() -> None:
            workspace = self.registry.workspace
            with workspace.lock():
                stored = self.registry.get(name)
                held = versions(workspace, name)
                if stored.content != after.content or not held:
                    raise PersonaError(f"{name} was changed by another program since", "it is left as it is")
                take_back(workspace, held[-1], stored.path)

        return back

    def _unmake(self, stored: StoredPersona) -> Back:
        return lambda: withdraw(self.registry, stored.persona.persona_id, stored.content)

    # -- undoing ---------------------------------------------------------------------------------
    def undo(self) -> Act:
        """Take back the last act as a whole; again takes back the one before.

        A persona that was changed since is left as it is and named. Raises PersonaError if nothing
        was done.
        """
        if not self._done:
            raise PersonaError(
                "nothing was done in this sitting that could be undone",
                "'personas undo ID' takes back what was done before",
            )
        last = self._done.pop()
        refused = []
        for _, back in reversed(last.back):
            try:
                back()
            except (PersonaError, WorkspaceError) as error:
                refused.append(str(error))
        ids = tuple(name for name, _ in last.back)
        return Act(said=f"taken back: {last.said}", ids=ids, refused=tuple(refused))

    def _keep(self, said: str, back: list[tuple[str, Back]]) -> None:
        if back:
            self._done.append(_Done(said, back))

    def _all(
        self,
        ids: Iterable[str],
        one: Callable[[str], tuple[str, Back]],
        single: Callable[[str, str], str],
        word: str,
    ) -> Act:
        back: list[tuple[str, Back]] = []
        refused: list[str] = []
        said = ""
        names = list(dict.fromkeys(ids))
        for place, name in enumerate(names):
            self.progress = (place, len(names))
            try:
                how, undoing = one(name)
            except (PersonaError, WorkspaceError) as error:
                refused.append(str(error))
                continue
            back.append((name, undoing))
            said = single(name, how)
        if len(back) > 1:
            said = f"{len(back)} personas {word}"
        self._keep(said, back)
        return Act(said=said, ids=tuple(name for name, _ in back), refused=tuple(refused))


def _stuck(planned: Planned) -> bool:
    return planned.status in ("conflict", "refused")
