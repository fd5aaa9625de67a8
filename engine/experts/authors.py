"""Who writes a run: a live model, a recorded one, or nobody but the documents."""

import asyncio
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
from engine.models.base import ChatModel, ModelCallError, ModelInfo
from engine.models.budget import BudgetedModel
from engine.models.choose import choose_model
from engine.models.transcript import ReplayedModel, transcript_of


class LiveAuthor(ModelAuthor):
    """A live model's author: it has the model loaded ahead, and remembers how it is best asked."""

    habits: Habits
    info: ModelInfo
    learns: bool
    warming: "asyncio.Task[ModelCallError | None]"

    async def aclose(self) -> None:
        """Release the model and keep what was learnt; that it cannot be kept is no reason to fail."""
        self.warming.cancel()
        await asyncio.gather(self.warming, return_exceptions=True)
        await super().aclose()
        if not self.learns:
            return
        try:
            self.habits.learn(self.info, self.form, self.parsed, self.speeds)
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
        return ExtractiveAuthor(lexicon, choice.ref)
    kept = Habits(habits)
    calls = settings.ollama.max_experts + 1
    reads = kept.pace(choice.info).within(seconds, tokens, calls)
    ref = msgspec.structs.replace(choice.ref, form=kept.form(choice.info), reads=reads)
    chat: ChatModel = choice.chat
    if seconds or tokens:
        chat = BudgetedModel(chat, seconds=seconds, tokens=tokens, calls=calls)
    author = LiveAuthor(lexicon, chat, ref, settings)
    author.habits, author.info, author.learns = kept, choice.info, learn
    # The documents are searched meanwhile, which is a second that a cold model can use.
    author.warming = asyncio.create_task(choice.chat.warm(ref.name, ref.context))
    return author


def recorded_author(lexicon: Lexicon, settings: Settings, model: ModelRef, events: Iterable[Event]) -> Author:
    """Return the author of a recorded run: it writes what was written then, and asks nobody.

    A call that the record does not hold raises SnapshotError.
    """
    if model.provider == "extractive":
        return ExtractiveAuthor(lexicon, model)
    return ModelAuthor(lexicon, ReplayedModel(transcript_of(events), model), model, settings)
