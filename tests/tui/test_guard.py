"""The last gate: whatever a widget is given, no control character and no strange link gets out."""

import asyncio
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Input, Label, Markdown, Static, TextArea, Tree

from tui import guard
from tui.markdown_text import MOST_CHARACTERS, fit

HOSTILE = "a\x1b]52;c;aGk=\x07b\x9b2Jc\u202ed\u200be\x00f\x7fg\u3164h\U000e0041i\ud800j\x0ek"


@pytest.fixture(autouse=True)
def _installed() -> None:
    guard.install()


def acts(text: str) -> list[str]:
    return [c for c in text if guard.inert(c) != c and c != "\x1b"] + [
        c for c in ["\x07", "\x9b"] if c in text
    ]


def test_textual_is_the_release_whose_drawing_was_looked_at() -> None:
    assert version("textual").startswith("8.2.")


@pytest.mark.parametrize("style", [None, Style(bold=True), Style(color="red", link="http://a")])
def test_no_text_of_a_strip_can_act(style: Style | None) -> None:
    drawn = Strip([Segment(HOSTILE, style)]).render(Console(color_system="truecolor", force_terminal=True))
    assert not acts(drawn)
    assert "]52;c;aGk=b" in drawn  # what is harmless of it stays to be seen
    assert "\x1b]52" not in drawn


def test_a_link_that_breaks_out_of_its_sequence_is_dropped() -> None:
    style = Style(link="http://a\x1b\\\x1b]52;c;aGk=\x07")
    drawn = Strip.render_style(style, "text", ColorSystem.TRUECOLOR)
    assert "]52" not in drawn
    assert "]8;" not in drawn
    assert "]8;" in Strip.render_style(Style(link="http://a"), "text", ColorSystem.TRUECOLOR)


class Sinks(App[None]):
    def compose(self) -> ComposeResult:
        yield Static(HOSTILE, markup=False)
        yield Static(Content(HOSTILE))
        yield Label(HOSTILE, markup=False)
        yield Input(HOSTILE)
        yield TextArea(HOSTILE.replace("\ud800", ""))
        yield Markdown(HOSTILE.replace("\ud800", ""))
        tree: Tree[None] = Tree(Content(HOSTILE).plain.replace("[", "("))
        yield tree


def test_no_widget_gets_past_the_gate() -> None:
    async def drawn() -> str:
        app = Sinks()
        async with app.run_test(size=(100, 40)) as pilot:
            await pilot.pause()
            console = Console(color_system="truecolor", force_terminal=True)
            return "".join(strip.render(console) for strip in app.screen._compositor.render_strips())

    text = asyncio.run(drawn())
    assert "]52;c;aGk=" in text
    assert not acts(text)


@pytest.mark.parametrize(
    "text",
    [
        "|" + "a|" * 120 + "\n|" + "-|" * 120 + "\n" + ("|" + "b|" * 120 + "\n") * 120,
        "_a_" * 20_000,
        "> " * 5_000 + "x",
        "x" * 1_000_000,
        "- a\n" * 100_000,
    ],
    ids=["table", "marks", "quotes", "long line", "many lines"],
)
def test_markdown_is_bounded_before_a_widget_sees_it(text: str) -> None:
    fitted = fit(text)
    assert len(fitted) <= MOST_CHARACTERS * 2 + 100
    assert fitted.count("\n") < 1_100
    assert not (fitted.count("|") > 200 and "```" not in fitted)


def test_the_styles_name_no_universal_selector() -> None:
    import tui

    css = (Path(tui.__file__).parent / "styles" / "app.tcss").read_text("utf-8")
    assert "\n*" not in css
