"""Relevance: does the output speak of what was asked, in the form that was asked?"""

import math
import re
from collections.abc import Sequence

from engine.corpus.tokens import QUESTION_WORDS, stem
from engine.evaluation.outputs import Context, ExpertOutput, Scored, scored
from engine.evaluation.quantities import tells_when
from engine.events import Claim, Facet
from engine.ids import q6

FACET_SHARE = 0.6
ANSWER_TYPE_SHARE = 0.2
LOCALITY_SHARE = 0.2

_ASKED = (
    (re.compile(r"\bhow (?:many|much|long|old|far|big|large|tall|fast|often)\b", re.I), "number"),
    (re.compile(r"\bwhen\b|\b(?:what|which|in what|in which) (?:year|date|day|month)\b", re.I), "date"),
    (re.compile(r"\bwho(?:m|se)?\b", re.I), "person"),
    (re.compile(r"\bwhere\b|\b(?:what|which) (?:city|country|place|town|state)\b", re.I), "place"),
)
_SAME_TYPE = {
    "who": "person",
    "name": "person",
    "when": "date",
    "time": "date",
    "where": "place",
    "location": "place",
    "how many": "number",
    "count": "number",
    "quantity": "number",
    "amount": "number",
}


def asked_type(question: str, named: str = "") -> str:
    """Return 'person', 'date', 'place', 'number', or '' if the question fixes no such form.

    ``named`` is the type somebody else has found; it wins if it is one of these or a synonym.

    >>> asked_type("When was Karl born?"), asked_type("Explain the gate.")
    ('date', '')
    """
    known = _SAME_TYPE.get(named.lower(), named.lower())
    if known in {"person", "date", "place", "number"}:
        return known
    return next((kind for pattern, kind in _ASKED if pattern.search(question)), "") if not named else ""


def holds_type(text: str, kind: str, question: str, context: Context) -> bool:
    """Return whether ``text`` holds a thing of the ``kind`` asked that the question did not."""
    if kind in {"date", "number"}:
        given = {(q.kind, q.value) for q in context.checker.amounts(question)}
        new = [q for q in context.checker.amounts(text) if not q.weak and (q.kind, q.value) not in given]
        dates = [q for q in new if tells_when(q)]
        return bool(dates) if kind == "date" else len(new) > len(dates)
    amounts = {q.shown for q in context.checker.amounts(text)}
    names = [name for name in context.checker.absent(text, [question]) if name not in amounts]
    return bool(names)


def question_facets(question: str, context: Context) -> list[Facet]:
    """Return one facet per distinct term of the question, weighted by how telling it is."""
    terms = context.lexicon.terms(question)
    wanted = frozenset(stem(word) for word in QUESTION_WORDS)
    weights = context.checker.weights([term for term in terms if term not in wanted] or terms)
    whole = math.fsum(weights.values())
    return [
        Facet(facet_id=f"f{i}", kind="term", text=term, weight=q6(weight / whole), terms=[term])
        for i, (term, weight) in enumerate(weights.items())
    ]


def facet_share(facet: Facet, held: frozenset[str], context: Context) -> float:
    """Return the weighted share of the facet's terms that are among ``held``, in [0, 1]."""
    if len(facet.terms) == 1:  # what most facets are: there is nothing to weigh
        return float(facet.terms[0] in held)
    weights = context.checker.weights(facet.terms)
    whole = math.fsum(weights.values())
    return math.fsum(w for term, w in weights.items() if term in held) / whole if whole else 0.0


def relevance(
    output: ExpertOutput, question: str, context: Context, facets: Sequence[Facet], answer_type: str
) -> Scored:
    """Return 0.6 facet coverage + 0.2 answer form + 0.2 locality, in [0, 1]; 0 for a refusal.

    Locality is the share of claims that cite a passage which itself names a facet. A part that
    cannot be judged (no form was asked, no citations) leaves its share to the others. A facet is
    covered as far as the claims, or the headings of the passages they cite, hold its terms.
    """
    if output.refused or not output.claims:
        return scored([], ["refusal" if output.refused else "empty answer"])
    facets = list(facets) or question_facets(question, context)
    if not facets:
        return scored([], ["the question names nothing to look for"])
    spoken = " ".join([*(claim.text for claim in output.claims), *_headings(output.claims, context)])
    held = context.checker.terms(spoken)
    kind = asked_type(question, answer_type)
    cited = [claim for claim in output.claims if any(cite in context.evidence for cite in claim.cites)]
    shares = {"facets": FACET_SHARE}
    if kind:
        shares[f"answer is a {kind}"] = ANSWER_TYPE_SHARE
    if cited:
        shares["evidence beside the facets"] = LOCALITY_SHARE
    scale = 1 / math.fsum(shares.values())
    terms = [
        (f"facet {facet.text}", FACET_SHARE * scale * facet.weight * facet_share(facet, held, context))
        for facet in facets
    ]
    if kind:
        body = " ".join(claim.text for claim in output.claims)
        found = holds_type(body, kind, question, context)
        terms.append((f"answer is a {kind}", ANSWER_TYPE_SHARE * scale * found))
    if cited:
        near = sum(_is_local(claim, facets, context) for claim in cited) / len(output.claims)
        terms.append(("evidence beside the facets", LOCALITY_SHARE * scale * near))
    return scored(terms)


def _headings(claims: Sequence[Claim], context: Context) -> list[str]:
    cites = dict.fromkeys(cite for claim in claims for cite in claim.cites if cite in context.evidence)
    return [context.evidence[cite].position.section for cite in cites]


def _is_local(claim: Claim, facets: Sequence[Facet], context: Context) -> bool:
    for cite in claim.cites:
        held = context.checker.terms(context.passage_text(cite))
        if any(facet.terms and held.issuperset(facet.terms) for facet in facets):
            return True
    return False
