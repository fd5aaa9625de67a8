"""Files taken out of the tiers without being deleted, into ``state/set_aside``, and put back."""

import os
from pathlib import Path

from engine.errors import PersonaError
from engine.files import make_folder, move_noreplace
from engine.personas.registry import PersonaRegistry


def withdraw(registry: PersonaRegistry, persona_id: str, seen: str) -> Path:
    """Set aside a persona that was just made, unless its file is no longer the one seen; return where.

    ``seen`` is the ``content`` it was made with. Raises PersonaError if another program changed or
    removed the file meanwhile.
    """
    workspace = registry.workspace
    with workspace.lock():
        stored = registry.get(persona_id)
        if stored.content != seen:
            raise PersonaError(f"{persona_id} was changed by another program since", "it is left as it is")
        aside = workspace.state / "set_aside"
        make_folder(aside)
        taken = sum(1 for name in os.listdir(aside) if name.startswith(f"{persona_id}.made."))
        target = aside / f"{persona_id}.made.{taken + 1}.json"
        move_noreplace(stored.path, target)
        return target


def put_back(registry: PersonaRegistry, aside: Path, path: Path) -> None:
    """Put a file that was set aside where it was. Raises WorkspaceError if something is there now."""
    with registry.workspace.lock():
        move_noreplace(aside, path)
