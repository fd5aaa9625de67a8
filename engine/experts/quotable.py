"""Which pieces of a passage can be quoted as a sentence: prose yes, furniture no.

Headings, code fences, tables of contents, link lists and rules are furniture. A row of a table is a
statement of its own. Code can be quoted where a question asks about code: a definition with what
follows it, other lines one by one. A line that is too short for a sentence but holds a value, such as
an address or a number, is a fragment: under the right heading it is the answer.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

import msgspec

from engine.corpus.store import Lexicon

MAX_CHARACTERS = 300
_SHORTEST_CUT = 80
_FEWEST_LETTERS = 12
_MOST_WORDS = 8
_WRAPPED = 50
"""Characters from which a line was probably broken at the margin and goes on below."""

PieceKind: TypeAlias = Literal["prose", "code", "fragment"]


class Piece(msgspec.Struct, frozen=True):
    """A quotable piece, spaces normalised; ``place`` counts the pieces of its passage from 0."""

    kind: PieceKind
    text: str
    place: int


_CODE_SUFFIXES = frozenset(
    f".{name}"
    for name in ("py", "js", "ts", "jsx", "tsx", "go", "rs", "c", "h", "cc", "cpp", "hpp", "java", "sh")
)
_PROSE_SUFFIXES = frozenset(
    f".{name}" for name in ("md", "markdown", "rst", "txt", "html", "htm", "xhtml", "pdf", "docx")
)
_FENCE = re.compile(r"^\s{0,3}(?:```+|~~~+)")
_RULE = re.compile(r"^[\s=\-*_~#+|:.]*$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_TABLE = re.compile(r"^\s*\|.*\|\s*$")
_DIRECTIVE = re.compile(r"^\s*(?:\.\. |:\w[\w-]*:(?:\s|$)|<!--|</?\w+[^>]*>\s*$|\[[^\]]+\]:\s)")
_LEADERS = re.compile(r"(?:\.\s?){4,}\s*\d*\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)|<?https?://\S+>?")
_COMMENT = re.compile(r"^\s*(?:#+|//+|--|\*+(?!/)|/\*+)\s?(?P<said>.*?)(?:\*/)?\s*$")
_TAG = re.compile(r"@\w+\b|:\w+[^:]*:|Args:|Returns:")
_DOCSTRING = re.compile(r"[rbuf]{0,2}(\"\"\"|''')")
_SPEAKER = re.compile(r"\s*\w{1,40}: ")
_VALUE = re.compile(r"\d|`|\w[_./:@-]\w|\w\(")
_DEFINITION = re.compile(
    r"^\s*(?:(?:pub(?:\(\w+\))?|public|private|protected|static|final|abstract|export|default|async|unsafe|const)\s+)*"
    r"(?:def|class|fn|func|function|struct|enum|interface|trait|impl|type|namespace|record)\b"
)
_MARKUP = re.compile(r"[\"']\s*:\s*[\"'{\[\d]|[{};]\s*$|^\s*[{}\[\]<>]|=>|\(\)\s*[;:{]")
_CUT = re.compile(r"[;:,]\s|\s[-\u2013\u2014(]\s?")


def pieces(text: str, document: str, lexicon: Lexicon, *, with_code: bool, heading: str = "") -> list[Piece]:
    """Return the quotable pieces of a passage in order; lines of code only ``with_code``.

    Whether it is code is told by the name of its ``document``; where that tells neither code nor prose, as
    with the rows of a data set, by the file that its ``heading`` names.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> found = pieces("# Gate\\n\\nThe gate picks experts.\\n", "a.md", PlainLexicon(), with_code=False)
    >>> [piece.text for piece in found]
    ['The gate picks experts.']
    """
    suffix = PurePosixPath(document).suffix.lower()
    if suffix not in _PROSE_SUFFIXES and suffix not in _CODE_SUFFIXES:
        suffix = PurePosixPath(heading.strip()).suffix.lower()
    found = _from_code(text) if suffix in _CODE_SUFFIXES else _from_prose(text)
    listed: list[Piece] = []
    for kind, block in found:
        if kind == "code":
            if with_code and sum(map(str.isalpha, block)) >= 4:
                listed.append(Piece("code", _cut(" ".join(block.split())), len(listed)))
            continue
        for start, end in lexicon.sentences(block):
            sentence = " ".join(block[start:end].split())
            if is_prose(sentence):
                # A colon at the end announces what is not quoted.
                if sentence.endswith(":"):
                    sentence = sentence.rstrip(" :") + "\N{HORIZONTAL ELLIPSIS}"
                listed.append(Piece("prose", _cut(sentence), len(listed)))
            elif _is_value(sentence):
                listed.append(Piece("fragment", sentence, len(listed)))
    return listed


def is_prose(sentence: str) -> bool:
    """Return whether a reader would take it for a statement: words enough, and not mostly links."""
    bare = _LINK.sub(" ", sentence)
    letters = sum(map(str.isalpha, bare))
    words = bare.split()
    if _MARKUP.search(sentence):
        return False
    return letters >= _FEWEST_LETTERS and len(words) >= 4 and letters * 2 >= sum(map(str.isalpha, sentence))


def _from_prose(text: str) -> Iterator[tuple[PieceKind, str]]:
    """Yield paragraphs, list items and lines of code blocks; a wrapped paragraph is one block."""
    block: list[str] = []
    fenced = False
    lines = text.split("\n")
    for number, line in enumerate(lines):
        underline = number + 1 < len(lines) and re.match(r"^\s{0,3}(?:=+|-{3,}|~{3,})\s*$", lines[number + 1])
        breaks = not line.strip() or _FENCE.match(line) or _is_furniture(line) or bool(underline)
        if (breaks or fenced or _BULLET.match(line)) and block:
            yield "prose", _unwrap(block)
            block = []
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            yield "code", line
        elif _TABLE.match(line) and not _RULE.match(line):
            # A row above a rule names the columns and states nothing.
            if number + 1 == len(lines) or not (
                _TABLE.match(lines[number + 1]) and _RULE.match(lines[number + 1])
            ):
                yield "prose", line.strip().strip("|").strip()
        elif not breaks:
            block.append(_BULLET.sub("", line, count=1))
    if block:
        yield "prose", _unwrap(block)


def _unwrap(lines: list[str]) -> str:
    """Return the lines of one paragraph with those joined that were wrapped at the margin.

    A line that ends early ends a sentence, as in verse and in chats; so does one before a speaker.
    """
    text = lines[0].strip()
    for before, line in pairwise(lines):
        wrapped = len(before.rstrip()) >= _WRAPPED and not _SPEAKER.match(line)
        text += (" " if wrapped else "\n") + line.strip()
    return text


def _from_code(text: str) -> Iterator[tuple[PieceKind, str]]:
    """Yield what docstrings and comments say as prose, definitions with what follows, other lines of code."""
    said: list[str] = []
    code: list[str] = []
    for kind, line in _lines_of_code(text):
        if code and (kind != "code" or not line or _DEFINITION.match(line) or _is_full(code, line)):
            yield "code", "\n".join(code)
            code = []
        if said and (kind != "prose" or not line or _TAG.match(line)):
            yield "prose", " ".join(said)
            said = []
        if not line:
            continue
        if kind == "prose":
            said.append(line.strip())
        elif code or _DEFINITION.match(line):
            code.append(line)
        else:
            yield "code", line
    if code:
        yield "code", "\n".join(code)
    if said:
        yield "prose", " ".join(said)


def _is_full(code: list[str], line: str) -> bool:
    return sum(map(len, code)) + len(line) > MAX_CHARACTERS


def _lines_of_code(text: str) -> Iterator[tuple[PieceKind, str]]:
    """Yield each line as code or as what a comment or docstring says; an empty one ends either."""
    quote = ""
    for line in text.split("\n"):
        marks = [match.group(1) for match in _DOCSTRING.finditer(line)]
        comment = _COMMENT.match(line)
        if quote:
            said = line.split(quote)[0]
            quote = "" if quote in line else quote
            yield "prose", said.strip()
        elif marks:
            said = line.split(marks[0])[1]
            quote = marks[0] if len(marks) % 2 else ""
            yield "prose", said.strip()
        elif comment:
            yield "prose", comment["said"].strip()
        else:
            yield "code", line if line.strip() else ""


def _is_furniture(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_RULE, _HEADING, _TABLE, _DIRECTIVE)) or bool(
        _LEADERS.search(line)
    )


def _is_value(fragment: str) -> bool:
    """Return whether a short line says something by itself: one word or a few, a value among them."""
    words = _LINK.sub(" ", fragment).split()
    return 1 <= len(words) <= _MOST_WORDS and bool(_VALUE.search(" ".join(words)))


def _cut(text: str) -> str:
    """Return ``text`` if short, else its start up to the last clause that fits, with an ellipsis."""
    if len(text) <= MAX_CHARACTERS:
        return text
    head = text[: MAX_CHARACTERS - 1]
    clauses = [match.start() for match in _CUT.finditer(head) if match.start() >= _SHORTEST_CUT]
    at = clauses[-1] if clauses else head.rfind(" ")
    return head[: at if at > 0 else len(head)].rstrip(" ,;:-(") + "\N{HORIZONTAL ELLIPSIS}"
