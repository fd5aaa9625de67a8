"""A lexicon that needs no corpus: every term tells as much as any other.

The scores use it when they are given bare strings. With a corpus at hand its own lexicon is the
better one, because it knows which words are rare there.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"\b[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*|\b\d[\w.,:/-]*\b")
_BREAK = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])|\n\s*\n|\n(?=\s*[-*+]\s)")
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|etc|e\.g|i\.e|No|Fig|cf))\.\Z")

_FUNCTION_WORDS = """
    a about above after again against all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further had
    has have having he her here hers him himself his how however i if in into is it its itself just
    may me might more most must my no nor not of off on once only or other our ours out over own
    same shall she should so some such than that the their theirs them then there these they this
    those through to too under until up us very was we were what when where which while who whom
    whose why will with would you your yours
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Function words: they say how a sentence is built, not what it is about."""


def fold(text: str) -> str:
    """Return ``text`` casefolded, without accents and possessive endings.

    >>> fold("Ångström's Law")
    'angstrom law'
    """
    spread = unicodedata.normalize("NFKD", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return re.sub(r"'s\b", "", "".join(c for c in spread if not unicodedata.combining(c)).casefold())


class PlainLexicon:
    """Words stemmed, stop words dropped, ``idf`` 1 for all (or as given).

    >>> lexicon = PlainLexicon()
    >>> lexicon.terms("The experts disagreed about it.")
    ['expert', 'disagre']
    >>> lexicon.anchors("In 1874 Karl Prince was born.")
    ['1874', 'karl prince']
    """

    def __init__(self, idf: Iterable[tuple[str, float]] = ()) -> None:
        import Stemmer

        self._stem: Any = Stemmer.Stemmer("english")
        self._idf = dict(idf)

    def terms(self, text: str) -> list[str]:
        """Return the stems of the words of ``text`` in order, stop words left out."""
        words = [word for word in _WORD.findall(fold(text)) if word not in STOP_WORDS]
        stems: list[str] = self._stem.stemWords(words)
        return stems

    def idf(self, term: str) -> float:
        """Return the weight given for ``term``, 1 if none was."""
        return self._idf.get(term, 1.0)

    def sentences(self, text: str) -> list[tuple[int, int]]:
        """Return (start, end) of the sentences of ``text``, without the space around them."""
        spans: list[tuple[int, int]] = []
        start = 0
        cuts = [(m.start(), m.end()) for m in _BREAK.finditer(text)]
        for left, right in [*cuts, (len(text), len(text))]:
            if left < len(text) and _ABBREVIATION.search(text[start:left]):
                continue
            piece = text[start:left]
            body = piece.strip()
            if body:
                offset = start + piece.index(body)
                spans.append((offset, offset + len(body)))
            start = right
        return spans

    def anchors(self, text: str) -> list[str]:
        """Return capitalised names and numbers of ``text``, casefolded, in order, each once."""
        found: dict[str, None] = {}
        for match in _NAME.finditer(text):
            words = match.group().split()
            while words and fold(words[0]) in STOP_WORDS:
                words.pop(0)
            if words:
                found.setdefault(fold(" ".join(words)).rstrip(".,"))
        return list(found)
