"""Whether a claim speaks of what was asked: the same rule for quotes and for what a model wrote."""

import math
from collections.abc import Sequence

from engine.evaluation.outputs import Context, evidence_text
from engine.evaluation.relevance import facet_share
from engine.events import Claim, Evidence, Facet

HEADING_CREDIT = 0.6
"""What a facet named only by the heading counts: it tells the subject, not the answer."""
LEAST_COVERAGE = 0.15
"""Least facet coverage, heading included, of the claims of an answer: below it they answer something else."""


def names_nothing_known(question: str, evidence: Sequence[Evidence], context: Context) -> bool:
    """Return whether the question names somebody or something, and no passage holds any of it."""
    names = context.checker.anchors(question)
    return bool(names) and len(context.checker.absent(question, [evidence_text(e) for e in evidence])) == len(
        names
    )


def covered(
    facet: Facet, terms: frozenset[str], heading: frozenset[str], context: Context, credit: float
) -> float:
    """Return how far ``terms``, or with them at ``credit`` the heading, hold the facet, in [0, 1]."""
    said = facet_share(facet, terms, context)
    return max(said, credit * facet_share(facet, terms | heading, context))


def speak_of_it(claims: Sequence[Claim], question: str, facets: Sequence[Facet], context: Context) -> bool:
    """Return whether ``claims``, which their passages bear out, can be an answer to ``question``.

    The passages they cite have to hold one of the names in it, if it has any; and the claims, with the
    headings of those passages, have to cover at least 0.15 of it.
    """
    cited = [context.evidence[cite] for claim in claims for cite in claim.cites if cite in context.evidence]
    if names_nothing_known(question, cited, context):
        return False
    reach = [0.0] * len(facets)
    for claim in claims:
        sections = [context.evidence[c].position.section for c in claim.cites if c in context.evidence]
        heading, terms = context.checker.terms(" ".join(sections)), context.checker.terms(claim.text)
        own = [covered(facet, terms, heading, context, HEADING_CREDIT) for facet in facets]
        reach = [max(pair) for pair in zip(reach, own, strict=True)]
    whole = math.fsum(facet.weight for facet in facets)
    share = math.fsum(f.weight * r for f, r in zip(facets, reach, strict=True))
    return not whole or share >= LEAST_COVERAGE * whole
