"""What is written: clean, whole, in UTF-8, and only where it belongs."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cleaning import clean
from tests.cli.conftest import QUESTION
from tui import output

Captured = pytest.CaptureFixture[str]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_keeps_the_value_and_loses_every_character_that_acts(text: str) -> None:
    shown = output.harmless_json(json.dumps({"text": text}, ensure_ascii=False).encode())
    assert json.loads(shown) == {"text": text}
    assert clean(shown) == shown


def test_every_writer_cleans(capsys: Captured) -> None:
    output.print_line("a\x1b[2Jb")
    output.print_text("c\x9bd")
    output.print_json({"e": "\x9b\u202e"})
    output.note("f\x07g")
    output.fail("h\nfake prompt $ \x1b]0;x")
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert clean(text) == text
    assert said.err.splitlines()[-1] == "persona-moe: h fake prompt $ ␛]0;x"


def test_progress_without_a_terminal_is_silent_when_quick(capsys: Captured) -> None:
    with output.progress("Indexing") as report:
        for done in range(1000):
            report(done, 1000, "a.md")
    assert capsys.readouterr() == ("", "")


def test_progress_without_a_terminal_is_told_now_and_then(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "SECONDS_BETWEEN_NOTES", 0.0)
    with output.progress("Indexing") as report:
        report(3, 9, "a\x1b.md")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Indexing: 3 of 9  a␛.md\n")


ENDS = [("search", QUESTION), ("ask", QUESTION, "--no-model"), ("--help",), ("--version",)]


@pytest.mark.parametrize("arguments", ENDS, ids=lambda each: each[0])
@pytest.mark.parametrize(
    ("to", "why"), [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")]
)
def test_output_that_is_taken_nowhere_is_one_line(
    to: str, why: str, arguments: tuple[str, ...], workspace: Path
) -> None:
    command = shlex.join([sys.executable, "-m", "tui.cli", "--workspace", str(workspace), *arguments])
    done = subprocess.run(
        ["bash", "-c", f"{command} {to}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    *_, line = done.stderr.splitlines()
    assert line.startswith(f"persona-moe: cannot write the output: {why}; ")
    assert "internal error" not in done.stderr
    recorded = list((workspace / "snapshots").glob("*.jsonl.gz"))
    assert len(recorded) == (arguments[0] == "ask")


@pytest.mark.parametrize("to", ["2>/dev/full", "2>&-"])
def test_notes_that_are_taken_nowhere_end_nothing(to: str, workspace: Path) -> None:
    command = shlex.join([sys.executable, "-m", "tui.cli", "--workspace", str(workspace)])
    for arguments, code in ((f"search {shlex.quote(QUESTION)}", 0), ("search ''", 2), ("index . <&-", 0)):
        done = subprocess.run(
            ["bash", "-c", f"{command} {arguments} {to}"], capture_output=True, timeout=60, check=False
        )
        assert done.returncode == code


PIPED = """
import sys
from tui import output
output.use_utf8()
for i in range(20000):
    output.print_line(f"line {i} žluťoučký")
output.note("finished")
sys.exit(7)
"""


def test_a_reader_that_leaves_ends_nothing_but_the_output() -> None:
    script = f"{sys.executable} -c '{PIPED}' | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout == "line 0 žluťoučký\n7\n"
    assert done.stderr == "finished\n"
