"""Who writes a run: a live model, a recorded one, or nobody but the documents."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from engine.config import Settings
from engine.corpus.store import Lexicon
from engine.errors import WorkspaceError
from engine.events import Event, ModelRef
from engine.experts.author import Author, ExtractiveAuthor
from engine.experts.habits import Habits
from engine.experts.model_author import ModelAuthor
from engine.log import logger
from engine.models.base import ModelInfo
from engine.models.budget import BudgetedModel
from engine.models.choose import choose_model
from engine.models.transcript import ReplayedModel, transcript_of


class LearningAuthor(ModelAuthor):
    """A model's author that remembers, when it is closed, in which form its claims could be read."""

    habits: Habits
    info: ModelInfo

    async def aclose(self) -> None:
        """Release the model and keep what was learnt; that it cannot be kept is no reason to fail."""
        await super().aclose()
        try:
            self.habits.learn(self.info, self.form, self.parsed)
        except WorkspaceError as error:
            logger.warning("how the model is best asked was not kept: %s", error.problem)


async def open_author(
    lexicon: Lexicon,
    settings: Settings,
    habits: Path,
    *,
    model: str = "",
    no_model: bool = False,
    learn: bool = True,
    seconds: float = 0.0,
    tokens: int = 0,
) -> Author:
    """Return who writes, as the settings and the command line say. The caller closes it.

    The model is asked for ``seconds`` and for ``tokens`` at most, 0 meaning without end; what it has
    not written by then is quoted.

    Raises ModelUnavailableError if a model was insisted on and there is none.
    """
    choice = await choose_model(settings.ollama, model=model, no_model=no_model)
    if choice.chat is None or choice.info is None:
        return ExtractiveAuthor(lexicon, choice.ref.why)
    kept = Habits(habits)
    ref = msgspec.structs.replace(choice.ref, form=kept.form(choice.info))
    chat = choice.chat
    if seconds or tokens:
        chat = BudgetedModel(chat, seconds=seconds, tokens=tokens)
    if not learn:
        return ModelAuthor(lexicon, chat, ref, settings)
    author = LearningAuthor(lexicon, chat, ref, settings)
    author.habits, author.info = kept, choice.info
    return author


def recorded_author(lexicon: Lexicon, settings: Settings, model: ModelRef, events: Iterable[Event]) -> Author:
    """Return the author of a recorded run: it writes what was written then, and asks nobody.

    A call that the record does not hold raises SnapshotError.
    """
    if model.provider == "extractive":
        return ExtractiveAuthor(lexicon, model.why)
    return ModelAuthor(lexicon, ReplayedModel(transcript_of(events), model), model, settings)
