"""The first hop: how well each passage matches the question by itself, term by term.

BM25F (Robertson, Zaragoza, Taylor 2004: term frequencies of fields are weighted and length-normalised
first, then saturated once), then, for the best candidates only, what a close look finds. Every score is
a sum of named parts; all are divided by the most that the question's terms could give, so a score lies in
[0, ~2] and means the same on every corpus.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.close_look import Candidate, CloseLook, Terms
from engine.graph.feedback import feedback
from engine.graph.fields import CommonTerm, Fields
from engine.graph.question import Question
from engine.graph.words import WordBook, idf
from engine.ids import q6

_TIE = 1e-9


class Lexical(msgspec.Struct, frozen=True, kw_only=True):
    """The first hop of one question.

    ``weights`` maps each term to its share of the question (they sum to 1), ``frequencies`` to the
    number of passages that hold it; ``matches`` maps it to row -> how saturated the match is, in
    [0, 1); ``shares`` maps every row found to the share of the question that its words alone give.

    Terms in ``common`` were looked up only where rarer ones stand. Links lead elsewhere, too: there
    :meth:`words` looks them up, and keeps what it finds in ``matches`` and ``looked_up``.

    ``later`` are the rows of the first ``depth`` that are looked at closely only where something leads
    to them; :meth:`candidate` does it.
    """

    weights: dict[str, float]
    frequencies: dict[str, int]
    matches: dict[str, dict[int, float]]
    shares: dict[int, float]
    looked_up: dict[int, float] = {}
    candidates: list[Candidate]
    common: Mapping[str, CommonTerm]
    later: frozenset[int]
    look: CloseLook
    seen: dict[int, Candidate]

    def candidate(self, row: int) -> Candidate | None:
        """Return a passage among the first ``depth`` as seen closely, None for any other passage."""
        found = self.seen.get(row)
        if found is None and row in self.later:
            (found,) = self.look.at([row])
            self.seen[row] = found
        return found

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
        self.terms = Terms()
        self.frequencies: dict[str, int] = {}
        self.fields = Fields(settings, self.size)

    def run(self, *, feed_back: bool) -> Lexical:
        terms = self.terms
        scores = self._match_terms()
        total = math.fsum(terms.weight.values()) or 1.0
        weights = {term: weight / total for term, weight in terms.weight.items()}
        shares = {row: score / total for row, score in scores.items()}
        near, later = self._front(scores)
        look = CloseLook(terms, self.question.pairs, self.store, self.s, self.book)
        candidates = look.at(near) if near else []
        candidates.sort(key=lambda c: (-c.score, c.passage_id))
        del candidates[self.s.depth :]
        if feed_back:
            candidates = self._fed_back(candidates)
        return Lexical(
            weights=weights,
            frequencies=self.frequencies,
            matches=terms.matches,
            shares=shares,
            candidates=candidates,
            common=terms.common,
            later=frozenset(later),
            look=look,
            seen={candidate.row: candidate for candidate in candidates},
        )

    def _fed_back(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates, best first, with what those gain by feedback at which a walk may begin."""
        first = candidates[: self.s.choose_from]
        found = [(each.features, each.score) for each in first]
        gains = feedback(found, self.terms.wanted.keys(), self.book, self.s, self.size.body_length)
        fed = [self._fed(each, q6(gain)) for each, gain in zip(first, gains, strict=True)]
        return sorted(
            [*fed, *candidates[self.s.choose_from :]], key=lambda each: (-each.score, each.passage_id)
        )

    @staticmethod
    def _fed(candidate: Candidate, gain: float) -> Candidate:
        if not gain:
            return candidate
        return msgspec.structs.replace(candidate, score=q6(candidate.score + gain), feedback=gain)

    def _front(self, scores: Mapping[int, float]) -> tuple[list[int], list[int]]:
        """The best ``depth`` rows: those to look at closely at once, those only where something leads there.

        At once: where walks may begin, and what a title may bring up. All that tie with the last are among
        them, so that no arrival order decides.
        """
        if not scores:
            return [], []
        s = self.s
        highest = heapq.nlargest(s.depth, scores.values())
        least, bar = highest[-1] - _TIE, highest[: s.choose_from][-1] - _TIE
        near: list[int] = []
        later: list[int] = []
        for row, score in scores.items():
            if score >= least:
                (near if score >= bar or self.terms.titled(row) else later).append(row)
        return near, later

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
            self.terms.postings[name], self.terms.words[name] = postings, term.words
            self.terms.wanted.update(dict.fromkeys(term.words, name))
            common = frequency > s.common_share * size.passages and len(scores) >= max(1, s.common_after)
            if common:
                self.terms.common[name] = CommonTerm(postings, self.fields)
            else:
                frequency = len(self._match(name))
            self.frequencies[name] = frequency
            self.terms.weight[name] = idf(size.passages, frequency) * term.weight
            if not common:
                self._add(scores, name)
        for name in self.terms.common:
            self._match(name, among=scores)
            self._add(scores, name)
        return scores

    def _add(self, scores: dict[int, float], term: str) -> None:
        weight = self.terms.weight[term]
        for row, match in self.terms.matches[term].items():
            scores[row] = scores.get(row, 0.0) + weight * match

    def _match(self, term: str, among: Mapping[int, float] | None = None) -> dict[int, float]:
        """Keep how saturated the match of a term is in each passage, or in each ``among`` these."""
        fields = self.fields
        base, slope, title_base, title_slope = fields.body, fields.by_body, fields.title, fields.by_title
        title_weight, k1 = fields.title_weight, fields.k1
        rows: dict[int, float] = {}
        for posting in self.terms.postings[term]:
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
        self.terms.matches[term] = rows
        return rows
