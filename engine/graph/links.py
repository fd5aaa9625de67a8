"""The next hop: which passages a passage leads to, through which name, and how strongly.

A passage leads to the *home* of a name it mentions, and to other passages that mention a rare name
it shares. What a link is worth is set by how rare the name is, by what question words stand around
the mention, and above all by what the *remaining* question finds at the other end: the question
words that the path so far has not covered.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.features import Features
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.lexical import Lexical
from engine.graph.question import Question

_SUFFIXES = ("or", "er")
_SHORTEST_AGENT = 6


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A way from one passage to another through a name, whose ``key`` it is; numbers in [0, 1].

    ``order`` counts the mentions of the source, ``sentence`` holds this one. ``rarity`` is that of
    the name, ``context`` the question words around its mention, ``residual`` what the rest of the
    question finds at the target. ``strength`` is what the link multiplies its source's score by.
    """

    source: int
    target: int
    kind: str
    name: int
    key: str
    order: int
    sentence: int
    rarity: float
    context: float
    residual: float
    strength: float


class Linker:
    """Finds the links of passages for one question. Passages are expanded at most once a coverage."""

    def __init__(
        self, question: Question, lexical: Lexical, store: SqliteStore, settings: RetrievalSettings
    ) -> None:
        self._store, self._settings = store, settings
        self._weights = lexical.weights
        self._passages = max(2, store.size().passages)
        self._matched: dict[int, list[tuple[float, float, int]]] = {}
        for index, (term, rows) in enumerate(lexical.matches.items()):
            weight = self._weights[term]
            for row, match in rows.items():
                self._matched.setdefault(row, []).append((weight, match, index))
        self._most = {row: sum(w * m for w, m, _ in found) for row, found in self._matched.items()}
        self._terms = list(lexical.matches)
        self._context_words = self._word_weights(question)
        asked = store.name_ids(question.keys)
        self._asked = frozenset(asked.values())
        self._mentioning: dict[int, list[int]] = {}
        self._homes: dict[int, list[tuple[int, str]]] = {}
        self._keys: dict[int, str] = {}

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

    def coverage(self, row: int) -> dict[int, float]:
        """Return term number -> how well the passage matches it, in [0, 1)."""
        return {index: match for _, match, index in self._matched.get(row, ())}

    def covered_share(self, coverage: Mapping[int, float]) -> float:
        """Return the share of the question that a path with this coverage has answered, in [0, 1]."""
        return math.fsum(self._weights[self._terms[i]] * min(1.0, c) for i, c in sorted(coverage.items()))

    def residual(self, row: int, coverage: Mapping[int, float]) -> float:
        """Return what a passage adds to a path with this coverage: a share of the question in [0, 1]."""
        found = self._matched.get(row)
        if found is None:
            return 0.0
        total = 0.0
        for weight, match, index in found:
            more = match - coverage.get(index, 0.0)
            if more > 0:
                total += weight * more
        return total

    def links(
        self, row: int, features: Features, coverage: Mapping[int, float], source: float, least: float
    ) -> list[Link]:
        """Return the links out of a passage whose source is worth ``source``, in order of mention.

        A passage that shares a name is left out if it could not reach ``least`` even if the question
        found there all that it finds at most.
        """
        s = self._settings
        mentions = self._mentions(features)
        self._fetch(list(mentions))
        found: list[Link] = []
        for name, (order, sentence, context) in mentions.items():
            key, mentioning = self._keys[name], self._mentioning[name]
            rarity = max(0.0, 1.0 - math.log(max(len(mentioning), 1) + 1) / math.log(self._passages))
            if " " not in key:
                rarity *= s.single_word
            if rarity == 0.0:
                continue

            def link(target: int, kind: str, residual: float, strength: float) -> Link:
                return Link(
                    source=row,
                    target=target,
                    kind=kind,
                    name=name,  # noqa: B023 - called within this turn of the loop
                    key=key,  # noqa: B023
                    order=order,  # noqa: B023
                    sentence=sentence,  # noqa: B023
                    rarity=rarity,  # noqa: B023
                    context=context,  # noqa: B023
                    residual=residual,
                    strength=strength,
                )

            homes = self._homes[name]
            for target, kind in homes:
                if target != row:
                    residual = self.residual(target, coverage)
                    share = s.home_kinds.get(kind, 1.0) * len(homes) ** -s.home_crowding
                    base = s.home_base + residual + s.context_weight * context
                    found.append(link(target, kind, residual, s.link_weight * rarity * share * base))
            if len(mentioning) > max(2.0, s.shared_most * self._passages):
                continue
            worth = s.link_weight * s.shared_weight * rarity
            bar = least / (1.0 + source * worth)
            for target in mentioning:
                if target != row and self._most.get(target, 0.0) >= bar:
                    residual = self.residual(target, coverage)
                    if residual > 0.0:
                        found.append(link(target, "shared", residual, worth * residual))
        return found

    def _fetch(self, names: list[int]) -> None:
        """Fetch what is known of these names at once, where it is not here yet."""
        missing = [name for name in names if name not in self._homes]
        if not missing:
            return
        self._keys.update(self._store.names(missing))
        mentioning, homes = self._store.mentioning(missing), self._store.homes(missing)
        kinds = self._settings.home_kinds
        for name in missing:
            self._mentioning[name] = mentioning.get(name, [])
            # One passage may be home to a name in several ways: the strongest counts.
            best: dict[int, str] = {}
            for row, kind in homes.get(name, ()):
                if row not in best or (kinds.get(kind, 1.0), kind) > (kinds.get(best[row], 1.0), best[row]):
                    best[row] = kind
            self._homes[name] = list(best.items())

    def _mentions(self, features: Features) -> dict[int, tuple[int, int, float]]:
        """Return name -> (order, sentence, context) of the mention with most question words around."""
        s = self._settings
        best: dict[int, tuple[int, int, float]] = {}
        for order, (name, sentence, first, last) in enumerate(features.mentions):
            if name in self._asked:
                continue
            tokens = features.title_tokens if sentence < 0 else features.tokens
            around = {
                word
                for word in (
                    *tokens[max(0, first - s.context_before) : first],
                    *tokens[last : last + s.context_after],
                )
                if word in self._context_words
            }
            context = math.fsum(sorted(self._context_words[word] for word in around))
            if name not in best or context > best[name][2]:
                best[name] = (order, sentence, context)
        return best

    def homes(self, name: int) -> Sequence[tuple[int, str]]:
        """Return (row, kind) of the passages that are home to a name, each once."""
        self._fetch([name])
        return self._homes[name]
