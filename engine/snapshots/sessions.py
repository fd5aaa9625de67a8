"""Sessions: runs that follow one another, found by what their headers say."""

from collections.abc import Iterable

import msgspec

from engine.snapshots.library import SnapshotInfo

LONGEST = 1_000
"""Questions of one session whose order within a second is told apart."""


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that follow one another, oldest first; ``id`` is the first run, be it there or not."""

    id: str
    runs: list[SnapshotInfo]

    @property
    def last(self) -> SnapshotInfo:
        """The newest run."""
        return self.runs[-1]


def sessions(infos: Iterable[SnapshotInfo]) -> list[SessionInfo]:
    """Return the sessions that the runs belong to, the one asked in last first."""
    grouped: dict[str, list[SnapshotInfo]] = {}
    for info in _in_order(infos):
        grouped.setdefault(info.session or info.id, []).append(info)
    found = [SessionInfo(id=key, runs=runs) for key, runs in grouped.items()]
    return sorted(found, key=lambda each: (each.last.created, each.last.id), reverse=True)


def _in_order(infos: Iterable[SnapshotInfo]) -> list[SnapshotInfo]:
    """Return the runs oldest first, and in one second of the clock each after the one it followed."""
    known = {each.id: each for each in infos}

    def depth(info: SnapshotInfo) -> int:
        steps = 0
        while (before := known.get(info.after)) is not None and steps < LONGEST:
            info, steps = before, steps + 1
        return steps

    return sorted(known.values(), key=lambda each: (each.created, depth(each), each.id))
