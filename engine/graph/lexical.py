"""The first hop: how well each passage matches the question by itself, term by term.

BM25F (Robertson, Zaragoza, Taylor 2004: term frequencies of fields are weighted and length-normalised
first, then saturated once), then, for the best candidates only: the best window of words, pairs of
question words that stand together, a title that stands in the question, and terms found in sibling
passages. Every score is a sum of named parts; all are divided by the most that the question's terms
could give, so a score lies in [0, ~2] and means the same on every corpus.
"""

import heapq
import math
from collections.abc import Mapping

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.features import Features
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.question import Question
from engine.ids import q6

_MOST_SIBLINGS = 200


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A passage with its first-hop score and the parts that sum to it."""

    row: int
    passage_id: str
    features: Features
    score: float
    parts: dict[str, float]


class Lexical(msgspec.Struct, frozen=True, kw_only=True):
    """The first hop of one question.

    ``weights`` maps each term to its share of the question (they sum to 1); ``matches`` maps each
    term to row -> how saturated the match is, in [0, 1).
    """

    weights: dict[str, float]
    matches: dict[str, dict[int, float]]
    candidates: list[Candidate]


def idf(passages: int, frequency: int) -> float:
    """Return the BM25 inverse document frequency, ``ln(1 + (N - df + 1/2) / (df + 1/2))``.

    >>> round(idf(100, 1), 3)
    4.212
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
        self.impact: dict[str, dict[int, float]] = {}
        self.bodies: dict[str, set[int]] = {}
        self.weight: dict[str, float] = {}
        self.words: dict[str, tuple[int, ...]] = {}
        self.siblings: dict[tuple[int, str], int] = {}
        self.families: dict[int, list[int]] = {}

    def run(self) -> Lexical:
        scores = self._match_terms()
        total = math.fsum(self.weight.values()) or 1.0
        shares = {term: weight / total for term, weight in self.weight.items()}
        matches = {t: {r: v / (self.s.k1 + 1) for r, v in rows.items()} for t, rows in self.impact.items()}
        if not scores:
            return Lexical(weights=shares, matches=matches, candidates=[])
        rows = self._front(scores)
        most = total * (self.s.k1 + 1)
        candidates = []
        for row, features in zip(rows, self.store.features(rows), strict=True):
            parts = {name: q6(value / most) for name, value in self._parts(row, features).items()}
            candidates.append(
                Candidate(
                    row=row,
                    passage_id=features.passage_id,
                    features=features,
                    score=q6(math.fsum(parts.values())),
                    parts=parts,
                )
            )
        candidates.sort(key=lambda c: (-c.score, c.passage_id))
        return Lexical(weights=shares, matches=matches, candidates=candidates[: self.s.depth])

    def _front(self, scores: Mapping[int, float]) -> list[int]:
        """The best ``depth`` rows, and all that tie with the last, so that no arrival order decides."""
        rounded = {row: round(score, 6) for row, score in scores.items()}
        best = heapq.nlargest(self.s.depth, rounded.values())
        return [row for row, score in rounded.items() if score >= best[-1]]

    def _match_terms(self) -> dict[int, float]:
        s, size = self.s, self.size
        base, slope = 1 - s.b, s.b / size.body_length
        title_base, title_slope = 1 - s.title_b, s.title_b / size.title_length
        fetched = []
        for term in self.question.terms:
            postings = [self.store.postings(word) for word in term.words]
            if any(postings):
                fetched.append((term, postings))
        scores: dict[int, float] = {}
        # Rarest first: a term that nearly every passage holds only adds to candidates already known.
        for term, postings in sorted(fetched, key=lambda f: (sum(map(len, f[1])), f[0].term)):
            rows: dict[int, float] = {}
            bodies: set[int] = set()
            for posting in postings:
                for row, in_title, in_body, title_length, body_length in posting:
                    found = in_body / (base + slope * body_length)
                    if in_title:
                        found += s.title_weight * in_title / (title_base + title_slope * title_length)
                    if in_body:
                        bodies.add(row)
                    if found > rows.get(row, 0.0):
                        rows[row] = found
            if len(rows) > s.common_share * size.passages and len(scores) >= s.common_after:
                rows = {row: found for row, found in rows.items() if row in scores}
                frequency = max(len(posting) for posting in postings)
            else:
                frequency = len(rows)
            weight = idf(size.passages, frequency) * term.weight
            impact = {row: found * (s.k1 + 1) / (found + s.k1) for row, found in rows.items()}
            for row, value in impact.items():
                scores[row] = scores.get(row, 0.0) + weight * value
            self.weight[term.term], self.impact[term.term], self.bodies[term.term] = weight, impact, bodies
            self.words[term.term] = term.words
        return scores

    def _parts(self, row: int, features: Features) -> dict[str, float]:
        s = self.s
        parts = {term: self.weight[term] * rows[row] for term, rows in self.impact.items() if row in rows}
        wanted = {word: term for term, words in self.words.items() for word in words}
        places: dict[str, list[int]] = {}
        for position, word in enumerate(features.tokens):
            if word in wanted:
                places.setdefault(wanted[word], []).append(position)
        for position, word in features.wholes:
            if word in wanted:
                places.setdefault(wanted[word], []).append(position)
        title = [wanted.get(word, "") for word in features.title_tokens]
        parts["window"] = s.window_weight * self._window(places, set(title))
        for first, second, gap in self.question.pairs:
            if first in self.weight and second in self.weight:
                value = self._pair(first, second, gap, places, title)
                if value:
                    parts[f"{first} {second}"] = value
        self._family(row, features.family, parts)
        bonus = self._title(features)
        if bonus:
            parts["title"] = bonus
        return parts

    def _family(self, row: int, family: int, parts: dict[str, float]) -> None:
        """Terms missing here that sibling passages of the same document hold."""
        missing = [term for term, rows in self.impact.items() if row not in rows]
        if not missing:
            return
        if family not in self.families:
            self.families[family] = self.store.family(family, _MOST_SIBLINGS)
        siblings = self.families[family]
        if len(siblings) < 2:
            return
        for term in missing:
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
            head = 1.0 if term in title else 0.0
            settled = head * (k + 1) / (head + k)
            base += weight * settled
            cells: dict[int, int] = {}
            for position in places.get(term, ()):
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
            ends = set(places[second])
            count = sum(any(at + step in ends for step in range(gap + 1)) for at in places[first])
        count += 2 * sum(
            a == first and second in title[i + 1 : i + 1 + gap] for i, a in enumerate(title[:-1])
        )
        if not count:
            return 0.0
        weight = min(self.weight[first], self.weight[second])
        return self.s.pair_weight * weight * count * (self.s.pair_k + 1) / (count + self.s.pair_k)

    def _title(self, features: Features) -> float:
        """A title that stands in the question: its idf mass there, times the share of it squared."""
        words = {word for word in features.title_tokens if word}
        if not words:
            return 0.0
        asked = {word for words_ in self.words.values() for word in words_}
        if not words & asked:
            return 0.0
        met = total = 0.0
        for word in sorted(words):
            value = idf(self.size.passages, max(1, self.store.frequency(word)))
            total += value
            if word in asked:
                met += value
        return self.s.title_bonus * met * (met / total) ** 2
