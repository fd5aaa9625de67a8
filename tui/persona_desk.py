"""What every ``personas`` verb needs: the workspace's personas, its ledger, its last questions."""

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tui import output

if TYPE_CHECKING:
    from engine.personas.ledger import Ledger
    from engine.personas.registry import PersonaRegistry, StoredPersona
    from engine.workspace import Workspace

QUESTIONS_LOOKED_THROUGH = 200


def registry_of(args: argparse.Namespace) -> "PersonaRegistry":
    """Return the registry of the workspace, after warning of what is unsafe about it."""
    from engine.personas.registry import PersonaRegistry
    from tui.session import open_workspace

    workspace = open_workspace(args)
    for warning in workspace.warnings():
        output.note(f"warning: {warning}")
    return PersonaRegistry.of(workspace)


def open_ledger(workspace: "Workspace", tell: Callable[[str], object] = output.note) -> "Ledger | None":
    """Return the ledger, None (and a warning to ``tell``) where there is none yet or it cannot be opened."""
    from engine.errors import WorkspaceError
    from engine.personas.ledger import Ledger

    if not workspace.ledger_path.exists():
        return None
    try:
        ledger = Ledger.open(workspace.ledger_path)
    except WorkspaceError as error:
        tell(f"warning: how the personas did cannot be shown: {error}")
        return None
    for note in ledger.notes:
        tell(f"warning: {note}")
    return ledger


def last_questions(workspace: "Workspace", count: int) -> list[str]:
    """Return the last ``count`` different questions that were asked, latest first.

    Raises InputError if there is none.
    """
    from engine.errors import InputError, SnapshotError
    from engine.snapshots.library import SnapshotLibrary

    library = SnapshotLibrary(workspace.snapshots)
    found: dict[str, None] = {}
    for snapshot in list(library.paths())[:QUESTIONS_LOOKED_THROUGH]:
        try:
            question = library.info(snapshot).question
        except SnapshotError:  # it was moved away just now
            continue
        if question:
            found.setdefault(question)
        if len(found) == count:
            break
    if not found:
        raise InputError("no question was asked here yet", "give one with --question TEXT")
    return list(found)


def each_of(args: argparse.Namespace, ids: Iterable[str]) -> "list[StoredPersona]":
    """Return the personas of these ids, each once. Raises PersonaError for the first that is not there."""
    registry = registry_of(args)
    return [registry.get(each) for each in dict.fromkeys(ids)]


def report(args: argparse.Namespace, stored: "StoredPersona", said: str) -> int:
    """Say what was done to one persona; returns the exit code."""
    from tui import persona_card as card

    if args.json:
        output.print_json(card.summary(stored))
    else:
        output.print_line(said)
    return 0


def report_all(args: argparse.Namespace, done: list[dict[str, Any]]) -> int:
    """Say what was done to each of several personas; returns the exit code."""
    if args.json:
        output.print_json(done[0] if len(done) == 1 else {"personas": done})
    else:
        for each in done:
            output.print_line(each["said"])
    return 0
