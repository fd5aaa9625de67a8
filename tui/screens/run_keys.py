"""Recorded runs on the main screen: list, replay, compare; and the sessions they belong to."""

from textual import work

from tui.conversation import NEW_SESSION
from tui.library import compare_runs, list_runs, list_sessions, open_run, open_session
from tui.screens.compare import CompareScreen
from tui.screens.replay_view import ReplayView
from tui.screens.runs import RunsScreen
from tui.screens.sessions import SessionsScreen
from tui.widgets.question import Question


class RunKeys(ReplayView):
    """The main screen with the keys of recorded runs."""

    @property
    def shown_run(self) -> str:
        """The id of the run on the screen, empty if it is not recorded yet."""
        if self.desk.player is not None:
            return self.desk.replay_name
        return self.desk.run.saved.snapshot if self.desk.run.saved else ""

    @work
    async def action_runs(self) -> None:
        """List the recorded runs; replay the one chosen, or compare two."""
        infos = await self._called(list_runs)
        if infos is None:
            return
        chosen = await self.app.push_screen_wait(RunsScreen(self.desk.view(), infos, self.shown_run))
        if chosen is None:
            return
        if chosen.compare is None:
            await self.replay(chosen.replay)
        else:
            await self.compare(*chosen.compare)

    async def compare(self, left: str, right: str) -> None:
        """Show two recorded runs side by side; replay the one that is asked for there."""
        comparison = await self._called(lambda engine: compare_runs(engine, left, right))
        if comparison is None:
            return
        name = await self.app.push_screen_wait(CompareScreen(self.desk.view(), comparison, self.copy))
        if name:
            await self.replay(name)

    # -- sessions --------------------------------------------------------------------------------
    @property
    def session_id(self) -> str:
        """The run that the session the user is in began with, empty in a new one."""
        turns = self.desk.conversation.turns
        return turns[0].snapshot if turns else ""

    def action_new_session(self) -> None:
        """Begin a new session."""
        self.desk.new_session()
        self.say(NEW_SESSION)
        self.redraw()
        self.query_one(Question).focus()

    @work
    async def action_sessions(self) -> None:
        """List the sessions and go on with the one chosen."""
        found = await self._called(list_sessions)
        if found is None:
            return
        name = await self.app.push_screen_wait(SessionsScreen(self.desk.view(), found, self.session_id))
        if name:
            opened = await self._called(lambda engine: open_session(engine, name))
            if opened is not None:
                turns, recording = opened
                self.desk.resume(turns, recording.events)
                self.say("the next question follows this one; N begins a new session")
                self.redraw()
                self.query_one(Question).focus()

    # -- replay ----------------------------------------------------------------------------------
    async def replay(self, name: str) -> None:
        """Play a recorded run."""
        recording = await self._called(lambda engine: open_run(engine, name))
        if recording is None:
            return
        self.desk.replay(recording.name, recording.events, recording.at, recording.kept)
        self.say(f"this run is not whole: {recording.problem}" if recording.problem else "", "warn")
        self.show_pane(self.shown_pane)
