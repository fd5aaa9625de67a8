"""Passages under a key, packed: a run of numbers for each batch written, subtracted row by row."""

from array import array
from collections.abc import Iterable, Mapping, Sequence

import apsw


class PackedRuns:
    """A table of ``(key, first, run)``: what one batch added under a key, from passage ``first`` on.

    A run holds ``width`` 32-bit numbers for each passage, its row the first of them; rows ascend within
    a run, and each run's rows lie above those of the runs before it. A question reads a word that
    stands in a thousand passages as a few runs, where a row for each would cost ten times as much.
    """

    def __init__(self, db: apsw.Connection, table: str, width: int) -> None:
        self._db, self._width = db, width
        self._insert = f"INSERT INTO {table} VALUES (?,?,?)"  # noqa: S608 - own names here and below
        self._read = (
            f"SELECT key, run FROM {table} WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key, first"  # noqa: S608
        )
        self._holding = f"SELECT first, run FROM {table} WHERE key=? AND first<=? ORDER BY first DESC LIMIT 1"  # noqa: S608
        self._update = f"UPDATE {table} SET run=? WHERE key=? AND first=?"  # noqa: S608
        self._delete = f"DELETE FROM {table} WHERE key=? AND first=?"  # noqa: S608

    def append(self, runs: Mapping[int, Sequence[int]]) -> None:
        """Add a run under each key; its rows must be new, and above all rows kept so far."""
        self._db.executemany(
            self._insert, [(key, runs[key][0], array("i", runs[key]).tobytes()) for key in sorted(runs)]
        )

    def read(self, keys: Sequence[int]) -> "dict[int, array[int]]":
        """Return key -> all numbers kept under it, by row, for the keys that hold anything."""
        found: dict[int, array[int]] = {}
        for key, run in self._db.execute(self._read, (f"[{','.join(map(str, keys))}]",)):
            if key in found:
                found[key].frombytes(run)
            else:
                found[key] = array("i", run)
        return found

    def remove(self, keys: Iterable[int], row: int) -> None:
        """Subtract what these keys hold of the passage at ``row``."""
        width = self._width
        for key in keys:
            found = self._db.execute(self._holding, (key, row)).fetchone()
            if found is None:
                continue
            first, run = found
            numbers = array("i", run)
            rows = numbers[::width]
            if row not in rows:
                continue
            at = rows.index(row) * width
            del numbers[at : at + width]
            if numbers:
                self._db.execute(self._update, (numbers.tobytes(), key, first))
            else:
                self._db.execute(self._delete, (key, first))
