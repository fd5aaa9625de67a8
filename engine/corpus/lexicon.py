"""How this corpus's text becomes terms, and how much each term tells in it."""

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from engine.corpus.features import STOPPED
from engine.corpus.names import mentions
from engine.corpus.sentences import sentence_spans
from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.tokens import fold, tokenise

_NUMBER = re.compile(r"(?<![\w.,])[+-]?\d[\d,]*(?:\.\d+)?")
_TERMS_REMEMBERED = 20_000
_SHORT_TEXT = 1_000
_TEXTS_REMEMBERED = 500


@lru_cache(maxsize=1_000)
def _terms(text: str) -> tuple[str, ...]:
    """The terms of a text; the expertise of the personas is asked for with every question."""
    return tuple(term for term in tokenise(fold(text)).terms if term != STOPPED)


class CorpusLexicon:
    """The :class:`~engine.corpus.store.Lexicon` of one corpus, as it is when the lexicon is made."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._passages = store.size().passages
        self.idf = lru_cache(maxsize=_TERMS_REMEMBERED)(self._idf)
        self.weighed = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._weighed)

    def terms(self, text: str) -> list[str]:
        """Return the index terms of ``text`` in order: stems and identifier parts, no stop words."""
        return list(_terms(text)) if len(text) <= _SHORT_TEXT else list(_terms.__wrapped__(text))

    def _idf(self, term: str) -> float:
        """Return ``1 - ln df / ln N``: 0 if every passage holds the term, 1 if one at most does."""
        word = self._store.word_ids([term]).get(term)
        frequency = self._store.frequency(word) if word is not None else 0
        if frequency <= 1 or self._passages <= 1:
            return 1.0
        return 1.0 - math.log(frequency) / math.log(self._passages)

    def _weighed(self, text: str) -> Mapping[int, float]:
        """Return word id -> idf of the terms of ``text`` that occur, in the order of the terms."""
        words = self._store.word_ids(dict.fromkeys(self.terms(text)))
        return {word: self.idf(term) for term, word in sorted(words.items())}

    def sentences(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) character offsets of the sentences of ``text``, in order."""
        return sentence_spans(text)

    def anchors(self, text: str) -> list[str]:
        """Return the names, code names and numbers that ``text`` states, as keys, each once, in order.

        A single capitalised word that opens a sentence is left out: it is capitalised anyway.
        """
        found: dict[str, None] = {}
        for start, end in sentence_spans(text):
            folded = fold(text[start:end])
            tokens = tokenise(folded)
            longest = 0
            for mention in mentions(tokens, [0]):
                opening = mention.first == 0 and " " not in mention.key and not tokens.words[0].is_code
                if mention.last <= longest or opening:
                    continue
                longest = mention.last
                found.setdefault(mention.key)
            for match in _NUMBER.finditer(folded):
                found.setdefault(match.group().replace(",", "").lstrip("+"))
        return list(found)
