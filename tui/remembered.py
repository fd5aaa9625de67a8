"""What the app remembers from one time to the next: questions, theme, how the screen is divided."""

import msgspec

from engine.errors import WorkspaceError
from engine.files import read_bounded, write_atomic
from engine.workspace import Workspace

MOST_QUESTIONS: int = 200
TALLEST: int = 20
MOST_BYTES: int = 1024 * 1024


class Remembered(msgspec.Struct, kw_only=True):
    """The file ``state/app.json``.

    ``split`` is the left side's share in percent, ``heights`` the share of each pane of its side,
    ``ego`` whether the edges of the selected node stand beside the graph (None: where there is room).
    """

    history: list[str] = []
    theme: str = ""
    split: int = 40
    heights: dict[str, int] = {}
    ego: bool | None = None


def recall(workspace: Workspace) -> Remembered:
    """Return what was kept, or the beginning where nothing was, or not readably."""
    try:
        kept = msgspec.json.decode(read_bounded(workspace.state / "app.json", MOST_BYTES), type=Remembered)
    except (WorkspaceError, ValueError, RecursionError):
        return Remembered()
    kept.split = min(max(kept.split, 20), 70)
    kept.heights = {name: min(max(share, 1), TALLEST) for name, share in kept.heights.items()}
    return kept


def keep(workspace: Workspace, remembered: Remembered) -> None:
    """Write it. Raises WorkspaceError."""
    remembered.history = remembered.history[-MOST_QUESTIONS:]
    write_atomic(workspace.state / "app.json", msgspec.json.encode(remembered))
