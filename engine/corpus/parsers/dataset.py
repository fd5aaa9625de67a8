"""Rows of a ``corpus.jsonl``: ``{"id": ..., "title": ..., "text": ...}``, one document each."""

from collections.abc import Iterator

import msgspec

from engine.cleaning import clean, one_line
from engine.corpus.parsers.packing import cut, finished
from engine.corpus.records import Name, ParsedDocument, Passage, passage_id


class Row(msgspec.Struct):
    """A row as written; other keys are ignored."""

    id: str | int
    text: str
    title: str | None = None


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be used: its number in the file, counted from 1, and why."""

    row: int
    reason: str


_decode = msgspec.json.Decoder(Row).decode


def rows(
    data: bytes, first: int, *, source: str, titles: bool, limit: int
) -> Iterator[ParsedDocument | BadRow]:
    """Yield a document, or the reason why not, for each line of ``data``; ``first`` is its row number.

    The document is named ``source#id``; a text longer than ``limit`` becomes several passages that
    share the row's id as their evidence id. Blank lines count but say nothing. Without ``titles``
    the rows' titles are left out altogether.

    >>> [row] = rows(b'{"id": "d1", "title": "T", "text": "Words."}', 3, source="s", titles=True, limit=100)
    >>> row.name, row.title, row.passages[0].start, row.passages[0].evidence_id
    ('s#d1', 'T', 3, 'd1')
    """
    for number, line in enumerate(data.split(b"\n"), start=first):
        if line.strip():
            yield _parse(line, number, source, titles, limit)


def _parse(line: bytes, number: int, source: str, titles: bool, limit: int) -> ParsedDocument | BadRow:
    try:
        row = _decode(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return BadRow(number, one_line(str(error) or type(error).__name__, 120))
    identity = one_line(str(row.id))
    text = clean(row.text).strip()
    if not identity:
        return BadRow(number, "its id is empty")
    if not text:
        return BadRow(number, "no text")
    name = f"{source}#{identity}"
    title = one_line(row.title or "") if titles else ""
    names = (Name(title, "title"),) if title else ()
    if len(text) <= limit:
        pieces = [text]
    else:
        pieces = [text[start:end] for start, end in cut(text, 0, len(text), limit, prose=True)]
    copies: dict[str, int] = {}
    passages: list[Passage] = []
    for piece in pieces:
        copy = copies[piece] = copies.get(piece, -1) + 1
        passages.append(
            Passage(
                passage_id=passage_id(name, piece, copy),
                document=name,
                evidence_id=identity,
                title=title,
                section=(),
                start=number,
                end=number,
                unit="row",
                text=piece,
                names=names,
            )
        )
        names = ()
    return finished(name, source, "row", title, tuple(passages))
