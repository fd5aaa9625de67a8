"""In a real terminal, tmux: start, ask, cite, replay, leave; and what a signal leaves behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tui_samples import QUESTION

from engine.events import Event
from engine.workspace import Workspace

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """One tmux server with one window, in which the app runs."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self._socket = folder / "tmux"
        self.pid_file = folder / "pid"
        command = (
            f"sh -c 'echo $$ > {self.pid_file}; exec {sys.executable} -m tui.cli {' '.join(arguments)}'; "
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
            timeout=20,
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.15)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def modes(self) -> str:
        return self._tmux("display-message", "-p", "#{alternate_on}#{mouse_any_flag}#{cursor_flag}")

    def wait(self, ready: Callable[[str], bool], seconds: float = 30.0) -> str:
        deadline = time.monotonic() + seconds
        while not ready(text := self.screen()):
            assert time.monotonic() < deadline, text
            time.sleep(0.1)
        return text

    def end(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(workspace: Workspace, run_events: list[Event], tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, ["--workspace", str(workspace.root)])
    yield made
    made.end()


def test_ask_cite_replay_and_leave(terminal: Terminal) -> None:
    terminal.wait(lambda text: "3 documents" in text)
    terminal.type(QUESTION)
    terminal.press("Enter")
    terminal.wait(lambda text: "answered" in text and "[1]" in text)
    terminal.press("Escape", "c")
    terminal.wait(lambda text: "designed by Mara Voss" in text and "Close" in text)
    terminal.press("Escape")
    terminal.wait(lambda text: "Citations" in text)
    terminal.press("r")
    terminal.wait(lambda text: "enter replays one" in text)
    terminal.press("Enter")
    terminal.wait(lambda text: "REPLAY" in text)
    terminal.press("$")
    terminal.wait(lambda text: "REPLAY done" in text)
    terminal.press("5", "G")
    terminal.wait(lambda text: "finished: answered" in text)
    terminal.press("Escape", "q")
    assert "ended 0" in terminal.wait(lambda text: "ended" in text)
    assert terminal.modes().strip() == "001"


def test_sigterm_leaves_a_sane_terminal(terminal: Terminal) -> None:
    terminal.wait(lambda text: "3 documents" in text)
    assert terminal.modes().startswith("11")
    os.kill(int(terminal.pid_file.read_text()), signal.SIGTERM)
    assert "ended 143" in terminal.wait(lambda text: "ended" in text)
    assert terminal.modes().strip() == "001"
