"""Markdown: the tree of headings, and the blocks below each, with their lines.

Only the block rules run. Inline rules take most of a parser's time and tell nothing about where
things stand; they are applied to headings alone, to read them without their marks.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from engine.cleaning import one_line
from engine.corpus.parsers.outline import Block, HeadingPath, Original, Outline, Section, heading_section

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"(?P<fence>---|\+\+\+)[ \t]*\n(?=[\w\"'-]+[ \t]*[:=]|#)")
_FRONT_MATTER_LINES = 400
_TITLE = re.compile(r"title[ \t]*[:=][ \t]*(?P<title>\S.*)")
_MARKED = re.compile(r"[*_`\[\]<>&\\!]")
_VERBATIM = frozenset({"fence", "code_block", "html_block", "table_open"})
_LISTS = frozenset({"bullet_list_open", "ordered_list_open"})
_ANCHOR = re.compile(r"[ \t]*\{[#.:][^{}]*\}\Z")


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def _front_matter(text: str) -> tuple[str, int]:
    """Return (title, how many lines the front matter takes)."""
    begin = _FRONT_MATTER.match(text)
    if begin is None:
        return "", 0
    title = ""
    for count, line in enumerate(text.split("\n", _FRONT_MATTER_LINES)[1:_FRONT_MATTER_LINES], start=2):
        if line.rstrip() in (begin["fence"], "..."):
            return title, count
        found = _TITLE.match(line)
        if found and not title:
            title = one_line(found["title"].strip().strip("\"'"))
    return "", 0


def _is_comment(html: str) -> bool:
    html = html.strip()
    return html.startswith("<!--") and html.find("-->") == len(html) - 3


def plain_heading(marked: str) -> str:
    """Return a heading's Markdown as a reader sees it.

    >>> plain_heading("The `ask` **command** {#ask}")
    'The ask command'
    """
    marked = _ANCHOR.sub("", marked)
    if not _MARKED.search(marked):
        return one_line(marked)
    children = _parser().parseInline(marked)[0].children or []
    parts = (" " if child.type in ("softbreak", "hardbreak") else child.content for child in children)
    return one_line(
        "".join(part for part, child in zip(parts, children, strict=True) if child.type != "html_inline")
    )


def outline(original: Original) -> Outline:
    """Return the sections of a Markdown document; its title is in front matter or the first heading."""
    text = original.text
    title, skip = _front_matter(text)
    body = "\n" * skip + text.split("\n", skip)[skip] if skip else text
    parser = _parser()
    tokens: list[Token] = []
    parser.block.parse(body, parser, {}, tokens)
    path = HeadingPath()
    section = Section()
    sections = [section]
    for at, token in enumerate(tokens):
        if token.map is None or token.nesting < 0:
            continue
        block = Block(token.map[0] + 1, token.map[1], token.type not in _VERBATIM)
        if token.level == 0 and token.type == "heading_open":
            heading = plain_heading(tokens[at + 1].content)
            if heading:
                section = heading_section(path.enter(int(token.tag[1:]), heading), block)
                sections.append(section)
                title = title or heading
        elif (token.level == 0 and token.type in _LISTS) or (
            token.type == "html_block" and _is_comment(token.content)
        ):
            continue
        elif token.level == 0 or (token.level == 1 and token.type == "list_item_open"):
            section.blocks.append(block)
    return Outline(kind="markdown", text=text, sections=sections, title=title)
