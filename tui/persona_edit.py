"""Editing a persona in the user's editor: the draft is kept until it has become the persona."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, PersonaError, WorkspaceError
from engine.files import make_folder, read_bounded, remove_file, write_atomic
from engine.personas.document import MAX_BYTES, decode_persona
from tui import output

if TYPE_CHECKING:
    from engine.personas.registry import PersonaRegistry, StoredPersona


def edit(registry: "PersonaRegistry", persona_id: str, source: str | None) -> tuple["StoredPersona", bool]:
    """Return the persona as it is after the edit, and whether anything changed.

    The user edits a draft in ``state/edits``, named after the version it began from. If it does not
    validate it stays, and the next edit of that version goes on from it. Raises PersonaError.
    """
    stored = registry.get(persona_id)
    if source is not None:
        return _apply(registry, stored, _read_source(source), source)
    folder = registry.workspace.state / "edits"
    make_folder(folder)
    draft = folder / f"{persona_id}.{stored.content[:12]}.json"
    for other in sorted(folder.glob(f"{persona_id}.*.json")):
        if other != draft and other.name.split(".")[0] == persona_id:
            output.note(f"an unfinished edit of an older {persona_id} is kept in '{other}'")
    if draft.exists():
        output.note("going on with the unfinished edit")
    else:
        write_atomic(draft, read_bounded(stored.path, MAX_BYTES))
    run_editor(draft)
    try:
        result = _apply(registry, stored, read_bounded(draft, MAX_BYTES), f"{persona_id}.json")
    except (PersonaError, WorkspaceError) as error:
        mend = f"your edit is kept in '{draft}'; run the same command to go on with it"
        raise PersonaError(error.problem, f"{error.mend}; {mend}" if error.mend else mend) from error
    remove_file(draft)
    return result


def _apply(
    registry: "PersonaRegistry", stored: "StoredPersona", data: bytes, where: str
) -> tuple["StoredPersona", bool]:
    persona = decode_persona(data, where)
    if persona.persona_id != stored.persona.persona_id:
        raise PersonaError(
            f"{where}: persona_id cannot change from {stored.persona.persona_id} to {persona.persona_id}",
            "use 'persona-moe personas clone' for another id",
        )
    if persona == stored.persona:
        return stored, False
    return registry.update(persona, stored.content), True


def _read_source(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    if not os.path.lexists(source):
        raise InputError(f"there is no file '{source}'")
    return read_bounded(Path(source), MAX_BYTES)


def run_editor(path: Path) -> None:
    """Let the user edit the file in ``$VISUAL`` or ``$EDITOR``; waits for its end.

    Raises InputError if it cannot be started, PersonaError if it ends with another status than 0.
    """
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        command = shlex.split(wanted)
    except ValueError as error:
        raise InputError(f"$EDITOR cannot be read: {error}", "set it to the name of an editor") from error
    try:
        # The command is the user's own choice of editor; no shell reads it.
        status = subprocess.run([*command, str(path)], check=False).returncode  # noqa: S603
    except OSError as error:
        raise InputError(
            f"the editor {wanted!r} cannot be started: {os.strerror(error.errno or 0)}", "set $EDITOR"
        ) from error
    if status != 0:
        raise PersonaError(f"the editor ended with status {status}", f"the draft is kept in '{path}'")
