"""Bytes to text, and plain text to paragraphs."""

import codecs

from engine.cleaning import clean
from engine.corpus.parsers.outline import Original, Outline, Section, blank_line_blocks
from engine.errors import InputError

HEAD = 8192
_MARKS = (  # the longer marks first: UTF-16's is the beginning of UTF-32's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_PROSE = frozenset({"", ".txt", ".text", ".me", ".1st"})


def encoding_of(head: bytes) -> str:
    """Return the encoding that the first bytes of a file tell; InputError if they are not text.

    >>> encoding_of(b"plain"), encoding_of(b"\\xff\\xfeh\\x00")
    ('utf-8', 'utf-16')
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head[:HEAD]:
        raise InputError("binary")
    return "utf-8"


def decode(data: bytes) -> str:
    """Return ``data`` as cleaned text; InputError says why if it is not text.

    UTF-8 with or without a byte order mark, and UTF-16 or UTF-32 with one.

    >>> decode(b"\\xef\\xbb\\xbftext\\r\\n")
    'text\\n'
    """
    encoding = encoding_of(data[:HEAD])
    try:
        return clean(data.decode(encoding))
    except UnicodeDecodeError as error:
        raise InputError(f"not {encoding.removesuffix('-sig').upper()} text (byte {error.start})") from error


def outline(original: Original) -> Outline:
    """Return the paragraphs of plain text, or the blank-line blocks of a file of unknown format."""
    lines = original.text.split("\n")
    prose = original.suffix in _PROSE
    blocks = blank_line_blocks(lines, 1, len(lines), prose=prose)
    return Outline(kind="text", text=original.text, sections=[Section(blocks=blocks)])
