"""Copying so that it arrives: each route is tried in the order in which it can be trusted.

In tmux, ``tmux load-buffer -w`` reaches the outer terminal's clipboard with tmux's own defaults,
while an OSC 52 sequence is dropped there. Elsewhere OSC 52 is sent, which nobody confirms. What is
too long for it is written to a file.
"""

import base64
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from engine.cleaning import clean

MOST_FOR_OSC52: Final = 74_000
"""Bytes of base64 that common terminals take."""


def copy(
    text: str, send: Callable[[str], None], file: Path, environment: Mapping[str, str] = os.environ
) -> str:
    """Copy ``text``, cleaned, and return one line naming the route it took.

    ``send`` writes a sequence to the terminal; ``file`` is where text goes that no route takes.
    Raises OSError if that cannot be written.
    """
    text = clean(text)
    size = len(text.encode("utf-8", "replace"))
    if environment.get("TMUX") and _into_tmux(text):
        return f"copied {size:,} bytes through tmux's buffer"
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    screen = environment.get("TERM", "").startswith("screen") and not environment.get("TMUX")
    if len(encoded) <= MOST_FOR_OSC52 and not environment.get("TMUX") and not screen:
        send(f"\x1b]52;c;{encoded}\x07")
        return f"sent {size:,} bytes to the terminal's clipboard (OSC 52)"
    write_private(file, text)
    return f"written to {file}: no way to a clipboard here"


def _into_tmux(text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],  # noqa: S607
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=2,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def write_private(file: Path, text: str) -> None:
    """Write ``text`` to ``file``, readable by the user alone. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(file, flags, 0o600), "w", encoding="utf-8", errors="replace") as handle:
        handle.write(text)
