"""HTML: the readable text, its headings, and the line in the file that each piece stands on.

The standard library's tokenizer is used because it alone of those compared tells the line of every
piece of text; a position guessed by searching the text back would now and then be wrong.
"""

import re
from html import unescape
from html.parser import HTMLParser

from engine.cleaning import clean, one_line
from engine.corpus.parsers.outline import Block, HeadingPath, Original, Outline, Section, heading_section

_DROPPED = frozenset(
    ("script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select", "button")
)
_AROUND = frozenset(("nav", "footer", "aside"))
_MAIN = ("main", "article")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form header hr html legend li main menu nav ol optgroup option p pre section summary "
    "table tbody tfoot thead tr ul title h1 h2 h3 h4 h5 h6".split()
)
_CELLS = frozenset(("td", "th"))
_SPACES = re.compile(r"[ \t\n]+")


class _Line:
    """A line of readable text in the making, with the source lines it came from."""

    __slots__ = ("areas", "first", "last", "level", "parts", "pre")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.first = self.last = 0
        self.level = 0
        self.pre = False
        self.areas: tuple[str, ...] = ()


class _Reader(HTMLParser):
    """Collects lines of text; which of them to keep is decided at the end."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.title = ""
        self.lines: list[_Line] = []
        self._line = _Line()
        self._open: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._end_line()
        elif tag in _CELLS and self._line.parts:
            self._line.parts.append(" | ")
        if tag in _DROPPED or tag in _AROUND or tag in _MAIN or tag in _HEADINGS or tag in ("title", "pre"):
            self._open[tag] = self._open.get(tag, 0) + 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._end_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end_line()
        if self._open.get(tag):
            self._open[tag] -= 1

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_charref(self, name: str) -> None:
        self._add(clean(unescape(f"&#{name};")))

    def handle_entityref(self, name: str) -> None:
        self._add(clean(unescape(f"&{name};")))

    def close(self) -> None:
        super().close()
        self._end_line()

    def _add(self, data: str) -> None:
        if any(self._open.get(tag) for tag in _DROPPED):
            return
        line = self._line
        number = self.getpos()[0]
        if self._open.get("pre"):
            for at, piece in enumerate(data.split("\n")):
                if at:
                    self._end_line()
                self._place(piece, number + at, number + at)
            self._line.pre = True
            return
        bare = data.strip(" \t\n")
        if bare:
            before = data[: data.index(bare[0])].count("\n")
            self._place(data, number + before, number + before + bare.count("\n"))
        elif line.parts:
            line.parts.append(" ")

    def _place(self, piece: str, first: int, last: int) -> None:
        line = self._line
        if not line.first:
            line.first = first
            line.level = next((level for tag, level in _HEADINGS.items() if self._open.get(tag)), 0)
            line.areas = tuple(tag for tag in (*_AROUND, *_MAIN, "title") if self._open.get(tag))
            line.pre = bool(self._open.get("pre"))
        line.last = max(line.last, last)
        line.parts.append(piece)

    def _end_line(self) -> None:
        line, self._line = self._line, _Line()
        if not line.first:
            return
        text = "".join(line.parts)
        text = text.rstrip() if line.pre else _SPACES.sub(" ", text).strip(" |")
        if "title" in line.areas:
            self.title = self.title or one_line(text)
        elif text or line.pre:
            line.parts = [text]
            self.lines.append(line)


def _readable(lines: list[_Line]) -> list[_Line]:
    """Return the lines of <main> or <article>, else all; without what stands around, if that leaves any."""
    kept = [line for line in lines if not any(tag in _AROUND for tag in line.areas)]
    lines = kept if any(line.parts[0] for line in kept) else lines
    for tag in _MAIN:
        inside = [line for line in lines if tag in line.areas]
        if any(line.parts[0] and not line.level for line in inside):
            return inside
    return lines


def outline(original: Original) -> Outline:
    """Return the sections of an HTML page; lines are those of the file that the text stands on."""
    reader = _Reader()
    reader.feed(original.text)
    reader.close()
    path = HeadingPath()
    section = Section()
    sections = [section]
    texts: list[str] = []
    places: list[tuple[int, int]] = []
    title = reader.title
    previous: _Line | None = None
    for line in _readable(reader.lines):
        text = line.parts[0]
        # Lines of one <pre> stay together; a heading or paragraph stands alone.
        joined = previous is not None and previous.pre and line.pre and line.first == previous.last + 1
        if texts and not joined:
            texts.append("")
            places.append((line.first, line.first))
        texts.append(text)
        places.append((line.first, line.last))
        number = len(texts)
        previous = line
        if line.level:
            heading = one_line(text)
            if heading:
                title = title or heading
                section = heading_section(path.enter(line.level, heading), Block(number, number))
                sections.append(section)
        elif joined and section.blocks:
            section.blocks[-1] = Block(section.blocks[-1].first, number, prose=False)
        else:
            section.blocks.append(Block(number, number, prose=not line.pre))
    return Outline(kind="html", text="\n".join(texts), sections=sections, title=title, places=places)
