"""Where everything the command line says is written: data on stdout, all else on stderr.

Text is cleaned at the last moment before it is written, so no caller can forget it. JSON keeps its
data whole: a character that could act on a terminal is written as a ``\\u`` escape, which any JSON
reader turns back into the character. When the reader of a pipe goes away (``| head``) the rest of
the output is dropped and the work goes on: the run is still recorded, and the exit code is its own.
So it is where stdout takes nothing (a full disk, a closed descriptor), but then that is a failure:
:func:`lost` tells it when the work is done.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from engine.cleaning import clean, one_line

SECONDS_BETWEEN_NOTES = 3.0
"""How often progress is told where there is no terminal to draw a bar on."""

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what); ``total`` is 0 while it is not known."""

_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")


_lost: list[str] = []


def lost() -> str:
    """Return why what was written to stdout did not get there; empty where it did, or nobody reads it."""
    return _lost[-1] if _lost else ""


def use_utf8() -> None:
    """Make stdout and stderr UTF-8 whatever the locale says; begin with nothing lost.

    A stream that was closed before the program began is there afterwards: empty, or refusing every write.
    """
    _lost.clear()
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Its number must not go to the next file that is opened, and a write must fail as before.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDONLY), mode))
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")


def _drop(stream: TextIO) -> None:
    """Send what is still buffered, and all that follows, nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _drop(stream)
    except OSError as error:
        if stream is sys.stdout:
            _lost.append(error.strerror or str(error))
        _drop(stream)


def print_text(text: str) -> None:
    """Write a piece of text to stdout, as it arrives."""
    _write(sys.stdout, clean(text))


def print_line(text: str = "") -> None:
    """Write a line of text to stdout."""
    _write(sys.stdout, clean(text) + "\n")


def note(text: str) -> None:
    """Write a line to stderr: a hint, a count, a warning; never data."""
    _write(sys.stderr, clean(text) + "\n")


def fail(problem: str) -> None:
    """Write the one line that says why the command failed to stderr."""
    note(f"persona-moe: {one_line(problem, 1000)}")


def _escaped(match: re.Match[str]) -> str:
    import unicodedata

    char = match[0]
    if clean(char) == char and not unicodedata.combining(char) and char != "\t":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def harmless_json(encoded: bytes) -> str:
    r"""Return JSON with every character that could act on a terminal written as an escape.

    The value it stands for is unchanged. The rare text with more than four combining marks in a
    row has all its combining marks escaped.

    >>> harmless_json(b'{"a":"\xc2\x9b2J"}')
    '{"a":"\\u009b2J"}'
    """
    text = encoded.decode("utf-8")
    return text if clean(text) == text else _NOT_ASCII.sub(_escaped, text)


def print_json(value: Any) -> None:
    """Write ``value`` (a Struct, or plain data) to stdout as one indented JSON document."""
    import msgspec

    _write(sys.stdout, harmless_json(msgspec.json.format(msgspec.json.encode(value), indent=2)) + "\n")


def print_event(encoded: bytes) -> None:
    """Write one encoded event to stdout, on a line of its own, at once."""
    _write(sys.stdout, harmless_json(encoded) + "\n")


@contextmanager
def progress(title: str, unit: str = "") -> Iterator[Progress]:
    """Give a function that shows how far a long job is, on stderr, counted in ``unit``.

    A bar where stderr is a terminal, else a line every few seconds. Nothing at all for a job that
    is done before the first line is due.
    """
    if sys.stderr.isatty() and os.environ.get("TERM") not in {None, "", "dumb"}:
        with _bar(title, unit) as report:
            yield report
        return
    due = time.monotonic() + SECONDS_BETWEEN_NOTES

    def report_line(done: int, total: int, what: str) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + SECONDS_BETWEEN_NOTES
            amount = f"{done:,} of {total:,}" if total else f"{done:,}"
            note(f"{title}: {amount}{unit}  {one_line(what, 60)}")

    yield report_line


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(unit, markup=False),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[what]}", markup=False),
        console=Console(file=sys.stderr, markup=False, highlight=False, emoji=False),
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=None, what="")

        def report(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total or None, what=one_line(what, 32))

        yield report
