"""On a terminal: a progress bar on stderr that leaves stdout alone, and an honest word about the app."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest


def on_a_terminal(
    arguments: list[str], *, ends: set[str], term: str = "xterm-256color"
) -> tuple[int, str, str]:
    """Run with the named ends on a terminal; return exit code, what stdout and what the terminal got."""
    master, slave = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(master, 65536):
                seen.append(piece)
        except OSError:  # the terminal is gone when its last user is
            return

    with subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *arguments],
        stdin=slave if "in" in ends else subprocess.DEVNULL,
        stdout=slave if "out" in ends else subprocess.PIPE,
        stderr=slave if "err" in ends else subprocess.PIPE,
        env={**os.environ, "TERM": term, "LC_ALL": "C"},
    ) as process:
        os.close(slave)
        reader = threading.Thread(target=read)
        reader.start()
        piped = process.stdout.read() if process.stdout else b""
        if process.stderr:
            process.stderr.read()
        code = process.wait(timeout=60)
        reader.join(timeout=10)
    os.close(master)
    return code, piped.decode(), b"".join(seen).decode()


def test_a_bar_is_drawn_on_stderr_only(tmp_path: Path, documents: Path) -> None:
    arguments = ["--workspace", str(tmp_path / "w"), "index", str(documents)]
    code, data, drawn = on_a_terminal(arguments, ends={"err"})
    assert code == 0
    assert "Indexing" in drawn
    assert data.startswith("4 added")
    assert "\x1b" not in data


@pytest.mark.parametrize(
    ("ends", "term"), [({"in", "out", "err"}, "dumb"), ({"in", "err"}, "xterm-256color")]
)
def test_where_the_app_cannot_be_shown_the_hint_is_one_line(ends: set[str], term: str) -> None:
    code, _, shown = on_a_terminal([], ends=ends, term=term)
    assert code == 2
    assert "persona-moe ask" in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("sort", ["tier", "mean"])
def test_the_roster_fits_the_terminal_and_is_whole_in_a_pipe(
    columns: int, sort: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    arguments = ["--workspace", str(workspace), "personas", "list", "--sort", sort]
    code, _, shown = on_a_terminal(arguments, ends={"out"})
    lines = shown.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= columns
    row = next(line for line in lines if "number-checker" in line)
    assert row.rstrip().endswith("…") == (columns < 200)
    assert "100%" in row
    assert ("########" in row) == (columns == 200)
    _, piped, _ = on_a_terminal(arguments, ends={"err"})
    row = next(line for line in piped.splitlines() if "number-checker" in line)
    assert row.endswith("number, amount, total, percent, percentage, average")
