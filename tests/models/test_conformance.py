"""What every provider promises, shown on each: ollama, recorded, replayed, extractive."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from loopback import Loopback
from model_calls import collect, quick, request

from engine.cleaning import clean
from engine.errors import PersonaMoeError
from engine.models.base import ChatModel, ChatRequest, ModelCallError, Piece, Reply, whole_reply
from engine.models.extractive import NAME, ExtractiveModel
from engine.models.ollama import OllamaModel
from engine.models.transcript import RecordedModel, ReplayedModel

T = TypeVar("T")
Make = Callable[[], ChatModel]


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture(params=["ollama", "recorded", "replayed", "extractive"])
def provider(request: pytest.FixtureRequest, server: Loopback) -> tuple[Make, str]:
    """Return how to make a model of the provider, and the name it has for it."""
    live = lambda: OllamaModel(quick(), [server.url])  # noqa: E731
    if request.param == "ollama":
        return live, "tiny:1b"
    if request.param == "recorded":
        return lambda: RecordedModel(live()), "tiny:1b"
    if request.param == "extractive":
        return ExtractiveModel, NAME

    async def record() -> list[Any]:
        recorded = RecordedModel(live())
        await collect(recorded, asked("tiny:1b"))
        await recorded.aclose()
        return recorded.exchanges

    exchanges = asyncio.run(record())
    return lambda: ReplayedModel(exchanges), "tiny:1b"


def asked(name: str) -> ChatRequest:
    return request(model=name)


def use(make: Make, work: Callable[[ChatModel], Any]) -> Any:
    async def run() -> Any:
        model = make()
        try:
            return await work(model)
        finally:
            await model.aclose()

    return asyncio.run(run())


def test_it_names_itself_and_the_models_it_has(provider: tuple[Make, str]) -> None:
    make, name = provider
    assert make().provider
    models = use(make, lambda model: model.available())
    assert name in {each.name for each in models}
    assert use(make, lambda model: model.capabilities(name)).chats


def test_an_unknown_model_is_told(provider: tuple[Make, str]) -> None:
    make, _ = provider
    with pytest.raises(ModelCallError) as found:
        use(make, lambda model: model.capabilities("no-such-model"))
    assert found.value.kind == "unknown-model"
    assert found.value.exit_code == 3


def test_pieces_make_up_the_reply_which_comes_last_and_once(provider: tuple[Make, str]) -> None:
    make, name = provider

    async def all_parts(model: ChatModel) -> list[Piece | Reply]:
        return [part async for part in model.chat(asked(name))]

    parts = use(make, all_parts)
    assert [isinstance(part, Reply) for part in parts] == [False] * (len(parts) - 1) + [True]
    reply = parts[-1]
    assert "".join(p.text for p in parts[:-1] if not p.thinking) == reply.text
    assert "Karl was born in 1804" in reply.text
    assert clean(reply.text) == reply.text
    assert reply.prompt_tokens > 0
    assert reply.answer_tokens > 0


def test_the_same_call_has_the_same_answer(provider: tuple[Make, str]) -> None:
    make, name = provider

    async def twice(model: ChatModel) -> list[str]:
        return [(await whole_reply(model.chat(asked(name)))).text for _ in range(2)]

    first, second = use(make, twice)
    assert first == second


def test_an_answer_may_be_left_half_way(provider: tuple[Make, str]) -> None:
    make, name = provider

    async def leave(model: ChatModel) -> str:
        stream = model.chat(asked(name))
        await anext(stream)
        await stream.aclose()
        return (await whole_reply(model.chat(asked(name)))).text

    assert "1804" in use(make, leave)


def test_a_call_it_cannot_answer_is_an_error_of_one_clean_line(provider: tuple[Make, str]) -> None:
    make, _ = provider
    with pytest.raises(PersonaMoeError) as found:
        use(make, lambda model: collect(model, request(model="no-such-model")))
    assert str(found.value)
    assert clean(str(found.value)) == str(found.value)
    assert "\n" not in str(found.value)


def test_vectors_have_length_1_or_there_are_none(provider: tuple[Make, str]) -> None:
    make, _ = provider

    async def embed(model: ChatModel) -> list[list[float]]:
        return await model.embed("embedder:latest", ["one", "three"])

    if isinstance(make(), ReplayedModel | ExtractiveModel):
        with pytest.raises(ModelCallError) as found:
            use(make, embed)
        assert found.value.kind == "rejected"
        return
    vectors = use(make, embed)
    assert [len(vector) for vector in vectors] == [3, 3]
    assert all(abs(sum(value * value for value in vector) - 1) < 1e-9 for vector in vectors)


def test_closing_twice_does_no_harm(provider: tuple[Make, str]) -> None:
    make, _ = provider

    async def close(model: ChatModel) -> None:
        await model.aclose()

    use(make, close)
