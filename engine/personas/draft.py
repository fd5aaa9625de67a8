"""A persona as somebody changes it, before it is saved: always valid, always beside what it began from."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.config_file import nearest
from engine.errors import PersonaError
from engine.personas.bundle import Difference, differing
from engine.personas.document import Persona, persona_from

NEUTRAL: Final = 5
"""What a trait that a persona has not counts as."""
TEXTS: Final = ("name", "description", "voice")
_COST_STEP: Final = 0.1


class Draft(msgspec.Struct, frozen=True):
    """What is saved (``base``) and what it is to become (``now``). Every change gives a new draft.

    All that change it raise PersonaError, which names the field, for a value that is not allowed.
    """

    base: Persona
    now: Persona

    @property
    def differences(self) -> list[Difference]:
        """What was changed, single traits and keys of metadata each."""
        found = differing(self.base, self.now)
        if self.base.persona_id != self.now.persona_id:
            found.insert(
                0, Difference(field="persona_id", here=self.base.persona_id, there=self.now.persona_id)
            )
        return found

    @property
    def changed(self) -> bool:
        """Whether anything was changed."""
        return self.base != self.now

    def with_trait(self, name: str, value: int) -> "Draft":
        """Set a trait, from 1 to 9."""
        return self._with(traits={**self.now.traits, name: value})

    def nudged(self, name: str, step: int) -> "Draft":
        """Turn a trait ``step`` up or down, as far as 1 and 9; one it has not begins at 5."""
        value = self.now.traits.get(name, NEUTRAL) + step
        return self.with_trait(name, min(max(value, 1), 9))

    def without_trait(self, name: str) -> "Draft":
        """Take a trait out."""
        return self._with(traits={key: value for key, value in self.now.traits.items() if key != name})

    def with_cost(self, cost: float) -> "Draft":
        """Set the activation cost."""
        return self._with(activation_cost=cost)

    def cost_nudged(self, step: int) -> "Draft":
        """Turn the activation cost by tenths, as far as 0.1 and 100."""
        cost = round(self.now.activation_cost + step * _COST_STEP, 6)
        return self.with_cost(min(max(cost, _COST_STEP), 100.0))

    def with_expertise(self, said: str) -> "Draft":
        """Set the expertise to the phrases in ``said``, which commas divide; each is taken once."""
        return self._with(expertise=list(dict.fromkeys(filter(None, map(str.strip, said.split(","))))))

    def with_text(self, key: str, said: str) -> "Draft":
        """Set ``name``, ``description`` or ``voice``; empty takes it out."""
        rest = {name: value for name, value in self.now.metadata.items() if name != key}
        return self._with(metadata={**rest, key: said} if said else rest)

    def with_id(self, persona_id: str) -> "Draft":
        """Set the id, of a persona that is not saved yet."""
        return self._with(persona_id=persona_id)

    def with_pair(self, said: str) -> "Draft":
        """Set the trait that ``said`` gives as ``name=value`` or ``name value``."""
        name, _, value = said.strip().replace("=", " ").partition(" ")
        if not value.strip().isascii() or not value.strip().isdigit():
            raise PersonaError(f"{said[:40]!r} is no trait", "write a name and a number, such as depth 7")
        return self.with_trait(name, int(value.strip()[:4]))

    def _with(self, **changes: Any) -> "Draft":
        raw = {**msgspec.structs.asdict(self.now), **changes}
        return Draft(self.base, persona_from(raw, self.now.persona_id))

    def rebased(self, base: Persona) -> "Draft":
        """Return the same changes over what another program made of the persona meanwhile.

        Where both changed one field the draft's value stays in the draft and is a difference from
        the new base. How the persona did so far is taken from the new base.
        """
        was = self.base
        persona = msgspec.structs.replace(
            base,
            persona_id=self.now.persona_id,
            traits=_over(was.traits, self.now.traits, base.traits),
            metadata=_over(was.metadata, self.now.metadata, base.metadata),
            expertise=self.now.expertise if self.now.expertise != was.expertise else base.expertise,
            activation_cost=(
                self.now.activation_cost
                if self.now.activation_cost != was.activation_cost
                else base.activation_cost
            ),
        )
        return Draft(base, persona)


def _over(was: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``theirs`` with what was changed from ``was`` to ``mine``."""
    merged = dict(theirs)
    for key in sorted({*was, *mine}):
        if was.get(key) == mine.get(key) and (key in was) == (key in mine):
            continue
        if key in mine:
            merged[key] = mine[key]
        else:
            merged.pop(key, None)
    return merged


def suggested_trait(name: str, known: list[str]) -> str:
    """Return the trait of ``known`` that ``name`` may stand for, empty if it is known or like none.

    >>> suggested_trait("rigor", ["rigour", "depth"]), suggested_trait("depth", ["depth"])
    ('rigour', '')
    """
    return "" if name in known else nearest(name, known) or ""


def blank(persona_id: str) -> Persona:
    """Return a persona that says nothing yet.

    >>> blank("ada").activation_cost
    1.0
    """
    raw = {
        "persona_id": persona_id,
        "traits": {},
        "expertise": [],
        "activation_cost": 1.0,
        "historical_performance": {},
        "metadata": {},
    }
    return persona_from(raw, persona_id)
