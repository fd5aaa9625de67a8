"""Personas in and out of files that are not the workspace's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, PersonaError, WorkspaceError
from engine.events import Tier
from engine.files import make_folder, read_bounded, write_atomic
from engine.personas.document import MAX_BYTES, encode_persona, load_persona_from_file
from engine.personas.exchange import is_same, read_foreign
from tui import output

if TYPE_CHECKING:
    from engine.personas.registry import PersonaRegistry


def _files(paths: Sequence[str]) -> list[Path]:
    """Return the files that ``paths`` name; a folder stands for the .json files below it."""
    found: list[Path] = []
    for each in paths:
        path = Path(each)
        if path.is_dir():
            below = sorted(file for file in path.rglob("*.json") if file.name != "persona.schema.json")
            if not below:
                raise InputError(f"there is no .json file in '{path}'")
            found.extend(below)
        elif not path.exists():
            raise InputError(f"there is no file '{path}'")
        else:
            found.append(path.resolve())
    return found


def check_files(registry: "PersonaRegistry", paths: Sequence[str]) -> tuple[list[dict[str, str]], int]:
    """Return what is wrong with each bad file, and how many were checked; no paths: the workspace."""
    if not paths:
        roster = registry.load()
        problems = [{"path": str(each.path), "reason": each.reason} for each in roster.problems]
        return problems, len(roster.personas) + len({each["path"] for each in problems})
    problems = []
    files = _files(paths)
    for file in files:
        try:
            load_persona_from_file(file)
        except PersonaError as error:
            problems.append({"path": str(file), "reason": str(error)})
    return problems, len(files)


def import_files(
    registry: "PersonaRegistry", paths: Sequence[str], *, as_id: str, tier: Tier
) -> list[dict[str, Any]]:
    """Add each persona and return what became of it: added, same (it is here already) or refused."""
    files = _files(paths)
    if as_id and len(files) != 1:
        raise InputError(f"--as names one persona, but {len(files)} files were given")
    return [_import_one(registry, file, as_id, tier) for file in files]


def _import_one(registry: "PersonaRegistry", file: Path, as_id: str, tier: Tier) -> dict[str, Any]:
    result: dict[str, Any] = {"path": str(file), "persona_id": "", "status": "refused", "notes": []}
    try:
        imported = read_foreign(read_bounded(file, MAX_BYTES), file.name, as_id=as_id)
        persona_id = imported.persona.persona_id
        result["persona_id"] = persona_id
        places = registry.places(persona_id)
        if len(places) == 1 and is_same(registry.get(persona_id).persona, imported.persona):
            return result | {"status": "same", "what": f"{persona_id} is here already, unchanged"}
        if places:
            where = ", ".join(places)
            mend = f"'--as NEW-ID' imports {file.name} beside it"
            raise PersonaError(f"there is another persona {persona_id} ({where})", mend)
        registry.create(imported.persona, tier)
    except (PersonaError, WorkspaceError) as error:
        return result | {"what": str(error)}
    return result | {"status": "added", "what": f"{persona_id} in {tier}", "notes": list(imported.notes)}


def export_files(registry: "PersonaRegistry", ids: Sequence[str], to: str | None, *, as_json: bool) -> int:
    """Write the personas into the folder ``to``, or the only one to stdout; returns the exit code."""
    chosen = [registry.get(each) for each in dict.fromkeys(ids)] if ids else list(registry.load().usable)
    if to is None:
        if len(chosen) != 1:
            raise InputError(f"{len(chosen)} personas need a folder to be written to", "add --to DIR")
        output.print_json(chosen[0].persona)
        return 0
    folder = Path(to)
    make_folder(folder)
    written = []
    for stored in chosen:
        path = folder / f"{stored.persona.persona_id}.json"
        data = encode_persona(stored.persona)
        if not (path.is_file() and read_bounded(path, MAX_BYTES) == data):
            write_atomic(path, data, replace=False)
        written.append(str(path))
    if as_json:
        output.print_json({"written": written})
    else:
        output.print_line(f"{len(written)} personas in {folder}")
    return 0
