"""The one line on top, and the one that a replay adds."""

from typing import Final

import msgspec

from engine.cleaning import counted, one_line
from engine.snapshots.describe import describe
from tui.panes.rows import Part, View
from tui.player import Player


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the status line says besides the view."""

    seconds: float = 0.0
    ending: str = ""
    working: str = ""
    low_bandwidth: bool = False


_ENDINGS: Final = {
    "answered": "answered", "no-evidence": "no evidence", "cancelled": "stopped", "failed": "failed",
}  # fmt: skip


def clock(seconds: float) -> str:
    """Return ``seconds`` as minutes and seconds.

    >>> clock(67.8)
    '1:07'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def status_parts(view: View, line: Line) -> list[Part]:
    """Return the status line: state, model and why, size of the graph, speed, mode of the link."""
    run, glyphs = view.run, view.glyphs
    parts: list[Part] = [("persona-moe ", "strong")]
    if view.replaying:
        parts.append((f"{glyphs.playing} REPLAY ", "warn"))
        parts.append((f"{run.phase or 'at the start'} ", ""))
    elif line.working:
        parts.append((f"{glyphs.live} {line.working}{', ' if view.waits else ' '}", "accent"))
        if view.waits:
            parts.append(("the question waits ", "warn"))
    elif view.live:
        parts.append((f"{glyphs.live} {run.phase or 'starting'} {clock(line.seconds)} ", "accent"))
    elif line.ending or run.outcome:
        outcome = line.ending or _ENDINGS.get(run.outcome, run.outcome)
        good = outcome == "answered"
        parts.append((f"{glyphs.idle if good else glyphs.stopped} {outcome} ", "good" if good else "warn"))
        if line.seconds:
            parts.append((f"{clock(line.seconds)} ", "dim"))
    else:
        parts.append((f"{glyphs.idle} ready ", "dim"))
    if line.low_bandwidth:
        parts.append((" low-bandwidth ", "warn"))
    if run.nodes:
        parts.append((f" {counted(len(run.nodes), 'node')} {counted(run.edge_count, 'edge')} ", "dim"))
    if view.opened is not None and not run.nodes:
        files = counted(view.opened.file_count, "file")
        size = f" {files}, {counted(view.opened.passages, 'passage')}"
        parts.append((size, "dim"))
    return parts


def replay_parts(view: View, player: Player, name: str, width: int) -> list[Part]:
    """Return the line of a replay: where it stands, at what speed, and the event just shown."""
    glyphs = view.glyphs
    total = len(player.events)
    mark = glyphs.playing if player.playing else glyphs.paused
    room = max(8, min(24, width // 5))
    filled = round(room * player.position / total) if total else 0
    said = describe(player.events[player.position - 1]) if player.position else "before the first event"  # type: ignore[arg-type]
    return [
        (f"{mark} ", "accent"),
        (glyphs.full * filled + glyphs.empty * (room - filled), "accent"),
        (f" {player.position}/{total} x{player.speed:g} ", "strong"),
        (f"{one_line(name, 40)} ", "dim"),
        (said, ""),
    ]
