"""What is sent, to which server, how many at a time; and what never leaves."""

import asyncio
from typing import Any

import pytest
from loopback import CHAT_MODEL, Loopback
from model_calls import collect, quick, request, with_model

from engine.config import OllamaSettings
from engine.errors import ConfigError, ModelUnavailableError
from engine.models.base import ModelInfo
from engine.models.choose import choose_model, endpoints_of, window_for
from engine.models.endpoint import Endpoint
from engine.models.hosts import normalise_host
from engine.models.ollama import OllamaModel
from engine.models.pool import EndpointPool


def test_every_call_sends_the_window_and_what_decides_the_answer() -> None:
    schema = '{"type":"object"}'
    with Loopback() as server:
        asked = request(num_ctx=2048, max_tokens=77, seed=5, reply_schema=schema)
        with_model(lambda model: collect(model, asked), server.url)
        (call,) = server.chats
    assert call["body"]["options"] == {"num_ctx": 2048, "num_predict": 77, "temperature": 0.0, "seed": 5}
    assert call["body"]["think"] is False
    assert call["body"]["keep_alive"] == "10m"
    assert call["body"]["format"] == {"type": "object"}
    assert call["body"]["stream"] is True


def test_the_reply_tells_the_window_the_server_really_gave() -> None:
    with Loopback() as server:
        server.loaded["tiny:1b"] = 1024
        _, reply = with_model(lambda model: collect(model, request()), server.url)
    assert reply.window == 1024


def chat_all(*urls: str, models: list[str], settings: OllamaSettings | None = None) -> None:
    async def work(model: OllamaModel) -> None:
        await asyncio.gather(*(collect(model, request(model=name)) for name in models))

    with_model(work, *urls, settings=settings)


def test_calls_are_spread_over_servers_and_bounded_at_each() -> None:
    with Loopback(delay=0.02) as one, Loopback(delay=0.02) as two:
        chat_all(one.url, two.url, models=["tiny:1b"] * 6)
    assert (len(one.chats), len(two.chats)) == (3, 3)
    assert (one.most_at_once, two.most_at_once) == (1, 1)


def test_who_gives_up_waiting_takes_no_place_from_the_others() -> None:
    async def run() -> list[str]:
        pool = EndpointPool([Endpoint("http://127.0.0.1:1", quick())], 1)
        served: list[str] = []
        go_on = asyncio.Event()

        async def call(name: str) -> None:
            async with pool.lease("m"):
                await go_on.wait()
                served.append(name)

        first, second, third = (asyncio.create_task(call(name)) for name in ("1", "2", "3"))
        await asyncio.sleep(0)
        go_on.set()
        second.cancel()  # in the very turn in which the first one's place becomes free
        await asyncio.gather(first, third)
        assert second.done()
        return served

    assert asyncio.run(asyncio.wait_for(run(), 5)) == ["1", "3"]


def test_more_calls_at_a_time_only_if_they_are_allowed() -> None:
    with Loopback(delay=0.05) as server:
        chat_all(server.url, models=["tiny:1b"] * 4, settings=quick(parallel=2))
    assert server.most_at_once == 2


def test_calls_of_one_model_go_together_so_that_weights_stay_loaded() -> None:
    other = {**CHAT_MODEL, "name": "other:1b", "model": "other:1b"}
    with Loopback(models=[CHAT_MODEL, other]) as server:
        chat_all(server.url, models=["tiny:1b", "other:1b"] * 3)
    names = [call["body"]["model"] for call in server.chats]
    assert names == ["tiny:1b"] * 3 + ["other:1b"] * 3


def test_a_call_goes_to_the_server_that_has_the_model_in_memory() -> None:
    with Loopback() as cold, Loopback() as warm:
        warm.loaded["tiny:1b"] = 4096

        async def work(model: OllamaModel) -> None:
            await model.available()
            await model.warm("tiny:1b", 4096)
            await collect(model, request())

        with_model(work, cold.url, warm.url)
    assert (len(cold.chats), len(warm.chats)) == (0, 1)
    assert not cold.loads, "it was loaded where it is not needed"


def test_what_was_listed_is_not_asked_for_again() -> None:
    with Loopback(models=[{**CHAT_MODEL, "capabilities": []}]) as server:
        chosen(server)
    assert [call["path"] for call in server.log] == ["/api/tags", "/api/ps", "/api/show"]


def test_a_call_goes_only_to_a_server_that_has_the_model() -> None:
    other = {**CHAT_MODEL, "name": "other:1b", "model": "other:1b"}
    with Loopback(models=[CHAT_MODEL]) as one, Loopback(models=[other]) as two:

        async def work(model: OllamaModel) -> None:
            await model.available()
            await collect(model, request(model="other:1b"))

        with_model(work, one.url, two.url)
    assert (len(one.chats), len(two.chats)) == (0, 1)


def test_a_key_goes_to_this_machine_but_never_in_the_clear_to_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-CANARY")
    with Loopback() as server:
        with_model(lambda model: collect(model, request()), server.url)
        assert "sk-CANARY" in server.chats[0]["head"]
        # A name for this machine that is not known to be one stands for a machine elsewhere.
        monkeypatch.setattr("engine.models.wire.is_loopback", lambda url: False)
        with_model(lambda model: collect(model, request()), server.url)
        with_model(lambda model: model.available(), server.url)
    assert len(server.log) > 3
    for entry in server.log[2:]:
        assert "sk-CANARY" not in entry["head"]


def test_no_proxy_of_the_environment_comes_between_here_and_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Loopback() as server:
        with_model(lambda model: collect(model, request()), server.url)
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":5000", "http://127.0.0.1:5000"),
        ("example.com:5000", "http://example.com:5000"),
        ("http://example.com", "http://example.com:80"),
        ("https://example.com", "https://example.com:443"),
        ("HTTPS://Example.com:8/a/b/", "https://example.com:8/a/b"),
        ("example.com/ollama", "http://example.com:11434/ollama"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("[::]:7", "http://[::1]:7"),
        ("  'gpu-box'  ", "http://gpu-box:11434"),
        ("::ffff:1.2.3.4", "http://1.2.3.4:11434"),
    ],
)
def test_an_address_may_be_written_as_ollama_allows_it(written: str, meant: str) -> None:
    assert normalise_host(written) == meant
    assert normalise_host(meant) == meant


@pytest.mark.parametrize(
    "written",
    [
        "file:///etc/passwd",
        "gopher://a",
        "http://user:pw@host",
        "user@host",
        "http://169.254.169.254/latest",
        "[::ffff:169.254.169.254]",
        "fe80::1",
        "2130706433",
        "0x7f.1",
        "http://a:99999",
        "http://a:x",
        "a b",
        "http://a/b?c",
        "http://a/b#c",
        "http://a\nb",
        "[::1",
        "224.0.0.1",
    ],
)
def test_an_address_that_should_not_be_asked_is_refused(written: str) -> None:
    with pytest.raises(ConfigError) as found:
        normalise_host(written)
    assert "pw" not in str(found.value)


def test_ollama_host_counts_where_the_setting_was_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "gpu-box:5000")
    assert endpoints_of(OllamaSettings()) == ("http://gpu-box:5000",)
    assert endpoints_of(OllamaSettings(api_endpoint="http://a:1")) == ("http://a:1",)


def chosen(server: Loopback, model: str = "", **settings: Any) -> Any:
    async def run() -> Any:
        choice = await choose_model(quick(api_endpoint=server.url, **settings), model=model)
        if choice.chat is not None:
            await choice.chat.aclose()
        return choice

    return asyncio.run(run())


def test_the_first_chat_model_is_picked_or_the_one_that_is_loaded() -> None:
    embedder = {**CHAT_MODEL, "name": "e", "model": "e", "capabilities": ["embedding"]}
    two, three = ({**CHAT_MODEL, "name": name, "model": name} for name in ("two", "three"))
    remote = {**CHAT_MODEL, "name": "cloud", "model": "cloud", "remote_host": "https://elsewhere"}
    with Loopback(models=[embedder, remote, two, three]) as server:
        first = chosen(server).ref
        server.loaded["three"] = 5000
        loaded = chosen(server).ref
    assert (first.name, first.why) == ("two", "the first chat model that the server lists")
    assert (loaded.name, loaded.why, loaded.context) == ("three", "it is loaded already", 5000)


def test_auto_quotes_and_says_why_where_there_is_no_model_to_use() -> None:
    with Loopback(models=[]) as server:
        choice = chosen(server)
    assert choice.chat is None
    assert choice.ref.provider == "extractive"
    assert "no chat model" in choice.ref.why
    choice = chosen(server)  # the server is gone now
    assert "no model server is listening" in choice.ref.why
    assert "127.0.0.1" not in choice.ref.why


def test_a_model_that_was_named_must_be_there() -> None:
    with Loopback() as server:
        with pytest.raises(ModelUnavailableError, match=r"nearest is 'tiny:1b'"):
            chosen(server, model="tinny:1b")
        with pytest.raises(ModelUnavailableError, match=r"cannot chat"):
            chosen(server, model="embedder")
        with pytest.raises(ModelUnavailableError):
            chosen(server, provider="ollama", model_name="absent")
        assert "'absent' is not installed" in chosen(server, model_name="absent").ref.why
        assert chosen(server, model="tiny:1b", provider="extractive").ref.name == "tiny:1b"


def test_the_window_is_never_more_than_the_model_was_made_for() -> None:
    model = ModelInfo(name="m", window=8192)
    assert window_for(100_000, model, 0) == 8192
    assert window_for(0, model, 0) == 4096
    assert window_for(0, model, 64 << 30) == 8192
    assert window_for(0, ModelInfo(name="m", window=131_072, allocated=131_072), 0) == 4096
