"""Checks 6 and 7: a terminal that takes 8 KB a second, and a run that is stopped."""

import time
from collections.abc import Callable
from pathlib import Path

from stage import QUESTION, App, Line, make_workspace, words_server

SLOW = 8_000
WORDS = 500


def _recorded(root: Path) -> tuple[str, ...]:
    from engine.snapshots.library import SnapshotLibrary

    return tuple(each.id for each in SnapshotLibrary(root / "snapshots").list() if each.state == "complete")


def _run_until_recorded(app: App, root: Path) -> float:
    began = app.ask()
    deadline = began + 120
    while not _recorded(root):
        if time.monotonic() > deadline:
            raise AssertionError(f"no run was recorded; the app shows\n{app.terminal.text()}")
        time.sleep(0.05)
    return time.monotonic() - began


def slow_reader(folder: Path) -> list[Line]:
    """Check 6: the run's end on disk with a quick and a slow terminal; then the slow one's last picture."""
    spent = {}
    for name, rate in (("quick", 0), ("slow", SLOW)):
        with words_server(WORDS) as server:
            root = make_workspace(folder / name, server.url)
            with App(root, rate=rate, nodes=(10.0, 200)) as app:
                app.ready()
                spent[name] = _run_until_recorded(app, root)
                recorded = time.monotonic()
                app.terminal.wait(lambda text: "answered" in text)
                app.terminal.settled(2.0)
                caught_up = time.monotonic() - recorded
                seen, drawn = app.terminal.text(), "\n".join(app.report().screen)
    ratio = spent["slow"] / spent["quick"]
    return [
        Line(
            "6 a run on an 8 KB/s link, until it is on disk",
            "<= 1.1 x a quick link",
            f"{spent['slow']:.1f} s, {ratio:.2f} x",
            ratio <= 1.1,
            f"quick link {spent['quick']:.1f} s",
        ),
        Line(
            "6 the picture afterwards",
            "what the app drew",
            "the same" if seen == drawn else "another",
            seen == drawn,
            f"{caught_up:.0f} s after the run's end, 2 s of rest included",
        ),
    ]


def _until(ready: Callable[[], bool], seconds: float = 30.0) -> float:
    began = time.monotonic()
    while not ready():
        if time.monotonic() - began > seconds:
            return seconds
        time.sleep(0.002)
    return time.monotonic() - began


def cancel(folder: Path) -> list[Line]:
    """Check 7: escape while the model writes, then another question."""
    with words_server(2_000) as server:
        root = make_workspace(folder, server.url)
        with App(root) as app:
            app.ready()
            app.ask()
            app.terminal.wait(lambda text: "word40" in text)
            entry = server.chats[-1]
            app.terminal.type("\x1b")
            gone = _until(lambda: bool(entry["gone"]))
            text = app.terminal.wait(lambda text: "Stopped." in text)
            kept = "word40" in text and "stopped" in text.split("\n")[0]
            app.terminal.settled(1.0, 5.0)
            app.ask(f"{QUESTION} Really")
            app.terminal.wait(lambda text: "word3" in text and "Really" in text)
            next_one = "works"
    return [
        Line(
            "7 stopped until the server sees it",
            "<= 200 ms",
            f"{gone * 1000:.0f} ms",
            gone <= 0.2,
            "it looks once a word, every 20 ms",
        ),
        Line("7 what was written", "stays, marked stopped", "stays" if kept else "is gone", kept),
        Line("7 the next question", "works at once", next_one, True),
    ]
