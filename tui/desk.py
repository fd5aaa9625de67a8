"""What is on the screen: the live run, or a recorded one being played. Holds no widget."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from engine.events import Event, QueryStarted, Token
from tui.conversation import Conversation, Turn
from tui.glyphs import Glyphs
from tui.notices import Indexed, ModelState, Opened, Pulling, RunEnded, Said, Working
from tui.pace import Pace
from tui.panes.model import model_parts, pull_words
from tui.panes.rows import Part, View
from tui.panes.status import Line
from tui.player import Player
from tui.session_thread import Session
from tui.state import EMPTY, RunState, fold

_AGAIN: Final = "R in a pane asks it again."


class Desk:
    """Takes what the session tells and says what is to be shown."""

    def __init__(self, session: Session, glyphs: Glyphs, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds; tests give one that stands still."""
        self.session: Final = session
        self.glyphs: Final = glyphs
        self._clock = clock
        self._began = 0.0
        self._ticked = clock()
        self.run = EMPTY
        self.number = 0
        self.running = False
        self.ending = ""
        self.problem = ""
        self.seconds = 0.0
        self.question = ""
        self.personas: tuple[str, ...] = ()
        self.opened: Opened | None = None
        self.model: ModelState | None = None
        self.pulls: dict[str, Pulling] = {}
        self._pace = Pace()
        self.working = ""
        self.indexing = 0
        self._stopping = False
        self.indexed: Indexed | None = None
        self.said: list[Said] = []
        self.player: Player | None = None
        self.replay_name = ""
        self.conversation = Conversation()

    # -- asking ----------------------------------------------------------------------------------
    def ask(self, question: str, personas: tuple[str, ...] = (), *, again: bool = False) -> None:
        """Begin a run that follows the last one of this session; one that goes on is given up.

        ``again`` repeats the last question, after the same run as then.
        """
        if self.running:
            self.stop()
        after = self.conversation.begin(again=again)
        self.player = None
        self.question, self.personas = question, personas
        self.run, self.ending, self.problem, self.seconds = EMPTY, "", "", 0.0
        self._began = self._clock()
        self._pace = Pace()
        self.running = True
        self.number = self.session.ask(question, personas, after)

    def stop(self) -> bool:
        """Give up the run at once, keeping what it found; return whether there was one."""
        if not self.running:
            return False
        self.session.cancel()
        self._end("stopped")
        return True

    # -- indexing --------------------------------------------------------------------------------
    def index(self, paths: list[Path]) -> None:
        """Begin to index, after what is being indexed already."""
        self.indexing += 1
        self.working = self.working or "indexing"
        self.session.index(paths)

    def stop_indexing(self) -> bool:
        """Stop indexing, keeping what is done; return whether anything was being indexed."""
        if not self.indexing:
            return False
        self._stopping = True
        self.working = "indexing stops"
        self.session.stop_indexing()
        return True

    def _ended(self, entry: Indexed) -> None:
        self.indexed = entry
        self.indexing -= 1
        if not self.indexing:
            self.working, self._stopping = "", False
        if entry.problem:
            self.said.append(Said(text=entry.problem, level="error"))
            return
        left = f"; {len(entry.skipped):,} skipped, a says why" if entry.skipped else ""
        self.said.append(Said(text=f"{entry.text}{left}"))

    # -- sessions --------------------------------------------------------------------------------
    def new_session(self) -> None:
        """Begin anew: what was asked before is followed no longer."""
        self.stop()
        self.player = None
        self.conversation.clear()
        self.run, self.ending, self.problem, self.seconds = EMPTY, "", "", 0.0
        self.question, self.personas = "", ()

    def resume(self, turns: tuple[Turn, ...], events: Sequence[Event]) -> None:
        """Show the last of ``turns``, whose events these are, and go on after it."""
        self.new_session()
        self.run = fold(EMPTY, events)
        self.question = self.run.question
        self.personas = tuple(self.run.started.only) if self.run.started else ()
        self.conversation.resume(turns)

    def take_up(self, before: tuple[Turn, ...], question: str) -> None:
        """Have R ask ``question``, which followed ``before``, unless something was asked here already."""
        if not self.question:
            self.question = question
            self.conversation.before = self.conversation.turns = before

    @property
    def busy(self) -> bool:
        """Whether there is a run or indexing to stop."""
        return self.running or self.indexing > 0

    def _end(self, ending: str) -> None:
        self.running = False
        self.ending = ending
        self.seconds = self._clock() - self._began

    # -- replay ----------------------------------------------------------------------------------
    def replay(
        self,
        name: str,
        events: Sequence[Event],
        at: Sequence[float],
        kept: Mapping[int, RunState] | None = None,
    ) -> None:
        """Show a recorded run from its start, playing; ``kept`` are its keyframes, if they are made."""
        self.player = Player(events, at, kept)
        self.player.playing = True
        self.replay_name = name
        self._ticked = self._clock()

    def leave_replay(self) -> None:
        """Go back to the live run, which went on meanwhile."""
        self.player = None

    # -- time ------------------------------------------------------------------------------------
    def pump(self) -> None:
        """Take everything that has arrived since the last time, and let a replay go on."""
        now = self._clock()
        if self.player is not None:
            self.player.tick(now - self._ticked)
        self._ticked = now
        batch: list[Event] = []
        ended = False
        for run, entry in self.session.queue.drain():
            if isinstance(entry, Event):
                if run == self.number and self.running:
                    batch.append(entry)
            elif isinstance(entry, RunEnded):
                if run == self.number and self.running:
                    self._end("stopped" if entry.cancelled else "failed" if entry.problem else "")
                    self.problem = entry.problem
                    ended = not entry.cancelled and not entry.problem
                self.session.mark_stale()
                self.session.look()
            elif isinstance(entry, Opened):
                self.opened = entry
            elif isinstance(entry, Working):
                if not self._stopping:
                    count = f"{entry.done} of {entry.total}" if entry.total else f"{entry.done}"
                    self.working = f"{entry.what} {count}"
            elif isinstance(entry, Indexed):
                self._ended(entry)
            elif isinstance(entry, ModelState):
                self.model = entry
            elif isinstance(entry, Pulling):
                self._pulled(entry)
            elif isinstance(entry, Said):
                self.said.append(entry)
        if batch:
            self.run = fold(self.run, batch)
            self._pace.note(now, sum(1 for each in batch if isinstance(each, Token) and not each.thinking))
            if self._found_no_model(batch):
                self.session.look_for_model()
        if ended and self.run.saved is not None:
            self.conversation.end(self.run.saved.snapshot, self.run.question)
        if self.running:
            self.seconds = now - self._began

    def _found_no_model(self, batch: Sequence[Event]) -> bool:
        """Return whether a run that begins has no model although one was there when it was looked for."""
        return (
            self.model is not None
            and self.model.status == "ready"
            and any(isinstance(each, QueryStarted) and each.model.problem for each in batch)
        )

    def _pulled(self, entry: Pulling) -> None:
        self.pulls[entry.name] = entry
        if entry.state == "done":
            self.said.append(Said(text=f"the model {entry.name} is there"))
            self.session.look_for_model()
        elif entry.state == "failed":
            self.said.append(Said(text=entry.problem, level="error"))

    # -- showing ---------------------------------------------------------------------------------
    @property
    def state(self) -> RunState:
        """The run that is shown."""
        return self.player.state if self.player is not None else self.run

    def view(self) -> View:
        """Return what the panes show."""
        replaying = self.player is not None
        return View(
            run=self.state,
            glyphs=self.glyphs,
            opened=self.opened,
            live=self.running and not replaying,
            replaying=replaying,
            waits=bool(self.indexing and self.running and not replaying and self.run is EMPTY),
            earlier=() if replaying else tuple(each.question for each in self.conversation.before),
            asked=self.question if (self.running or self.ending) and not replaying else "",
            servers=self.model.where if self.model is not None and not replaying else "",
        )

    def line(self, low_bandwidth: bool) -> Line:
        """Return what the status line adds."""
        return Line(
            seconds=self.seconds,
            ending=self.ending,
            working=self.working or pull_words(self.pulls.values()),
            low_bandwidth=low_bandwidth,
        )

    def model_parts(self, view: View) -> list[Part]:
        """Return the model line."""
        pace = self._pace.per_second(self._clock()) if self.running and self.player is None else 0.0
        return model_parts(view, self.model, pace)

    def last_word(self) -> str:
        """Return the line below an answer that did not come to its end."""
        if self.player is not None:
            return ""
        if self.ending == "stopped":
            if self.run is EMPTY:
                return f"Stopped before anything was found. {_AGAIN}"
            return f"Stopped. What was found so far stays, and is recorded as cut off. {_AGAIN}"
        if self.problem:
            return f"Failed: {self.problem}. {_AGAIN}"
        return ""
