"""How much a word counts in the title and text of a passage (BM25F), also looked up in single passages."""

from bisect import bisect_left
from collections.abc import Sequence

from engine.config import RetrievalSettings
from engine.corpus.features import CorpusSize, Postings


class Fields:
    """How BM25F weighs the fields of a passage: the words of a long one count less."""

    def __init__(self, s: RetrievalSettings, size: CorpusSize) -> None:
        self.k1, self.title_weight = s.k1, s.title_weight
        self.body, self.by_body = 1 - s.b, s.b / size.body_length
        self.title, self.by_title = 1 - s.title_b, s.title_b / size.title_length

    def count(self, posting: Postings, place: int) -> float:
        """Return how often a word stands in the passage at ``place`` of its postings, as BM25F counts."""
        found = posting.in_body[place] / (self.body + self.by_body * posting.body_lengths[place])
        if posting.in_title[place]:
            length = self.title + self.by_title * posting.title_lengths[place]
            found += self.title_weight * posting.in_title[place] / length
        return found


class CommonTerm:
    """A term that many passages hold, for looking it up in single ones."""

    def __init__(self, postings: Sequence[Postings], fields: Fields) -> None:
        self._postings, self._fields = postings, fields

    def match(self, row: int) -> float:
        """Return how saturated the match of one passage is, in [0, 1)."""
        most = 0.0
        for posting in self._postings:
            place = bisect_left(posting.rows, row)
            if place < len(posting.rows) and posting.rows[place] == row:
                most = max(most, self._fields.count(posting, place))
        return most / (most + self._fields.k1)
