"""Copying names the route it took, and a document's own sequences never go with it."""

import base64
import stat
from pathlib import Path

from tui.clipboard import MOST_FOR_OSC52, copy


def test_outside_tmux_the_terminal_is_asked(tmp_path: Path) -> None:
    sent: list[str] = []
    route = copy("a\x1b]0;x\x07b", sent.append, tmp_path / "f", {"TERM": "xterm"})
    assert "OSC 52" in route
    (sequence,) = sent
    assert sequence.startswith("\x1b]52;c;")
    assert base64.b64decode(sequence[7:-1]).decode() == "a␛]0;x␇b"


def test_what_is_too_long_goes_to_a_private_file(tmp_path: Path) -> None:
    sent: list[str] = []
    file = tmp_path / "new" / "copied.txt"
    route = copy("x" * MOST_FOR_OSC52, sent.append, file, {"TERM": "xterm"})
    assert str(file) in route
    assert not sent
    assert file.read_text() == "x" * MOST_FOR_OSC52
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_in_tmux_without_tmux_nothing_is_sent_that_would_be_dropped(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("PATH", str(tmp_path))
    sent: list[str] = []
    route = copy("x", sent.append, tmp_path / "f", {"TERM": "tmux-256color", "TMUX": "/nowhere,1,0"})
    assert "written to" in route
    assert not sent
