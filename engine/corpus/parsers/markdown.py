"""Markdown: the tree of headings, and the blocks below each, with their lines."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from engine.cleaning import one_line
from engine.corpus.parsers.outline import Block, HeadingPath, Original, Outline, Section, heading_section

_FRONT_MATTER = re.compile(r"(?P<fence>---|\+\+\+)[ \t]*\n(?=[\w\"'-]+[ \t]*[:=]|#)")
_FRONT_MATTER_LINES = 400
_TITLE = re.compile(r"title[ \t]*[:=][ \t]*(?P<title>\S.*)")
_VERBATIM = frozenset({"CodeBlock", "HtmlBlock", "Table"})
_ANCHOR = re.compile(r"[ \t]*\{[#.:][^{}]*\}\Z")


class _Found(NamedTuple):
    """A top-level block, or an item of a top-level list: where it begins and ends in bytes.

    ``level`` is that of a heading, 0 for all else; ``text`` what a reader sees of it, of headings only.
    """

    kind: str
    start: int
    end: int
    level: int = 0
    text: str = ""


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


def _found(body: str) -> Iterator[_Found]:
    """Yield the blocks of ``body`` in reading order."""
    from pyromark import Options, events_with_range

    level = past = 0
    seen: list[str] = []
    for event, reach in events_with_range(body, options=Options.ENABLE_TABLES):
        if reach["end"] <= past:
            # Within the last block, as most events are: of these only a heading's matter.
            if not level:
                continue
            if isinstance(event, str):
                seen.append(" ")  # a line of the heading ends
            elif "Text" in event:
                seen.append(event["Text"])
            elif "Code" in event:
                seen.append(event["Code"])
            elif "End" in event and "Heading" in event["End"]:
                yield _Found("Heading", reach["start"], reach["end"], level, "".join(seen))
                level = 0
        elif isinstance(event, str):
            if event == "Rule":
                yield _Found("Rule", reach["start"], reach["end"])
        elif "Start" in event:
            tag = event["Start"]
            kind = tag if isinstance(tag, str) else next(iter(tag))
            if kind == "List":
                continue  # its items are what is yielded
            past = reach["end"]
            if not isinstance(tag, str) and "Heading" in tag:
                level, seen = int(tag["Heading"]["level"][1]), []
            else:
                yield _Found(kind, reach["start"], past)


def _is_comment(html: bytes) -> bool:
    return html.startswith(b"<!--") and html.find(b"-->") == len(html) - 3


def outline(original: Original) -> Outline:
    """Return the sections of a Markdown document; its title is in front matter or the first heading.

    A heading's path and title are as a reader sees them: without marks, tags and a final ``{#anchor}``.
    """
    text = original.text
    title, skip = _front_matter(text)
    body = "\n" * skip + text.split("\n", skip)[skip] if skip else text
    source = body.encode()
    path = HeadingPath()
    section = Section()
    sections = [section]
    line, counted = 1, 0
    for found in _found(body):
        marked = source[found.start : found.end].rstrip()
        line += source.count(b"\n", counted, found.start)
        counted = found.start
        block = Block(line, line + marked.count(b"\n"), found.kind not in _VERBATIM)
        if found.level:
            heading = one_line(_ANCHOR.sub("", found.text))
            if heading:
                section = heading_section(path.enter(found.level, heading), block)
                sections.append(section)
                title = title or heading
        elif not (found.kind == "HtmlBlock" and _is_comment(marked.lstrip())):
            section.blocks.append(block)
    return Outline(kind="markdown", text=text, sections=sections, title=title)
