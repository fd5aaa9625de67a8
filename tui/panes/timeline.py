"""The run in time, a line for each thing decided; in a replay a line can be gone to."""

from typing import Final

from tui.panes.rows import Row, View, capped, row

HINT: Final = "What happens, in order. In a replay, enter goes to the line."
MOST: Final = 600


def timeline_rows(view: View, toggled: frozenset[str], width: int) -> list[Row]:
    """Return the lines of the timeline, the newest last."""
    moments = view.run.timeline
    if not moments:
        return [row("hint", (HINT, "dim"))]
    rows = [
        row(f"at:{each.seq}", (f"{each.seq:>5} ", "dim"), (each.text, "" if each.decision else "dim"))
        for each in moments[-MOST:]
    ]
    return capped(rows)
