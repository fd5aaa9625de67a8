"""The rows of a data set: those that can be used go to the writer, of the others it is told why."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.corpus.child import Reply
from engine.corpus.discover import Found, Skipped

if TYPE_CHECKING:
    from engine.corpus.ingest import Run

_MAX_ROWS_TOLD = 20


class Rows:
    """Takes the rows of one dataset to the writer and tells of those that cannot be used."""

    def __init__(self, run: "Run", found: Found) -> None:
        self.run = run
        self.found = found
        self.documents = 0
        self.refused = 0

    def taker(self, size: int) -> Callable[[Reply], None]:
        """Return what takes the reply to rows of ``size`` bytes."""
        return lambda reply: self.take(reply, size)

    def take(self, reply: Reply, size: int) -> None:
        """Write what was parsed, and tell of what cannot be used."""
        if reply.reason:
            self.run.skip(Skipped(self.found.name, f"some rows: {reply.reason}"))
        refused = [(bad.row, bad.reason) for bad in reply.bad_rows]
        for document in reply.documents:
            if self.run.writer.put(document):
                self.documents += 1
                self.run.writer.flush_if_full()
            else:
                row = document.passages[0]
                refused.append((row.start, f"its id {row.evidence_id} came before"))
        for number, reason in sorted(refused):
            self.skip(number, reason)
        self.run.advance(self.found, size)

    def skip(self, row: int, reason: str) -> None:
        """Tell of a row that cannot be used, unless many were told of."""
        self.refused += 1
        if self.refused <= _MAX_ROWS_TOLD:
            self.run.skip(Skipped(f"{self.found.name} row {row}", reason))

    def close(self) -> None:
        """Count the rows that were not told of."""
        if self.refused > _MAX_ROWS_TOLD:
            self.run.skip(
                Skipped(self.found.name, f"{self.refused - _MAX_ROWS_TOLD:,} more rows cannot be used")
            )
