"""An answer while it is written: lines of its Markdown, made once for each paragraph that is complete.

A Markdown widget costs a widget for each paragraph and lays all of them out anew when the last one
grows; at 4,000 tokens that stalls every key. Here only the paragraph being written is read again.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, chop_cells

from engine.cleaning import clean
from tui.glyphs import Glyphs
from tui.markdown_text import parser
from tui.panes.rows import Part, Row, Style

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST_BLOCK: Final = 4_000
"""Characters without a blank line from which on a paragraph is taken to be complete."""

_BLANK: Final = re.compile(r"\n[ \t]*\n+")
_FENCE: Final = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
_WORD: Final = re.compile(r"\s*\S+")
_INLINE: Final[dict[str, Style]] = {"strong": "strong", "em": "quote", "s": "dim"}


class Draft:
    """Text that grows, as rows. ``rows`` are those of :meth:`show`'s last text."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._text = ""
        self._width = 0
        self._done = 0
        self._done_rows = 0

    def show(self, text: str, width: int, glyphs: Glyphs) -> int:
        """Take in ``text``, wrapped to ``width``; return the first row that is not as it was."""
        if width != self._width or not text.startswith(self._text):
            self.rows, self._done, self._done_rows = [], 0, 0
        kept = self._done_rows
        del self.rows[kept:]
        self._text, self._width = text, width
        while (end := _block_end(text, self._done)) > 0:
            self.rows += _block_rows(text[self._done : end], width, glyphs)
            self._done, self._done_rows = end, len(self.rows)
        self.rows += _block_rows(text[self._done :], width, glyphs)
        return kept


def _block_end(text: str, start: int) -> int:
    """Return where the block at ``start`` is known to end, 0 if it may still grow."""
    for blank in _BLANK.finditer(text, start, start + LONGEST_BLOCK):
        if len(_FENCE.findall(text, start, blank.start())) % 2 == 0:
            return blank.end()
    if len(text) - start <= LONGEST_BLOCK:
        return 0
    cut = max(text.rfind(mark, start, start + LONGEST_BLOCK) for mark in "\n ")
    return cut + 1 if cut > start else start + LONGEST_BLOCK


@cache
def _parser() -> "MarkdownIt":
    return parser().disable("table")


def _block_rows(text: str, width: int, glyphs: Glyphs) -> list[Row]:
    text = clean(text)
    if not text.strip():
        return []
    lines: list[tuple[Part, ...]] = []
    indents: list[str] = []
    mark = ""
    style: Style = ""
    for token in _parser().parse(text):
        match token.type:
            case "heading_open":
                style = "strong"
            case "heading_close":
                style = ""
            case "bullet_list_open" | "ordered_list_open" | "blockquote_open":
                indents.append("  " if token.type == "bullet_list_open" else "   ")
                if token.type == "blockquote_open":
                    indents[-1], style = f"{glyphs.left} ", "quote"
            case "bullet_list_close" | "ordered_list_close":
                indents.pop()
            case "blockquote_close":
                indents.pop()
                style = ""
            case "list_item_open":
                mark = f"{token.info}. " if token.info else f"{glyphs.bullet} "
            case "inline":
                before = "".join(indents)
                first = before[: max(0, len(before) - len(mark))] + mark if mark else before
                mark = ""
                lines += wrapped(_inline(token, style), width, first, before)
            case "fence" | "code_block":
                for line in token.content.rstrip("\n").split("\n"):
                    lines += wrapped([(line.replace("\t", "    "), "accent")], width, "  ", "  ")
            case "hr":
                lines.append((("-" * min(width, 20), "dim"),))
    return [Row("", line) for line in [*lines, ()]]


def _inline(token: "Token", style: Style) -> list[Part]:
    parts: list[Part] = []
    styles = [style]
    for child in token.children or ():
        name = child.type.rpartition("_")[0]
        if child.type in {"softbreak", "hardbreak"}:
            is_table = token.content.startswith("|")
            parts.append(("\n" if child.type == "hardbreak" or is_table else " ", styles[-1]))
        elif child.type == "code_inline":
            parts.append((child.content, "accent"))
        elif child.nesting > 0:
            styles.append(_INLINE.get(name, styles[-1]))
        elif child.nesting < 0:
            styles.pop()
        else:
            parts.append((child.content, styles[-1]))
    return parts


def wrapped(parts: Sequence[Part], width: int, first: str, others: str) -> list[tuple[Part, ...]]:
    """Return ``parts`` in lines of at most ``width`` cells, set in by ``first`` or ``others``.

    >>> wrapped([("a bold", "strong"), (" more", "")], 8, "- ", "  ")
    [(('- ', 'dim'), ('a bold', 'strong')), (('  ', ''), ('more', ''))]
    """
    text = "".join(part for part, _ in parts)
    room = max(8, width - max(cell_len(first), cell_len(others)))
    lines: list[tuple[Part, ...]] = []
    for start, end in _cuts(text, room):
        before: Part = (others, "") if lines else (first, "dim")
        lines.append(tuple(part for part in (before, *_between(parts, start, end)) if part[0]))
    return lines


def _cuts(text: str, room: int) -> Iterator[tuple[int, int]]:
    """Yield where each line of ``text`` starts and ends."""
    offset = 0
    for line in text.split("\n"):
        start = end = offset
        used = 0
        for word in _WORD.finditer(line):
            size = cell_len(word[0])
            if used and used + size > room:
                yield start, end
                start = offset + word.start() + len(word[0]) - len(word[0].lstrip())
                size, used = cell_len(word[0].lstrip()), 0
            end = offset + word.end()
            if size > room:
                for piece in chop_cells(text[start:end], room):
                    size = cell_len(piece)
                    if start + len(piece) < end:
                        yield start, start + len(piece)
                        start += len(piece)
            used += size
        yield start, end
        offset += len(line) + 1


def _between(parts: Sequence[Part], start: int, end: int) -> Iterator[Part]:
    offset = 0
    for text, style in parts:
        piece = text[max(0, start - offset) : max(0, end - offset)]
        if piece:
            yield piece, style
        offset += len(text)
