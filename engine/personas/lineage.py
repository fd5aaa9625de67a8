"""Where a persona comes from: siblings name their parent, in their id and in their metadata."""

from typing import Any

from engine.personas.document import Persona


def lineage(persona: Persona) -> dict[str, Any]:
    """Return where the persona came from: parent, parent_digest, change; empty for a founder."""
    found = persona.metadata.get("lineage")
    return dict(found) if isinstance(found, dict) else {}


def parent_of(persona: Persona) -> str:
    """Return whose sibling the persona is, '' for a founder."""
    parent = lineage(persona).get("parent")
    return parent if isinstance(parent, str) and is_sibling(persona.persona_id) else ""


def is_sibling(persona_id: str) -> bool:
    """Return whether the id is that of a sibling: it says whose, and what is different."""
    return "--" in persona_id
