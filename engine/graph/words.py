"""What the corpus knows of a word: how rare it is."""

import math
from collections.abc import Mapping, Sequence

from engine.corpus.sqlite_store import SqliteStore

_MOST_REMEMBERED = 50_000


def idf(passages: int, frequency: int) -> float:
    """Return the BM25 inverse document frequency, ``ln(1 + (N - df + 1/2) / (df + 1/2))``.

    >>> round(idf(100, 1), 3)
    4.21
    """
    return math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))


class WordBook:
    """The words of a corpus as it is now, looked up in the store when first asked for.

    Titles say the same words again and again, so one book serves all questions until the corpus changes.
    """

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._passages = store.size().passages
        self._known: dict[int, float] = {}

    def idf(self, words: Sequence[int]) -> Mapping[int, float]:
        """Return at least these words -> :func:`idf`; one that no passage holds counts as if one did."""
        known = self._known
        missing = [word for word in words if word not in known]
        if missing:
            if len(known) > _MOST_REMEMBERED:
                known.clear()
                missing = list(words)
            counts = self._store.frequencies(missing)
            known.update((word, idf(self._passages, max(1, counts.get(word, 0)))) for word in missing)
        return known
