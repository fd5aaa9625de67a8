"""The facets of a question: what it asks about, each with its share of the question."""

import math

from engine.events import Facet, FacetKind
from engine.graph.query_graph import QueryGraph
from engine.ids import q6


def question_facets(graph: QueryGraph) -> list[Facet]:
    """Return the facets of a question, names first, then the remaining terms by weight; weights sum to 1.

    A question without a word that the corpus knows has the facets of its own words, at equal weight.
    """
    weights = dict(graph.lexical.weights)
    known = {term.term for term in graph.question.terms if not term.term.startswith(("#", "@"))}
    if not weights:
        weights = dict.fromkeys(sorted(known), 1.0)
    facets: list[tuple[str, FacetKind, str, float, list[str]]] = []
    used: set[str] = set()
    for name in graph.question.names:
        terms = [term for term in name.terms if term in weights and term not in used]
        if terms:
            used.update(terms)
            facets.append(
                (f"name:{name.key}", "entity", name.key, math.fsum(weights[t] for t in terms), terms)
            )
    rest = sorted((t for t in weights if t not in used and t in known), key=lambda t: (-weights[t], t))
    for term in rest:
        facets.append((f"term:{term}", _kind(term), term, weights[term], [term]))
    total = math.fsum(weight for *_, weight, _ in facets) or 1.0
    return [
        Facet(facet_id=facet_id, kind=kind, text=text, weight=q6(weight / total), terms=terms)
        for facet_id, kind, text, weight, terms in facets
    ]


def _kind(term: str) -> FacetKind:
    return "number" if term[0].isdigit() else "term"
