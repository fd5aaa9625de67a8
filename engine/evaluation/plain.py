"""A lexicon that needs no corpus: every term tells as much as any other, unless weights are given.

The scores use it when they are given bare strings. With a corpus at hand its own lexicon is the
better one, because it knows which words are rare there.
"""

import re
from collections.abc import Iterable

from engine.corpus.features import STOPPED
from engine.corpus.sentences import sentence_spans
from engine.corpus.tokens import STOP_WORDS, fold, tokenise

_NAME = re.compile(r"\b[A-Z][\w'-]*(?: +[A-Z][\w'-]*)*|\b\d[\w.,:/-]*\b")
_POSSESSIVE = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}]s\\b")


def fold_case(text: str) -> str:
    """Return ``text`` casefolded, without accents and possessive endings.

    >>> fold_case("Ångström's Law")
    'angstrom law'
    """
    return _POSSESSIVE.sub("", fold(text).casefold())


class PlainLexicon:
    """The corpus's own terms and sentences; ``idf`` is 1 for all, or as given.

    >>> lexicon = PlainLexicon()
    >>> lexicon.terms("The experts disagreed about it.")
    ['expert', 'disagre']
    >>> lexicon.anchors("In 1874 Karl Prince was born.")
    ['1874', 'karl prince']
    """

    def __init__(self, idf: Iterable[tuple[str, float]] = ()) -> None:
        self._idf = dict(idf)

    def terms(self, text: str) -> list[str]:
        """Return the stems of the words of ``text`` in order, stop words left out."""
        return [term for term in tokenise(fold(text)).terms if term != STOPPED]

    def idf(self, term: str) -> float:
        """Return the weight given for ``term``, 1 if none was."""
        return self._idf.get(term, 1.0)

    def sentences(self, text: str) -> list[tuple[int, int]]:
        """Return (start, end) of the sentences of ``text``, in order."""
        return sentence_spans(text)

    def anchors(self, text: str) -> list[str]:
        """Return capitalised names and numbers of ``text``, casefolded, in order, each once.

        A single capitalised word that opens a sentence is left out: it is capitalised anyway.
        """
        found: dict[str, None] = {}
        for start, end in sentence_spans(text):
            for match in _NAME.finditer(text, start, end):
                words = match.group().split()
                if match.start() == start and len(words) == 1 and words[0].isalpha():
                    continue
                while words and fold_case(words[0]) in STOP_WORDS:
                    words.pop(0)
                if words:
                    found.setdefault(fold_case(" ".join(words)).rstrip(".,"))
        return list(found)
