"""A program on a terminal of its own: a pty that a thread reads, and pyte to say what is on the screen."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "space": " ", "up": "\x1b[A", "down": "\x1b[B",
    "right": "\x1b[C", "left": "\x1b[D", "ctrl+c": "\x03", "ctrl+q": "\x11", "ctrl+p": "\x10", "f1": "\x1bOP",
}  # fmt: skip
PRIVATE_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_NOT_OF_A_VT100 = re.compile(rb"\x1b\[[<=>][\d;]*[a-zA-Z]")  # the kitty keyboard; pyte would print the letter
LEFT_ON_IS_WRONG = {9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1049, 2004, 2026, 2048}


class PtyTerminal:
    """Runs ``command`` on a pty; what it writes is kept with the moment it was read.

    ``rate`` limits the reader to so many bytes a second, as a slow link does.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        rate: int = 0,
    ) -> None:
        self.rate = rate
        self.chunks: list[tuple[float, bytes]] = []
        self._fed = 0
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        self.was = termios.tcgetattr(slave)
        self._set_size(size)
        given = {k: v for k, v in os.environ.items() if k not in {"TMUX", "COLORTERM", "SSH_TTY", "NO_COLOR"}}
        given |= {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            **(environment or {}),
        }
        self.began = time.monotonic()
        # A shell that leads the session gets the terminal it opens as its own, so that a hangup reaches it.
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$@" <>{os.ttyname(slave)} >&0 2>&1', "sh", *command],
            env={k: v for k, v in given.items() if v},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._slave = slave  # kept open, or the last bytes are lost when the program ends
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        os.set_blocking(self._master, False)
        while not self._stop.is_set():
            try:
                data = os.read(self._master, max(64, self.rate // 20) if self.rate else 65536)
            except BlockingIOError:
                time.sleep(0.002)
                continue
            except OSError:
                return
            self.chunks.append((time.monotonic(), data))
            if self.rate:
                time.sleep(len(data) / self.rate)

    def _set_size(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    # -- what is typed ---------------------------------------------------------------------------
    def type(self, text: str) -> float:
        """Send ``text`` as it is; return the moment."""
        moment = time.monotonic()
        data = text.encode()
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                time.sleep(0.002)
        return moment

    def press(self, *keys: str) -> None:
        """Press keys one by one; without a pause after it, escape would be taken for a sequence's start."""
        for key in keys:
            self.type(KEYS.get(key, key))
            time.sleep(0.25 if key == "escape" else 0.1)

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size; the kernel tells the program."""
        self.text()
        self._screen.resize(height, width)
        self._set_size((width, height))

    def kill(self, number: int) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        self._stop.set()
        self._thread.join(5)
        os.close(self._slave)
        os.close(self._master)
        self._slave = self._master = -1

    # -- what is seen ----------------------------------------------------------------------------
    def text(self) -> str:
        """Return what is on the screen, a line for each row, without blanks at their ends."""
        new = self.chunks[self._fed :]
        self._fed += len(new)
        if new:
            self._stream.feed(_NOT_OF_A_VT100.sub(b"", b"".join(data for _, data in new)))
        return "\n".join(line.rstrip() for line in self._screen.display)

    def raw(self, since: float = 0.0, until: float = float("inf")) -> bytes:
        """Return the bytes that were read between two moments."""
        return b"".join(data for moment, data in self.chunks if since <= moment < until)

    def first(self, what: bytes, since: float = 0.0) -> float | None:
        """Return the moment by which ``what`` had been read, None if it was not."""
        seen = b""
        for moment, data in self.chunks:
            if moment >= since:
                seen = seen[-200:] + data
                if what in seen:
                    return moment
        return None

    def wait(self, ready: Callable[[str], bool], seconds: float = 60.0) -> str:
        """Return the screen once ``ready`` says so of it."""
        deadline = time.monotonic() + seconds
        while not ready(text := self.text()):
            if time.monotonic() > deadline or self._ended_without(ready):
                raise AssertionError(f"it did not come to that:\n{text}")
            time.sleep(0.05)
        return text

    def press_until(self, keys: Sequence[str], ready: Callable[[str], bool], seconds: float = 60.0) -> str:
        """Press ``keys`` until the screen is ready: a busy app may read escape and the next key as one."""
        deadline = time.monotonic() + seconds
        while True:
            self.press(*keys)
            try:
                return self.wait(ready, 5.0)
            except AssertionError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise

    def _ended_without(self, ready: Callable[[str], bool]) -> bool:
        if self.process.poll() is None:
            return False
        time.sleep(0.2)
        return not ready(self.text())

    def settled(self, seconds: float = 0.6, most: float = 60.0) -> str:
        """Return the screen once nothing has come for a while."""
        deadline = time.monotonic() + most
        while time.monotonic() < deadline:
            count = len(self.chunks)
            time.sleep(seconds)
            if count == len(self.chunks):
                break
        return self.text()

    def wait_ended(self, seconds: float = 30.0) -> int:
        """Return the exit code."""
        code = self.process.wait(seconds)
        time.sleep(0.1)
        return code if code >= 0 else 128 - code

    def left_on(self) -> set[int]:
        """Return the modes that the program switched on and not off again."""
        modes: dict[int, bool] = {}
        for found in PRIVATE_MODES.finditer(self.raw()):
            for mode in found[1].split(b";"):
                modes[int(mode)] = found[2] == b"h"
        left = {mode for mode, is_on in modes.items() if is_on and mode in LEFT_ON_IS_WRONG}
        return left | ({25} if modes.get(25) is False else set())

    def is_as_it_was(self) -> bool:
        """Whether the line settings (echo, raw) are those of before."""
        return termios.tcgetattr(self._slave) == self.was

    def end(self) -> None:
        """Kill the program if it still runs and let the terminal go."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
        if self._master >= 0:
            self.hang_up()
