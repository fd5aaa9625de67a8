"""One Ollama server: its client, what it has, and a stream of one answer from it."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from engine.config import OllamaSettings
from engine.errors import ConfigError
from engine.models.base import ChatRequest, ModelCallError, ModelInfo
from engine.models.wire import bounded_transport, error_text, fault_of, status_fault

QUICK_SECONDS = 1.0
PATIENT_SECONDS = 3.0
"""For what is in memory, asked before a window is chosen: not to know it can make the server load again."""


class _Details(msgspec.Struct):
    family: str = ""
    parameter_size: str = ""
    quantization_level: str = ""
    context_length: int = 0


class _Listed(msgspec.Struct):
    name: str = ""
    model: str = ""
    digest: str = ""
    size: int = 0
    details: _Details | None = None
    capabilities: list[str] | None = None
    remote_host: str = ""
    context_length: int = 0


class _Models(msgspec.Struct):
    models: list[_Listed] | None


class _Shown(msgspec.Struct):
    details: _Details | None = None
    model_info: dict[str, Any] | None = None
    capabilities: list[str] | None = None


class Endpoint:
    """A server at ``url`` (as :func:`engine.models.hosts.normalise_host` gives it).

    Nothing is sent before the first call. An API key is sent only over https or to this machine.
    """

    def __init__(self, url: str, settings: OllamaSettings) -> None:
        self.url = url
        self.settings = settings
        self.models: frozenset[str] | None = None
        self.memory: frozenset[str] = frozenset()
        self.active = 0
        self.fault: ModelCallError | None = None
        self._windows: dict[str, int] = {}
        self._client: Any = None
        self._plain: Any = None

    def holds(self, model: str) -> bool:
        """Return whether ``model`` is in memory there, as far as is known."""
        return model in self.memory

    def take(self, model: str) -> None:
        """Note that a call of ``model`` goes there: what else it held may have to give way."""
        if model not in self.memory:
            self.memory = frozenset((model,))

    def open(self) -> None:
        """Make the client if there is none yet: a second's work the first time, so no clock should run."""
        if self._client is not None:
            return
        import httpx
        from ollama import AsyncClient

        key = os.environ.get("OLLAMA_API_KEY", "")
        if not (key.isascii() and (key.isprintable() or not key)):
            raise ConfigError("OLLAMA_API_KEY holds characters that no key has", "set it again, or unset it")
        headers = {"accept-encoding": "identity"}
        if key:  # the transport drops it where it could be read on the way
            headers["authorization"] = f"Bearer {key}"
        # Time is kept by the caller: a read time-out of httpx starts again with every byte.
        shared: dict[str, Any] = {
            "timeout": httpx.Timeout(None, connect=self.settings.connect_seconds),
            "follow_redirects": False,
            "trust_env": False,
            "transport": bounded_transport(self.url, self.settings.parallel + 4),
        }
        self._client = AsyncClient(self.url, headers=headers, **shared)
        self._plain = httpx.AsyncClient(base_url=self.url, headers=headers, **shared)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            plain, self._client, self._plain = self._plain, None, None
            await plain.aclose()  # both clients share one transport

    # -- what is there ---------------------------------------------------------------------------
    async def _fetch(
        self, method: str, path: str, kind: type, body: Any = None, *, within: float = 0.0
    ) -> Any:
        limit = within or self.settings.connect_seconds + 1.0
        self.open()
        try:
            async with asyncio.timeout(limit):
                response = await self._plain.request(method, path, json=body)
        except TimeoutError:
            problem = f"the model server did not answer within {limit:g} seconds"
            mend = "see whether it hangs, or raise ollama.connect_seconds"
            raise ModelCallError("stalled", problem, mend) from None
        except Exception as error:
            raise fault_of(error, started=False) from error
        if response.status_code >= 300:
            raise status_fault(response.status_code, error_text(response.text), False)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (ValueError, RecursionError) as error:
            raise ModelCallError(
                "not-ollama", "what answers there is not an Ollama server", "check ollama.api_endpoint"
            ) from error

    async def list_models(self) -> list[ModelInfo]:
        """Return the models there, with the window of those in memory. Raises ModelCallError."""
        listed = (await self._fetch("GET", "/api/tags", _Models)).models or []
        models = [
            ModelInfo(
                name=each.model or each.name,
                digest=each.digest,
                size=each.size,
                parameters=each.details.parameter_size if each.details else "",
                family=each.details.family if each.details else "",
                quantization=each.details.quantization_level if each.details else "",
                window=each.details.context_length if each.details else 0,
                capabilities=tuple(each.capabilities or ()),
                remote=bool(each.remote_host),
            )
            for each in listed
            if each.model or each.name
        ]
        self.models = frozenset(each.name for each in models)
        allocated = await self.allocated(PATIENT_SECONDS) if models else {}
        self.memory = frozenset(allocated)
        return [msgspec.structs.replace(each, allocated=allocated.get(each.name, 0)) for each in models]

    async def allocated(self, within: float = QUICK_SECONDS) -> dict[str, int]:
        """Return name -> the context window really given, of the models in memory; {} if it is not said."""
        try:
            running = (await self._fetch("GET", "/api/ps", _Models, within=within)).models or []
        except ModelCallError:  # an older server, or a stand-in: then nothing is known
            return {}
        return {each.model or each.name: each.context_length for each in running}

    async def window_of(self, model: str) -> int:
        """Return the window the server gave ``model``, asked once and quickly; 0 if it does not say."""
        if model not in self._windows:
            self._windows[model] = (await self.allocated()).get(model, 0)
        return self._windows[model]

    async def show(self, info: ModelInfo) -> ModelInfo:
        """Return ``info`` with the trained window and the capabilities. Raises ModelCallError."""
        shown: _Shown = await self._fetch("POST", "/api/show", _Shown, {"model": info.name})
        window = next(
            (
                value
                for key, value in sorted((shown.model_info or {}).items())
                if key.endswith(".context_length") and isinstance(value, int)
            ),
            info.window,
        )
        details = shown.details or _Details()
        return msgspec.structs.replace(
            info,
            window=window,
            capabilities=tuple(shown.capabilities or info.capabilities),
            parameters=info.parameters or details.parameter_size,
            family=info.family or details.family,
            quantization=info.quantization or details.quantization_level,
        )

    # -- calls -----------------------------------------------------------------------------------
    async def warm(self, model: str, num_ctx: int) -> None:
        """Have ``model`` loaded with this window; returns when it is. Raises ModelCallError.

        Closing the connection before that would stop the load, so the caller waits or cancels.
        """
        self.open()
        try:
            async with asyncio.timeout(self.settings.first_token_seconds):
                await self._client.chat(
                    model=model,
                    messages=[],
                    options={"num_ctx": num_ctx},
                    keep_alive=self.settings.keep_alive,
                )
        except TimeoutError:
            raise ModelCallError("stalled", "the model was not loaded in time") from None
        except Exception as error:
            raise fault_of(error, started=False) from error

    async def stream(self, request: ChatRequest) -> AsyncIterator[Any]:
        """Give the client's own answer records; its errors come as they are."""
        self.open()
        # Plain data in place of the client's Options record, which drops what it does not know.
        stream = await self._client.chat(
            model=request.model,
            messages=[{"role": each.role, "content": each.content} for each in request.messages],
            stream=True,
            think=request.think,
            format=msgspec.json.decode(request.reply_schema) if request.reply_schema else None,
            options={
                "num_ctx": request.num_ctx,
                "num_predict": request.max_tokens,
                "temperature": request.temperature,
                "seed": request.seed,
            },
            keep_alive=self.settings.keep_alive,
        )
        async with aclosing(stream):
            async for part in stream:
                yield part

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return the server's vectors, unchecked. Raises ModelCallError."""
        self.open()
        try:
            async with asyncio.timeout(self.settings.first_token_seconds):
                answer = await self._client.embed(
                    model=model, input=list(texts), truncate=True, keep_alive=self.settings.keep_alive
                )
        except TimeoutError:
            seconds = self.settings.first_token_seconds
            problem = f"the model server made no vectors within {seconds:g} seconds"
            raise ModelCallError("stalled", problem, "raise ollama.first_token_seconds") from None
        except Exception as error:
            raise fault_of(error, started=False) from error
        return [list(vector) for vector in answer.embeddings]

    async def pull(self, model: str) -> AsyncIterator[tuple[str, int, int]]:
        """Give (what, bytes done, bytes in all or 0) while the server fetches ``model``."""
        self.open()
        stream = await self._client.pull(model, stream=True)
        done = False
        async with aclosing(stream):
            while True:
                try:
                    async with asyncio.timeout(self.settings.first_token_seconds):
                        part = await anext(stream)
                except StopAsyncIteration:
                    break
                except TimeoutError:
                    raise ModelCallError("stalled", f"fetching {model} has stalled", "try again") from None
                except Exception as error:
                    fault = fault_of(error, started=True)
                    if fault.kind != "stream-error":
                        raise fault from error
                    reason = fault.problem.partition(": ")[2]
                    problem = f"the server cannot fetch {model!r}: {reason}"
                    raise ModelCallError("unknown-model", problem, "check its name") from error
                done = part.status == "success"
                yield str(part.status or ""), int(part.completed or 0), int(part.total or 0)
        if not done:
            raise ModelCallError("cut-off", f"fetching {model} ended before its end", "try again")
