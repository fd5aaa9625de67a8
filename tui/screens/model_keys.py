"""Models on the main screen: who writes, and picking another."""

from textual import work

from tui.model_work import use_model
from tui.screens.calls import Calls
from tui.screens.models import ModelsScreen


class ModelKeys(Calls):
    """The main screen with the keys of the model line."""

    @work
    async def action_models(self) -> None:
        """Show the models of the servers and take the one picked."""
        picked = await self.app.push_screen_wait(ModelsScreen(self.desk))
        if picked is None:
            return
        said = await self._called(lambda engine: use_model(engine.workspace, picked.name, picked.mode))
        if said is not None:
            self.say(said)
            self.desk.model = None
            self.desk.session.mark_stale()
            self.desk.session.look_for_model()
