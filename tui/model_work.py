"""Model servers as the app asks the engine's thread for them: who writes, what there is, fetching more."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

import msgspec

from engine.cleaning import one_line
from engine.errors import InputError, PersonaMoeError
from tui.event_queue import EventQueue
from tui.notices import ModelState, Pulling

if TYPE_CHECKING:
    from engine.config import OllamaSettings
    from engine.models.base import ModelInfo
    from engine.models.ollama import OllamaModel
    from engine.workspace import Workspace

_QUOTED = "documents are quoted"
_FAILS = 'questions fail; with ollama.provider = "auto" documents would be quoted'


class ModelShelf(msgspec.Struct, frozen=True, kw_only=True):
    """What the servers have. ``faults`` are (address, problem, mend) of those that do not answer."""

    provider: str
    model_name: str
    where: tuple[str, ...]
    models: "tuple[ModelInfo, ...]" = ()
    faults: tuple[tuple[str, str, str], ...] = ()
    instead: str = _QUOTED


def _instead(settings: "OllamaSettings") -> str:
    return _FAILS if settings.provider == "ollama" else _QUOTED


async def look_for_model(workspace: "Workspace", tell: Callable[[ModelState], None]) -> None:
    """Tell who would write if a question were asked now, and have that model loaded if the settings say so.

    Raises ConfigError for bad settings. Cancelling it closes the connection, which stops the load.
    """
    from engine.models.choose import choose_model, where_of

    settings = workspace.settings().ollama
    if settings.provider == "extractive":
        tell(ModelState(status="off", instead=_QUOTED))
        return
    where = where_of(settings)
    try:
        choice = await choose_model(settings)
    except PersonaMoeError as error:
        tell(
            ModelState(status="missing", where=where, problem=error.problem, mend=error.mend, instead=_FAILS)
        )
        return
    if choice.chat is None or choice.info is None:
        tell(
            ModelState(
                status="missing", where=where, problem=choice.problem, mend=choice.mend, instead=_QUOTED
            )
        )
        return
    ref, loaded = choice.ref, bool(choice.info.allocated)
    state = ModelState(status="ready", where=where, name=ref.name, why=ref.why, window=ref.context)
    try:
        if loaded or choice.info.remote or not _warms(settings):
            tell(msgspec.structs.replace(state, memory="loaded" if loaded else ""))
            return
        tell(msgspec.structs.replace(state, memory="loading"))
        fault = await choice.chat.warm(ref.name, ref.context)
        problem = one_line(fault.problem) if fault else ""
        tell(msgspec.structs.replace(state, memory="failed" if fault else "loaded", problem=problem))
    finally:
        await choice.chat.aclose()


def _warms(settings: "OllamaSettings") -> bool:
    """Return whether a model is loaded before it is asked: gigabytes, so not one that nobody named."""
    return settings.warm_up == "always" or (settings.warm_up == "named" and bool(settings.model_name))


async def shelf(workspace: "Workspace") -> ModelShelf:
    """Return what the configured servers have; one that does not answer is told, not raised.

    Where the settings say that no model writes, nobody is asked and no server is named.
    """
    from engine.models.choose import open_servers

    settings = workspace.settings().ollama
    if settings.provider == "extractive":
        return ModelShelf(provider=settings.provider, model_name=settings.model_name, where=())
    chat = open_servers(settings)
    models: tuple[ModelInfo, ...] = ()
    try:
        models = tuple(await chat.available())
    except PersonaMoeError:
        pass  # told server by server
    finally:
        await chat.aclose()
    return ModelShelf(
        provider=settings.provider,
        model_name=settings.model_name,
        where=tuple(each.url for each in chat.endpoints),
        models=models,
        faults=tuple((url, one_line(fault.problem), one_line(fault.mend)) for url, fault in chat.faults),
        instead=_instead(settings),
    )


def use_model(workspace: "Workspace", name: str, mode: Literal["named", "auto", "none"]) -> str:
    """Write to the settings who is to write, and return it in words.

    Raises ConfigError for a name that cannot be one, WorkspaceError if the settings cannot be written.
    """
    from engine.config import set_value

    with workspace.lock():
        if mode == "none":
            set_value(workspace.configs, "ollama.provider", "extractive")
            return f"no model: {_QUOTED}"
        set_value(workspace.configs, "ollama.model_name", f'"{name}"' if mode == "named" else '""')
        if workspace.settings().ollama.provider == "extractive":
            set_value(workspace.configs, "ollama.provider", "auto")
    return f"{name} writes from now on" if mode == "named" else "the model is picked when a question is asked"


def require_model_name(text: str) -> str:
    """Return ``text`` stripped, or raise InputError if it is no name that a server could know.

    >>> require_model_name(" qwen3:4b ")
    'qwen3:4b'
    """
    name = text.strip()
    if not name or len(name) > 200 or not all("!" <= char <= "~" for char in name):
        raise InputError(f"{one_line(name, 60)!r} is no name of a model", "such as qwen3:4b")
    return name


class Pulls:
    """Models being fetched, on the engine's loop; how far each is goes through the queue."""

    def __init__(self, workspace: "Workspace", queue: EventQueue) -> None:
        self._workspace, self._queue = workspace, queue
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str) -> None:
        """Begin to fetch ``name``, unless that goes on already."""
        if name not in self._tasks:
            self._tasks[name] = asyncio.get_running_loop().create_task(self._pull(name))

    def cancel(self, name: str = "") -> None:
        """Stop fetching ``name``, or everything; the server keeps what it has and goes on from there."""
        for each, task in self._tasks.items():
            if name in ("", each):
                task.cancel()

    async def _pull(self, name: str) -> None:
        last = Pulling(name=name, what="asking the server")
        self._queue.put(0, last)
        chat: OllamaModel | None = None
        try:
            from engine.models.choose import open_servers

            chat = open_servers(self._workspace.settings().ollama)
            async with aclosing(chat.pull(name)) as steps:  # type: ignore[type-var]
                async for what, done, total in steps:
                    last = Pulling(name=name, what=one_line(what, 60), done=done, total=total)
                    self._queue.put(0, last)
            last = msgspec.structs.replace(last, what="fetched", state="done")
        except asyncio.CancelledError:
            last = msgspec.structs.replace(last, what="cancelled", state="cancelled")
        except PersonaMoeError as error:
            last = msgspec.structs.replace(last, state="failed", problem=one_line(str(error)))
        except Exception as error:
            from tui.panic import keep_details

            last = msgspec.structs.replace(
                last, state="failed", problem=f"internal error: {keep_details(error)}"
            )
        finally:
            self._tasks.pop(name, None)
            self._queue.put(0, last)
            if chat is not None:
                await chat.aclose()
