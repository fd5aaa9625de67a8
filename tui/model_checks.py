"""What doctor says of the model servers: which answer, which model would write, and why."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from engine.cleaning import counted
from engine.config import OllamaSettings

if TYPE_CHECKING:
    from engine.events import ModelRef
    from engine.models.base import ModelInfo

SECONDS = 2.0
"""A server that has not accepted the connection by then is not waited for; answering has 2 more."""


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """One server: ``problem`` and ``mend`` are empty where all is well."""

    detail: str
    problem: str = ""
    mend: str = ""


def model_reports(settings: OllamaSettings) -> Iterator[ModelReport]:
    """Give a report for each server, and one more for each that is asked in the clear.

    Raises ConfigError for an address that cannot be used.
    """
    from engine.models.choose import endpoints_of
    from engine.models.hosts import is_loopback

    quick = msgspec.structs.replace(settings, connect_seconds=min(SECONDS, settings.connect_seconds))
    urls = endpoints_of(settings)
    asked, writer = asyncio.run(_ask(quick, urls))
    others = any(isinstance(each, list) and each for each in asked)
    for url, found in zip(urls, asked, strict=True):
        yield _report(url, found, settings.model_name, writer, others=others)
        writer = None if not isinstance(found, str) and found else writer
        if url.startswith("http://") and not is_loopback(url):
            yield ModelReport(
                detail=f"{url} is asked over plain http: questions and passages can be read on the way",
                problem="in the clear",
                mend="use https, or a tunnel such as ssh -L",
            )


async def _ask(
    settings: OllamaSettings, urls: tuple[str, ...]
) -> "tuple[list[list[ModelInfo] | str], ModelRef | None]":
    from engine.errors import ModelUnavailableError
    from engine.models.choose import choose_model
    from engine.models.endpoint import Endpoint

    async def one(url: str) -> "list[ModelInfo] | str":
        endpoint = Endpoint(url, settings)
        try:
            return await endpoint.list_models()
        except ModelUnavailableError as error:
            return error.problem
        finally:
            await endpoint.aclose()

    asked = list(await asyncio.gather(*map(one, urls)))
    if not any(isinstance(each, list) and each for each in asked):
        return asked, None
    try:
        choice = await choose_model(settings)
    except ModelUnavailableError:  # the servers' own lines say what is missing
        return asked, None
    if choice.chat is not None:
        await choice.chat.aclose()
    return asked, choice.ref if choice.chat is not None else None


def _report(
    url: str, found: "list[ModelInfo] | str", wanted: str, writer: "ModelRef | None", *, others: bool
) -> ModelReport:
    from engine.models.base import installed

    if isinstance(found, str):
        instead = "the other servers are asked" if others else "answers quote the documents instead"
        or_else = "take it out of ollama.api_endpoint" if others else "set ollama.provider to extractive"
        return ModelReport(
            detail=f"no Ollama server answers at {url} ({found}); {instead}",
            problem=found,
            mend=f"start it with 'ollama serve', or {or_else}",
        )
    if not any(each.chats for each in found):
        detail = f"{url} answers but has no chat model"
        return ModelReport(detail=detail, problem=detail, mend="pull one: ollama pull NAME, such as qwen3:4b")
    names = [each.name for each in found]
    if wanted and installed(wanted, found) is None:
        detail = f"{url} has no model {wanted!r}; it has {', '.join(names[:5])}"
        mend = f"pull it: ollama pull {wanted}, or set ollama.model_name"
        return ModelReport(detail=detail, problem=detail, mend=mend)
    told = f"; {writer.name} would write ({writer.why}), window {writer.context:,} tokens" if writer else ""
    return ModelReport(detail=f"{url} answers, {counted(len(names), 'model')}{told}")
