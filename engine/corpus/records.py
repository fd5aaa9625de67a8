"""What a parser yields and the store keeps: documents cut into sections and passages.

A *source* is a file on disk; it holds one *document*, or many (each row of a ``corpus.jsonl`` is
one). A document is cut into *passages*, each within one section, each knowing where it stands.
"""

from typing import Literal, TypeAlias

import msgspec

from engine.ids import digest

Unit: TypeAlias = Literal["line", "page", "row"]
NameKind: TypeAlias = Literal["title", "heading", "symbol", "file", "definition", "alias", "topic"]


class Name(msgspec.Struct, frozen=True):
    """A name whose *home* is the passage that carries it: its title, a symbol it defines, ..."""

    text: str
    kind: NameKind


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A quotable piece of a document.

    ``text`` is cleaned and is what a reader sees when opening ``start``..``end`` (inclusive,
    counted from 1, in ``unit``). ``title`` is the nearest heading or title that says what the
    passage is about; ``section`` the path of headings to it.
    """

    passage_id: str
    document: str
    evidence_id: str
    title: str
    section: tuple[str, ...]
    start: int
    end: int
    unit: Unit
    text: str
    names: tuple[Name, ...] = ()


class ParsedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document as parsed: ``name`` is unique in the corpus; ``digest`` covers its content."""

    name: str
    source: str
    kind: str
    title: str
    digest: str
    passages: tuple[Passage, ...]


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """A file as last indexed. ``path`` (absolute) finds it again and stays out of every digest."""

    name: str
    path: str
    size: int
    mtime_ns: int
    digest: str
    documents: int


def passage_id(document: str, text: str, occurrence: int) -> str:
    """Return 16 hex digits that name a passage by its document, its text and which copy it is.

    Position takes no part: an edit elsewhere in the document leaves the id as it was.

    >>> passage_id("docs/a.md", "Hello.", 0) == passage_id("docs/a.md", "Hello.", 1)
    False
    >>> len(passage_id("docs/a.md", "Hello.", 0))
    16
    """
    return digest("passage.v1", document, text, str(occurrence))[:16]
