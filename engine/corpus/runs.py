"""Passages under a key, packed: a run of numbers for each batch written, subtracted row by row."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from struct import Struct

import apsw

_BYTES = array("i").itemsize
_LONG_RUN = 4096 * _BYTES


class PackedRuns:
    """A table of ``(key, first, run)``: what one batch added under a key, from passage ``first`` on.

    A run holds ``width`` 32-bit numbers for each passage, its row the first of them; rows ascend within
    a run, and each run's rows lie above those of the runs before it. A question reads a word that
    stands in a thousand passages as a few runs, where a row for each would cost ten times as much.
    """

    def __init__(self, db: apsw.Connection, table: str, width: int) -> None:
        self._db, self._width = db, width
        self._packed = Struct(f"={width}i")
        self._insert = f"INSERT INTO {table} VALUES (?,?,?)"  # noqa: S608 - own names here and below
        self._extend = f"UPDATE {table} SET run=CAST(run || ?3 AS BLOB) WHERE key=?1 AND first=?2"  # noqa: S608
        self._update = f"UPDATE {table} SET run=?3 WHERE key=?1 AND first=?2"  # noqa: S608
        self._delete = f"DELETE FROM {table} WHERE key=? AND first=?"  # noqa: S608
        self._short = (
            f"SELECT key, max(first) FROM {table} WHERE key IN (SELECT value FROM json_each(?))"  # noqa: S608
            f" GROUP BY key HAVING length(run) < {_LONG_RUN}"
        )
        self._read = f"SELECT t.key, run FROM json_each(?) CROSS JOIN {table} t ON t.key = value"  # noqa: S608
        self._holding = f"SELECT first, run FROM {table} WHERE key=? AND first<=? ORDER BY first DESC LIMIT 1"  # noqa: S608

    def pack(self, row: int, *numbers: int) -> bytes:
        """Return what a run holds of the passage at ``row``."""
        return self._packed.pack(row, *numbers)

    def append(self, keys: Sequence[int], packed: Sequence[bytes], *, extend: bool) -> Counter[int]:
        """Add ``packed[i]``, as :meth:`pack` made it, under ``keys[i]``; return how many each key got.

        Its rows must be new, and above all rows kept so far; under one key they ascend.

        With ``extend`` a key's last run grows instead while it is short, so that many small batches do
        not leave many small runs; a large batch need not look.
        """
        counts = Counter(keys)
        last = dict(self._db.execute(self._short, (_listed(counts),))) if extend else {}
        # Each to its place, then one join of all: to sort them, or to make a list for each key, takes longer.
        ordered = sorted(counts)
        first = dict(zip(ordered, accumulate(map(counts.__getitem__, ordered), initial=0), strict=False))
        placed = [b""] * len(keys)
        free = first.copy()
        for key, one in zip(keys, packed, strict=True):
            place = free[key]
            placed[place] = one
            free[key] = place + 1
        joined = b"".join(placed)
        rows = array("i", joined)[:: self._width]
        new: list[tuple[int, int, bytes]] = []
        longer: list[tuple[int, int, bytes]] = []
        size = self._packed.size
        for key, begin in first.items():
            run = joined[begin * size : free[key] * size]
            if key in last:
                longer.append((key, last[key], run))
            else:
                new.append((key, rows[begin], run))
        self._db.executemany(self._extend, longer)
        self._db.executemany(self._insert, new)
        return counts

    def read(self, keys: Iterable[int]) -> "dict[int, array[int]]":
        """Return key -> all numbers kept under it, by row, for the keys that hold anything."""
        found: dict[int, array[int]] = {}
        for key, run in self._db.execute(self._read, (_listed(keys),)):
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
                self._db.execute(self._update, (key, first, numbers.tobytes()))
            else:
                self._db.execute(self._delete, (key, first))


def _listed(numbers: Iterable[int]) -> str:
    return f"[{','.join(map(str, dict.fromkeys(numbers)))}]"
