"""The next hop: which passages a passage leads to, through which name, and how strongly.

A passage leads to the *home* of a name it mentions, and to other passages that mention a rare name
it shares. What a link is worth is set by how rare the name is, by what question words stand around
the mention, and above all by what the *remaining* question finds at the other end: the question
words that the path so far has not covered.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.features import Features
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.lexical import Lexical
from engine.graph.names import KnownName, NameBook
from engine.graph.question import Question
from engine.graph.words import idf

_SUFFIXES = ("or", "er")
_SHORTEST_AGENT = 6
# A name that more passages share leads to each too weakly to look them up for the question's common words.
_FEW = 10
_NAME = itemgetter(0)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A way from one passage to another through a name, whose ``key`` it is; numbers in [0, 1].

    ``order`` counts the mentions of the source, ``sentence`` holds this one. ``rarity`` is that of
    the name, ``context`` the question words around its mention, ``residual`` what the rest of the
    question finds at the target. ``strength`` is what the link multiplies its source's score by.
    """

    source: int
    target: int
    kind: str
    key: str
    order: int
    sentence: int
    rarity: float
    context: float
    residual: float
    strength: float


def residual(matches: Sequence[tuple[float, float, int]], coverage: Mapping[int, float]) -> float:
    """Return what (weight, match, number) of terms add to what is covered of each, in [0, 1].

    >>> round(residual([(0.5, 0.8, 0), (0.25, 0.4, 1)], {0: 0.6}), 6)
    0.2
    """
    total = 0.0
    for weight, match, index in matches:
        more = match - coverage.get(index, 0.0)
        if more > 0:
            total += weight * more
    return total


class Linker:
    """Finds the links of passages for one question."""

    def __init__(
        self,
        question: Question,
        lexical: Lexical,
        store: SqliteStore,
        settings: RetrievalSettings,
        book: NameBook,
    ) -> None:
        self._store, self._settings, self._book = store, settings, book
        self._passages = max(2, store.size().passages)
        self._weights = self._sharpened(lexical)
        self._share = list(self._weights.values())
        self._rows = [
            (self._weights[term], rows, i) for i, (term, rows) in enumerate(lexical.matches.items())
        ]
        self._matched: dict[int, list[tuple[float, float, int]]] = {}
        self._lexical = lexical
        self._context_words = self._word_weights(question)
        self._asked = question.asked
        self._names: dict[int, KnownName] = {}

    def _sharpened(self, lexical: Lexical) -> dict[str, float]:
        """Each term's share of the question for hops, where rare words count more than in the first."""
        power = self._settings.hop_idf_power - 1
        raw = {
            term: lexical.weights[term] * idf(self._passages, lexical.frequencies[term]) ** power
            for term in lexical.matches
        }
        total = math.fsum(raw.values()) or 1.0
        return {term: weight / total for term, weight in raw.items()}

    def _word_weights(self, question: Question) -> dict[int, float]:
        """Weights of the words that show a mention to be to the point: "directed" for "director"."""
        weights = {
            word: self._weights[term.term]
            for term in question.terms
            if term.term in self._weights
            for word in term.words
        }
        actions: dict[str, float] = {}
        for term in self._weights:
            if len(term) >= _SHORTEST_AGENT and term.endswith(_SUFFIXES):
                for action in (term[:-2], term[:-2] + "e"):
                    actions.setdefault(action, self._weights[term])
        for action, word in self._store.word_ids(actions).items():
            weights.setdefault(word, actions[action])
        return weights

    # -- what the question finds in a passage ----------------------------------------------------
    def matches(self, row: int) -> list[tuple[float, float, int]]:
        """Return (weight, match, number) of the terms that a passage matches."""
        found = self._matched.get(row)
        if found is None:
            self._lexical.words(row)
            found = [(weight, rows[row], index) for weight, rows, index in self._rows if row in rows]
            self._matched[row] = found
        return found

    def coverage(self, row: int) -> dict[int, float]:
        """Return term number -> how well the passage matches it, in [0, 1)."""
        return {index: match for _, match, index in self.matches(row)}

    def covered_share(self, coverage: Mapping[int, float]) -> float:
        """Return the share of the question that a path with this coverage has answered, in [0, 1]."""
        return math.fsum(self._share[i] * min(1.0, match) for i, match in coverage.items())

    def residual(self, row: int, coverage: Mapping[int, float]) -> float:
        """Return what a passage adds to a path with this coverage: a share of the question in [0, 1]."""
        return residual(self.matches(row), coverage)

    def term_share(self, term: str) -> float:
        """Return the share of the question that a term has for hops, 0 if the corpus lacks it."""
        return self._weights.get(term, 0.0)

    # -- links -----------------------------------------------------------------------------------
    def links(
        self, row: int, features: Features, coverage: Mapping[int, float], source: float, least: float
    ) -> list[Link]:
        """Return the strongest link to each passage that a passage worth ``source`` leads to.

        A passage that shares a name is left out if it could not reach ``least`` even if the question
        found there all that it finds at most.
        """
        s = self._settings
        self.fetch(map(_NAME, features.mentions))
        mentions = self._mentions(features)
        shares, words = self._lexical.shares, self._lexical.words
        # Where nothing is left to ask, a name alone is no reason to go on.
        covered = self.covered_share(coverage)
        left_open = 1.0 if covered <= s.answered else (1.0 - min(1.0, covered)) / (1.0 - s.answered)
        left: dict[int, float] = {}
        # target -> (-strength, kind, order, name, residual, rarity): the least is the best; order tells ties.
        best: dict[int, tuple[float, str, int, int, float, float]] = {}
        for name, (order, _, context, inside) in mentions.items():
            known = self._names[name]
            rarity = known.inside if inside else known.rarity
            worth = s.link_weight * rarity
            base = left_open * (s.home_base + s.context_weight * context)
            for target, kind, share in known.homes:
                residual = left.get(target)
                if residual is None:
                    residual = left[target] = self.residual(target, coverage)
                found = (-round(worth * share * (base + residual), 9), kind, order, name, residual, rarity)
                if target not in best or found < best[target]:
                    best[target] = found
            rarity = known.rarity
            worth = s.link_weight * rarity * s.shared_weight
            few = len(known.mentioning) <= _FEW
            bar = least / (1.0 + source * worth)
            for target in known.mentioning:
                alone = shares.get(target, 0.0)
                if alone < bar and few:
                    alone = words(target)
                if alone < bar:
                    continue
                residual = left.get(target)
                if residual is None:
                    residual = left[target] = self.residual(target, coverage)
                if residual > 0.0:
                    found = (-round(worth * residual, 9), "shared", order, name, residual, rarity)
                    if target not in best or found < best[target]:
                        best[target] = found
        best.pop(row, None)
        return [
            Link(
                source=row,
                target=target,
                kind=kind,
                key=self._names[name].key,
                order=order,
                sentence=mentions[name][1],
                rarity=rarity,
                context=mentions[name][2],
                residual=residual,
                strength=-strength,
            )
            for target, (strength, kind, order, name, residual, rarity) in best.items()
        ]

    def fetch(self, names: Iterable[int]) -> None:
        """Look up these names at once, where it was not done yet."""
        known = self._names
        missing = [name for name in dict.fromkeys(names) if name not in known]
        if missing:
            known.update(self._book.fetch(missing))

    def _mentions(self, features: Features) -> dict[int, tuple[int, int, float, bool]]:
        """Return name -> (order, sentence, context, inside): the mention with most question words around.

        ``inside`` tells that any mention of the name stands behind the first word of a sentence.
        """
        s = self._settings
        wanted = self._context_words
        # Where in text and title question words stand: most mentions have none near.
        body = sorted([(place, word) for word in wanted for place in features.places(word)])
        title = [(place, word) for place, word in enumerate(features.title_tokens) if word in wanted]
        best: dict[int, tuple[int, int, float, bool]] = {}
        for order, (name, sentence, first, last) in enumerate(features.mentions):
            known = self._names[name]
            if name in self._asked or not (known.rarity or known.inside):
                continue
            inside = (
                sentence >= 0 and known.inside != known.rarity and first > features.sentences[sentence].token
            )
            low, high = first - s.context_before, last + s.context_after
            spots = title if sentence < 0 else body
            context = 0.0
            begin = bisect_left(spots, (low,))
            if begin < len(spots) and spots[begin][0] < high:
                near = spots[begin : bisect_left(spots, (high,))]
                around = {word for place, word in near if not first <= place < last}
                context = math.fsum([wanted[word] for word in around])
            former = best.get(name)
            if former is None or context > former[2]:
                best[name] = (order, sentence, context, inside or (former is not None and former[3]))
            elif inside and not former[3]:
                best[name] = (*former[:3], True)
        return best

    def homes(self, name: int) -> Sequence[tuple[int, str, float]]:
        """Return (row, kind, share) of the passages that are home to a name, each once."""
        self.fetch([name])
        return self._names[name].homes
