"""Take the pictures of the README: the app itself, asked about its documentation.

python benchmarks/app/pictures.py
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from engine.pipeline import Engine
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE
from tui.screens.personas import PersonasScreen
from tui.screens.reader import ReaderScreen

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = ROOT / "docs"
PICTURES: Final = ROOT / "pictures"
"""Not among the documents, or it would be indexed with them."""
QUESTION: Final = "How does persona-moe find the evidence for an answer?"
WIDE: Final = (120, 36)
SMALL: Final = (80, 24)

_FONT_FACES: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)

Keys = Callable[[PersonaMoeApp, Any], Awaitable[None]]


async def _until(pilot: Any, ready: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if ready():
            await pilot.pause(0.5)
            return
        await pilot.pause(0.1)
    raise TimeoutError(f"the app never came to this: {what}")


async def answer(app: PersonaMoeApp, pilot: Any) -> None:
    """The answer with everything beside it."""
    await pilot.press("escape", "1")


async def citation(app: PersonaMoeApp, pilot: Any) -> None:
    """A citation where it stands."""
    await pilot.press("escape", "c")
    await _until(pilot, lambda: isinstance(app.screen, ReaderScreen), "the citation")


async def replay(app: PersonaMoeApp, pilot: Any) -> None:
    """The run again, held at a decision."""
    await pilot.press("escape", "r")
    await pilot.pause(0.5)
    await pilot.press("enter")
    await _until(pilot, lambda: app.desk.player is not None, "the replay")
    await pilot.press(
        "space", "0", "right_square_bracket", "right_square_bracket", "right_square_bracket", "5"
    )


async def roster(app: PersonaMoeApp, pilot: Any) -> None:
    """All personas."""
    await pilot.press("escape", "P")
    await _until(pilot, lambda: isinstance(app.screen, PersonasScreen), "the roster")


WANTED: Final[dict[str, tuple[Keys, tuple[int, int]]]] = {
    "answer": (answer, WIDE),
    "citation": (citation, SMALL),
    "replay": (replay, WIDE),
    "roster": (roster, SMALL),
}


async def take(workspace: Workspace, keys: Keys, size: tuple[int, int]) -> str:
    """Return the picture of the app after the question and ``keys``, as SVG without foreign fonts."""
    app = PersonaMoeApp(workspace, glyphs=UNICODE, clock=lambda: 0.0)
    async with app.run_test(size=size) as pilot:
        await _until(pilot, lambda: app.desk.opened is not None, "the open workspace")
        app.screen_stack[0].ask(QUESTION)  # type: ignore[attr-defined]
        await _until(pilot, lambda: not app.desk.running and app.desk.run.saved is not None, "the answer")
        await keys(app, pilot)
        await pilot.pause(1.0)
        return _FONT_FACES.sub("", app.export_screenshot(title="persona-moe"))


def main() -> None:
    """Index the documentation into a workspace of its own, and write every picture."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(Path(folder) / "workspace")
        (workspace.configs / "ollama.toml").write_text('provider = "extractive"\n', encoding="utf-8")
        with Engine.open(workspace) as engine:
            engine.index([DOCUMENTS])
        for name, (keys, size) in WANTED.items():
            svg = asyncio.run(take(workspace, keys, size))
            path = PICTURES / f"{name}.svg"
            path.write_text(svg, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {len(svg) // 1024} KB")


if __name__ == "__main__":
    main()
