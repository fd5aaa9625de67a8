"""Personas on the main screen: move one, open its card, go to the roster of all."""

from textual import work

from tui.screens.run_keys import RunKeys
from tui.widgets.personas_pane import PersonasPane


class PersonaKeys(RunKeys):
    """The main screen with the keys of personas."""

    @work
    async def on_personas_pane_move_wanted(self, event: PersonasPane.MoveWanted) -> None:
        """Move the persona, or take back what was last done to any."""
        if self.desk.player is not None:
            self.say("this is a replay; press esc, then move it", "warn")
            return
        bench = self.moe.bench
        if event.step:
            wanted = "up" if event.step > 0 else "down"
            act = await self._called(lambda _: bench.work.move([event.persona], wanted))
        else:
            act = await self._called(lambda _: bench.work.undo())
        if act is not None:
            self.say(act.told, "warn" if act.refused else "dim")
            self.desk.session.mark_stale()
            self.desk.session.look()

    def open_card(self, persona: str) -> None:
        """Show a persona's card."""
        from tui.screens.personas_card import CardScreen

        self.app.push_screen(CardScreen(persona), self._card_left)

    def _card_left(self, touched: list[str] | None) -> None:
        if touched:
            self.desk.session.look()

    def on_personas_pane_roster_wanted(self) -> None:
        """Go to the roster of all personas."""
        self.action_roster()

    def action_roster(self) -> None:
        """Go to the roster of all personas."""
        from tui.screens.personas import PersonasScreen

        self.app.push_screen(PersonasScreen())

    @work
    async def replay_over(self, name: str) -> None:
        """Go back here from whatever lies above, and play a recorded run."""
        while len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        await self.replay(name)
