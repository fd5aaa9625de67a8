"""Each fault is told, as an event of the run, within a second of when it can be known.

Server and client run in this process, so one clock tells when the server did its last thing, or when the
wait for it ended, and when the event came out of the engine. What this process was kept waiting for the
processor in between is no fault of the program: a thread that only sleeps measures it, and that is allowed
on top.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asking import DOCUMENTS, QUESTION
from loopback import Loopback

from engine import events as ev
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace

SECOND = 1.0
NAP = 0.01
NOTICED = 0.05
"""A nap that is longer by less is Python changing threads: the program's own work, which is not excused."""
PATIENT = {"first_token_seconds": 90.0, "stall_seconds": 90.0, "total_seconds": 90.0}
FAULTS = [
    ("400", "rejected"),
    ("404", "unknown-model"),
    ("500", "server-error"),
    ("503", "busy"),
    ("error-line", "stream-error"),
    ("drop", "dropped"),
    ("reset", "dropped"),
    ("garbage", "garbage"),
    ("huge", "too-long"),
    ("empty-length", "empty"),
    ("thoughts", "only-thoughts"),
    ("unloaded", "unloaded"),
    ("not-ollama", "not-ollama"),
    ("no-done", "cut-off"),
]
Found = Callable[[ev.Event], bool]


class Naps:
    """Sleeps a hundredth of a second at a time, and keeps by how much each nap was longer than that."""

    def __enter__(self) -> "Naps":
        self.late: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._nap, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(5)

    def _nap(self) -> None:
        while not self._over.is_set():
            before = time.monotonic()
            time.sleep(NAP)
            late = time.monotonic() - before - NAP
            if late > NOTICED:
                self.late.append((before, late))

    def kept_waiting(self, since: float) -> float:
        """Return the seconds for which the machine was busy with others."""
        return sum(late for before, late in self.late if before + late + NAP > since)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace; one question was answered by a model, so that nothing has to be imported any more."""
    folder = tmp_path_factory.mktemp("prompt")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    place = folder / "workspace"
    with Engine.open(Workspace.open(place)) as engine:
        engine.index([folder / name for name in DOCUMENTS])
    with Loopback() as server:
        when_told(place, [server.url], lambda event: isinstance(event, ev.QueryFinished))
    return place


def when_told(place: Path, urls: list[str], found: Found, **more: object) -> tuple[ev.Event, float, Naps]:
    """Ask, and return the event that was looked for, when it came, and what the machine did meanwhile."""
    settings = {"api_endpoint": urls, "max_experts": 1, **PATIENT, **more}
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (place / "configs" / "ollama.toml").write_text("\n".join(lines) + "\n")
    with Naps() as naps, Engine.open(Workspace.open(place)) as engine:
        for event in engine.ask_sync(QUESTION, AskOptions(learn=False)):
            if found(event):
                return event, time.monotonic(), naps
    raise AssertionError("it was never told")


def failed(event: ev.Event) -> bool:
    return isinstance(event, ev.ModelFailed)


def struck(server: Loopback) -> float:
    """Return when the server did its last thing of a call."""
    return float(max(when for chat in server.chats for when in chat["struck"]))


def assert_prompt(since: float, seen: float, naps: Naps) -> None:
    allowed = SECOND + naps.kept_waiting(since)
    assert seen - since <= allowed, f"told after {seen - since:.2f} s, allowed are {allowed:.2f}"


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_fault_is_told_within_a_second_of_showing(place: Path, fault: str, kind: str) -> None:
    with Loopback(fault) as server:
        event, seen, naps = when_told(place, [server.url], failed)
    assert isinstance(event, ev.ModelFailed)
    assert event.kind == kind
    assert_prompt(struck(server), seen, naps)


@pytest.mark.parametrize(
    ("fault", "name", "seconds", "partial"),
    [("silent", "first_token_seconds", 1.5, ""), ("stall", "stall_seconds", 0.7, "- The Helio")],
)
def test_silence_is_told_within_a_second_of_the_end_of_the_wait(
    place: Path, fault: str, name: str, seconds: float, partial: str
) -> None:
    with Loopback(fault) as server:
        event, seen, naps = when_told(place, [server.url], failed, **{name: seconds})
    assert isinstance(event, ev.ModelFailed)
    assert event.kind == "stalled"
    assert event.partial.strip() == partial
    assert_prompt(struck(server) + seconds, seen, naps)


def test_escape_sequences_are_shown_as_marks_within_a_second(place: Path) -> None:
    def marked(event: ev.Event) -> bool:
        return isinstance(event, ev.Token) and "\N{SYMBOL FOR ESCAPE}" in event.text

    with Loopback("escapes", after=3) as server:
        _, seen, naps = when_told(place, [server.url], marked)
        sent = server.chats[0]["struck"][4]  # the request came, three words went, then this
    assert_prompt(sent, seen, naps)


def test_a_fault_of_an_expert_whose_turn_has_not_come_is_told_within_a_second(place: Path) -> None:
    with Loopback(delay=0.4) as slow, Loopback("drop") as server:
        event, seen, naps = when_told(
            place,
            [slow.url, server.url],
            lambda e: isinstance(e, ev.FaultSeen | ev.ModelFailed),
            max_experts=2,
        )
    assert isinstance(event, ev.FaultSeen), "the slow server was not asked first"
    assert (event.call.partition(".")[0], event.mend) == ("claims", "ask again")
    assert_prompt(struck(server), seen, naps)


def begun(event: ev.Event) -> bool:
    return isinstance(event, ev.QueryStarted)


def until_begun(place: Path, url: str) -> float:
    """Return how long a question takes to begin with a server that is well: what is no fault's doing."""
    since = time.monotonic()
    _, seen, _ = when_told(place, [url], begun)
    return seen - since


@pytest.mark.parametrize("case", ["refused", "no such name", "two of three"])
def test_a_server_that_cannot_be_reached_is_told_within_a_second(place: Path, case: str) -> None:
    with socket.socket() as one, socket.socket() as two, Loopback() as server:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))  # and does not listen
        dead = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]
        floor = until_begun(place, server.url)
        urls = {"refused": dead[:1], "no such name": ["http://no-such-host.invalid:1"]}.get(
            case, [*dead, server.url]
        )
        if case == "no such name":
            asked = time.monotonic()
            with pytest.raises(socket.gaierror):
                socket.getaddrinfo("no-such-host.invalid", 1)
            floor += time.monotonic() - asked
        since = time.monotonic()
        event, seen, naps = when_told(place, urls, begun)
    assert isinstance(event, ev.QueryStarted)
    said = {"refused": "no model server is listening", "no such name": "cannot be resolved"}
    if case == "two of three":
        assert "servers 1 and 2 of 3 do not answer" in event.model.why
    else:
        assert said[case] in str(event.model.problem)
    assert_prompt(since + floor, seen, naps)
