"""The facets of a question: what it asks about, each with its share of the question."""

import math
from collections.abc import Iterable

from engine.corpus.features import STOPPED
from engine.corpus.tokens import fold, tokenise
from engine.events import Facet, FacetKind
from engine.graph.query_graph import QueryGraph
from engine.ids import q6


def question_facets(graph: QueryGraph) -> list[Facet]:
    """Return the facets of a question, names first, then the remaining terms by weight; weights sum to 1.

    A question without a word that the corpus knows has the facets of its own words, at equal weight. An
    identifier is one facet, of the terms of its parts: by those any text is compared with it.
    """
    weights = dict(graph.lexical.weights)
    known = {term.term for term in graph.question.terms if not term.term.startswith(("#", "@"))}
    if not weights:
        weights = dict.fromkeys(sorted(known), 1.0)
    facets: list[tuple[str, FacetKind, str, float, list[str]]] = []
    used: set[str] = set()
    identifiers = _identifiers(graph.question.text)

    def add(facet_id: str, kind: FacetKind, text: str, terms: Iterable[str]) -> None:
        parts = dict.fromkeys(part for term in terms for part in identifiers.get(term, (term,)))
        told = [part for part in parts if part in weights and part not in used]
        if not told:
            return
        wholes = [
            whole
            for whole, own in identifiers.items()
            if whole in weights and whole not in used and whole not in told and parts.keys() >= set(own)
        ]
        weight = math.fsum(weights[term] for term in (*told, *wholes))
        used.update(told, wholes)
        facets.append((facet_id, kind, text, weight, told))

    for name in graph.question.names:
        add(f"name:{name.key}", "entity", name.key, name.terms)
    for whole in identifiers:
        if whole in weights and whole not in used:
            add(f"term:{whole}", "identifier", whole, [whole])
    rest = sorted((t for t in weights if t not in used and t in known), key=lambda t: (-weights[t], t))
    for term in rest:
        if term not in identifiers:
            add(f"term:{term}", _kind(term), term, [term])
    total = math.fsum(weight for *_, weight, _ in facets) or 1.0
    return [
        Facet(facet_id=facet_id, kind=kind, text=text, weight=q6(weight / total), terms=terms)
        for facet_id, kind, text, weight, terms in facets
    ]


def _identifiers(text: str) -> dict[str, tuple[str, ...]]:
    """Return the terms of the identifiers in a question, each with the terms of its parts, in order."""
    words = tokenise(fold(text)).words
    return {
        word.whole: tuple(part for part in word.terms if part != STOPPED) or (word.whole,)
        for word in words
        if word.is_code and word.whole is not None
    }


def _kind(term: str) -> FacetKind:
    return "number" if term[0].isdigit() else "term"
