"""Blocks packed into passages: within one section, up to a size, each with its exact position."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

import msgspec

from engine.corpus.parsers.outline import Block, Outline, Section
from engine.corpus.records import Name, ParsedDocument, Passage, passage_id
from engine.ids import digest

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？]")
_GAP = re.compile(r"(?:[ \t]*\n)+|[ \t]+")
_encode = msgspec.msgpack.Encoder().encode


def cut(text: str, start: int, end: int, limit: int, *, prose: bool) -> Iterator[tuple[int, int]]:
    r"""Yield the (start, end) offsets of pieces of ``text[start:end]`` of at most ``limit`` characters.

    A piece ends, in order of preference, at the last sentence end (prose only), line end or blank of
    its second half, or hard at the limit. Only white space between pieces is left out.

    >>> text = "The first one. Then two. Three."
    >>> [text[a:b] for a, b in cut(text, 0, len(text), 16, prose=True)]
    ['The first one.', 'Then two. Three.']
    """
    while end - start > limit:
        at = _last_break(text, start + limit // 2, start + limit, prose)
        stop = start + len(text[start:at].rstrip())
        if start < stop:
            yield start, stop
        gap = _GAP.match(text, at, end)
        start = gap.end() if gap else at
    if start < end:
        yield start, end


def _last_break(text: str, low: int, high: int, prose: bool) -> int:
    if prose:
        ends = [found.end() for found in _SENTENCE_END.finditer(text, low, high + 1) if found.end() <= high]
        if ends:
            return ends[-1]
    for mark in "\n ":
        at = text.rfind(mark, low + 1, high)
        if at > 0:
            return at
    return high


class _Piece(NamedTuple):
    start: int
    end: int
    section: Section
    names: list[Name]


class _Lines:
    """Offsets of lines in a text, and back."""

    def __init__(self, text: str) -> None:
        self.text = text
        lengths = [len(line) for line in text.split("\n")]
        self.starts = [0, *accumulate(length + 1 for length in lengths)]
        self.count = len(lengths)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return the offsets of lines first..last without outer blank lines, (0, 0) if all are blank."""
        first, last = max(first, 1), min(last, self.count)
        while first <= last and self._blank(first):
            first += 1
        while last >= first and self._blank(last):
            last -= 1
        return (self.starts[first - 1], self.starts[last] - 1) if first <= last else (0, 0)

    def number(self, offset: int) -> int:
        return bisect_right(self.starts, offset)

    def _blank(self, number: int) -> bool:
        line = self.text[self.starts[number - 1] : self.starts[number] - 1]
        return not line or line.isspace()


def _pack(
    blocks: list[Block], lines: _Lines, limit: int, within: list[tuple[int, int]] | None
) -> Iterator[tuple[int, int]]:
    """Yield offsets of passages: neighbours together while they fit and share a page."""
    begin = end = 0
    for block in blocks:
        start, stop = lines.span(block.first, block.last)
        if start == stop:
            continue
        together = begin != end and stop - begin <= limit
        if together and within is not None:
            together = within[lines.number(begin) - 1][0] == within[block.first - 1][0]
        if together:
            end = stop
            continue
        if begin != end:
            yield begin, end
            begin = end = 0
        if stop - start > limit:
            yield from cut(lines.text, start, stop, limit, prose=block.prose)
        else:
            begin, end = start, stop
    if begin != end:
        yield begin, end


def _pieces(outline: Outline, lines: _Lines, limit: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    waiting: list[Name] = []
    within = outline.places if outline.unit == "page" else None
    for number, section in enumerate(outline.sections):
        waiting.extend(section.names)
        spans = list(_pack(section.blocks, lines, limit, within))
        if not spans and section.heading is not None:
            after = outline.sections[number + 1].path if number + 1 < len(outline.sections) else ()
            if after[: len(section.path)] != section.path:
                # A heading with nothing below it is all there is to quote.
                spans = list(_pack([section.heading], lines, limit, within))
        for start, end in spans:
            if outline.text[start:end].isspace():
                continue
            pieces.append(_Piece(start, end, section, waiting))
            waiting = []
    starts = [piece.start for piece in pieces]
    for line, name in outline.names:
        # The first piece that reaches into the line: the others hold its rest.
        at = bisect_right(starts, lines.starts[line - 1]) - 1
        if at < 0 or pieces[at].end <= lines.starts[line - 1]:
            at = min(at + 1, len(pieces) - 1)
        if at >= 0:
            pieces[at].names.append(name)
    return pieces


def assemble(outline: Outline, *, name: str, source: str, stem: str, limit: int) -> ParsedDocument:
    """Return the document ``name`` of file ``source`` with passages of at most ``limit`` characters.

    A passage of whole blocks is, to the character, the lines it stands on; a block longer than
    ``limit`` is cut, and its pieces are found within their lines. The title is the document's, else
    ``stem``. Passages are in reading order; there may be none.
    """
    lines = _Lines(outline.text)
    pieces = _pieces(outline, lines, limit)
    title = outline.title or stem
    own = [Name(outline.title, "title")] if outline.title else []
    first_names = [*own, Name(stem, "file")]
    copies: Counter[str] = Counter()
    passages: list[Passage] = []
    for piece in pieces:
        text = outline.text[piece.start : piece.end]
        start, end = lines.number(piece.start), lines.number(piece.end - 1)
        if outline.places is not None:
            start, end = outline.places[start - 1][0], outline.places[end - 1][1]
        identity = passage_id(name, text, copies[text])
        copies[text] += 1
        names = piece.names if passages else [*first_names, *piece.names]
        passages.append(
            Passage(
                passage_id=identity,
                document=name,
                evidence_id=identity,
                title=piece.section.title or title,
                section=piece.section.path,
                start=start,
                end=end,
                unit=outline.unit,
                text=text,
                names=tuple(dict.fromkeys(names)),
            )
        )
    return finished(name, source, outline.kind, title, tuple(passages))


def finished(name: str, source: str, kind: str, title: str, passages: tuple[Passage, ...]) -> ParsedDocument:
    """Return the document with the digest of all that a reader could see of it."""
    content = digest("document.v1", _encode((kind, title, passages)))
    return ParsedDocument(name=name, source=source, kind=kind, title=title, digest=content, passages=passages)
