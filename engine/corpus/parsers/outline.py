"""What every parser yields: a document's text, the sections in it, and the blocks worth quoting.

Lines count from 1. ``places`` says where each line of ``text`` stands in the file when the two
differ (pages of a PDF, source lines of HTML); without it, line n of ``text`` is line n of the file.
"""

from typing import NamedTuple

import msgspec

from engine.corpus.records import Name, Unit


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a parser gets it: ``text`` is decoded and cleaned, "" for a binary format."""

    data: bytes
    text: str
    suffix: str
    limit: int


class Block(NamedTuple):
    """Lines ``first``..``last`` that belong together; ``prose`` may be cut at sentence ends."""

    first: int
    last: int
    prose: bool = True


class Section(msgspec.Struct, kw_only=True):
    """What stands under one heading, up to the next: ``path`` leads to it and ends in it."""

    path: tuple[str, ...] = ()
    title: str = ""
    names: tuple[Name, ...] = ()
    heading: Block | None = None
    blocks: list[Block] = msgspec.field(default_factory=list)


class Outline(msgspec.Struct, kw_only=True):
    """A parsed document before it is cut into passages.

    ``names`` are (line, name) pairs that belong to whichever passage holds the line; ``notes`` tell
    the user what could not be done as well as it should.
    """

    kind: str
    text: str
    sections: list[Section]
    title: str = ""
    unit: Unit = "line"
    places: list[tuple[int, int]] | None = None
    names: list[tuple[int, Name]] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)


class HeadingPath:
    """The headings above a place, kept while headings of any level go by in reading order.

    >>> path = HeadingPath()
    >>> path.enter(1, "Guide"), path.enter(3, "Deep"), path.enter(2, "Next")
    (('Guide',), ('Guide', 'Deep'), ('Guide', 'Next'))
    """

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        """Return the path to a heading of ``level`` (1 is the highest) that begins here."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, title))
        return tuple(title for _, title in self._open)


def heading_section(path: tuple[str, ...], heading: Block | None = None) -> Section:
    """Return an empty section for the heading that ``path`` ends in.

    >>> heading_section(("Guide", "Install")).title
    'Install'
    """
    return Section(path=path, title=path[-1], names=(Name(path[-1], "heading"),), heading=heading)


def blank_line_blocks(lines: list[str], first: int, last: int, *, prose: bool) -> list[Block]:
    """Return the runs of non-blank lines in ``first``..``last``, in order.

    An indented run is not prose: it is quoted matter, code or a table.

    >>> blank_line_blocks(["a", "b", "", "  c"], 1, 4, prose=True)
    [Block(first=1, last=2, prose=True), Block(first=4, last=4, prose=False)]
    """
    blocks: list[Block] = []
    begun = 0
    for number in range(first, last + 1):
        line = lines[number - 1]
        if not line or line.isspace():
            if begun:
                blocks.append(Block(begun, number - 1, prose and not lines[begun - 1][0].isspace()))
            begun = 0
        elif not begun:
            begun = number
    if begun:
        blocks.append(Block(begun, last, prose and not lines[begun - 1][0].isspace()))
    return blocks
