"""Check 12: settings that are wrong, a persona edited meanwhile, and the same run without a screen."""

import json
import subprocess
import sys
import time
from pathlib import Path

from stage import QUESTION, App, Line, make_workspace, own_home

NEEDED = {"file": "thresholds.toml", "place": "line 2"}


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", "--workspace", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=own_home(root.parent), check=False)


def settings(folder: Path) -> list[Line]:
    """Settings that are no TOML, unknown ones, unknown keys; the app keeps what it had."""
    root = make_workspace(folder)
    thresholds = root / "configs" / "thresholds.toml"
    lines = []
    with App(root, size=(120, 40)) as app:
        app.ready()
        app.ask()
        app.terminal.wait(lambda text: "answered" in text)
        thresholds.write_text("budget = 3.0\nmax_experts = = 2\n", encoding="utf-8")
        time.sleep(1.5)
        said = app.terminal.wait(lambda text: "thresholds.toml" in text, 10)
        shown = next((line.strip() for line in said.split("\n") if "thresholds.toml" in line), "")
        app.terminal.press("i")
        app.ask(f"{QUESTION} Still")
        app.terminal.wait(lambda text: "Still" in text and "answered" in text, 20)
    lines.append(
        Line("12 bad TOML while the app runs", "file and line; goes on with the last", "goes on",
             all(word in shown for word in NEEDED.values()), shown[:90])
    )  # fmt: skip
    thresholds.write_text("budget = 3.0\nmax_expert = 2\n", encoding="utf-8")
    done = _run(root, "ask", QUESTION)
    lines.append(
        Line("12 an unknown setting", "refused, with the nearest", f"exit {done.returncode}",
             done.returncode == 2 and "did you mean" in done.stderr, done.stderr.strip()[-90:])
    )  # fmt: skip
    thresholds.unlink()
    (root / "configs" / "keys.toml").write_text('[main]\nquitt = "Q"\n', encoding="utf-8")
    with App(root, probe=False) as app:
        code = app.terminal.wait_ended()
        said = " ".join(app.terminal.text().split())
    lines.append(
        Line("12 an unknown action in keys.toml", "refused, with the nearest", f"exit {code}",
             code == 2 and "did you mean" in said, said[-90:])
    )  # fmt: skip
    return lines


def edited_persona(folder: Path) -> list[Line]:
    """A persona file that is written by another program shows up within a second."""
    root = make_workspace(folder)
    path = root / "personas" / "experimental" / "scout.json"
    spent = []
    with App(root, size=(200, 50)) as app:
        app.ready()
        for number in range(3):
            made = json.loads((root / "personas" / "active" / "fact-finder.json").read_text("utf-8"))
            made["persona_id"] = f"newcomer-{number}"
            began = time.monotonic()
            path.with_name(f"newcomer-{number}.json").write_text(json.dumps(made), encoding="utf-8")
            app.terminal.wait(lambda text, number=number: f"newcomer-{number}" in text, 20)
            spent.append(time.monotonic() - began)
    worst = max(spent)
    return [
        Line("12 a persona file edited meanwhile", "<= 1 s until it shows", f"{worst:.2f} s", worst <= 1.0)
    ]


def twin(folder: Path) -> list[Line]:
    """The app and ``ask --events`` record the same events; stdout is data alone."""
    from engine.snapshots.library import SnapshotLibrary

    roots = [make_workspace(folder / name) for name in ("app", "headless")]
    with App(roots[0]) as app:
        app.ready()
        app.ask()
        app.terminal.wait(lambda text: "answered" in text)
        app.terminal.settled(1.0, 5.0)
    done = _run(roots[1], "ask", QUESTION, "--events")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    digests = {SnapshotLibrary(root / "snapshots").list()[0].digest for root in roots}
    return [
        Line("12 app and ask --events", "one snapshot digest", f"{len(digests)} digest", len(digests) == 1),
        Line("12 ask --events", "JSON lines alone, exit 0", f"exit {done.returncode}, {len(events)} events",
             done.returncode == 0 and len(events) > 10),
        Line("12 no such question", "exit 2", f"exit {_run(roots[1], 'ask', '').returncode}",
             _run(roots[1], "ask", "").returncode == 2),
    ]  # fmt: skip
