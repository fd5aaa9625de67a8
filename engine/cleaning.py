"""Foreign text made harmless, one character at a time.

Documents, file names, personas, models and servers may all hold characters that act on a terminal
or deceive a reader. :func:`clean` replaces each by a visible mark. It keeps no state between
characters, so text that arrives in arbitrary pieces is as safe as text that arrives whole; a
matcher of escape *sequences* would miss those that are split or never end.
"""

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
MAX_COMBINING_MARKS = 4

# str.isprintable() lets these through although a reader sees nothing, or something else.
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")

_SUSPECT = re.compile(r"[^\t\n\x20-\x7e\xa1-\xac\xae-\u02ff\u0400-\u0482\u048a-\u052f]+")
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS = re.compile(rf"({_MARK}{{{MAX_COMBINING_MARKS}}}){_MARK}+")


def _visible(char: str) -> str:
    code = ord(char)
    if char in "\t\n":
        return char
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if code < 0x7F:
        return char
    if char in _INVISIBLE_LETTERS or 0xFE00 <= code <= 0xFE0E or 0xE0000 <= code <= 0xE0FFF:
        return REPLACEMENT
    # Cc control, Cf format (bidi, zero width, soft hyphen, BOM), Cs surrogates, Co and Cn unassigned,
    # Zl and Zp line and paragraph separators (they would break the count of lines).
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return REPLACEMENT
    return char


class _Table(dict[int, str]):
    """``str.translate`` table that works each character out once and remembers it."""

    def __missing__(self, code: int) -> str:
        self[code] = _visible(chr(code))
        return self[code]


_TABLE = _Table()


def clean(text: str) -> str:
    r"""Return ``text`` with every character that could act or deceive made visible.

    Tab and line feed stay. CR LF and lone CR become line feeds; other C0 controls become their
    picture (U+2400 + code); DEL becomes U+2421; C1 controls, bidi and zero-width characters, tags,
    surrogates and blank letters become U+FFFD; more than four combining marks in a row are dropped.

    >>> clean("title\x1b]52;c;aGk=\x07")
    'title␛]52;c;aGk=␇'
    >>> clean("a\u202eb\r\nc")
    'a�b\nc'
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SUSPECT.sub(_harmless, text)


def _harmless(suspect: re.Match[str]) -> str:
    return _MARKS.sub(r"\1", suspect[0].translate(_TABLE))


def one_line(text: str, limit: int = 500) -> str:
    r"""Return ``text`` cleaned, on one line, at most ``limit`` characters (an ellipsis marks a cut).

    >>> one_line("no such\nfile")
    'no such file'
    """
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def counted(number: int, noun: str) -> str:
    """Return how many there are of ``noun``, a word whose plural ends in s.

    >>> counted(1, "claim"), counted(1_200, "claim")
    ('1 claim', '1,200 claims')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_words(size: int) -> str:
    """Return a size in bytes as people say it, nothing for 0.

    >>> size_words(2_500_000_000), size_words(4_000_000)
    ('2.5 GB', '4 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB" if size else ""
