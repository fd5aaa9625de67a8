"""The first hop: how well each passage matches the question by itself, term by term.

BM25F (Robertson, Zaragoza, Taylor 2004: term frequencies of fields are weighted and length-normalised
first, then saturated once), then, for the best candidates only: the best window of words, pairs of
question words that stand together, a title that stands in the question, and terms found in sibling
passages. Every score is a sum of named parts; all are divided by the most that the question's terms
could give, so a score lies in [0, ~2] and means the same on every corpus.
"""

import heapq
import math
from collections.abc import Mapping, Sequence

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.features import Features
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.question import Question
from engine.ids import q6

# More passages than these tell nothing of each other, and cost much to look through.
_MOST_SIBLINGS = 200
_TIE = 1e-9


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A passage with its first-hop score and the parts that sum to it."""

    row: int
    passage_id: str
    features: Features
    score: float
    parts: dict[str, float]


class Lexical(msgspec.Struct, frozen=True, kw_only=True):
    """The first hop of one question.

    ``weights`` maps each term to its share of the question (they sum to 1), ``frequencies`` to the
    number of passages that hold it; ``matches`` maps it to row -> how saturated the match is, in
    [0, 1); ``words`` maps every row to the share of the question that its words alone give.
    """

    weights: dict[str, float]
    frequencies: dict[str, int]
    matches: dict[str, dict[int, float]]
    words: dict[int, float]
    candidates: list[Candidate]


def idf(passages: int, frequency: int) -> float:
    """Return the BM25 inverse document frequency, ``ln(1 + (N - df + 1/2) / (df + 1/2))``.

    >>> round(idf(100, 1), 3)
    4.21
    """
    return math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))


def first_hop(question: Question, store: SqliteStore, settings: RetrievalSettings) -> Lexical:
    """Return the candidates for ``question``, best first, at most ``settings.depth``."""
    scorer = _FirstHop(question, store, settings)
    return scorer.run()


class _FirstHop:
    def __init__(self, question: Question, store: SqliteStore, settings: RetrievalSettings) -> None:
        self.question, self.store, self.s = question, store, settings
        self.size = store.size()
        self.matches: dict[str, dict[int, float]] = {}
        self.bodies: dict[str, set[int]] = {}
        self.frequencies: dict[str, int] = {}
        self.weight: dict[str, float] = {}
        self.wanted: dict[int, str] = {}
        self.words: dict[str, tuple[int, ...]] = {}
        self.common: set[str] = set()
        self.title_idf: dict[int, float] = {}
        self.siblings: dict[tuple[int, str], int] = {}
        self.families: dict[int, list[int]] = {}

    def run(self) -> Lexical:
        scores = self._match_terms()
        total = math.fsum(self.weight.values()) or 1.0
        found = Lexical(
            weights={term: weight / total for term, weight in self.weight.items()},
            frequencies=self.frequencies,
            matches=self.matches,
            words={row: score / total for row, score in scores.items()},
            candidates=[],
        )
        if not scores:
            return found
        rows = self._front(scores)
        features = self.store.features(rows)
        self._weigh_titles(features)
        self.pairs = [
            pair for pair in self.question.pairs if pair[0] in self.weight and pair[1] in self.weight
        ]
        self.families = self.store.families([known.family for known in features], _MOST_SIBLINGS)
        # What a term that is matched without end gives is its weight: the other parts are divided alike.
        most = total * (self.s.k1 + 1)
        for row, known in zip(rows, features, strict=True):
            parts = {name: q6(value / most) for name, value in self._parts(row, known).items()}
            score = q6(math.fsum(parts.values()))
            found.candidates.append(
                Candidate(row=row, passage_id=known.passage_id, features=known, score=score, parts=parts)
            )
        found.candidates.sort(key=lambda c: (-c.score, c.passage_id))
        del found.candidates[self.s.depth :]
        return found

    def _front(self, scores: Mapping[int, float]) -> list[int]:
        """The best ``depth`` rows, and all that tie with the last, so that no arrival order decides."""
        least = heapq.nlargest(self.s.depth, scores.values())[-1] - _TIE
        return [row for row, score in scores.items() if score >= least]

    def _match_terms(self) -> dict[int, float]:
        s, size = self.s, self.size
        base, slope = 1 - s.b, s.b / size.body_length
        title_base, title_slope = 1 - s.title_b, s.title_b / size.title_length
        known = self.store.postings([word for term in self.question.terms for word in term.words])
        fetched = []
        for term in self.question.terms:
            postings = [known[word] for word in term.words if word in known]
            if postings:
                fetched.append((term, postings, [len(posting.rows) for posting in postings]))
        scores: dict[int, float] = {}
        # Rarest first: a term that nearly every passage holds only adds to candidates already known.
        for term, postings, counts in sorted(fetched, key=lambda f: (sum(f[2]), f[0].term)):
            common = max(counts) > s.common_share * size.passages and len(scores) >= s.common_after
            rows: dict[int, float] = {}
            bodies: set[int] = set()
            for posting in postings:
                for row, in_title, in_body, title_length, body_length in zip(*posting, strict=True):
                    if common and row not in scores:
                        continue
                    found = in_body / (base + slope * body_length)
                    if in_title:
                        found += s.title_weight * in_title / (title_base + title_slope * title_length)
                    if in_body:
                        bodies.add(row)
                    if found > rows.get(row, 0.0):
                        rows[row] = found
            frequency = max(counts) if common else len(rows)
            weight = idf(size.passages, frequency) * term.weight
            k1 = s.k1
            for row, found in rows.items():
                rows[row] = match = found / (found + k1)
                scores[row] = scores.get(row, 0.0) + weight * match
            self.weight[term.term], self.matches[term.term], self.bodies[term.term] = weight, rows, bodies
            self.frequencies[term.term] = frequency
            self.wanted.update(dict.fromkeys(term.words, term.term))
            self.words[term.term] = term.words
            if common:
                self.common.add(term.term)
        return scores

    def _weigh_titles(self, known: Sequence[Features]) -> None:
        """Look up how rare the words of those titles are that hold a word of the question."""
        words: dict[int, None] = {}
        for features in known:
            if not self.wanted.keys().isdisjoint(features.title_tokens):
                words.update(dict.fromkeys(features.title_tokens))
        words.pop(0, None)
        counts = self.store.frequencies(list(words))
        self.title_idf = {word: idf(self.size.passages, max(1, counts.get(word, 0))) for word in words}

    def _parts(self, row: int, features: Features) -> dict[str, float]:
        s, wanted = self.s, self.wanted
        full = s.k1 + 1
        parts: dict[str, float] = {}
        places: dict[str, list[int]] = {}
        for term, rows in self.matches.items():
            if row in rows:
                parts[term] = full * self.weight[term] * rows[row]
            elif term not in self.common:
                continue
            for word in self.words[term]:
                # A word of two terms counts for the later one.
                if wanted[word] == term and (found := features.places(word)):
                    places.setdefault(term, []).extend(found)
        for position, word in features.wholes_among(wanted):
            places.setdefault(wanted[word], []).append(position)
        titled = not wanted.keys().isdisjoint(features.title_tokens)
        title = [wanted.get(word, "") for word in features.title_tokens] if titled else []
        parts["window"] = s.window_weight * self._window(places, set(title))
        for first, second, gap in self.pairs:
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
        siblings = self.families.get(family)
        if siblings is None:
            return
        for term in [term for term, rows in self.matches.items() if row not in rows]:
            if (family, term) not in self.siblings:
                self.siblings[family, term] = sum(sibling in self.bodies[term] for sibling in siblings)
            count = self.siblings[family, term]
            if count:
                share = count / (count + self.s.family_half)
                parts[f"nearby {term}"] = self.s.family_weight * self.weight[term] * share

    def _window(self, places: Mapping[str, list[int]], title: set[str]) -> float:
        """The most any ``window`` words of the passage give, its title counting once in each."""
        half, k = self.s.window // 2, self.s.window_k
        base = 0.0
        gains: dict[int, float] = {}
        for term, weight in self.weight.items():
            if term not in places and term not in title:
                continue
            head = 1.0 if term in title else 0.0
            settled = head * (k + 1) / (head + k)
            base += weight * settled
            where = places.get(term, ())
            if len(where) == 1:
                cell = where[0] // half
                gain = weight * ((1 + head) * (k + 1) / (1 + head + k) - settled)
                gains[cell] = gains.get(cell, 0.0) + gain
                gains[cell - 1] = gains.get(cell - 1, 0.0) + gain
                continue
            cells: dict[int, int] = {}
            for position in where:
                cell = position // half
                cells[cell] = cells.get(cell, 0) + 1
            for start in cells.keys() | {cell - 1 for cell in cells}:
                count = cells.get(start, 0) + cells.get(start + 1, 0) + head
                gains[start] = gains.get(start, 0.0) + weight * (count * (k + 1) / (count + k) - settled)
        return base + max(gains.values(), default=0.0)

    def _pair(
        self, first: str, second: str, gap: int, places: Mapping[str, list[int]], title: list[str]
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
        weight = min(self.weight[first], self.weight[second])
        return self.s.pair_weight * weight * count * (self.s.pair_k + 1) / (count + self.s.pair_k)

    def _title(self, features: Features) -> float:
        """A title that stands in the question: its idf mass there, times the share of it squared."""
        values = {word: self.title_idf[word] for word in features.title_tokens if word}
        met = math.fsum(value for word, value in values.items() if word in self.wanted)
        return self.s.title_bonus * met * (met / math.fsum(values.values())) ** 2
