"""What a round of answers leaves open, and what each expert of it added: pure functions of both."""

import math
from collections.abc import Sequence

import msgspec

from engine.evaluation.novelty import grounded_terms
from engine.evaluation.outputs import Context, ExpertOutput
from engine.evaluation.relevance import facet_share
from engine.events import Evidence, Facet
from engine.experts.conflicts import find_conflicts
from engine.ids import q6

LEADING = 5
"""How many of the first passages should be cited by somebody, or be known to have nothing to say."""
LEADING_SHARE = 0.8
"""Of them, those worth at least this share of the best one."""
LEAST_LACKING = 0.25
"""Share of the question below which what nobody spoke of is let go."""
_NAMED = 3


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What is open: facet id -> weight left, strong passages that nobody cites, passages in dispute.

    ``cited`` are the passages that supported claims cite.
    """

    lacking: dict[str, float]
    facets: list[str]
    leading: list[Evidence]
    disputed: list[str]
    cited: list[str]
    reason: str


def find_gap(
    outputs: Sequence[ExpertOutput], ranked: Sequence[Evidence], facets: Sequence[Facet], context: Context
) -> Gap | None:
    """Return what the answers leave open; None if nothing does.

    A facet is covered as far as supported claims, or the headings of the passages they cite, hold
    its terms; less than a quarter of the question is let go. A passage leads if it is among the first
    five of ``ranked`` and worth 0.8 of the best. ``context`` is over all that was read.
    """
    claims = [
        claim
        for output in outputs
        if not output.refused
        for claim in output.claims
        if claim.support >= context.threshold
    ]
    cited = dict.fromkeys(cite for claim in claims for cite in claim.cites)
    headings = [context.evidence[cite].position.section for cite in cited if cite in context.evidence]
    said = context.checker.terms(" ".join([*(claim.text for claim in claims), *headings]))
    lacking = {f.facet_id: q6(f.weight * (1 - facet_share(f, said, context))) for f in facets}
    lacking = {facet_id: weight for facet_id, weight in lacking.items() if weight > 0}
    share = math.fsum(lacking.values())
    if share < LEAST_LACKING:
        lacking = {}
    bar = LEADING_SHARE * ranked[0].score if ranked else 0.0
    leading = [each for each in ranked[:LEADING] if each.score >= bar and each.passage not in cited]
    conflicts = find_conflicts(outputs, context)
    disputed = dict.fromkeys(c for each in conflicts for side in (each.left, each.right) for c in side.cites)
    reasons = []
    names = [
        f.text for f in sorted(facets, key=lambda f: -lacking.get(f.facet_id, 0.0)) if f.facet_id in lacking
    ]
    if names:
        told = ", ".join(f"'{name}'" for name in names[:_NAMED])
        reasons.append(
            f"nobody spoke of {told}{' and more' * (len(names) > _NAMED)} ({share:.0%} of the question)"
        )
    if leading:
        many = "passage is" if len(leading) == 1 else "passages are"
        reasons.append(f"{len(leading)} of the strongest {many} cited by nobody")
    if conflicts:
        reasons.append(f"the answers disagree about {', '.join(dict.fromkeys(c.subject for c in conflicts))}")
    if not reasons:
        return None
    return Gap(
        lacking=lacking,
        facets=names,
        leading=leading,
        disputed=list(disputed),
        cited=list(cited),
        reason="; ".join(reasons),
    )


def added(output: ExpertOutput, before: Sequence[ExpertOutput], context: Context) -> float:
    """Return the share of all grounded content so far that came with ``output``, in [0, 1].

    >>> from engine.events import Claim
    >>> def said(text: str) -> ExpertOutput:
    ...     return ExpertOutput(persona_id="", claims=[Claim(text=text, cites=[])], text=text)
    >>> added(said("red hen"), [said("red fox")], Context())
    0.333333
    """
    known = {term for other in before if not other.refused for term in grounded_terms(other, context)}
    own = [] if output.refused else grounded_terms(output, context)
    weights = context.checker.weights(sorted(known.union(own)))
    new = math.fsum(weights[term] for term in own if term not in known)
    return q6(new / math.fsum(weights.values())) if new else 0.0
