"""reStructuredText: docutils finds the headings, the blocks between them are runs of lines.

docutils could include files, run raw blocks and print; all of that is off. Its inline rules are
replaced: they decide nothing about where a section begins, and take most of the time.
"""

from typing import Any

from engine.cleaning import one_line
from engine.corpus.parsers.outline import (
    Block,
    HeadingPath,
    Original,
    Outline,
    Section,
    blank_line_blocks,
    heading_section,
)

_MAX_CHARS = 2_000_000
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "halt_level": 5,
    "report_level": 5,
    "syntax_highlight": "none",
    "warning_stream": False,
}


def _headings(text: str) -> list[tuple[int, int, str]]:
    """Return (line of the underline, level, title) of every heading."""
    from docutils import nodes
    from docutils.frontend import get_default_settings
    from docutils.parsers.rst import Parser, states
    from docutils.utils import new_document

    def parse_nothing(text: str, *_: Any) -> tuple[list[Any], list[Any]]:
        return [nodes.Text(text)], []

    inliner = states.Inliner()
    # On the instance: a subclass would lose the patterns that the base looks up in its own class.
    inliner.parse = parse_nothing  # type: ignore[method-assign, assignment]
    settings = get_default_settings(Parser)
    for key, value in _SETTINGS.items():
        setattr(settings, key, value)
    document = new_document("document", settings)
    Parser(inliner=inliner).parse(text, document)
    found: list[tuple[int, int, str]] = []
    pending = [(node, 1) for node in reversed(document.children)]
    while pending:
        node, level = pending.pop()
        if isinstance(node, nodes.section):
            heading = node.children[0]
            title = one_line(heading.astext().replace("``", "").strip("*`"))
            if isinstance(heading, nodes.title) and heading.line and title:
                found.append((heading.line, level, title))
            pending.extend((child, level + 1) for child in reversed(node.children))
    return found


def _is_adornment(line: str) -> bool:
    line = line.rstrip()
    return len(line) > 1 and not line[0].isalnum() and line == line[0] * len(line)


def outline(original: Original) -> Outline:
    """Return the sections of a reStructuredText document, or its paragraphs with a note why."""
    text = original.text
    lines = text.split("\n")
    notes: list[str] = []
    headings: list[tuple[int, int, str]] = []
    if len(text) > _MAX_CHARS:
        notes.append(f"read as plain paragraphs: more than {_MAX_CHARS:,} characters of reStructuredText")
    else:
        try:
            headings = _headings(text)
        except (Exception, SystemExit) as error:  # whatever a document makes docutils raise
            notes.append(f"read as plain paragraphs: docutils failed with {type(error).__name__}")
    path = HeadingPath()
    section = Section()
    sections = [section]
    begun = 1
    for underline, level, title in headings:
        first = underline - 1
        if (
            first > 1
            and _is_adornment(lines[first - 2])
            and lines[first - 2].strip() == lines[underline - 1].strip()
        ):
            first -= 1
        section.blocks = blank_line_blocks(lines, begun, first - 1, prose=True)
        section = heading_section(path.enter(level, title), Block(first, underline))
        sections.append(section)
        begun = underline + 1
    section.blocks = blank_line_blocks(lines, begun, len(lines), prose=True)
    title = headings[0][2] if headings else ""
    return Outline(kind="rst", text=text, sections=sections, title=title, notes=notes)
