"""Which model writes: what ``provider`` and ``--model`` come to, and why."""

import os
from collections.abc import Sequence

import msgspec

from engine.config import OllamaSettings
from engine.errors import ModelUnavailableError
from engine.events import ModelRef
from engine.models.base import ChatModel, ModelCallError, ModelInfo, installed, quoting
from engine.models.hosts import address, is_loopback, normalise_host
from engine.models.ollama import OllamaModel, unknown_model

SMALL_WINDOW = 4096
LARGE_WINDOW = 8192
LARGEST_TAKEN = 32_768
"""A loaded model's window above this is not taken over: its cache would be paid for and not used."""
LARGE_MEMORY = 15 << 30
_DEFAULT = OllamaSettings().api_endpoint


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes. ``chat`` and ``info`` are None when nobody does and documents are quoted.

    ``problem`` and ``mend`` say why, and are empty where no model was wanted.
    """

    ref: ModelRef
    chat: OllamaModel | None = None
    info: ModelInfo | None = None
    problem: str = ""
    mend: str = ""


def endpoints_of(settings: OllamaSettings) -> tuple[str, ...]:
    """Return the servers to ask: those of the settings, or OLLAMA_HOST where they were left alone."""
    host = os.environ.get("OLLAMA_HOST", "").strip()
    if host and settings.api_endpoint == _DEFAULT:
        return (normalise_host(host),)
    return tuple(normalise_host(each) for each in settings.endpoints)


def where_of(settings: OllamaSettings) -> str:
    """Return the addresses of the servers to ask, as people say them."""
    return ", ".join(map(address, endpoints_of(settings)))


def open_servers(settings: OllamaSettings) -> OllamaModel:
    """Return the servers, to be asked what they have. The caller closes it.

    Raises ModelUnavailableError, before any is asked, where the settings say that none is used.
    """
    if settings.provider == "extractive":
        raise ModelUnavailableError(
            'no model server is used, because ollama.provider is "extractive"',
            "to use one: persona-moe config set ollama.provider auto",
        )
    return OllamaModel(settings, endpoints_of(settings))


async def choose_model(settings: OllamaSettings, *, model: str = "", no_model: bool = False) -> Choice:
    """Return who writes, by ``--no-model``, ``--model``, ``provider`` and ``model_name``, in this order.

    With ``provider = "auto"`` and no ``--model``, whatever speaks against a model leads to quoting,
    and the reason is told. Otherwise it raises ModelUnavailableError, naming the nearest installed
    model where there is one. The caller closes ``chat``.
    """
    if no_model or (settings.provider == "extractive" and not model):
        return Choice(ref=quoting())
    chat = OllamaModel(settings, endpoints_of(settings))
    try:
        return await _chosen(chat, settings, model)
    except ModelUnavailableError as error:
        await chat.aclose()
        if model or settings.provider == "ollama":
            error.where = error.where or where_of(settings)
            raise
        told = f"{error.problem}{f'; {error.mend}' if error.mend else ''}"
        return Choice(ref=quoting(told), problem=error.problem, mend=error.mend)
    except BaseException:
        await chat.aclose()
        raise


async def _chosen(chat: OllamaModel, settings: OllamaSettings, model: str) -> Choice:
    models = await chat.available()
    info, why = await pick(chat, models, model, settings.model_name)
    if down := [str(n) for n, each in enumerate(chat.endpoints, 1) if each.fault is not None]:
        # By their places in the settings: this stands in the digest of a run, which holds no address.
        which = f"servers {', '.join(down[:-1])} and {down[-1]}" if down[1:] else f"server {down[0]}"
        why = f"{why}; {which} of {len(chat.endpoints)} do{'' if down[1:] else 'es'} not answer"
    here = all(is_loopback(endpoint.url) for endpoint in chat.endpoints)
    context = window_for(settings.context_tokens, info, memory() if here else 0)
    ref = ModelRef(provider=chat.provider, name=info.name, digest=info.digest, why=why, context=context)
    return Choice(ref=ref, chat=chat, info=info)


async def pick(
    chat: ChatModel, models: Sequence[ModelInfo], asked: str, configured: str
) -> tuple[ModelInfo, str]:
    """Return the model to use, described in full, and why it is that one. Raises ModelCallError."""
    wanted = asked or configured
    if wanted:
        info = installed(wanted, models)
        if info is None:
            raise unknown_model(wanted, models)
        known = await _described(chat, info)
        if not known.chats:
            raise ModelCallError("rejected", f"the model {info.name!r} cannot chat", "name another one")
        return known, "named with --model" if asked else "named in ollama.model_name"
    local = [each for each in models if not each.remote]
    for info in sorted(local, key=lambda each: not each.allocated):
        if not info.chats:
            continue
        known = await _described(chat, info)
        if known.chats:
            why = "it is loaded already" if info.allocated else "the first chat model that the server lists"
            return known, why
    raise ModelCallError(
        "unknown-model",
        "the model server has no chat model",
        "fetch one with 'persona-moe models pull NAME', such as qwen3:4b",
    )


async def _described(chat: ChatModel, info: ModelInfo) -> ModelInfo:
    if info.capabilities and info.window:
        return info
    try:
        return msgspec.structs.replace(await chat.capabilities(info.name), allocated=info.allocated)
    except ModelCallError as fault:
        if fault.kind == "unknown-model":
            raise
        return info  # an older server that cannot say: what it listed has to do


def window_for(setting: int, info: ModelInfo, memory_bytes: int) -> int:
    """Return the context window to ask for, in tokens, never above what the model was made for.

    The setting; else the window the model is loaded with, as another one would load it again; else
    8192 on a machine with 16 GB, and 4096, which is Ollama's own default, on others and for
    servers elsewhere.

    >>> window_for(0, ModelInfo(name="m", window=2048), 64 << 30)
    2048
    >>> window_for(0, ModelInfo(name="m", window=131072, allocated=16384), 0)
    16384
    """
    limit = info.window or LARGEST_TAKEN
    if setting:
        return min(setting, limit)
    if SMALL_WINDOW <= info.allocated <= LARGEST_TAKEN:
        return min(info.allocated, limit)
    return min(LARGE_WINDOW if memory_bytes >= LARGE_MEMORY else SMALL_WINDOW, limit)


def memory() -> int:
    """Return the bytes of memory of this machine, 0 where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 0
