"""Where the terminal has no UTF-8, all that the app draws is ASCII: borders, scrollbars, keys, cuts."""

from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color
from tui_samples import QUESTION, journey_of, press_text, wait_until

from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.ascii_marks import AsciiMarks
from tui.glyphs import ASCII
from tui.notices import ModelState


def picture(app: PersonaMoeApp) -> list[str]:
    """Return the lines on the screen as they are sent to the terminal."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


@pytest.mark.parametrize(
    "keys",
    [
        (), ("escape",), ("escape", "question_mark"), ("escape", "a"), ("escape", "r"), ("escape", "o"),
        ("escape", "M"), ("escape", "P"), ("escape", "P", "n"), ("escape", "P", "down", "enter"),
        ("escape", "colon"), ("escape", "3", "down", "enter"), ("escape", "c"), ("escape", "2", "enter"),
    ],
    ids="-".join,
)  # fmt: skip
def test_every_screen_is_plain_ascii(workspace: Workspace, keys: tuple[str, ...]) -> None:
    async def journey(app: PersonaMoeApp, pilot: Any) -> None:
        await press_text(pilot, QUESTION)
        await pilot.press("enter")
        await wait_until(pilot, lambda: not app.desk.running and app.desk.run.saved is not None)
        app.desk.model = ModelState(
            status="missing",
            where="http://127.0.0.1:11434",
            problem="x " * 90,
            instead="documents are quoted",
        )
        await pilot.press(*keys)
        await pilot.pause(0.5)
        for line in picture(app):
            assert line.replace("Tromsø", "").isascii(), line

    journey_of(workspace, journey, glyphs=ASCII)


def test_a_line_cut_at_the_edge_ends_with_three_dots() -> None:
    def drawn(*texts: str) -> str:
        return "".join(
            each.text for each in AsciiMarks().apply([Segment(text) for text in texts], Color(0, 0, 0))
        )

    assert drawn("tries again, M", "…") == "tries again,..."
    assert drawn("reading… ") == "reading. "
    assert drawn("╭", "──", "╮") == "+--+"
    assert drawn("Tromsø") == "Tromsø"
