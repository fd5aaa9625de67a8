"""Check 10: poor terminals, and a copy that arrives; check 11: sizes and signals."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from stage import QUESTION, App, Line, has_tmux, make_workspace, own_home, words_server

POOR = {
    "screen-256color": {"TERM": "screen-256color", "COLORTERM": ""},
    "linux": {"TERM": "linux", "COLORTERM": ""},
    "NO_COLOR": {"NO_COLOR": "1"},
    "SSH, sixteen colours": {"SSH_TTY": "/dev/pts/9", "TERM": "xterm", "COLORTERM": ""},
}


def terminals(folder: Path) -> list[Line]:
    """Check 10: tiers and states as text on four poor terminals; refused where no cursor can be placed."""
    lines = []
    for name, environment in POOR.items():
        root = make_workspace(folder / name)
        with App(root, size=(80, 24), environment=environment) as app:
            app.ready()
            app.ask()
            app.terminal.wait(lambda text: "answered" in text)
            app.terminal.press("escape", "3")
            text = app.terminal.wait(lambda text: "fact-finder" in text)
            ascii_only = text.isascii()
        told = all(word in text for word in ("active 5", "stable 6", "chosen"))
        rgb = b"38;2;" in app.terminal.raw()
        fits = ascii_only if name == "linux" else not rgb if "SSH" in name else True
        note = {"linux": "ASCII only", "NO_COLOR": "greys", "screen-256color": ""}.get(
            name, "no RGB, low-bandwidth"
        )
        lines.append(
            Line(f"10 {name}", "tiers and states in words", "readable" if told else text, told and fits, note)
        )
    root = make_workspace(folder / "refused")
    for name, environment, tty in (("TERM=dumb", {"TERM": "dumb"}, True), ("no terminal", {}, False)):
        if tty:
            with App(root, environment=environment, probe=False) as app:
                code = app.terminal.wait_ended()
                said = app.terminal.text()
        else:
            command = [sys.executable, "-m", "tui", "--workspace", str(root)]
            done = subprocess.run(command, capture_output=True, text=True, env=own_home(folder), check=False)
            code, said = done.returncode, done.stderr
        hinted = "persona-moe ask" in " ".join(said.split())
        lines.append(Line(f"10 {name}", "exit 2, the headless way", f"exit {code}", code == 2 and hinted))
    return [*lines, _copy_through_tmux(folder / "copy")]


def _copy_through_tmux(folder: Path) -> Line:
    name, bar = "10 copy under stock tmux", "reaches the outer terminal"
    if not has_tmux():
        return Line(name, bar, "not run", None, "tmux is not installed")
    from pty_terminal import PtyTerminal

    root = make_workspace(folder)
    command = ["tmux", "-S", str(folder / "socket"), "-f", "/dev/null", "new-session"]
    start = f"{sys.executable} -m tui --workspace {root}"
    environment = own_home(folder) | {"TERM": "xterm-256color", "COLORTERM": ""}
    outer = PtyTerminal([*command, start], environment=environment, folder=folder)
    try:
        outer.wait(lambda text: "passages" in text)
        outer.type(QUESTION)
        time.sleep(0.3)
        outer.press("enter")
        outer.wait(lambda text: "answered" in text)
        outer.press("escape")
        time.sleep(1.0)  # tmux waits for half a second whether a sequence follows
        since = outer.type("y")
        said = outer.wait(lambda text: "tmux" in text)
        deadline = time.monotonic() + 10
        while (arrived := outer.first(b"\x1b]52;", since)) is None and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        subprocess.run([*command[:3], "kill-server"], check=False)
        outer.end()
    named = next((line.strip() for line in said.split("\n") if "tmux" in line), "")
    return Line(name, bar, "arrived" if arrived else "did not arrive", arrived is not None, named[:60])


def sizes(folder: Path) -> list[Line]:
    """Check 11, first half: the same place after four sizes in mid-stream."""
    with words_server(2_000) as server:
        root = make_workspace(folder, server.url)
        with App(root, size=(200, 50), nodes=(100.0, 300)) as app:
            app.ready()
            app.ask()
            app.terminal.wait(lambda text: int((re.findall(r"(\d+) nodes", text) or ["0"])[0]) > 250)
            app.terminal.press("tab", "2", "j", "j", "j", " ", "j", "j")
            app.terminal.settled(0.5, 1.5)
            before = app.report()
            for width, height in ((80, 24), (40, 12), (200, 50)):
                app.terminal.resize(width, height)
                time.sleep(0.7)
            after = app.report()
            storm_began = time.monotonic()
            for number in range(200):
                app.terminal.resize(20 + number * 7 % 180, 5 + number * 3 % 45)
                time.sleep(0.005)
            app.terminal.resize(200, 50)
            sent = app.terminal.type("4")
            app.terminal.wait(lambda text: "Evidence" in text)
            answered = time.monotonic() - max(sent, storm_began)
    same = (before.focus, before.places["graph"]) == (after.focus, after.places["graph"])
    was, now = before.places["graph"], after.places["graph"]
    return [
        Line(
            "11 200x50, 80x24, 40x12, 200x50 in mid-stream",
            "focus, folds, scroll as before",
            "as before" if same else f"{before.focus} {was} -> {after.focus} {now}",
            same,
            f"in {after.focus} on {now[0]}, scrolled to {now[1]:.0f}",
        ),
        Line("11 200 sizes in a second", "goes on", f"a key drew after {answered:.1f} s", True),
    ]


def signals(folder: Path) -> list[Line]:
    """Check 11, second half: SIGTERM leaves a sane terminal, a hangup a record that is offered again."""
    lines = []
    with words_server(2_000) as server:
        root = make_workspace(folder / "term", server.url)
        with App(root) as app:
            app.ready()
            app.ask()
            app.terminal.wait(lambda text: "word" in text)
            app.terminal.kill(signal.SIGTERM)
            code = app.terminal.wait_ended()
            left, restored = app.terminal.left_on(), app.terminal.is_as_it_was()
        lines.append(
            Line(
                "11 SIGTERM in mid-stream",
                "exit 143, no mode left on",
                f"exit {code}, left on: {sorted(left) or 'none'}",
                code == 143 and not left and restored,
                "line settings restored" if restored else "line settings NOT restored",
            )
        )
        root = make_workspace(folder / "hup", server.url)
        with App(root) as app:
            app.ready()
            app.ask()
            app.terminal.wait(lambda text: "word" in text)
            began = time.monotonic()
            app.terminal.hang_up()
            code = app.terminal.wait_ended()
            spent = time.monotonic() - began
        with App(root) as app:
            said = app.terminal.wait(lambda text: "cut off" in text, 20)
        offered = next(line.strip() for line in said.split("\n") if "cut off" in line)
        lines.append(
            Line("11 hangup in mid-stream", "exit 129, offered next time", f"exit {code} after {spent:.1f} s",
                 code == 129, offered[:70])
        )  # fmt: skip
    return lines
