"""How the one screen looks: question, answer, graph, personas, evidence, timeline; wide or narrow."""

from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui import keymap
from tui.notices import Opened
from tui.panes.ego import ego_rows
from tui.panes.evidence import evidence_rows
from tui.panes.graph import graph_rows
from tui.panes.personas import persona_rows
from tui.panes.rows import Part, Row, View
from tui.panes.status import replay_parts, status_parts
from tui.panes.timeline import timeline_rows
from tui.widgets.answer import Answer
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.personas_pane import PersonasPane
from tui.widgets.question import Question
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual import events

    from tui.app import PersonaMoeApp
    from tui.desk import Desk

HEIGHTS: Final = {"answer": 5, "evidence": 4, "timeline": 3, "personas": 2, "graph": 3}
"""The share that each pane has of the height of its side, unless the user changed it."""
PANES: Final = ("answer", "graph", "personas", "evidence", "timeline")
NARROW: Final = 100
WIDE: Final = 150
ROOM_FOR_EDGES: Final = 30
"""Lines of a terminal that has room for the edges of a node below the graph."""
SMALLEST: Final = (60, 16)


class MainView(Screen[None]):
    """Draws the desk. The timer takes what arrived; nothing here waits for the engine."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("replay"), *keymap.bindings("main")]

    class WorkspaceOpened(Message):
        """The workspace was looked at for the first time."""

        def __init__(self, opened: Opened) -> None:
            super().__init__()
            self.opened = opened

    def __init__(self) -> None:
        super().__init__()
        self.shown_pane = "answer"
        self.zoomed = False
        self.split = 40
        self._ticks = 0
        self._drawn: View | None = None
        self._offered: Opened | None = None
        self._welcomed = False
        self._pictured = False
        self._keys_as = (False, False)
        self._last_focused: Widget | None = None

    @property
    def moe(self) -> "PersonaMoeApp":
        """The app."""
        return cast("PersonaMoeApp", self.app)

    @property
    def desk(self) -> "Desk":
        """What is shown."""
        return self.moe.desk

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield PartsLine(id="status")
        yield PartsLine(id="model")
        yield Static("This terminal is too small.\nMake it 60 by 16 or more.", id="too-small", markup=False)
        with Horizontal(id="panes"):
            with Vertical(id="left", classes="side"):
                yield self._pane("personas", PersonasPane(persona_rows, id="personas"))
                yield self._pane("graph", RowList(graph_rows, id="graph"), RowList(self._edges, id="ego"))
            with Vertical(id="right", classes="side"):
                yield self._pane("answer", Answer(id="answer"))
                yield self._pane("evidence", RowList(evidence_rows, id="evidence"))
                yield self._pane("timeline", RowList(timeline_rows, follow=True, id="timeline"))
        yield PartsLine(id="tabs")
        yield PartsLine(id="replay")
        yield PartsLine(id="notice")
        yield PartsLine(id="offers")
        with Horizontal(id="ask-line"):
            yield Static(">", id="ask-mark", markup=False)
            yield Question(id="question-input")
        yield KeysLine()

    def _pane(self, name: str, *content: Widget) -> Vertical:
        pane = Vertical(*content, id=f"pane-{name}", classes="pane")
        pane.border_title = f"{PANES.index(name) + 1} {name.capitalize()}"
        return pane

    def on_mount(self) -> None:
        """Begin to draw what the desk says."""
        self.query_one(Question).asked = self.moe.remembered.history
        self.split = self.moe.remembered.split
        self.place_panes()
        self.query_one(Question).focus()
        self.ticking = self.set_interval(1 / (4 if self.moe.low_bandwidth else 8), self.tick)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Start the engine, and draw what needs more than the first picture: panes and question are there."""
        self._pictured = True
        self.moe.start_session()

    # -- drawing ---------------------------------------------------------------------------------
    async def tick(self) -> None:
        """Take what has arrived and draw it; the app's timer does so eight times a second, or four."""
        self.desk.pump()
        self._ticks += 1
        for said in self.desk.said:
            self.say(said.text, "bad" if said.level == "error" else "dim")
        self.desk.said.clear()
        if not self.moe.is_behind:  # the next picture holds all that this one would
            await self.draw()
        opened = self.desk.opened
        if opened is not None and not self._welcomed:
            self._welcomed = True
            self.post_message(self.WorkspaceOpened(opened))

    async def draw(self) -> None:
        """Draw what has changed, of what is in sight."""
        if not self._pictured:
            return
        desk, view = self.desk, self.desk.view()
        self.query_one("#status", PartsLine).show(status_parts(view, desk.line(self.moe.low_bandwidth)))
        self.query_one("#model", PartsLine).show(desk.model_parts(view))
        player = desk.player
        bar = self.query_one("#replay", PartsLine)
        bar.display = player is not None
        if player is not None:
            bar.show(replay_parts(view, player, desk.replay_name, self.size.width))
        if view.opened is not None and view.opened is not self._offered:
            self._offered = view.opened
            question = self.query_one(Question)
            question.documents = view.opened.documents
            question.personas = [each.persona_id for each in view.opened.personas]
        keys_as = (desk.busy, player is not None)
        if keys_as != self._keys_as:
            self._keys_as = keys_as
            self.refresh_bindings()
        if self.is_drawn(view):
            return
        whole = not view.live or self._ticks % 2 == 0  # text at every tick, the lists at every second
        for name in PANES:
            if not self._in_sight(name):
                continue
            if name == "answer":
                await self.query_one(Answer).show(view, desk.last_word())
            elif whole:
                self.query_one(f"#{name}", RowList).show(view)
                if name == "graph":
                    self.show_edges(view)
        self._draw_tabs()
        if whole:
            self._drawn = view

    def is_drawn(self, view: View) -> bool:
        """Return whether this is on the screen already; the state is compared by identity, never walked."""
        was = self._drawn
        return (
            was is not None
            and was.run is view.run
            and was.opened is view.opened
            and (was.live, was.replaying, was.waits) == (view.live, view.replaying, view.waits)
        )

    # -- the edges beside the graph --------------------------------------------------------------
    @property
    def ego_shown(self) -> bool:
        """Whether the edges of the selected node stand beside the graph: as asked, or where there is room."""
        asked = self.moe.remembered.ego
        return self.size.height >= ROOM_FOR_EDGES if asked is None else asked

    def _edges(self, view: View, toggled: frozenset[str], width: int) -> list[Row]:
        line = self.query_one("#graph", RowList).current
        return ego_rows(view, line.key if line is not None else "", width)

    def show_edges(self, view: View | None = None) -> None:
        """Show what the node under the cursor is joined to."""
        if self.ego_shown:
            self.query_one("#ego", RowList).show(view or self.desk.view())

    def redraw(self) -> None:
        """Have everything drawn anew."""
        self._drawn = None
        self.call_after_refresh(self.draw)

    def _in_sight(self, name: str) -> bool:
        return not self.has_class("-solo") or name == self.shown_pane

    def _draw_tabs(self) -> None:
        if not self.has_class("-solo"):
            return
        parts: list[Part] = []
        for number, name in enumerate(PANES, start=1):
            title = f" {number} {name.capitalize()} "
            parts.append((f"[{title.strip()}] ", "strong") if name == self.shown_pane else (title, "dim"))
        self.query_one("#tabs", PartsLine).show(parts)

    def say(self, text: str, style: str = "dim") -> None:
        """Show one line above the question, until the next one or the next key that asks."""
        notice = self.query_one("#notice", PartsLine)
        notice.display = bool(text)
        notice.show([(text, "bad" if style == "bad" else "warn" if style == "warn" else "accent")])

    # -- layout ----------------------------------------------------------------------------------
    def on_resize(self, event: "events.Resize") -> None:
        """Arrange the panes for the new size."""
        self.place_panes()

    def place_panes(self) -> None:
        """Give every pane its place for the size of the terminal and what is zoomed."""
        width, height = self.size.width, self.size.height
        self.set_class(width < SMALLEST[0] or height < SMALLEST[1], "-tiny")
        solo = self.zoomed or width < NARROW
        self.set_class(solo, "-solo")
        self.set_class(width >= WIDE and not solo, "-wide")
        self.set_class(width >= NARROW, "-broad")
        for name in PANES:
            pane = self.query_one(f"#pane-{name}")
            shown = name == self.shown_pane
            pane.set_class(shown, "-shown")
            if shown and pane.parent is not None:
                for side in self.query(".side"):
                    side.set_class(side is pane.parent, "-shown")
        left, right = self.query_one("#left"), self.query_one("#right")
        left.styles.width = "1fr" if solo else f"{self.split}fr"
        right.styles.width = "1fr" if solo else f"{100 - self.split}fr"
        if self.has_class("-wide"):
            left.styles.width, right.styles.width = f"{self.split + 10}fr", f"{90 - self.split}fr"
        for name, share in HEIGHTS.items():
            beside = self.has_class("-wide") and name in {"personas", "graph"}
            pane = self.query_one(f"#pane-{name}")
            pane.styles.height = (
                "1fr" if solo or beside else f"{self.moe.remembered.heights.get(name, share)}fr"
            )
        self.query_one("#ego").display = self.ego_shown
        self._draw_tabs()
        self.redraw()
        self.call_after_refresh(self._refocus)

    def _refocus(self) -> None:
        """Give the focus back that was lost while the terminal was too small to show its widget."""
        if self.focused is None and self._last_focused is not None and not self.has_class("-tiny"):
            self._last_focused.focus()

    def show_pane(self, name: str) -> None:
        """Bring a pane into sight and the focus to it."""
        self.shown_pane = name
        self.place_panes()
        self.query_one(f"#{name}").focus()

    def on_descendant_focus(self) -> None:
        """Remember which pane the user is in."""
        focused = self.focused
        self._last_focused = focused or self._last_focused
        if focused is not None and focused.id in PANES and focused.id != self.shown_pane:
            self.shown_pane = focused.id
            self.place_panes()

    def show_offers(self, offers: list[str]) -> None:
        """Show what tab would complete."""
        line = self.query_one("#offers", PartsLine)
        line.display = bool(offers)
        if offers:
            line.show([("tab ", "accent"), ("  ".join(offers), "dim")])
