"""A close look at a passage: what it gives beyond the words it holds.

To the words come the best window of words (question words close together), pairs of question words
that stand beside each other, a title that stands in the question, and terms found in sibling
passages. Most of the work of a first hop is done here, so it is done for the passages that need it.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.features import Features, Postings
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.fields import CommonTerm
from engine.graph.words import WordBook
from engine.ids import q6

# More passages than these tell nothing of each other, and cost much to look through.
_MOST_SIBLINGS = 200


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A passage with its first-hop score: what is ``given``, as a share of ``most``, and feedback."""

    row: int
    passage_id: str
    features: Features
    score: float
    given: dict[str, float]
    most: float
    feedback: float = 0.0

    @property
    def parts(self) -> dict[str, float]:
        """The named parts that sum to the score; what rounding leaves over goes to the largest."""
        parts = {name: q6(value / self.most) for name, value in self.given.items()}
        largest = max(parts, key=lambda name: (parts[name], name))
        rest = self.score - self.feedback - math.fsum(parts.values())
        parts[largest] = q6(parts[largest] + rest)
        if self.feedback:
            parts["feedback"] = self.feedback
        return parts


class Terms(msgspec.Struct, kw_only=True):
    """The terms of a question as matched so far.

    ``weight`` is what each counts, ``words`` are the words of the index that count as it, ``wanted``
    tells of which term such a word is, the later one where there are two; ``matches`` maps it to row ->
    how saturated the match is. Those in ``common`` were looked up only where rarer ones stand.
    """

    weight: dict[str, float] = {}
    words: dict[str, tuple[int, ...]] = {}
    wanted: dict[int, str] = {}
    matches: dict[str, dict[int, float]] = {}
    postings: dict[str, Sequence[Postings]] = {}
    common: dict[str, CommonTerm] = {}

    def titled(self, row: int) -> bool:
        """Whether at least half of a passage's title, where it has one, are words of the question."""
        met, length = 0, 0
        for term, rows in self.matches.items():
            if row not in rows:
                continue
            for posting in self.postings[term]:
                place = bisect_left(posting.rows, row)
                if place < len(posting.rows) and posting.rows[place] == row and posting.in_title[place]:
                    met, length = met + posting.in_title[place], posting.title_lengths[place]
        return 0 < length <= 2 * met


class CloseLook:
    """Looks closely at passages for one question. What it sees in a passage depends on nobody else's look."""

    def __init__(
        self,
        terms: Terms,
        pairs: Iterable[tuple[str, str, int]],
        store: SqliteStore,
        settings: RetrievalSettings,
        book: WordBook,
    ) -> None:
        self._terms, self._store, self._s, self._book = terms, store, settings, book
        weight, full = terms.weight, settings.k1 + 1
        self._pairs = [pair for pair in pairs if pair[0] in weight and pair[1] in weight]
        # What a term that is matched without end gives is its weight: the other parts are divided alike.
        self._most = (math.fsum(weight.values()) or 1.0) * full
        self._plan = [
            (
                term,
                rows,
                full * weight[term],
                [word for word in terms.words[term] if terms.wanted[word] == term],
                term in terms.common,
            )
            for term, rows in terms.matches.items()
        ]
        self._title_idf: Mapping[int, float] = {}
        self._bodies: dict[str, set[int]] = {}
        self._families: dict[int, Sequence[int]] = {}
        self._siblings: dict[tuple[int, str], int] = {}

    def at(self, rows: Sequence[int]) -> list[Candidate]:
        """Return what these passages give, in the order asked for."""
        features = self._store.features(rows)
        self._weigh_titles(features)
        families = dict.fromkeys(each.family for each in features if each.family not in self._families)
        self._families.update(dict.fromkeys(families, ()))
        self._families.update(self._store.families(list(families), _MOST_SIBLINGS))
        found = []
        for row, known in zip(rows, features, strict=True):
            given = self._parts(row, known)
            found.append(
                Candidate(
                    row=row,
                    passage_id=known.passage_id,
                    features=known,
                    score=q6(math.fsum(given.values()) / self._most),
                    given=given,
                    most=self._most,
                )
            )
        return found

    def _weigh_titles(self, known: Sequence[Features]) -> None:
        """Look up how rare the words of those titles are that hold a word of the question."""
        wanted = self._terms.wanted.keys()
        words: dict[int, None] = {}
        for features in known:
            if not wanted.isdisjoint(features.title_tokens):
                words.update(dict.fromkeys(features.title_tokens))
        words.pop(0, None)
        self._title_idf = self._book.idf(list(words))

    def _parts(self, row: int, features: Features) -> dict[str, float]:
        wanted = self._terms.wanted
        parts: dict[str, float] = {}
        places: dict[str, array[int]] = {}
        for term, rows, weight, words, common in self._plan:
            match = rows.get(row)
            if match is not None:
                parts[term] = weight * match
            elif not common:
                continue
            for word in words:
                found = features.places(word)
                if not found:
                    continue
                if term in places:
                    places[term].extend(found)
                else:
                    places[term] = found
        for position, word in features.wholes_among(wanted):
            places.setdefault(wanted[word], array("i")).append(position)
        titled = not wanted.keys().isdisjoint(features.title_tokens)
        title = [wanted.get(word, "") for word in features.title_tokens] if titled else []
        parts["window"] = self._s.window_weight * self._window(places, dict.fromkeys(title))
        for first, second, gap in self._pairs:
            if titled or (first in places and second in places):
                value = self._pair(first, second, gap, places, title)
                if value:
                    parts[f"{first} {second}"] = value
        self._family(row, features.family, parts)
        if titled:
            parts["title"] = self._title(features)
        return parts

    def _family(self, row: int, family: int, parts: dict[str, float]) -> None:
        """Terms missing here that sibling passages of the same document hold."""
        siblings = self._families[family]
        if not siblings:
            return
        for term in [term for term, rows in self._terms.matches.items() if row not in rows]:
            if (family, term) not in self._siblings:
                bodies = self._holding(term)
                self._siblings[family, term] = sum(sibling in bodies for sibling in siblings)
            count = self._siblings[family, term]
            if count:
                share = count / (count + self._s.family_half)
                parts[f"nearby {term}"] = self._s.family_weight * self._terms.weight[term] * share

    def _holding(self, term: str) -> set[int]:
        """Return the rows of the passages that hold a term in their text."""
        bodies = self._bodies.get(term)
        if bodies is None:
            postings = self._terms.postings[term]
            columns = [zip(posting.rows, posting.in_body, strict=True) for posting in postings]
            bodies = self._bodies[term] = {row for row, in_body in chain(*columns) if in_body}
        return bodies

    def _window(self, places: Mapping[str, Sequence[int]], title: Mapping[str, None]) -> float:
        """The most any ``window`` words of the passage give, its title counting once in each."""
        half, k, weights = self._s.window // 2, self._s.window_k, self._terms.weight
        base = math.fsum(weights[term] for term in title if term and term not in places)
        gains: dict[int, float] = {}
        for term, where in places.items():
            weight, head, settled = weights[term], 0.0, 0.0
            if term in title:
                head, settled = 1.0, weight
                base += weight
            if len(where) == 1:
                cell = where[0] // half
                gain = weight * ((1 + head) * (k + 1) / (1 + head + k)) - settled
                gains[cell] = gains.get(cell, 0.0) + gain
                gains[cell - 1] = gains.get(cell - 1, 0.0) + gain
                continue
            cells: dict[int, int] = {}
            for position in where:
                cell = position // half
                cells[cell] = cells.get(cell, 0) + 1
            for start in cells.keys() | {cell - 1 for cell in cells}:
                count = cells.get(start, 0) + cells.get(start + 1, 0) + head
                gains[start] = gains.get(start, 0.0) + weight * (count * (k + 1) / (count + k)) - settled
        return base + max(gains.values(), default=0.0)

    def _pair(
        self, first: str, second: str, gap: int, places: Mapping[str, Sequence[int]], title: list[str]
    ) -> float:
        count = 0
        if first in places and second in places:
            apart = set(places[second]).isdisjoint
            count = sum(not apart(range(at, at + gap + 1)) for at in places[first])
        if first in title and second in title:
            count += 2 * sum(
                a == first and second in title[i + 1 : i + 1 + gap] for i, a in enumerate(title[:-1])
            )
        if not count:
            return 0.0
        weight = min(self._terms.weight[first], self._terms.weight[second])
        return self._s.pair_weight * weight * count * (self._s.pair_k + 1) / (count + self._s.pair_k)

    def _title(self, features: Features) -> float:
        """A title that stands in the question: its idf mass there, times the share of it squared."""
        values = {word: self._title_idf[word] for word in features.title_tokens if word}
        met = math.fsum(value for word, value in values.items() if word in self._terms.wanted)
        return self._s.title_bonus * met * (met / math.fsum(values.values())) ** 2
