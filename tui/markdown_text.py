"""Markdown from a model or a document, made fit for a Markdown widget: bounded, and without side doors."""

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from engine.cleaning import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MOST_CHARACTERS: Final = 60_000
MOST_PER_LINE: Final = 2_000
MOST_LINES: Final = 1_000
MOST_TABLE_CELLS: Final = 120
DEEPEST: Final = 4
MOST_MARKS_PER_LINE: Final = 200
_MARKS: Final = re.compile(r"[*_`~\[\]]")


def parser() -> "MarkdownIt":
    """Return a Markdown parser that takes HTML, images and links as the plain text they are written in."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return markdown.disable(["image", "link", "autolink", "reference", "html_block", "html_inline"])


def fit(text: str) -> str:
    r"""Return ``text`` cleaned, and cut or set as plain text where a widget would stall on it.

    >>> fit("a\x1b[2Jb")
    'a␛[2Jb'
    """
    lines = [_line(line) for line in clean(text[:MOST_CHARACTERS]).split("\n")]
    more = len(text) - MOST_CHARACTERS
    if len(lines) > MOST_LINES or more > 0:
        left = (
            f"{len(lines) - MOST_LINES:,} more lines"
            if len(lines) > MOST_LINES
            else f"{more:,} more characters"
        )
        lines = [*lines[:MOST_LINES], "", f"… {left}"]
    kept: list[str] = []
    for has_bars, group in groupby(lines, key=lambda line: "|" in line):
        block = list(group)
        if has_bars and sum(line.count("|") for line in block) > MOST_TABLE_CELLS:
            block = ["```", *(line.replace("```", "") for line in block), "```"]
        kept.extend(block)
    return "\n".join(kept)


def _line(line: str) -> str:
    if len(line) > MOST_PER_LINE:
        line = line[:MOST_PER_LINE] + f" … {len(line) - MOST_PER_LINE:,} more characters"
    if len(_MARKS.findall(line)) > MOST_MARKS_PER_LINE:
        line = _MARKS.sub(lambda mark: "\\" + mark[0], line)
    # Quotes in quotes in lists cost a widget each.
    inner = line.lstrip("> \t")
    return "> " + inner if line[: len(line) - len(inner)].count(">") > DEEPEST else line
