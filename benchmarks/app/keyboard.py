"""Check 3: the whole round by keys alone in tmux at 80x24; check 9: a replay is the run."""

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stage import QUESTION, App, Line, has_tmux, make_workspace, own_home, words_server

USED = ("enter", "esc", "2", "s", "3", "d", "u", "y", "r", "q")


class Tmux:
    """One tmux server with stock settings and the app in its only window."""

    def __init__(self, folder: Path, root: Path, size: tuple[int, int]) -> None:
        self._socket = folder / "tmux.socket"
        start = shlex.join([sys.executable, "-m", "tui", "--workspace", str(root)])
        environment = own_home(folder) | {
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "PATH": "/usr/bin:/bin",
        }
        self.do(
            "-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]),
            f"{start}; echo ended $?; sleep 60", environment=environment,
        )  # fmt: skip

    def do(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Run a tmux command and return what it prints."""
        command = ["tmux", "-S", str(self._socket), *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """Send keys."""
        for key in keys:
            self.do("send-keys", key)
            time.sleep(0.3 if key == "Escape" else 0.15)

    def wait(self, ready: Callable[[str], bool], seconds: float = 60.0) -> str:
        """Return the screen once ``ready`` says so of it."""
        deadline = time.monotonic() + seconds
        while not ready(text := self.do("capture-pane", "-p")):
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not come to that:\n{text}")
            time.sleep(0.1)
        return text


def by_keys_alone(folder: Path) -> list[Line]:
    """Check 3."""
    name, bar = "3 ask, graph, stop, demote, undo, copy, replay", "keys alone, 80x24, tmux"
    if not has_tmux():
        return [Line(name, bar, "not run", None, "tmux is not installed")]
    with words_server(400) as server:
        root = make_workspace(folder, server.url)
        tmux = Tmux(folder, root, (80, 24))
        try:
            tmux.wait(lambda text: "passages" in text)
            tmux.do("send-keys", "-l", QUESTION)
            tmux.press("Enter")
            tmux.wait(lambda text: "word" in text)
            tmux.press("Tab", "2")
            tmux.wait(lambda text: "Solar lamps" in text and "[2 Graph]" in text)
            tmux.press("s")
            tmux.wait(lambda text: "stopped" in text)
            server.delay = 0.0
            tmux.press("3")
            tmux.wait(lambda text: "sceptic" in text)
            tmux.press("j", "j", "j", "d")
            moved = tmux.wait(lambda text: " went from " in text)
            persona = re.findall(r"(\S+) went from", moved)[-1]
            tmux.press("u")
            tmux.wait(lambda text: f"taken back: {persona}" in text)
            tmux.press("1", "y")
            tmux.wait(lambda text: "tmux" in text)
            copied = tmux.do("show-buffer")
            tmux.press("r")
            tmux.wait(lambda text: "enter replays one" in text)
            tmux.press("Enter")
            tmux.wait(lambda text: "REPLAY" in text)
            tmux.press("Escape", "?")
            tmux.wait(lambda text: "Keys" in text or "keys" in text)
            help_text = ""
            for _ in range(12):
                help_text += tmux.do("capture-pane", "-p")
                tmux.press("PageDown")
            shown = [key for key in USED if re.search(rf"(?m)(^|[\s│]){re.escape(key)}(\s|$)", help_text)]
            tmux.press("Escape", "q")
            code = re.findall(r"ended (\d+)", tmux.wait(lambda text: "ended" in text))[-1]
        finally:
            tmux.do("kill-server")
    missing = [key for key in USED if key not in shown]
    return [
        Line(name, bar, f"exit {code}", code == "0", f"{persona} down and up again"),
        Line(
            "3 the copy arrived",
            "the answer in tmux's buffer",
            f"{len(copied)} characters",
            QUESTION in copied,
        ),
        Line("3 keys used are in ?", "all of them", f"missing: {', '.join(missing) or 'none'}", not missing),
    ]


def replay(folder: Path) -> list[Line]:
    """Check 9: the last state of a replay is that of the run, half of it is the prefix, without a server."""
    with words_server(60) as server:
        root = make_workspace(folder, server.url)
        with App(root) as app:
            app.ready()
            app.ask()
            app.terminal.wait(lambda text: "answered" in text)
            app.terminal.settled(1.0, 5.0)
            live = app.report().state
            app.terminal.press("escape", "q")
            app.terminal.wait_ended()
    with App(root) as app:  # the server is gone
        app.ready()
        app.terminal.press("escape", "r")
        app.terminal.wait(lambda text: "enter replays one" in text)
        app.terminal.press("enter")
        app.terminal.wait(lambda text: "REPLAY" in text)
        app.terminal.press("$")
        text = app.terminal.wait(lambda text: "REPLAY done" in text)
        whole = app.report().replayed
        total = int(re.findall(r"(\d+)/(\d+) x", text)[-1][1])
        app.terminal.press("0")
        for _ in range(total // 2):
            app.terminal.type(".")
        app.terminal.wait(lambda text: f" {total // 2}/{total} x" in text)
        half = app.report().replayed
    prefix = _prefix_digest(root, total // 2)
    newer = _refused(root, folder)
    said = {True: "the same", False: "another"}
    return [
        Line("9 the last state of a replay", "the live run's", said[whole == live], whole == live),
        Line(
            "9 half of it",
            "the fold of half the events",
            said[half == prefix],
            half == prefix,
            f"event {total // 2} of {total}; the server was gone",
        ),
        Line("9 a record of a newer version", "refused in a line", newer, "newer persona-moe" in newer),
    ]


def _prefix_digest(root: Path, count: int) -> str:
    from probe import _digest

    from engine.snapshots.library import SnapshotLibrary
    from tui.state import EMPTY, fold

    library = SnapshotLibrary(root / "snapshots")
    events = list(library.open(library.list()[0].id).events())
    return _digest(fold(EMPTY, events[:count]))


def _refused(root: Path, folder: Path) -> str:
    import gzip

    from engine.snapshots.format import CRC_BYTES, with_crc

    (made,) = (root / "snapshots").glob("*.jsonl.gz")
    first, rest = gzip.decompress(made.read_bytes()).split(b"\n", 1)
    newer = with_crc(re.sub(rb'"version":\d+', b'"version":999', first[:-CRC_BYTES] + b"}", count=1))
    future = made.with_name("20990101-000000-ffffff.jsonl.gz")
    future.write_bytes(gzip.compress(newer + rest))
    command = [
        sys.executable,
        "-m",
        "tui",
        "--workspace",
        str(root),
        "snapshots",
        "show",
        "20990101-000000-ffffff",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=own_home(folder), check=False)
    return (
        (done.stderr.strip().splitlines() or ["not refused"])[-1][:90] if done.returncode else "not refused"
    )
