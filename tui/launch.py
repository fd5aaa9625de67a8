"""Opening the app on this terminal, and leaving the terminal as it was, however the app ends.

Textual reads some of its settings when it is imported, so they are set here first.
"""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from tui import output

if TYPE_CHECKING:
    from tui.app import PersonaMoeApp

SECONDS_TO_LEAVE: Final = 2.0
"""How long an app that was told to end may take, before the process ends without it."""

WEB_DRIVER: Final = "textual.drivers.web_driver:WebDriver"
_RESTORE: Final = "".join(
    (
        "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l",  # mouse
        "\x1b[?1004l\x1b[?2004l\x1b[<u",  # focus, paste, keyboard
        "\x1b[?7h\x1b[?25h\x1b[?1049l\x1b[0m",  # wrap, cursor, the screen before, colours
    )
)


def refusal(environment: Mapping[str, str]) -> str:
    """Return why the app cannot be shown here, or nothing."""
    if environment.get("TEXTUAL_DRIVER") == WEB_DRIVER:  # textual-serve draws it in a browser
        return ""
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        return "the terminal app needs a terminal"
    if environment.get("TERM", "") in {"", "dumb", "unknown"}:
        term = environment.get("TERM") or "not set"
        return f"the terminal app needs a terminal that can place the cursor, and TERM is {term}"
    return ""


def is_low_bandwidth(environment: Mapping[str, str]) -> bool:
    """Return whether to send as little as possible: over SSH, unless PERSONA_MOE_LOW_BANDWIDTH says.

    >>> is_low_bandwidth({"SSH_TTY": "/dev/pts/0"})
    True
    >>> is_low_bandwidth({"SSH_TTY": "/dev/pts/0", "PERSONA_MOE_LOW_BANDWIDTH": "0"})
    False
    """
    asked = environment.get("PERSONA_MOE_LOW_BANDWIDTH", "")
    if asked:
        return asked.lower() not in {"0", "no", "false", "off"}
    return bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))


def has_plain_colours(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal has sixteen colours at most, as far as its name says."""
    if environment.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return False
    term = environment.get("TERM", "")
    return "256" not in term and not term.endswith(("direct", "kitty", "ghostty"))


def prepare(environment: MutableMapping[str, str]) -> bool:
    """Set what Textual reads from ``environment`` when it is imported; return whether to send little."""
    low = is_low_bandwidth(environment)
    if environment.get("TEXTUAL_DRIVER") != WEB_DRIVER:
        # Exported once by a shell they would be believed for ever, whatever size the terminal gets.
        for stale in ("COLUMNS", "LINES"):
            environment.pop(stale, None)
    environment.setdefault("TEXTUAL_ANIMATIONS", "none")
    if low:
        environment.setdefault("TEXTUAL_FPS", "10")
        environment.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    return low


def open_app(workspace: Path | None) -> int:
    """Show the app until the user leaves it; return the exit code.

    Raises PersonaMoeError if the workspace or the user's keys cannot be read.
    """
    gc.disable()  # until the first picture: what is loaded and laid out up to then is kept anyway
    low = prepare(os.environ)
    from engine.workspace import Workspace, find_workspace
    from tui import guard, own_keys
    from tui.glyphs import fitting

    opened = Workspace.open(find_workspace(workspace, Path.cwd()))
    keys = own_keys.load(opened.configs)
    from tui import resizing
    from tui.app import PersonaMoeApp

    guard.install()
    resizing.install()
    app = PersonaMoeApp(
        opened,
        glyphs=fitting(os.environ),
        low_bandwidth=low,
        plain_colours=low or has_plain_colours(os.environ),
        keys=keys,
    )
    watcher = SignalWatcher(app)
    watcher.start()
    app.run()
    watcher.done()
    if app.last_problem and app.return_code:
        output.fail(app.last_problem)
    if watcher.caught:
        return 128 + watcher.caught
    return app.return_code or 0


class SignalWatcher:
    """Ends the app on SIGTERM and SIGHUP, although its loop may be stuck on a link nobody reads from.

    The handler only takes a note. A thread of its own asks the app to leave and, if it does not
    within two seconds, or if the terminal is gone, ends the process: the journal is on disk.
    """

    def __init__(self, app: "PersonaMoeApp") -> None:
        self._app = app
        self._told = threading.Event()
        self._done = threading.Event()
        self.caught = 0

    def start(self) -> None:
        """Take over both signals."""
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGHUP, self._note)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def done(self) -> None:
        """The app has ended by itself."""
        self._done.set()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.caught = self.caught or number
        self._told.set()

    def _wait(self) -> None:
        self._told.wait()
        self._app.desk.session.close(SECONDS_TO_LEAVE / 2)
        if self.caught == signal.SIGHUP:  # the terminal is gone, and writing to it would block
            os._exit(128 + signal.SIGHUP)
        loop = self._app._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._app.leave)
        deadline = time.monotonic() + SECONDS_TO_LEAVE
        while time.monotonic() < deadline:
            if self._done.wait(0.05):
                return
        _restore_terminal()
        os._exit(128 + self.caught)


def _restore_terminal() -> None:
    """Switch off what the app switched on, without waiting for a terminal that takes nothing."""
    try:
        os.set_blocking(2, False)
        os.write(2, _RESTORE.encode("ascii"))
    except OSError:  # it takes nothing, so there is nobody to restore it for
        return
