"""Sessions: runs that follow one another, found by what their headers say."""

from collections.abc import Iterable

import msgspec

from engine.snapshots.library import SnapshotInfo


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that follow one another, oldest first; ``id`` is the first run, be it there or not."""

    id: str
    runs: list[SnapshotInfo]

    @property
    def last(self) -> SnapshotInfo:
        """The newest run."""
        return self.runs[-1]


def sessions(infos: Iterable[SnapshotInfo]) -> list[SessionInfo]:
    """Return the sessions that the runs belong to, the one asked in last first.

    Runs of one second are told apart by their ids, which sort as they were made.
    """
    grouped: dict[str, list[SnapshotInfo]] = {}
    for info in sorted(infos, key=lambda each: (each.created, each.id)):
        grouped.setdefault(info.session or info.id, []).append(info)
    found = [SessionInfo(id=key, runs=runs) for key, runs in grouped.items()]
    return sorted(found, key=lambda each: (each.last.created, each.last.id), reverse=True)
