"""The terminal app. It shows what the engine's thread tells, and never waits for it."""

import gc
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen

from engine.errors import WorkspaceError
from engine.workspace import Workspace
from tui import keymap, themes
from tui.ascii_marks import AsciiMarks
from tui.desk import Desk
from tui.glyphs import ASCII, Glyphs, fitting
from tui.own_keys import for_textual
from tui.panic import keep_details
from tui.remembered import keep, recall
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen
from tui.screens.personas_base import PersonaScreen
from tui.session_thread import Session
from tui.widgets.personas_pane import PersonasPane
from tui.widgets.question import Question

if TYPE_CHECKING:
    from tui.persona_bench import PersonaBench

MOST_WAITING: Final = 3
"""Pieces of output that may wait for the terminal, a picture and what frames it, before one is left out."""


class PersonaMoeApp(App[None], inherit_bindings=False):
    """One workspace on one screen."""

    TITLE = "persona-moe"
    CSS_PATH = Path(__file__).parent / "styles" / "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("app")
    ESCAPE_TO_MINIMIZE = False

    def __init__(
        self,
        workspace: Workspace,
        *,
        glyphs: Glyphs | None = None,
        low_bandwidth: bool = False,
        plain_colours: bool = False,
        keys: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``plain_colours`` uses the terminal's own sixteen; ``keys`` is the user's keymap."""
        super().__init__()
        self.low_bandwidth = low_bandwidth
        self.keys = dict(keys or {})
        self.desk = Desk(Session(workspace), glyphs or fitting(), clock)
        self._ascii_marks = AsciiMarks()
        self._bench: PersonaBench | None = None
        self.remembered = recall(workspace)
        self.last_problem = ""
        for theme in themes.OWN:
            self.register_theme(theme)
        wanted = self.remembered.theme if self.remembered.theme in themes.ORDER else ""
        self.theme = wanted or (themes.TERMINAL if plain_colours else themes.DARK.name)
        self.set_keymap(for_textual(self.keys))

    @property
    def ascii(self) -> bool:
        """Whether only ASCII may be drawn."""
        return self.desk.glyphs is ASCII

    @property
    def bench(self) -> "PersonaBench":
        """What is done to personas in this session; it belongs to the engine's thread."""
        if self._bench is None:
            from tui.persona_bench import PersonaBench

            self._bench = PersonaBench(self.desk.session.personas)
        return self._bench

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return MainScreen()

    def start_session(self) -> None:
        """Start the engine; called once the first picture is drawn."""
        if not gc.isenabled():  # see tui.launch
            gc.freeze()
            gc.enable()
        self.desk.session.start()

    def on_unmount(self) -> None:
        """End the engine, which closes the journal."""
        self.desk.session.close()

    # -- poor terminals --------------------------------------------------------------------------
    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through before it is drawn."""
        filters = super().get_line_filters()
        return [*filters, self._ascii_marks] if self.ascii else filters

    def get_key_display(self, binding: Binding) -> str:
        """Return a key as it is shown; by its name where its sign cannot be drawn."""
        told = super().get_key_display(binding)
        return keymap.shown(binding.key) if self.ascii and not told.isascii() else told

    # -- actions ---------------------------------------------------------------------------------
    def action_help(self) -> None:
        """Show all keys, those of the place the user is in on top."""
        focused = self.focused
        first = "ask" if isinstance(focused, Question) else "main"
        if isinstance(focused, PersonasPane):
            first = "personas"
        if isinstance(self.screen, PersonaScreen):
            first = self.screen.scope
        if self.desk.player is not None:
            first = "replay"
        self.push_screen(HelpScreen(self.desk.view(), self.keys, first))

    def action_palette(self) -> None:
        """Open the command palette."""
        self.action_command_palette()

    def action_stop(self) -> None:
        """Stop the run, or indexing; without either say how to leave."""
        main = self.screen_stack[0]
        if isinstance(main, MainScreen) and not main.stop_run():
            quits = keymap.shown(self.keys.get("app.quit", keymap.BY_ID["app.quit"].keys))
            main.say(f"nothing runs; {quits} leaves")

    async def action_quit(self) -> None:
        """Leave."""
        self.leave()

    def leave(self) -> None:
        """Leave; a run that goes on is stopped and kept."""
        self.desk.stop()
        self.remember()
        self.exit()

    def next_theme(self) -> str:
        """Take the next theme and return its name."""
        order = themes.ORDER
        index = order.index(self.theme) if self.theme in order else -1
        self.theme = order[(index + 1) % len(order)]
        self.remembered.theme = self.theme
        self.remember()
        return self.theme

    def remember(self) -> None:
        """Keep questions, theme and division for the next time; a full disk is no reason to fail."""
        try:
            keep(self.desk.session.workspace, self.remembered)
        except WorkspaceError as error:
            self.last_problem = str(error)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield every action that is possible now, for the palette."""
        focused = screen.focused
        places: list[DOMNode] = list(focused.ancestors_with_self if focused is not None else (screen, self))
        if isinstance(screen, MainScreen):
            places.append(screen.query_one(PersonasPane))
        told: set[str] = set()
        for place in places:
            for action in keymap.actions_of(place):
                name = action.id.partition(".")[2]
                if action.id in told or place.check_action(name, ()) is not True:
                    continue
                told.add(action.id)
                keys = keymap.shown(self.keys.get(action.id, action.keys))
                title = f"{action.label} ({keymap.SCOPES[action.scope].lower()})"
                yield SystemCommand(title, f"{action.help} ({keys})", getattr(place, f"action_{name}"))

    @property
    def is_behind(self) -> bool:
        """Whether the terminal has yet to take earlier pictures; another would only wait behind them.

        Textual 8.2 hands them to a thread through a queue, and blocks the app's loop when it is full.
        """
        waiting = getattr(getattr(self._driver, "_writer_thread", None), "_queue", None)
        return waiting is not None and waiting.qsize() > MOST_WAITING

    def write_sequence(self, sequence: str) -> None:
        """Send a control sequence that this program made to the terminal."""
        if self._driver is not None:
            self._driver.write(sequence)

    # -- defects ---------------------------------------------------------------------------------
    def _handle_exception(self, error: Exception) -> None:
        """Keep the details where only the user can read them, and end."""
        self.last_problem = self.last_problem or f"internal error: {keep_details(error)}"
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End without a word; Textual would print a traceback with the values of variables in it."""
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:
        """End without a word, likewise."""
        self._close_messages_no_wait()
