"""The lines of a document around a passage, read from the file it came from."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.cleaning import clean
from engine.errors import WorkspaceError
from engine.events import Position
from engine.files import read_bounded

if TYPE_CHECKING:
    from engine.pipeline import Engine

AROUND: Final = 8
"""Lines shown before and after."""

MOST_BYTES: Final = 4 * 1024 * 1024


class Surroundings(msgspec.Struct, frozen=True):
    """Lines before and after a passage; ``note`` says why there are none, if there should be."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    note: str = ""


def surroundings(engine: "Engine", position: Position, text: str) -> Surroundings:
    """Return what stands around ``text``, which was indexed at ``position``.

    Only for files counted in lines that are still as they were; nothing is guessed.
    """
    if position.unit != "line":
        return Surroundings()
    source = engine.store.sources().get(position.document)
    if source is None:
        return Surroundings(note="the document is no longer in the index; this is what the run recorded")
    try:
        path = Path(source.path)
        if not stat.S_ISREG(os.stat(path).st_mode):
            return Surroundings(note="the file is gone; this is the text as it was indexed")
        lines = clean(read_bounded(path, MOST_BYTES).decode("utf-8-sig")).split("\n")
    except (OSError, WorkspaceError, UnicodeDecodeError):
        return Surroundings(note="the file cannot be read; this is the text as it was indexed")
    inside = [line.strip() for line in lines[position.start - 1 : position.end]]
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if not any(first in line or (line and line in first) for line in inside):
        return Surroundings(note="the file has changed since; this is the text as it was indexed")
    before = lines[max(0, position.start - 1 - AROUND) : position.start - 1]
    return Surroundings(tuple(before), tuple(lines[position.end : position.end + AROUND]))
