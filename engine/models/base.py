"""The seam to language models: what a call says, what comes back, and how it can fail."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from engine.errors import ModelUnavailableError
from engine.events import ModelMessage, ModelRef, Term
from engine.ids import canonical, digest

FaultKind: TypeAlias = Literal[
    "refused", "unreachable", "redirected", "not-ollama", "unauthorized", "unknown-model", "rejected",
    "server-error", "busy", "stream-error", "dropped", "stalled", "too-slow", "garbage", "too-long",
    "cut-off", "empty", "only-thoughts", "unloaded", "endless", "window", "given-up", "budget",
]  # fmt: skip


class ModelCallError(ModelUnavailableError):
    """A call that failed, with a plain reason and a mend; ``partial`` is what had arrived by then.

    ``retry`` says that nothing had been answered yet and that asking again may help, ``wait`` after
    how many seconds the server wants to be asked.
    """

    def __init__(
        self,
        kind: FaultKind,
        problem: str,
        mend: str = "",
        *,
        partial: str = "",
        retry: bool = False,
        wait: float = 0.0,
    ) -> None:
        super().__init__(problem, mend)
        self.kind, self.partial, self.retry, self.wait = kind, partial, retry, wait


def quoting(problem: str = "") -> ModelRef:
    """Return the reference of no model: documents are quoted, because of ``problem`` if there is one.

    >>> quoting("nobody listens there").why
    'no model is asked: supported sentences are quoted, because nobody listens there'
    """
    why = "no model is asked: supported sentences are quoted"
    if not problem:
        return ModelRef(provider="extractive", name="", why=why)
    return ModelRef(provider="extractive", name="", why=f"{why}, because {problem}", problem=problem)


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call. ``reply_schema`` is a JSON Schema that the reply must follow, '' for free text."""

    model: str
    messages: tuple[ModelMessage, ...]
    num_ctx: int
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    reply_schema: str = ""
    think: bool = False
    digest: str = ""

    def options(self) -> list[Term]:
        """Return the numbers that go with the call, by the names that Ollama has for them."""
        named = {
            "num_ctx": self.num_ctx,
            "num_predict": self.max_tokens,
            "seed": self.seed,
            "temperature": self.temperature,
        }
        return [Term(name=name, value=float(value)) for name, value in named.items()]

    def key(self) -> str:
        """Return 32 hex digits over all that decides the reply: model, messages, options, schema.

        >>> ask = ChatRequest(model="m", messages=(), num_ctx=4096, max_tokens=64)
        >>> ask.key() == msgspec.structs.replace(ask, num_ctx=8192).key()
        False
        """
        return digest(
            "model-call.v1",
            self.digest or self.model,
            canonical(self.messages),
            canonical(self.options()),
            self.reply_schema,
            str(self.think),
        )


class Piece(msgspec.Struct, frozen=True):
    """A piece of the reply as it arrives, cleaned: of the answer, or of the thoughts before it."""

    text: str
    thinking: bool = False


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The whole reply. Token counts are the server's, 0 where it gave none; seconds are measured here.

    ``read_seconds`` is how long the prompt took to read, without the loading of the model where the
    server tells them apart.
    """

    text: str
    thinking: str = ""
    done_reason: str = "stop"
    prompt_tokens: int = 0
    answer_tokens: int = 0
    window: int = 0
    seconds: float = 0.0
    first_token: float = 0.0
    read_seconds: float = 0.0


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a provider has. Counts are 0 and texts empty where the provider does not say.

    ``window`` is the longest context the model was made for, ``allocated`` that of the copy in
    memory (0 when it is not loaded); ``capabilities`` are Ollama's names, such as completion,
    embedding, thinking, vision, tools.
    """

    name: str
    digest: str = ""
    size: int = 0
    parameters: str = ""
    family: str = ""
    quantization: str = ""
    window: int = 0
    allocated: int = 0
    capabilities: tuple[str, ...] = ()
    remote: bool = False

    @property
    def billions(self) -> float:
        """Return the parameters in billions as the server names them, 0 if it does not.

        >>> ModelInfo(name="m", parameters="134.52M").billions
        0.13452
        """
        number, unit = self.parameters[:-1], self.parameters[-1:].upper()
        scale = {"T": 1000.0, "B": 1.0, "M": 0.001, "K": 1e-6}.get(unit)
        try:
            return 0.0 if scale is None else float(number) * scale
        except ValueError:
            return 0.0

    @property
    def chats(self) -> bool:
        """Return whether it can be asked questions; a guess by name where the server does not say."""
        if self.capabilities:
            return "completion" in self.capabilities
        hints = f"{self.name} {self.family}".lower()
        return not any(word in hints for word in ("embed", "bert", "bge-", "minilm", "rerank"))


def installed(name: str, models: Sequence[ModelInfo]) -> ModelInfo | None:
    """Return the model of this name; ``:latest`` may be left out."""
    by_name = {each.name: each for each in models}
    return by_name.get(name) or by_name.get(f"{name}:latest")


class ChatModel(Protocol):
    """Whatever answers a prompt. Every implementation passes ``tests/models/test_conformance.py``."""

    @property
    def provider(self) -> str:
        """Return the provider's name, such as ``ollama``."""
        ...

    async def available(self) -> list[ModelInfo]:
        """Return the models that can be asked. Raises ModelCallError if there is nobody to ask."""
        ...

    async def capabilities(self, model: str) -> ModelInfo:
        """Return what is known of one model. Raises ModelCallError, ``unknown-model`` if there is none."""
        ...

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece | Reply, None]:
        """Give the reply piece by piece, and last, exactly once, the whole Reply.

        The pieces that are not thoughts make up the reply's text. Raises ModelCallError, which holds
        what had arrived. Closing the generator, or cancelling, stops the model.
        """
        ...

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector of length 1 for each text. Raises ModelCallError, also where none are made."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


async def whole_reply(stream: AsyncGenerator[Piece | Reply, None]) -> Reply:
    """Return the Reply that ``stream`` ends with."""
    from contextlib import aclosing

    async with aclosing(stream):
        async for part in stream:
            if isinstance(part, Reply):
                return part
    raise ModelCallError("cut-off", "the model's answer ended before its end")
