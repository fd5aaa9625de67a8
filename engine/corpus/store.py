"""The one seam between the engine and wherever the corpus is kept.

Everything the graph needs at query time comes through :class:`CorpusStore`; a second backend has to
pass ``tests/corpus/test_store_conformance.py`` and nothing else. *Rows* are small integers that a
store hands out in order of arrival: quick to join, but meaningless outside one store, so no result
may be ordered by them.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from engine.corpus.records import ParsedDocument, Passage, SourceState


class CorpusStore(Protocol):
    """Documents and their passages, found again by word and by name."""

    # -- writing ---------------------------------------------------------------------------------
    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which all writes happen, or, after an exception, none."""
        ...

    def put_document(self, document: ParsedDocument) -> None:
        """Add ``document``, in place of the one of that name if there is one."""
        ...

    def remove_document(self, name: str) -> None:
        """Subtract exactly what adding the document added; unknown names are no error."""
        ...

    def put_source(self, state: SourceState) -> None:
        """Record the file that documents came from."""
        ...

    def remove_source(self, name: str) -> None:
        """Forget the file and subtract its documents."""
        ...

    # -- reading ---------------------------------------------------------------------------------
    def sources(self) -> dict[str, SourceState]:
        """Return the files indexed so far, by name."""
        ...

    def document_digests(self, source: str) -> dict[str, str]:
        """Return name -> content digest of the documents of one source."""
        ...

    def digest(self) -> str:
        """Return the digest of all content: equal for equal documents, in whatever order they came."""
        ...

    def passages(self, ids: Iterable[str]) -> list[Passage]:
        """Return the passages of these ids, in the order asked; unknown ids are left out."""
        ...


class Lexicon(Protocol):
    """How text becomes terms, and how much each term tells in this corpus."""

    def terms(self, text: str) -> list[str]:
        """Return the index terms of ``text`` in order (stems, identifier parts; no stop words)."""
        ...

    def idf(self, term: str) -> float:
        """Return how telling ``term`` is in [0, 1]: 0 if every passage has it, 1 if one at most."""
        ...

    def sentences(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) character offsets of the sentences of ``text``, in order."""
        ...

    def anchors(self, text: str) -> Sequence[str]:
        """Return the checkable names, numbers and dates of ``text``, normalised, in order."""
        ...
