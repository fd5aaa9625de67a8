"""In real terminals, a pty always and tmux where it is: start, ask, cite, replay, leave; signals, sizes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from pty_terminal import PtyTerminal
from tui_samples import QUESTION

from engine.events import Event
from engine.workspace import Workspace

SECONDS = 90.0
"""How long a busy machine may take for one step; a test waits for what it looks for, and no longer."""


class Terminal(Protocol):
    """What both kinds of terminal can do."""

    def type(self, text: str) -> object: ...
    def press(self, *keys: str) -> None: ...
    def wait(self, ready: Callable[[str], bool], seconds: float = SECONDS) -> str: ...
    def kill(self, number: int) -> None: ...
    def code(self) -> int: ...
    def end(self) -> None: ...


class Pty(PtyTerminal):
    """The app on a pty."""

    def __init__(self, arguments: list[str], size: tuple[int, int] = (80, 24)) -> None:
        super().__init__([sys.executable, "-m", "tui", *arguments], size=size)

    def wait(self, ready: Callable[[str], bool], seconds: float = SECONDS) -> str:
        return super().wait(ready, seconds)

    def code(self) -> int:
        return self.wait_ended(SECONDS)


class Tmux:
    """One tmux server with one window, in which the app runs."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self._socket = folder / "tmux"
        self._pid_file = folder / "pid"
        command = (
            f"sh -c 'echo $$ > {self._pid_file}; exec {sys.executable} -m tui.cli {' '.join(arguments)}'; "
            "code=$?; echo; echo ended $code; sleep 60"
        )
        environment = {k: v for k, v in os.environ.items() if k not in {"TMUX", "COLORTERM"}}
        environment |= {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command, env=environment)

    def _tmux(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *arguments],
            env=env,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        names = {"enter": "Enter", "escape": "Escape"}
        for key in keys:
            self._tmux("send-keys", names.get(key, key))
            time.sleep(0.3 if key == "escape" else 0.1)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def modes(self) -> str:
        return self._tmux("display-message", "-p", "#{alternate_on}#{mouse_any_flag}#{cursor_flag}").strip()

    def wait(self, ready: Callable[[str], bool], seconds: float = SECONDS) -> str:
        deadline = time.monotonic() + seconds
        while not ready(text := self._tmux("capture-pane", "-p")):
            assert time.monotonic() < deadline, text
            time.sleep(0.1)
        return text

    def kill(self, number: int) -> None:
        os.kill(int(self._pid_file.read_text()), number)

    def code(self) -> int:
        return int(self.wait(lambda text: "ended" in text).split("ended ")[1].split()[0])

    def end(self) -> None:
        self._tmux("kill-server")


@pytest.fixture(params=["pty", "tmux"])
def terminal(
    request: pytest.FixtureRequest, workspace: Workspace, run_events: list[Event], tmp_path: Path
) -> Iterator[Terminal]:
    if request.param == "tmux" and shutil.which("tmux") is None:
        pytest.skip("tmux is not installed; the pty stands in for it")
    arguments = ["--workspace", str(workspace.root)]
    made: Terminal = Tmux(tmp_path, arguments) if request.param == "tmux" else Pty(arguments)
    yield made
    made.end()


def left_on(terminal: Terminal) -> object:
    """Return the modes the app left the terminal in, nothing if they are as before."""
    if isinstance(terminal, Tmux):
        return "" if terminal.modes() == "001" else terminal.modes()
    assert isinstance(terminal, Pty)
    return terminal.left_on() or ("" if terminal.is_as_it_was() else "raw")


def is_ready(text: str) -> bool:
    return "3 documents" in text or "passages" in text


def test_ask_cite_replay_and_leave(terminal: Terminal) -> None:
    terminal.wait(is_ready)
    terminal.type(QUESTION)
    terminal.wait(lambda text: QUESTION in text)
    terminal.press("enter")
    terminal.wait(lambda text: "answered" in text and "[1]" in text)
    terminal.press("escape")
    terminal.wait(lambda text: "Citations" in text)
    terminal.press("c")
    terminal.wait(lambda text: "designed by Mara Voss" in text and "Close" in text)
    terminal.press("escape")
    terminal.wait(lambda text: "Citations" in text)
    terminal.press("r")
    terminal.wait(lambda text: "enter replays one" in text)
    terminal.press("enter")
    terminal.wait(lambda text: "REPLAY" in text)
    terminal.press("$")
    terminal.wait(lambda text: "REPLAY done" in text)
    terminal.press("5")
    terminal.wait(lambda text: "[5 Timeline]" in text)
    terminal.press("G")
    terminal.wait(lambda text: "finished: answered" in text)
    terminal.press("escape")
    terminal.wait(lambda text: "REPLAY" not in text)
    terminal.press("q")
    assert terminal.code() == 0
    assert not left_on(terminal)


def test_sigterm_leaves_a_sane_terminal(terminal: Terminal) -> None:
    terminal.wait(is_ready)
    assert left_on(terminal), "a terminal that the app changed nothing of proves nothing"
    terminal.kill(signal.SIGTERM)
    assert terminal.code() == 143
    assert not left_on(terminal)


def test_a_hangup_ends_the_app(workspace: Workspace) -> None:
    app = Pty(["--workspace", str(workspace.root)])
    try:
        app.wait(is_ready)
        app.hang_up()
        assert app.code() == 129
    finally:
        app.end()


def test_a_storm_of_sizes_leaves_an_app_that_answers(workspace: Workspace) -> None:
    app = Pty(["--workspace", str(workspace.root)], (120, 40))
    try:
        app.wait(is_ready)
        for number in range(150):
            app.resize(1 + number * 7 % 180, 1 + number * 3 % 45)
        # A picture drawn for one size may reach the emulator at the next; a later size has all drawn anew.
        for width in (21, 22, 23, 20):
            app.resize(width, 5)
            time.sleep(1)
        app.wait(lambda text: "too small" in text)
        app.resize(80, 24)
        app.press_until(["escape", "4"], lambda text: "[4 Evidence]" in text)
        app.press("q")
        assert app.code() == 0
        assert not left_on(app)
    finally:
        app.end()


def test_a_terminal_that_takes_nothing_delays_no_end(workspace: Workspace) -> None:
    """Nobody reads, the app's writer is stuck, and SIGTERM still ends it."""
    app = Pty(["--workspace", str(workspace.root)])
    try:
        app.wait(is_ready)
        app.rate = 1
        app.kill(signal.SIGTERM)
        assert app.code() == 143
    finally:
        app.end()
