"""Recorded runs on the main screen: list, replay, compare."""

from textual import work

from tui.library import compare_runs, list_runs, open_run
from tui.screens.compare import CompareScreen
from tui.screens.replay_view import ReplayView
from tui.screens.runs import RunsScreen


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

    async def replay(self, name: str) -> None:
        """Play a recorded run."""
        recording = await self._called(lambda engine: open_run(engine, name))
        if recording is None:
            return
        self.desk.replay(recording.name, recording.events, recording.at, recording.kept)
        self.say(f"this run is not whole: {recording.problem}" if recording.problem else "", "warn")
        self.show_pane(self.shown_pane)
