"""What the app remembers from one time to the next: questions, theme, how the screen is divided."""

import msgspec

from engine.errors import WorkspaceError
from engine.files import read_bounded, write_atomic
from engine.workspace import Workspace

MOST_QUESTIONS: int = 200
MOST_BYTES: int = 1024 * 1024


class Remembered(msgspec.Struct, kw_only=True):
    """The file ``state/app.json``; ``split`` is the left side's share in percent."""

    history: list[str] = []
    theme: str = ""
    split: int = 40


def recall(workspace: Workspace) -> Remembered:
    """Return what was kept, or the beginning where nothing was, or not readably."""
    try:
        kept = msgspec.json.decode(read_bounded(workspace.state / "app.json", MOST_BYTES), type=Remembered)
    except (WorkspaceError, ValueError, RecursionError):
        return Remembered()
    kept.split = min(max(kept.split, 20), 70)
    return kept


def keep(workspace: Workspace, remembered: Remembered) -> None:
    """Write it. Raises WorkspaceError."""
    remembered.history = remembered.history[-MOST_QUESTIONS:]
    write_atomic(workspace.state / "app.json", msgspec.json.encode(remembered))
