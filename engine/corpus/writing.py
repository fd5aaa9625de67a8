"""Documents to the store in batches: each written whole or not at all, unchanged ones left alone."""

from collections.abc import Callable
from functools import partial

from engine.corpus.records import ParsedDocument, SourceState
from engine.corpus.store import CorpusStore

_MAX_BATCH_CHARS = 1_000_000
UNFINISHED = ""
"""The digest of a source that is being written: equal to no content, so the next run reads it anew."""


class Writer:
    """Compares what was parsed with what is stored, and writes the difference.

    A run that is interrupted loses at most the batch it was about to write.
    """

    def __init__(self, store: CorpusStore, batch_size: int) -> None:
        self._store = store
        self._batch_size = batch_size
        self._known = store.sources()
        self._writes: list[Callable[[], None]] = []
        self._documents = 0
        self._chars = 0
        self._before: dict[str, str] = {}
        self._seen: set[str] = set()
        self.added = self.changed = self.removed = self.unchanged = self.passages = 0

    @property
    def known(self) -> dict[str, SourceState]:
        """The sources as they were when the run began."""
        return self._known

    def begin(self, state: SourceState) -> None:
        """Start on a source: from here to :meth:`finish`, documents put are its own."""
        self._seen = set()
        known = state.name in self._known
        self._before = self._store.document_digests(state.name) if known else {}

    def mark_unfinished(self, state: SourceState) -> None:
        """Record a source of many documents ahead of them, so that none is ever without its source."""
        self._write(partial(self._store.put_source, state))

    def put(self, document: ParsedDocument) -> bool:
        """Write a document if it is new or has changed; False if its name came before in this source."""
        if document.name in self._seen:
            return False
        self._seen.add(document.name)
        before = self._before.get(document.name)
        if before == document.digest:
            self.unchanged += 1
            return True
        if before is None:
            self.added += 1
        else:
            self.changed += 1
        self.passages += len(document.passages)
        self._documents += 1
        self._chars += sum(len(passage.text) for passage in document.passages)
        self._write(partial(self._store.put_document, document))
        return True

    def finish(self, state: SourceState) -> None:
        """End a source: documents it had and has no more are removed."""
        for name in sorted(self._before.keys() - self._seen):
            self.removed += 1
            self._documents += 1
            self._write(partial(self._store.remove_document, name))
        self._write(partial(self._store.put_source, state))
        self._before, self._seen = {}, set()
        self.flush_if_full()

    def remove(self, name: str) -> None:
        """Remove a source with all its documents."""
        count = len(self._store.document_digests(name))
        self.removed += count
        self._documents += count
        self._write(partial(self._store.remove_source, name))
        self.flush_if_full()

    def flush_if_full(self) -> None:
        """Write the batch if it is large; only ever called between documents."""
        if self._documents >= self._batch_size or self._chars >= _MAX_BATCH_CHARS:
            self.flush()

    def flush(self) -> None:
        """Write all that waits, in one transaction."""
        if not self._writes:
            return
        with self._store.transaction():
            for write in self._writes:
                write()
        self._writes.clear()
        self._documents = self._chars = 0

    def _write(self, write: Callable[[], None]) -> None:
        self._writes.append(write)
