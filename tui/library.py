"""Recorded runs, as the app asks the engine's thread for them."""

from typing import TYPE_CHECKING

import msgspec

from engine.errors import SnapshotError
from engine.events import Event
from tui.conversation import Turn
from tui.player import keyframes
from tui.run_state import RunState

if TYPE_CHECKING:
    from engine.pipeline import Engine
    from engine.snapshots.library import SnapshotInfo
    from engine.snapshots.sessions import SessionInfo
    from tui.panes.compare import Comparison


class Recording(msgspec.Struct, frozen=True):
    """A recorded run: its events, the second at which each happened, the states kept for seeking."""

    name: str
    events: tuple[Event, ...]
    at: tuple[float, ...]
    problem: str
    kept: dict[int, RunState]


def list_runs(engine: "Engine") -> "list[SnapshotInfo]":
    """Return the recorded runs, newest first."""
    from engine.snapshots.library import SnapshotLibrary

    return SnapshotLibrary(engine.workspace.snapshots).list()


def open_run(engine: "Engine", name: str) -> Recording:
    """Return a recorded run, as far as it is whole. Raises SnapshotError."""
    from engine.snapshots.library import SnapshotLibrary

    snapshot = SnapshotLibrary(engine.workspace.snapshots).open(name, salvage=True)
    timed = list(snapshot.timed())
    events = tuple(each.event for each in timed)
    at = tuple(each.at / 1e6 for each in timed)
    return Recording(snapshot.snapshot_id, events, at, snapshot.problem, keyframes(events))


def compare_runs(engine: "Engine", left: str, right: str) -> "Comparison":
    """Return two recorded runs side by side, as far as each is whole. Raises SnapshotError."""
    from engine.snapshots.diff import diff
    from engine.snapshots.library import SnapshotLibrary
    from tui.panes.compare import Comparison, Side

    library = SnapshotLibrary(engine.workspace.snapshots)
    one, two = library.open(left, salvage=True), library.open(right, salvage=True)
    infos = (library.info(one.snapshot_id), library.info(two.snapshot_id))
    sides = [Side(snapshot=each.id, created=each.created, question=each.question) for each in infos]
    return Comparison(left=sides[0], right=sides[1], diff=diff(one, two))


class CutOff(msgspec.Struct, frozen=True):
    """A run that was cut off: what was asked, and the questions of its session before it."""

    name: str
    question: str
    before: tuple[Turn, ...]


def cut_off_run(engine: "Engine") -> CutOff | None:
    """Return the newest run if it was cut off, as by a lost connection; else None."""
    from engine.snapshots.library import SnapshotLibrary

    library = SnapshotLibrary(engine.workspace.snapshots)
    newest = next(iter(library.paths()), "")
    try:
        info = library.info(newest) if newest else None
    except SnapshotError:  # gone since it was listed
        return None
    if info is None or info.state != "cut off" or not info.question:
        return None
    return CutOff(newest, info.question, _turns(library.list(), newest)[:-1])


def list_sessions(engine: "Engine") -> "list[SessionInfo]":
    """Return the sessions, the one asked in last first."""
    from engine.snapshots.sessions import sessions

    return sessions(list_runs(engine))


def open_session(engine: "Engine", name: str) -> tuple[tuple[Turn, ...], Recording]:
    """Return the questions of a session up to the run ``name``, and that run. Raises SnapshotError."""
    from engine.snapshots.library import SnapshotLibrary

    library = SnapshotLibrary(engine.workspace.snapshots)
    return _turns(library.list(), name), open_run(engine, name)


def _turns(infos: "list[SnapshotInfo]", name: str) -> tuple[Turn, ...]:
    """Return the runs that led to ``name``, oldest first, and ``name`` itself."""
    known = {each.id: each for each in infos}
    turns: list[Turn] = []
    seen: set[str] = set()
    while (info := known.get(name)) is not None and name not in seen:
        seen.add(name)
        turns.append(Turn(info.id, info.question))
        name = info.after
    return tuple(reversed(turns))
