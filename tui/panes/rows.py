"""A line of a pane, and the few ways to make one."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias, overload

import msgspec

from engine.cleaning import clean, one_line
from engine.events import Position, Term
from tui.glyphs import Glyphs
from tui.notices import Opened
from tui.state import RunState

Style: TypeAlias = Literal["", "dim", "strong", "accent", "good", "warn", "bad", "quote"]
Part: TypeAlias = tuple[str, Style]

MOST_LINES: Final = 800
"""Lines of one pane; what goes beyond is counted and can be asked for."""

MOST_TEXT: Final = 20_000
"""Characters of one text that are wrapped into lines."""


class Row(msgspec.Struct, frozen=True):
    """One line: ``key`` stays the same while the line means the same; ``folded`` None has nothing below."""

    key: str
    parts: tuple[Part, ...]
    depth: int = 0
    folded: bool | None = None

    @property
    def text(self) -> str:
        """The line's words, without style."""
        return "".join(text for text, _ in self.parts)


class LazyRows(Sequence[Row]):
    """Lines of which each is made when it is looked at, so that ten thousand cost nothing."""

    def __init__(self, keys: Sequence[str], make: Callable[[int], Row]) -> None:
        """``keys`` are the lines' keys in order, ``make`` gives the line at a place."""
        self._keys, self._make = keys, make
        self._places: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._make(each) for each in range(*place.indices(len(self._keys)))]
        if not -len(self._keys) <= place < len(self._keys):
            raise IndexError(place)
        return self._make(place % len(self._keys))

    def place_of(self, key: str) -> int | None:
        """Return where the line of this key is, None if it is not here."""
        if self._places is None:
            self._places = {name: place for place, name in enumerate(self._keys)}
        return self._places.get(key)


class View(msgspec.Struct, frozen=True):
    """All that a pane may show: the run, the workspace and the marks of this terminal.

    ``earlier`` are the questions of this session before the one that is shown; ``asked`` is a question
    of which no event has arrived yet, which ``waits`` while documents are indexed. ``servers`` are the
    addresses of those that were asked, as events hold none.
    """

    run: RunState
    glyphs: Glyphs
    opened: Opened | None = None
    live: bool = False
    replaying: bool = False
    waits: bool = False
    earlier: tuple[str, ...] = ()
    asked: str = ""
    servers: str = ""


def row(key: str, *parts: Part | str, depth: int = 0, folded: bool | None = None) -> Row:
    """Return a line; its texts are cleaned and put on one line."""
    made: list[Part] = []
    for part in parts:
        styled: Part = (part, "") if isinstance(part, str) else part
        made.append((clean(styled[0][:600]).replace("\n", " ").replace("\t", " "), styled[1]))
    return Row(key, tuple(made), depth, folded)


def text_rows(key: str, text: str, width: int, depth: int = 0, style: Style = "") -> Iterator[Row]:
    """Yield ``text`` wrapped into lines of ``width``, keeping its line breaks."""
    cut = clean(text[:MOST_TEXT])
    room = max(16, width - 2 * depth - 2)
    number = 0
    for line in cut.split("\n"):
        indent = line[: len(line) - len(line.lstrip())][: room // 2].replace("\t", "    ")
        pieces = textwrap.wrap(line.strip(), room - len(indent), break_on_hyphens=False) or [""]
        for piece in pieces:
            yield Row(f"{key}/{number}", ((indent + piece, style),), depth)
            number += 1
    if len(text) > MOST_TEXT:
        yield Row(f"{key}/more", ((f"{len(text) - MOST_TEXT:,} more characters", "dim"),), depth)


def term_rows(key: str, terms: Iterable[Term], depth: int) -> Iterator[Row]:
    """Yield what a number is made of, an addend a line."""
    for index, term in enumerate(terms):
        yield row(f"{key}/{index}", (f"{term.value:+.3f}", "accent"), f"  {term.name}", depth=depth)


def place(position: Position) -> str:
    """Return where a passage stands, as ``document:start-end``.

    >>> place(Position(document="a.md", section="", start=3, end=9))
    'a.md:3-9'
    """
    mark = {"line": ":", "page": " p. ", "row": " row "}[position.unit]
    last = f"-{position.end}" if position.end != position.start else ""
    return one_line(f"{position.document}{mark}{position.start}{last}", 200)


def bar(value: float, width: int, glyphs: Glyphs) -> str:
    """Return ``value`` in [0, 1] as a bar of ``width`` cells."""
    filled = round(min(max(value, 0.0), 1.0) * width)
    return glyphs.full * filled + glyphs.empty * (width - filled)


def capped(rows: Iterable[Row], most: int = MOST_LINES) -> list[Row]:
    """Return the first ``most`` rows and, if there are others, a line that counts them."""
    kept: list[Row] = []
    left = 0
    for each in rows:
        if len(kept) < most:
            kept.append(each)
        else:
            left += 1
    if left:
        kept.append(row("#rest", (f"… {left:,} more lines; close a branch to see them", "dim")))
    return kept


def is_open(key: str, toggled: frozenset[str], by_default: bool = False) -> bool:
    """Return whether the line ``key`` is open: as it starts, unless it was toggled since."""
    return (key in toggled) != by_default
