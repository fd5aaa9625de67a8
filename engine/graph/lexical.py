"""The first hop: how well each passage matches the question by itself, term by term.

BM25F (Robertson, Zaragoza, Taylor 2004: term frequencies of fields are weighted and length-normalised
first, then saturated once), then, for the best candidates only: the best window of words, pairs of
question words that stand together, a title that stands in the question, and terms found in sibling
passages. Every score is a sum of named parts; all are divided by the most that the question's terms
could give, so a score lies in [0, ~2] and means the same on every corpus.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, compress

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.features import Features, Postings
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.feedback import feedback
from engine.graph.fields import CommonTerm, Fields
from engine.graph.question import Question
from engine.graph.words import WordBook, idf
from engine.ids import q6

# More passages than these tell nothing of each other, and cost much to look through.
_MOST_SIBLINGS = 200
_TIE = 1e-9


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A passage with its first-hop score and the parts that sum to it; ``feedback`` is one of them."""

    row: int
    passage_id: str
    features: Features
    score: float
    parts: dict[str, float]
    feedback: float = 0.0


class Lexical(msgspec.Struct, frozen=True, kw_only=True):
    """The first hop of one question.

    ``weights`` maps each term to its share of the question (they sum to 1), ``frequencies`` to the
    number of passages that hold it; ``matches`` maps it to row -> how saturated the match is, in
    [0, 1); ``shares`` maps every row found to the share of the question that its words alone give.

    Terms in ``common`` were looked up only where rarer ones stand. Links lead elsewhere, too: there
    :meth:`words` looks them up, and keeps what it finds in ``matches`` and ``looked_up``.
    """

    weights: dict[str, float]
    frequencies: dict[str, int]
    matches: dict[str, dict[int, float]]
    shares: dict[int, float]
    looked_up: dict[int, float] = {}
    candidates: list[Candidate]
    common: Mapping[str, CommonTerm]

    def words(self, row: int) -> float:
        """Return the share of the question that a passage's words alone give; its matches are whole then."""
        share = self.shares.get(row)
        if share is None:
            share = self.looked_up.get(row)
        if share is None:
            share = 0.0
            for term, common in self.common.items():
                match = common.match(row)
                if match:
                    self.matches[term][row] = match
                    share += self.weights[term] * match
            self.looked_up[row] = share
        return share


def first_hop(
    question: Question,
    store: SqliteStore,
    settings: RetrievalSettings,
    book: WordBook,
    *,
    by_words: bool = True,
) -> Lexical:
    """Return the candidates for ``question``, best first, at most ``settings.depth``.

    Where passages are found not ``by_words`` alone, but by likeness of meaning, too, there is no
    feedback: both say which passages tell of the same in other words, and likeness says it better.
    """
    scorer = _FirstHop(question, store, settings, book)
    return scorer.run(feed_back=by_words and not question.names)


class _FirstHop:
    def __init__(
        self, question: Question, store: SqliteStore, settings: RetrievalSettings, book: WordBook
    ) -> None:
        self.question, self.store, self.s, self.book = question, store, settings, book
        self.size = store.size()
        self.matches: dict[str, dict[int, float]] = {}
        self.postings: dict[str, Sequence[Postings]] = {}
        self.bodies: dict[str, set[int]] = {}
        self.frequencies: dict[str, int] = {}
        self.weight: dict[str, float] = {}
        self.wanted: dict[int, str] = {}
        self.words: dict[str, tuple[int, ...]] = {}
        self.common: dict[str, CommonTerm] = {}
        self.fields = Fields(settings, self.size)
        self.title_idf: Mapping[int, float] = {}
        self.siblings: dict[tuple[int, str], int] = {}
        self.families: dict[int, list[int]] = {}

    def run(self, *, feed_back: bool) -> Lexical:
        scores = self._match_terms()
        total = math.fsum(self.weight.values()) or 1.0
        found = Lexical(
            weights={term: weight / total for term, weight in self.weight.items()},
            frequencies=self.frequencies,
            matches=self.matches,
            shares={row: score / total for row, score in scores.items()},
            candidates=[],
            common=self.common,
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
        if feed_back:
            found.candidates[:] = self._fed_back(found.candidates)
        return found

    def _fed_back(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates, best first, with what those gain by feedback at which a walk may begin."""
        first = candidates[: self.s.choose_from]
        found = [(each.features, each.score) for each in first]
        gains = feedback(found, self.wanted.keys(), self.book, self.s, self.size.body_length)
        fed = [self._fed(each, q6(gain)) for each, gain in zip(first, gains, strict=True)]
        return sorted(
            [*fed, *candidates[self.s.choose_from :]], key=lambda each: (-each.score, each.passage_id)
        )

    @staticmethod
    def _fed(candidate: Candidate, gain: float) -> Candidate:
        if not gain:
            return candidate
        parts = {**candidate.parts, "feedback": gain}
        return msgspec.structs.replace(
            candidate, score=q6(candidate.score + gain), parts=parts, feedback=gain
        )

    def _front(self, scores: Mapping[int, float]) -> list[int]:
        """The best ``depth`` rows, and all that tie with the last, so that no arrival order decides."""
        least = heapq.nlargest(self.s.depth, scores.values())[-1] - _TIE
        return [row for row, score in scores.items() if score >= least]

    def _match_terms(self) -> dict[int, float]:
        s, size = self.s, self.size
        known = self.store.postings([word for term in self.question.terms for word in term.words])
        fetched = []
        for term in self.question.terms:
            postings = [known[word] for word in term.words if word in known]
            if postings:
                fetched.append((term, postings, [len(posting.rows) for posting in postings]))
        scores: dict[int, float] = {}
        # Rarest first: a term that nearly every passage holds only adds to candidates already known.
        for term, postings, counts in sorted(fetched, key=lambda f: (sum(f[2]), f[0].term)):
            name, frequency = term.term, max(counts)
            self.postings[name], self.words[name] = postings, term.words
            self.wanted.update(dict.fromkeys(term.words, name))
            common = frequency > s.common_share * size.passages and len(scores) >= max(1, s.common_after)
            if common:
                self.common[name] = CommonTerm(postings, self.fields)
            else:
                frequency = len(self._match(name))
            self.frequencies[name] = frequency
            self.weight[name] = idf(size.passages, frequency) * term.weight
            if not common:
                self._add(scores, name)
        for name in self.common:
            self._match(name, among=scores)
            self._add(scores, name)
        return scores

    def _add(self, scores: dict[int, float], term: str) -> None:
        weight = self.weight[term]
        for row, match in self.matches[term].items():
            scores[row] = scores.get(row, 0.0) + weight * match

    def _match(self, term: str, among: Mapping[int, float] | None = None) -> dict[int, float]:
        """Keep how saturated the match of a term is in each passage, or in each ``among`` these."""
        fields = self.fields
        base, slope, title_base, title_slope = fields.body, fields.by_body, fields.title, fields.by_title
        title_weight, k1 = fields.title_weight, fields.k1
        rows: dict[int, float] = {}
        for posting in self.postings[term]:
            columns: Iterable[tuple[int, ...]] = zip(*posting, strict=True)
            if among is not None:
                columns = compress(columns, map(among.__contains__, posting.rows))
            former = rows.copy()
            for row, in_title, in_body, title_length, body_length in columns:
                found = in_body / (base + slope * body_length)
                if in_title:
                    found += title_weight * in_title / (title_base + title_slope * title_length)
                rows[row] = found / (found + k1)
            for row, match in former.items():
                if match > rows[row]:
                    rows[row] = match
        self.matches[term] = rows
        return rows

    def _bodies(self, term: str) -> set[int]:
        """Return the rows of the passages that hold a term in their text."""
        bodies = self.bodies.get(term)
        if bodies is None:
            columns = [zip(posting.rows, posting.in_body, strict=True) for posting in self.postings[term]]
            bodies = self.bodies[term] = {row for row, in_body in chain(*columns) if in_body}
        return bodies

    def _weigh_titles(self, known: Sequence[Features]) -> None:
        """Look up how rare the words of those titles are that hold a word of the question."""
        words: dict[int, None] = {}
        for features in known:
            if not self.wanted.keys().isdisjoint(features.title_tokens):
                words.update(dict.fromkeys(features.title_tokens))
        words.pop(0, None)
        self.title_idf = self.book.idf(list(words))

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
                bodies = self._bodies(term)
                self.siblings[family, term] = sum(sibling in bodies for sibling in siblings)
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
