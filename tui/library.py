"""Recorded runs, as the app asks the engine's thread for them."""

from typing import TYPE_CHECKING

import msgspec

from engine.errors import SnapshotError
from engine.events import Event
from tui.player import keyframes
from tui.run_state import RunState

if TYPE_CHECKING:
    from engine.pipeline import Engine
    from engine.snapshots.library import SnapshotInfo
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


def cut_off_run(engine: "Engine") -> str:
    """Return the id of the newest run if it was cut off, as by a lost connection; else nothing."""
    from engine.snapshots.library import SnapshotLibrary

    library = SnapshotLibrary(engine.workspace.snapshots)
    newest = next(iter(library.paths()), "")
    try:
        return newest if newest and library.info(newest).state == "cut off" else ""
    except SnapshotError:  # gone since it was listed
        return ""
