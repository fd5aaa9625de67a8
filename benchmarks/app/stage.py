"""What the checks share: a workspace, a model server on loopback, the app on a terminal, a table's line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "models"), str(ROOT / "tests" / "tui")]

from loopback import Loopback, quote  # noqa: E402
from probe import Report  # noqa: E402
from pty_terminal import PtyTerminal  # noqa: E402

QUESTION = "Who designed the Helio lamp?"
DOCUMENTS = {
    "lamps.md": """# Lamps

## Solar lamps

A solar lamp stores the light of the day in a battery. The battery of the Helio lamp lasts nine hours.
The Helio lamp was designed by Mara Voss in 1994.

## Oil lamps

An oil lamp burns oil through a wick. It gives less light than a solar lamp.
""",
    "mara.md": """# Mara Voss

Mara Voss is an engineer from Tromsø. She founded the company Nordlys, which makes the Helio lamp.
Nordlys moved to Bergen in 2003.
""",
}


class Line(msgspec.Struct):
    """One line of the table; ``note`` is what has to be known to judge ``measured``."""

    check: str
    bar: str
    measured: str
    passed: bool | None
    note: str = ""


def make_workspace(folder: Path, endpoint: str = "", provider: str = "auto", model: str = "") -> Path:
    """Return a new workspace with two documents indexed; without ``endpoint`` no model is asked."""
    from engine.pipeline import Engine
    from engine.workspace import Workspace

    documents = folder / "documents"
    documents.mkdir(parents=True)
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text, encoding="utf-8")
    workspace = Workspace.open(folder / "workspace")
    lines = ['provider = "extractive"'] if not endpoint else [
        f'provider = "{provider}"', f'api_endpoint = "{endpoint}"', f'model_name = "{model}"',
        "max_experts = 1",
    ]  # fmt: skip
    (workspace.configs / "ollama.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with Engine.open(workspace) as engine:
        engine.index([documents])
    return workspace.root


def add_personas(root: Path, count: int) -> None:
    """Copy personas into the experimental tier until there are ``count`` more."""
    made = json.loads((root / "personas" / "active" / "fact-finder.json").read_text("utf-8"))
    for number in range(count):
        made["persona_id"] = f"copy-{number:03}"
        path = root / "personas" / "experimental" / f"copy-{number:03}.json"
        path.write_text(json.dumps(made), encoding="utf-8")


def own_home(folder: Path) -> dict[str, str]:
    """Return variables that keep the app's files out of the user's home."""
    home = {f"XDG_{kind}_HOME": str(folder / "home" / kind) for kind in ("DATA", "STATE", "CONFIG", "CACHE")}
    return {**home, "HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}


class App:
    """The app on a pty, with the notes that the probe takes."""

    def __init__(
        self,
        root: Path,
        *,
        size: tuple[int, int] = (120, 40),
        nodes: tuple[float, int] = (0.0, 0),
        words_before: int = 0,
        rate: int = 0,
        environment: dict[str, str] | None = None,
        probe: bool = True,
    ) -> None:
        self._report = root.parent / f"report-{time.monotonic_ns()}.json"
        script = [str(Path(__file__).with_name("probe.py")), str(self._report)]
        script += [str(nodes[0]), str(nodes[1]), str(words_before)]
        start = [sys.executable, *(script if probe else ["-m", "tui"]), "--workspace", str(root)]
        given = {**own_home(root.parent), **(environment or {})}
        self.terminal = PtyTerminal(start, size=size, environment=given, folder=root.parent, rate=rate)

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *_: object) -> None:
        self.terminal.end()

    def ready(self) -> None:
        """Wait until a question can be asked."""
        self.terminal.wait(lambda text: "passages" in text)

    def ask(self, question: str = QUESTION) -> float:
        """Ask and return the moment."""
        self.terminal.type(question)
        time.sleep(0.3)
        return self.terminal.type("\r")

    def report(self) -> Report:
        """Have the app write its notes now, and return them."""
        self._report.unlink(missing_ok=True)
        self.terminal.kill(signal.SIGUSR1)
        return self.left_report()

    def left_report(self, seconds: float = 30.0) -> Report:
        """Return the notes that the app wrote last."""
        deadline = time.monotonic() + seconds
        while not self._report.exists():
            if time.monotonic() > deadline:
                raise AssertionError(f"the app wrote no notes; it shows\n{self.terminal.text()}")
            time.sleep(0.02)
        return msgspec.json.decode(self._report.read_bytes(), type=Report)

    def memory(self) -> float:
        """Return the most memory that the program had, in MB."""
        status = Path(f"/proc/{self.terminal.process.pid}/status").read_text("ascii")
        found = re.search(r"VmHWM:\s*(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def words_server(count: int, rate: float = 50.0) -> Iterator[Loopback]:
    """Serve a model whose answer has ``count`` words at ``rate`` words a second; claims come at once."""

    def reply(body: dict[str, Any]) -> str:
        first = quote(body)
        if not body["messages"][-1]["content"].startswith("Claims:"):
            server.delay = 0.0
            return first
        server.delay = 1 / rate
        return first + " " + " ".join(filler(count))

    server = Loopback(reply=reply)
    with server:
        yield server


def filler(count: int) -> list[str]:
    """Return words as models write them: paragraphs, emphasis, lists, code."""
    words: list[str] = []
    for number in range(count):
        place = number % 90
        word = f"word{number}"
        if place == 0:
            word = f"\n\n**Part {number // 90}** {word}"
        elif place in {40, 50, 60}:
            word = f"\n- `item` {word}"
        elif place == 70:
            word = f"\n\n{word}"
        words.append(word)
    return words


EMPTY_APP = """
from textual.app import App
from textual.widgets import Input
class Empty(App):
    def compose(self):
        yield Input(placeholder="Ask a question about")
Empty().run()
"""


def empty_app(folder: Path, size: tuple[int, int] = (120, 40)) -> PtyTerminal:
    """Return the floor: a Textual app with one input line and nothing else."""
    environment = {**own_home(folder), "TEXTUAL_ANIMATIONS": "none"}
    return PtyTerminal([sys.executable, "-c", EMPTY_APP], size=size, environment=environment, folder=folder)


LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξπρστυφχψω"


def echoes(terminal: PtyTerminal, count: int = 30, pause: float = 0.2) -> list[float]:
    """Type letters that nothing else writes; return the seconds until each was drawn."""
    found = []
    for letter in LETTERS[:count]:
        sent = terminal.type(letter)
        drawn = _wait_for(lambda sent=sent, letter=letter: terminal.first(letter.encode(), sent))
        found.append(drawn - sent)
        time.sleep(pause)
    return found


def _wait_for(look: Callable[[], float | None], seconds: float = 20.0) -> float:
    deadline = time.monotonic() + seconds
    while (moment := look()) is None:
        if time.monotonic() > deadline:
            return deadline
        time.sleep(0.005)
    return moment


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


class IdleFloor:
    """A process that only sleeps: the longest it overslept says how starved the machine is."""

    CODE = (
        "import time,sys\nw=time.monotonic();m=0\nprint(flush=True)\n"
        "while True:\n time.sleep(.005);n=time.monotonic();m=max(m,n-w-.005);w=n\n"
        " if n-int(n)<.006: print(m,flush=True);m=0\n"
    )

    def __enter__(self) -> "IdleFloor":
        self._process = subprocess.Popen([sys.executable, "-c", self.CODE], stdout=subprocess.PIPE, text=True)
        self.worst = 0.0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def _read(self) -> None:
        for said in self._process.stdout or ():
            self.worst = max(self.worst, float(said.strip() or 0))

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join(2)


def worst_gap(report: Report, since: float, until: float) -> tuple[float, float]:
    """Return the longest gap between two moments: seconds by the wall, and the most CPU spent in one."""
    inside = [(wall, cpu) for end, wall, cpu in report.gaps if since <= end <= until]
    return max((wall for wall, _ in inside), default=0.0), max((cpu for _, cpu in inside), default=0.0)


def load() -> str:
    """Return the machine's load and cores."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def has_tmux() -> bool:
    """Whether tmux is installed."""
    return shutil.which("tmux") is not None
