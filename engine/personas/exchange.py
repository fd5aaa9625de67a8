"""Personas from elsewhere: read as data, completed where the document allows it, never trusted."""

from typing import Any, Final

import msgspec

from engine.config_file import nearest
from engine.errors import PersonaError
from engine.ids import canonical
from engine.personas.document import FIELDS, Persona, decode_object, persona_from

_OPTIONAL: Final = ("historical_performance", "metadata")


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A persona read from a foreign file, and what had to be done to make it one."""

    persona: Persona
    notes: tuple[str, ...] = ()


def read_foreign(data: bytes, where: str, *, as_id: str = "") -> Imported:
    """Return the persona in ``data``; its id becomes ``as_id`` if that is given.

    Fields that a persona does not have move into ``metadata.foreign``; a missing
    ``historical_performance`` or ``metadata`` becomes empty. A pin is not taken over: which personas
    the lifecycle leaves alone is for the owner of the workspace to say. Raises PersonaError.
    """
    raw = decode_object(data, where)
    foreign = {key: raw.pop(key) for key in sorted(raw) if key not in FIELDS}
    for key in foreign:
        guess = nearest(key, [field for field in FIELDS if field not in raw])
        if guess:
            raise PersonaError(f"{where}: unknown field {key}", f"did you mean {guess}?")
    notes = [f"{key} was missing and is now empty" for key in _OPTIONAL if key not in raw]
    raw = {**{key: {} for key in _OPTIONAL}, **raw}
    metadata: Any = raw["metadata"]
    if isinstance(metadata, dict):
        if foreign:
            metadata = {**metadata, "foreign": _merged(metadata.get("foreign"), foreign)}
            notes.append(f"unknown fields are now in metadata.foreign: {', '.join(foreign)}")
        if "pinned" in metadata:
            metadata = {key: value for key, value in metadata.items() if key != "pinned"}
            notes.append("the pin was left out")
        raw["metadata"] = metadata
    if as_id and raw.get("persona_id") != as_id:
        notes.append(f"was called {str(raw.get('persona_id'))[:64]}")
        raw["persona_id"] = as_id
    return Imported(persona=persona_from(raw, where), notes=tuple(notes))


def _merged(present: object, foreign: dict[str, Any]) -> dict[str, Any]:
    return {**(present if isinstance(present, dict) else {}), **foreign}


def is_same(one: Persona, other: Persona) -> bool:
    """Return whether two personas are equal but for what happened to them and a pin."""
    return _compared(one) == _compared(other)


def _compared(persona: Persona) -> bytes:
    content = msgspec.structs.asdict(persona)
    del content["historical_performance"]
    content["metadata"] = {key: value for key, value in persona.metadata.items() if key != "pinned"}
    return canonical(content)
