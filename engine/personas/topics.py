"""What a question is about, in the words of the personas' expertise and never in its own."""

import math
from collections.abc import Iterable, Sequence

from engine.corpus.store import Lexicon
from engine.events import Facet


def topic_of(expertise: Iterable[str], facets: Sequence[Facet], lexicon: Lexicon) -> str:
    """Return the phrase of ``expertise`` that the question is nearest to, or nothing.

    Nearest is what shares the most weight of facets; of equals the first in alphabetical order.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> born = Facet(facet_id="f", kind="term", text="birth year", weight=1.0, terms=["birth", "year"])
    >>> topic_of(["year", "birth year", "war"], [born], PlainLexicon())
    'birth year'
    """
    asked: dict[str, float] = {}
    for facet in facets:
        for term in facet.terms:
            asked[term] = max(facet.weight, asked.get(term, 0.0))
    best, most = "", 0.0
    for phrase in dict.fromkeys(expertise):
        terms = lexicon.terms(phrase)
        if asked.keys().isdisjoint(terms):
            continue
        weight = math.fsum([asked[term] for term in dict.fromkeys(terms) if term in asked])
        if weight > most or (weight == most > 0.0 and phrase < best):
            best, most = phrase, weight
    return best
