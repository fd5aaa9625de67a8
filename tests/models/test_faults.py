"""Every way a model server can fail: told within a second of showing, in plain words, partial text kept."""

import asyncio
import socket
import time
from typing import Any

import pytest
from loopback import CHAT_MODEL, Loopback
from model_calls import collect, quick, request, with_model

from engine.cleaning import clean
from engine.models.base import ModelCallError

BEFORE = [
    ("400", "rejected", "invalid options"),
    ("401", "unauthorized", "401"),
    ("404", "unknown-model", "nearest is 'tiny:1b'"),
    ("500", "server-error", "process has terminated"),
    ("html", "server-error", "500"),
    ("window", "window", "exceeds the available context size"),
    ("not-ollama", "not-ollama", "not an Ollama server"),
    ("redirect", "redirected", "not followed"),
    ("gzip", "garbage", "compressed"),
    ("empty", "empty", "'stop'"),
    ("empty-length", "empty", "max_tokens"),
    ("thoughts", "only-thoughts", "use_thinking"),
]
MIDWAY = [
    ("error-line", "stream-error", "running the model"),
    ("error-text", "garbage", "cannot be read"),
    ("error-object", "garbage", "cannot be read"),
    ("error-number", "garbage", "cannot be read"),
    ("garbage", "garbage", "cannot be read"),
    ("half-line", "garbage", "cannot be read"),
    ("list", "garbage", "cannot be read"),
    ("null", "garbage", "cannot be read"),
    ("types", "garbage", "cannot be read"),
    ("deep", "garbage", "cannot be read (a line of it is "),
    ("huge", "too-long", "1 MB"),
    ("drop", "dropped", "in the middle"),
    ("no-done", "cut-off", "before its end"),
    ("stall", "stalled", "0.8 seconds"),
]


PATIENT: dict[str, Any] = {"first_token_seconds": 90.0, "stall_seconds": 90.0, "total_seconds": 90.0}
FOUND = 45.0
"""Half of every wait: a fault that shows at once is found long before, on the busiest machine, too."""


def failed(server: Loopback, **more: object) -> tuple[ModelCallError, float]:
    """Return the error of one call, and how long it took to come."""

    async def call(model: object) -> ModelCallError:
        with pytest.raises(ModelCallError) as found:
            await collect(model, request())
        return found.value

    began = time.monotonic()
    error = with_model(call, server.url, settings=quick(**more))
    return error, time.monotonic() - began


@pytest.mark.parametrize(("fault", "kind", "said"), BEFORE)
def test_a_fault_before_the_first_token(fault: str, kind: str, said: str) -> None:
    with Loopback(fault) as server:
        error, seconds = failed(server, **PATIENT)
    assert seconds < FOUND, "it was found by waiting"
    assert error.kind == kind
    assert said in str(error)
    assert clean(str(error)) == str(error)
    assert error.partial == ""
    assert len(server.chats) == 1, "a call that cannot go better was made again"


@pytest.mark.parametrize(("fault", "kind", "said"), MIDWAY)
def test_a_fault_in_mid_answer_keeps_what_had_come(fault: str, kind: str, said: str) -> None:
    with Loopback(fault, after=3) as server:
        error, seconds = failed(server, **PATIENT | ({"stall_seconds": 0.8} if fault == "stall" else {}))
    assert error.kind == kind
    assert said in str(error)
    assert error.partial.split() == ["-", "Karl", "was"] or fault == "no-done"
    assert error.partial
    assert seconds < FOUND, "it was found by waiting"
    assert len(server.chats) == 1, "an answer that had begun was asked for again"


@pytest.mark.parametrize("fault", ["503", "429", "reset", "unloaded"])
def test_what_may_pass_is_tried_again_and_passes(fault: str) -> None:
    with Loopback(fault, faulty=1) as server:
        pieces, reply = with_model(lambda model: collect(model, request()), server.url)
    assert "1804" in reply.text
    assert len(server.chats) == 2
    assert "".join(piece.text for piece in pieces) == reply.text


@pytest.mark.parametrize(("fault", "kind"), [("503", "busy"), ("reset", "dropped"), ("unloaded", "unloaded")])
def test_what_does_not_pass_is_given_up_after_two_more_tries(fault: str, kind: str) -> None:
    with Loopback(fault) as server:
        error, seconds = failed(server)
    assert error.kind == kind
    assert len(server.chats) == 3
    assert 0.7 < seconds < 6.0


@pytest.mark.parametrize("fault", ["silent", "drip"])
def test_a_server_that_never_begins_is_left_in_time(fault: str) -> None:
    with Loopback(fault) as server:
        error, seconds = failed(server, first_token_seconds=0.5)
    assert error.kind == "stalled"
    assert "had not begun" in str(error)
    assert 0.4 < seconds < 4.0


def test_an_answer_that_never_ends_is_cut_and_the_server_stops() -> None:
    with Loopback("endless", after=1) as server:
        error, _ = failed(server)
        deadline = time.monotonic() + 5
        while not server.chats[0]["gone"] and time.monotonic() < deadline:
            time.sleep(0.02)
    assert error.kind == "endless"
    assert 100 < len(error.partial) <= 200 * 16
    assert server.chats[0]["gone"]


def test_a_model_that_goes_in_circles_is_stopped_and_what_it_said_is_used() -> None:
    circle = "It was the gate that asked about the gate that was. " * 60
    with Loopback(reply=lambda body: circle) as server:
        pieces, reply = with_model(lambda model: collect(model, request()), server.url)
    assert reply.done_reason == "repeats"
    assert len(reply.text) < len(circle) / 4
    assert "".join(piece.text for piece in pieces) == reply.text


def test_the_time_of_one_call_is_bounded_whatever_trickles() -> None:
    with Loopback(delay=0.2, reply=lambda body: "word " * 100) as server:
        error, seconds = failed(server, total_seconds=0.9)
    assert error.kind == "too-slow"
    assert error.partial.startswith("word word")
    assert seconds < 4.0


def test_a_refused_connection_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

        async def call(model: object) -> None:
            await collect(model, request())

        began = time.monotonic()
        with pytest.raises(ModelCallError) as found:
            with_model(call, url)
    assert found.value.kind == "refused"
    assert "ollama serve" in found.value.mend
    assert time.monotonic() - began < 4.0


def test_a_name_that_does_not_resolve_is_told() -> None:
    async def call(model: object) -> None:
        await collect(model, request())

    with pytest.raises(ModelCallError) as found:
        with_model(call, "http://no-such-host.invalid:1")
    assert found.value.kind == "unreachable"
    assert "name" in found.value.problem


def test_two_of_three_servers_are_down() -> None:
    with socket.socket() as one, socket.socket() as two, Loopback() as server:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]

        async def call(model: object) -> list[str]:
            replies = await asyncio.gather(*(collect(model, request()) for _ in range(3)))
            return [reply.text for _, reply in replies]

        texts = with_model(call, *urls, server.url)
    assert len(set(texts)) == 1
    assert len(server.chats) == 3


def test_a_model_that_is_not_there_names_the_nearest() -> None:
    async def call(model: object) -> None:
        await collect(model, request(model="tiny"))

    with Loopback() as server, pytest.raises(ModelCallError, match=r"'tiny' is not installed.*'tiny:1b'"):
        with_model(call, server.url)


def test_what_acts_on_a_terminal_arrives_as_visible_marks() -> None:
    with Loopback("escapes") as server:
        pieces, reply = with_model(lambda model: collect(model, request()), server.url)
    assert "␛]52;c;aGk=␇" in reply.text
    assert clean(reply.text) == reply.text
    assert "".join(piece.text for piece in pieces) == reply.text


def test_a_character_split_over_two_pieces_is_one_character() -> None:
    with Loopback("surrogates") as server:
        _, reply = with_model(lambda model: collect(model, request()), server.url)
    assert "😀" in reply.text


def test_blank_lines_that_a_proxy_sends_to_keep_a_connection_alive_are_no_fault() -> None:
    with Loopback("blank-lines") as server:
        pieces, reply = with_model(lambda model: collect(model, request()), server.url)
    assert "1804" in reply.text
    assert "".join(piece.text for piece in pieces) == reply.text


def test_a_server_that_stalled_in_mid_answer_gets_no_more_calls() -> None:
    with Loopback("stall") as ill, Loopback() as well:

        async def call(model: object) -> str:
            with pytest.raises(ModelCallError) as found:
                await collect(model, request())
            assert found.value.kind == "stalled"
            return (await collect(model, request()))[1].text

        text = with_model(call, ill.url, well.url, settings=quick(stall_seconds=0.6))
    assert "1804" in text
    assert (len(ill.chats), len(well.chats)) == (1, 1)


def test_a_server_that_does_not_say_what_is_in_memory_costs_no_more_than_three_seconds() -> None:
    with Loopback("silent-ps") as server:
        began = time.monotonic()
        listed = with_model(lambda model: model.available(), server.url, settings=quick(connect_seconds=9.0))
    assert [each.name for each in listed] == ["tiny:1b", "embedder:latest"]
    assert time.monotonic() - began < 6.0


def test_text_after_the_end_is_not_read() -> None:
    with Loopback("after-done") as server:
        _, reply = with_model(lambda model: collect(model, request()), server.url)
    assert "more" not in reply.text


def test_thoughts_are_kept_apart() -> None:
    with Loopback("thinking") as server:
        pieces, reply = with_model(lambda model: collect(model, request(think=True)), server.url)
    assert reply.thinking == "Let me see. "
    assert "Let me see" not in reply.text
    assert [piece.thinking for piece in pieces][:2] == [True, False]
    assert server.chats[0]["body"]["think"] is True


@pytest.mark.parametrize(("fault", "sent"), [("silent", 0), ("stall", 3)])
def test_cancelling_closes_the_connection_before_and_after_the_first_token(fault: str, sent: int) -> None:
    with Loopback(fault) as server:

        async def call(model: object) -> float:
            task = asyncio.create_task(collect(model, request()))
            while not server.chats or server.chats[0]["sent"] < sent:
                await asyncio.sleep(0.01)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while not server.chats[0]["gone"]:
                await asyncio.sleep(0.01)
                assert time.monotonic() - began < 1.0
            return time.monotonic() - began

        waits = quick(first_token_seconds=30.0, stall_seconds=30.0, total_seconds=60.0)
        assert with_model(call, server.url, settings=waits) < 1.0


def test_leaving_the_answer_half_way_stops_the_server() -> None:
    with Loopback("endless", after=1) as server:

        async def call(model: object) -> None:
            stream = model.chat(request())  # type: ignore[attr-defined]
            await anext(stream)
            await stream.aclose()
            began = time.monotonic()
            while not server.chats[0]["gone"]:
                await asyncio.sleep(0.01)
                assert time.monotonic() - began < 1.0

        with_model(call, server.url)


def test_a_pull_tells_how_far_it_is_and_why_it_fails() -> None:
    async def fetch(model: object, name: str) -> list[tuple[str, int, int]]:
        return [step async for step in model.pull(name)]  # type: ignore[attr-defined]

    with Loopback(models=[CHAT_MODEL]) as server:
        steps = with_model(lambda model: fetch(model, "new:1b"), server.url)
        assert steps[-1][0] == "success"
        assert ("pulling abc", 4_000_000, 4_000_000) in steps
        with pytest.raises(ModelCallError, match=r"cannot fetch 'missing'.*file does not exist"):
            with_model(lambda model: fetch(model, "missing"), server.url)


@pytest.mark.parametrize("fault", ["nan", "short", "few", "zero"])
def test_vectors_that_are_none_are_refused(fault: str) -> None:
    with Loopback(fault) as server, pytest.raises(ModelCallError) as found:
        with_model(lambda model: model.embed("embedder:latest", ["one", "two"]), server.url)
    assert found.value.kind == "garbage"
