"""The checks of ``persona-moe doctor``: each looks at one thing and says how it stands."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from engine.cleaning import counted
from engine.config import Settings
from engine.errors import ConfigError, PersonaMoeError
from engine.workspace import TIERS, Workspace

if TYPE_CHECKING:
    from engine.personas.roster import Roster

Status: TypeAlias = Literal["ok", "warn", "fail"]

LOW_DISK_BYTES = 200 * 1024 * 1024


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """How one thing stands, and what mends it when it does not stand well."""

    name: str
    status: Status
    detail: str
    mend: str = ""


def _ok(name: str, detail: str) -> Check:
    return Check(name=name, status="ok", detail=detail)


def _warn(name: str, detail: str, mend: str) -> Check:
    return Check(name=name, status="warn", detail=detail, mend=mend)


def _fail(name: str, detail: str, mend: str) -> Check:
    return Check(name=name, status="fail", detail=detail, mend=mend)


def examine(workspace: Workspace) -> Iterator[Check]:
    """Give each check as it is done; a check that cannot be done is a failed one."""
    yield terminal()
    for name, check in (
        ("workspace", check_workspace),
        ("settings", check_settings),
        ("personas", check_personas),
        ("index", check_index),
        ("snapshots", check_snapshots),
        ("model", check_model),
    ):
        yield from _guarded(name, check, workspace)


def _guarded(
    name: str, check: Callable[[Workspace], Iterator[Check]], workspace: Workspace
) -> Iterator[Check]:
    try:
        yield from check(workspace)
    except PersonaMoeError as error:
        yield _fail(name, error.problem, error.mend)
    except OSError as error:
        yield _fail(name, f"{error.strerror or error}", "check the permissions of the workspace")


def terminal() -> Check:
    """Return whether the app can draw: both ends a terminal, of a kind that can move its cursor."""
    kind = os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _ok("terminal", "none here; every command works without one")
    if kind in {"", "dumb"}:
        return _warn("terminal", f"TERM is {kind!r}, which cannot draw", "set TERM=xterm-256color")
    columns, rows = shutil.get_terminal_size()
    if columns < 80 or rows < 24:
        return _warn("terminal", f"{kind}, {columns}x{rows}", "80x24 or more is easier to read")
    return _ok("terminal", f"{kind}, {columns}x{rows}")


def check_workspace(workspace: Workspace) -> Iterator[Check]:
    """Check that the folder can be written, is free, is safe, and has room."""
    if not workspace.is_writable():
        yield _fail(
            "workspace",
            f"'{workspace.root}' is read-only",
            "check its permissions, or name another with --workspace",
        )
        return
    with workspace.lock(timeout=0.0):
        pass
    yield _ok("workspace", f"'{workspace.root}' can be written and is free")
    for warning in workspace.warnings():
        problem, _, mend = warning.partition("; ")
        yield _warn("workspace", problem, mend)
    free = shutil.disk_usage(workspace.root).free
    room = f"{free // (1024 * 1024):,} MB free"
    if free < LOW_DISK_BYTES:
        yield _warn("disk", room, "free some space: an index takes two to three times its documents")
    else:
        yield _ok("disk", room)


def check_settings(workspace: Workspace) -> Iterator[Check]:
    """Check that the settings can be read, and the user's own keys, without which the app does not start."""
    from tui import own_keys

    files = sorted(path.name for path in workspace.configs.glob("*.toml"))
    wrong: list[Check] = []
    try:
        workspace.settings()
    except ConfigError as error:
        wrong.append(_fail("settings", error.problem, error.mend))
        files = [each for each in files if each == own_keys.FILE]
    try:
        own_keys.load(workspace.configs)
    except ConfigError as error:
        wrong.append(_fail("settings", error.problem, error.mend))
        files = [each for each in files if each != own_keys.FILE]
    if files or not wrong:
        yield _ok("settings", ", ".join(files) if files else "none written; the defaults hold")
    yield from wrong


def check_snapshots(workspace: Workspace) -> Iterator[Check]:
    """Check that runs can be written and read."""
    from engine.snapshots.library import SnapshotLibrary

    if not os.access(workspace.snapshots, os.R_OK | os.W_OK | os.X_OK):
        mend = f"run: chmod u+rwx '{workspace.snapshots}'"
        yield _fail("snapshots", "the folder cannot be read and written", mend)
        return
    library = SnapshotLibrary(workspace.snapshots)
    runs = library.list()
    yield _ok("snapshots", counted(sum(1 for run in runs if run.complete), "complete run"))
    if library.labels_problem:
        yield _warn("snapshots", library.labels_problem, "without it nothing is tagged, pinned or pruned")
    for run in runs:
        if run.state == "damaged":
            yield _warn("snapshots", f"{run.id}: {run.problem}", "the other snapshots are not affected")


def check_index(workspace: Workspace) -> Iterator[Check]:
    """Check that the index is whole, and say how much is in it."""
    from engine.corpus.sqlite_store import SqliteStore

    if not workspace.corpus_path.exists():
        yield _warn("index", "nothing is indexed yet", "run: persona-moe index PATH")
        return
    store = SqliteStore(workspace.corpus_path, read_only=True)
    try:
        store.require_whole()
        passages, sources = store.size().passages, store.sources()
    finally:
        store.close()
    if not passages:
        yield _warn("index", "nothing is indexed yet", "run: persona-moe index PATH")
        return
    documents = counted(sum(source.documents for source in sources.values()), "document")
    yield _ok("index", f"{counted(passages, 'passage')} of {documents} in {counted(len(sources), 'file')}")


def check_personas(workspace: Workspace) -> Iterator[Check]:
    """Check that every persona file can be used, and count them by tier."""
    from engine.personas.registry import PersonaRegistry

    roster = PersonaRegistry.of(workspace).load()
    counts = ", ".join(f"{len(roster.in_tier(tier))} {tier}" for tier in TIERS)
    if roster.usable:
        yield _ok("personas", counts)
    else:
        yield _fail("personas", f"none can be asked ({counts})", _mend_of(roster))
    for problem in roster.problems:
        yield _warn("personas", problem.reason, "see 'persona-moe personas validate'")


def _mend_of(roster: "Roster") -> str:
    """Return what gives a roster that nobody of can be asked somebody who can."""
    if pruned := roster.in_tier("pruned"):
        return f"bring one back, such as: persona-moe personas restore {pruned[0].persona.persona_id}"
    if roster.problems:
        return "see 'persona-moe personas validate' for what is wrong with their files"
    return "run 'persona-moe init' in the workspace for the starter personas"


def check_model(workspace: Workspace) -> Iterator[Check]:
    """Check whether the configured model server answers, asking nobody else."""
    settings: Settings = workspace.settings()
    if settings.ollama.provider == "extractive":
        yield _ok("model", "switched off (ollama.provider = extractive); answers quote the documents")
        return
    from tui.model_checks import model_reports

    for report in model_reports(settings.ollama):
        yield _warn("model", report.detail, report.mend) if report.problem else _ok("model", report.detail)
