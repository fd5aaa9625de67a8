"""From a file's bytes to a :class:`~engine.corpus.records.ParsedDocument`, one module a format.

Parsers run in a child process (:mod:`engine.corpus.child`): what they do with a hostile file can
cost that file its place in the index and nothing else.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePath
from typing import cast

import msgspec

from engine.corpus.parsers import grammars
from engine.corpus.parsers.outline import Original, Outline
from engine.corpus.parsers.packing import assemble
from engine.corpus.parsers.text import decode
from engine.corpus.records import ParsedDocument
from engine.errors import InputError
from engine.ids import digest

VERSION = "2"
"""Changes when parsing changes, so that every file is read anew once."""


class Format(msgspec.Struct, frozen=True):
    """A format: the module that reads it, and the package of an extra that it needs, if any."""

    module: str
    binary: bool = False
    needs: str = ""


_TEXT = Format("text")
_BY_SUFFIX: dict[str, Format] = {
    **dict.fromkeys((".md", ".markdown", ".mkd", ".mdx"), Format("markdown")),
    **dict.fromkeys((".rst", ".rest"), Format("restructured")),
    **dict.fromkeys((".html", ".htm", ".xhtml"), Format("html")),
    **dict.fromkeys(grammars.BY_SUFFIX, Format("code")),
    ".pdf": Format("pdf", binary=True, needs="pypdfium2"),
    ".docx": Format("docx", binary=True, needs="docx"),
}


def format_of(filename: str) -> Format:
    """Return the format that ``filename``'s suffix stands for: text, if it is none of the known.

    >>> format_of("Guide.MD").module, format_of("Makefile").module, format_of("a.pdf").binary
    ('markdown', 'text', True)
    """
    return _BY_SUFFIX.get(PurePath(filename).suffix.lower(), _TEXT)


def fingerprint(filename: str, limit: int) -> str:
    """Return the digest of all but the content that decides how ``filename`` is parsed.

    >>> fingerprint("a.md", 1200) == fingerprint("b.md", 1200) != fingerprint("b.md", 800)
    True
    """
    found = format_of(filename)
    suffix = PurePath(filename).suffix.lower()
    symbols = found.module == "code" and grammars.installed(suffix)
    return digest("parser.v1", VERSION, found.module, suffix, str(symbols), str(limit))


def parse(data: bytes, *, name: str, filename: str, limit: int) -> tuple[ParsedDocument, list[str]]:
    """Return the document ``name`` in ``data`` and notes on what could not be read as well as it should.

    ``limit`` is the size of a passage in characters. InputError says why a file cannot be used.

    >>> data = "# Hi{0}{0}There.".format(chr(10)).encode()
    >>> document, notes = parse(data, name="d/a.md", filename="a.md", limit=1200)
    >>> document.title, document.passages[0].text, document.passages[0].start, notes
    ('Hi', 'There.', 3, [])
    """
    found = format_of(filename)
    if found.needs and find_spec(found.needs) is None:
        raise InputError("its reader is not installed", "pip install 'persona-moe[documents]'")
    path = PurePath(filename)
    text = "" if found.binary else decode(data)
    original = Original(data=data, text=text, suffix=path.suffix.lower(), limit=limit)
    module = import_module(f"{__name__}.{found.module}")
    outline = cast("Outline", module.outline(original))
    document = assemble(outline, name=name, source=name, stem=path.stem, limit=limit)
    if not document.passages:
        raise InputError("no text")
    return document, outline.notes
