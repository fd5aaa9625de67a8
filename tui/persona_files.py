"""Personas in and out of files that are not the workspace's own."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import InputError, PersonaError, WorkspaceError
from engine.events import Tier
from engine.files import make_folder, read_bounded, write_atomic
from engine.personas.document import MAX_BYTES, encode_persona, load_persona_from_file
from tui import output
from tui.persona_desk import registry_of

if TYPE_CHECKING:
    from engine.personas.bundle import Planned, Resolution
    from engine.personas.registry import PersonaRegistry, StoredPersona


def files_of(paths: Sequence[str]) -> list[Path]:
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
    files = files_of(paths)
    for file in files:
        try:
            load_persona_from_file(file)
        except PersonaError as error:
            problems.append({"path": str(file), "reason": str(error)})
    return problems, len(files)


def validate(args: argparse.Namespace) -> int:
    """Check files, or the workspace; returns the exit code."""
    problems, count = check_files(registry_of(args), args.paths)
    if args.json:
        output.print_json({"checked": count, "problems": problems})
    else:
        for reason in dict.fromkeys(problem["reason"] for problem in problems):
            output.print_line(reason)
        output.note(f"{count} checked, {len(problems)} cannot be used")
    return 2 if problems else 0


# -- import --------------------------------------------------------------------------------------
def take_in(args: argparse.Namespace) -> int:
    """Add personas from files, folders and bundles; returns the exit code."""
    from engine.personas.bundle import plan_import

    registry = registry_of(args)
    resolutions = _resolutions(args.on_conflict)
    documents, results = documents_of(files_of(args.paths))
    if args.as_id and len(documents) + len(results) != 1:
        many = len(documents) + len(results)
        raise InputError(f"--as names one persona, but {many} files or personas were given")
    for planned in plan_import(registry, documents, resolutions, as_id=args.as_id):
        status, what = _carried_out(registry, planned, args.tier, args.dry_run)
        results.append(
            {
                "path": planned.origin,
                "persona_id": planned.persona_id,
                "status": status,
                "what": what,
                "notes": list(planned.notes),
                "differences": planned.differences,
            }
        )
    if args.json:
        output.print_json({"dry_run": args.dry_run, "imported": results})
    else:
        for result in results:
            output.print_line(f"{result['status']}: {'; '.join([result['what'], *result['notes']])}")
            for each in result["differences"]:
                output.print_line(f"  {each.field}: here {_short(each.here)}, there {_short(each.there)}")
        if len(results) > 1:
            tally = Counter(str(result["status"]) for result in results)
            output.note(", ".join(f"{count:,} {status}" for status, count in sorted(tally.items())))
    return 2 if any(result["status"] in ("refused", "conflict") for result in results) else 0


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _resolutions(given: Sequence[str]) -> "dict[str, Resolution]":
    from engine.personas.bundle import RESOLUTIONS

    found: dict[str, Resolution] = {}
    for each in given:
        name, equals, how = each.rpartition("=")
        if how not in RESOLUTIONS or (equals and not name):
            raise InputError(f"--on-conflict {each[:60]!r} is not [ID=]skip, replace or rename")
        found[name] = how  # type: ignore[assignment]
    return found


def documents_of(files: Sequence[Path]) -> tuple[list[tuple[str, bytes]], list[dict[str, Any]]]:
    """Return each persona's origin and bytes, and what cannot even be read as results."""
    from engine.personas.bundle import decode_bundle, is_bundle
    from engine.personas.sealed import MAX_BUNDLE, refuse_learnt

    documents: list[tuple[str, bytes]] = []
    refused: list[dict[str, Any]] = []
    for file in files:
        try:
            data = read_bounded(file, MAX_BUNDLE)
            refuse_learnt(data, file.name)
            if is_bundle(data):
                documents += [(file.name, each) for each in decode_bundle(data, file.name)]
            else:
                documents.append((file.name, data))
        except (InputError, WorkspaceError) as error:
            refused.append(
                {"path": str(file), "persona_id": "", "status": "refused", "what": str(error), "notes": [],
                 "differences": []}
            )  # fmt: skip
    return documents, refused


def _carried_out(
    registry: "PersonaRegistry", planned: "Planned", tier: Tier, dry_run: bool
) -> tuple[str, str]:
    from engine.personas.bundle import carry_out

    if dry_run or planned.persona is None:
        return planned.status, planned.what
    try:
        stored = carry_out(registry, planned, tier)
    except (PersonaError, WorkspaceError) as error:
        return "refused", str(error)
    if planned.status == "add" and stored is not None:
        return "added", f"{planned.what}, in {stored.tier}"
    return "replaced", planned.what


# -- export --------------------------------------------------------------------------------------
def give_out(args: argparse.Namespace) -> int:
    """Write personas into a folder, a bundle, or the only one to stdout; returns the exit code."""
    registry = registry_of(args)
    ids = dict.fromkeys(args.ids)
    chosen = [registry.get(each) for each in ids] if ids else list(registry.load().usable)
    if args.bundle is not None:
        return _bundle_out(args, chosen)
    if args.to is None:
        if len(chosen) != 1:
            raise InputError(
                f"{len(chosen)} personas need a folder or file to be written to",
                "add --to DIR or --bundle FILE",
            )
        output.print_json(chosen[0].persona)
        return 0
    written = write_each(chosen, Path(args.to))
    if args.json:
        output.print_json({"written": written})
    else:
        output.print_line(f"{len(written)} personas in {args.to}")
    return 0


def write_each(chosen: "Sequence[StoredPersona]", folder: Path) -> list[str]:
    """Write a file for each persona into ``folder``; return their paths.

    One that is there with the same bytes is left alone. Raises WorkspaceError, also where another
    file of that name is in the way.
    """
    make_folder(folder)
    written = []
    for stored in chosen:
        path = folder / f"{stored.persona.persona_id}.json"
        data = encode_persona(stored.persona)
        if not (path.is_file() and read_bounded(path, MAX_BYTES) == data):
            write_atomic(path, data, replace=False)
        written.append(str(path))
    return written


def write_bundle(chosen: "Sequence[StoredPersona]", path: Path) -> None:
    """Write a bundle of the personas. Raises WorkspaceError if the file is there already."""
    from engine.personas.bundle import encode_bundle

    write_atomic(path, encode_bundle(chosen), replace=False)


def _bundle_out(args: argparse.Namespace, chosen: "Sequence[StoredPersona]") -> int:
    from engine.personas.bundle import encode_bundle

    if args.bundle == "-":
        output.print_json(msgspec.Raw(encode_bundle(chosen)))
        return 0
    path = Path(args.bundle)
    write_bundle(chosen, path)
    if args.json:
        output.print_json({"written": [str(path)], "personas": [each.persona.persona_id for each in chosen]})
    else:
        output.print_line(f"{len(chosen)} personas in {path}")
    return 0
