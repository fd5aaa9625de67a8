"""The rows of a data set on their way to the store, and which of them cannot be used."""

from collections.abc import Callable

from engine.corpus.child import Reply
from engine.corpus.discover import Found, Skipped
from engine.corpus.writing import Writer

_MAX_ROWS_TOLD = 20


class Rows:
    """Takes the rows of one data set to the writer and tells of those that cannot be used."""

    def __init__(
        self,
        found: Found,
        writer: Writer,
        *,
        skip: Callable[[Skipped], None],
        advance: Callable[[Found, int], None],
    ) -> None:
        self.documents = 0
        self._found, self._writer = found, writer
        self._skip, self._advance = skip, advance
        self._refused = 0

    def taker(self, size: int) -> Callable[[Reply], None]:
        """Return what takes the parser's reply about ``size`` bytes of rows."""
        return lambda reply: self._take(reply, size)

    def _take(self, reply: Reply, size: int) -> None:
        if reply.reason:
            self._skip(Skipped(self._found.name, f"some rows: {reply.reason}"))
        refused = [(bad.row, bad.reason) for bad in reply.bad_rows]
        for document in reply.documents:
            if self._writer.put(document):
                self.documents += 1
                self._writer.flush_if_full()
            else:
                row = document.passages[0]
                refused.append((row.start, f"its id {row.evidence_id} came before"))
        for number, reason in sorted(refused):
            self.skip(number, reason)
        self._advance(self._found, size)

    def skip(self, row: int, reason: str) -> None:
        """Tell that a row cannot be used; the first ones by themselves, the rest by :meth:`close`."""
        self._refused += 1
        if self._refused <= _MAX_ROWS_TOLD:
            self._skip(Skipped(f"{self._found.name} row {row}", reason))

    def close(self) -> None:
        """Tell how many more rows there were that cannot be used."""
        if self._refused > _MAX_ROWS_TOLD:
            more = f"{self._refused - _MAX_ROWS_TOLD:,} more rows cannot be used"
            self._skip(Skipped(self._found.name, more))
