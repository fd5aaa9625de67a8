"""How much is sent and drawn, counted: bytes, pictures and lines for a second of a run, never seconds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from picture_kit import nothing
from textual._compositor import CompositorUpdate
from tui_samples import QUESTION, still, wait_until

from engine import events as ev
from engine.workspace import Workspace
from tui import app as app_module
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE
from tui.notices import Opened
from tui.panes.rows import MOST_LINES
from tui.screens.main import MainScreen
from tui.widgets.draft import DraftText
from tui.widgets.row_list import RowList

TOKENS, NODES = 50, 10
"""What comes in a second."""


class Counted(PersonaMoeApp):
    """The app without an engine, which counts what it would send to a terminal of 16 million colours."""

    def __init__(self, workspace: Workspace, **options: Any) -> None:
        super().__init__(workspace, glyphs=UNICODE, clock=still, **options)
        self.bytes_sent = self.pictures = 0
        self.desk.session.look = lambda: None  # type: ignore[method-assign]
        self.desk.session.call = nothing  # type: ignore[method-assign, assignment]

    def start_session(self) -> None:
        self.desk.session.queue.put(
            0, Opened(passages=1, documents=("a.md",), file_count=1, personas=(), problems=())
        )

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            sent = renderable.render_segments(self.console)
            self.bytes_sent += len(sent.encode())
            self.pictures += bool(sent)
        super()._display(screen, renderable)

    def put(self, events: Sequence[ev.Event]) -> None:
        for event in events:
            self.desk.session.queue.put(1, event)

    async def tick(self, pilot: Any) -> None:
        """Let one beat of the app's own timer, which stands still here, pass."""
        assert isinstance(self.screen, MainScreen)
        await self.screen.tick()
        await pilot.pause()


def started() -> list[ev.Event]:
    model = ev.ModelRef(provider="ollama", name="tiny:1b")
    return [
        ev.QueryStarted(
            question=QUESTION, schema=1, corpus="c", settings="s", personas=[], model=model, budget=4.0,
            only=[], learn=False,
        ),
        ev.NodeOpened(node="q", kind="question", label=QUESTION, parent="", persona="", relevance=1.0),
        ev.ModelAsked(
            call="answer", purpose="answer", persona="", model=model, key="k", messages=[], options={},
            reply_schema="", think=False,
        ),
    ]  # fmt: skip


def node(number: int, parent: str = "q", kind: ev.NodeKind = "passage") -> ev.NodeOpened:
    name = f"{'p' if kind == 'passage' else 'e'}:{number}"
    label = f"{kind} number {number}"
    return ev.NodeOpened(node=name, kind=kind, label=label, parent=parent, persona="scout", relevance=0.5)


def word(number: int) -> ev.Token:
    end = "\n\n" if number % 60 == 59 else " "
    return ev.Token(call="answer", text=f"word{number}{end}")


def go(app: Counted, journey: Callable[[Counted, Any], Awaitable[None]]) -> None:
    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await wait_until(pilot, lambda: app.desk.opened is not None)
            assert isinstance(app.screen, MainScreen)
            app.screen.ticking.pause()
            app.desk.number, app.desk.running = 1, True
            app.put(started())
            for _ in range(4):
                await app.tick(pilot)
            await journey(app, pilot)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("low", "words", "most_bytes"),
    [(False, 300, 100_000), (False, 4_000, 100_000), (True, 300, 45_000)],
    ids=["default", "default, at the end of 4,000 tokens", "low-bandwidth"],
)
def test_a_second_of_a_run(empty_workspace: Workspace, low: bool, words: int, most_bytes: int) -> None:
    app = Counted(empty_workspace, low_bandwidth=low, plain_colours=low)

    async def journey(app: Counted, pilot: Any) -> None:
        app.put([word(number) for number in range(words)])
        app.put([node(number) for number in range(60)])
        await app.tick(pilot)
        await app.tick(pilot)
        app.bytes_sent = app.pictures = 0
        ticks = 4 if low else 8
        for beat in range(ticks):
            app.put([word(words + n) for n in range(beat * TOKENS // ticks, (beat + 1) * TOKENS // ticks)])
            app.put([node(60 + n) for n in range(beat * NODES // ticks, (beat + 1) * NODES // ticks)])
            await app.tick(pilot)
        assert f"word{words + TOKENS - 1}" in app.desk.run.text
        assert 5_000 < app.bytes_sent <= most_bytes
        assert app.pictures <= 3 * ticks

    go(app, journey)


def test_nothing_is_sent_while_nothing_happens(empty_workspace: Workspace) -> None:
    app = Counted(empty_workspace)

    async def journey(app: Counted, pilot: Any) -> None:
        await app.tick(pilot)
        await pilot.pause(0.2)
        app.bytes_sent = app.pictures = 0
        for _ in range(8):
            await app.tick(pilot)
        assert (app.bytes_sent, app.pictures) == (0, 0)

    go(app, journey)


def test_ten_thousand_nodes_stay_a_few_lines(empty_workspace: Workspace) -> None:
    app = Counted(empty_workspace)

    async def journey(app: Counted, pilot: Any) -> None:
        builds = 0
        graph = app.screen.query_one("#graph", RowList)
        build = graph._build

        def counted(*given: Any) -> Any:
            nonlocal builds
            builds += 1
            return build(*given)

        graph._build = counted
        for beat in range(20):
            first = beat * 500
            app.put([node(hub * 100, kind="entity") for hub in range(first // 100, first // 100 + 5)])
            app.put([node(n, f"e:{n - n % 100}") for n in range(first, first + 500) if n % 100])
            await app.tick(pilot)
            assert len(graph.rows) <= MOST_LINES + 1
        await app.tick(pilot)
        assert len(app.desk.run.nodes) == 10_001
        assert builds <= 11, "a batch is a build at most, at every second beat"
        graph.focus()
        graph.action_last()
        more = graph.current
        assert more is not None
        assert more.text.endswith("76 more")
        before = len(graph.rows)
        graph.action_fold()
        assert len(graph.rows) == before + 76 - 1, "the line that counted them gave way to them"

    go(app, journey)


def test_a_link_that_is_behind_is_not_sent_more(empty_workspace: Workspace, monkeypatch: Any) -> None:
    app = Counted(empty_workspace)

    async def journey(app: Counted, pilot: Any) -> None:
        await app.tick(pilot)
        drawn = app.screen.query_one(DraftText)
        monkeypatch.setattr(app_module.PersonaMoeApp, "is_behind", property(lambda _: True))
        app.bytes_sent = 0
        for number in range(20):
            app.put([word(number)])
            await app.tick(pilot)
        assert "word19" in app.desk.run.text, "the state goes on"
        assert app.bytes_sent == 0
        monkeypatch.setattr(app_module.PersonaMoeApp, "is_behind", property(lambda _: False))
        await app.tick(pilot)
        assert "word19" in "".join(row.text for row in drawn.rows), "and the next picture holds it all"
        assert app.bytes_sent > 0

    go(app, journey)


def test_the_writer_of_textual_is_the_one_that_was_looked_at() -> None:
    """``is_behind`` counts what waits in the queue of the driver's writer thread."""
    import io

    from textual.drivers._writer_thread import WriterThread

    assert WriterThread(io.StringIO())._queue.qsize() == 0
