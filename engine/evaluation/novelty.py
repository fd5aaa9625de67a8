"""Novelty: what would be missing without this output?"""

from collections.abc import Sequence

from engine.evaluation.outputs import Context, ExpertOutput, Scored, scored

_SHOWN = 8


def grounded_terms(output: ExpertOutput, context: Context) -> list[str]:
    """Return the distinct terms of the output's borne-out claims that their citations hold, sorted.

    Where there is no passage to check against, all its terms count.
    """
    found: set[str] = set()
    for claim in output.claims:
        terms = context.checker.terms(claim.text)
        if context.evidence:
            if context.support(claim).value < context.threshold:
                continue
            held = " ".join(context.passage_text(cite) for cite in claim.cites)
            terms &= context.checker.terms(held)
        found |= terms
    return sorted(found)


def novelty(output: ExpertOutput, others: Sequence[ExpertOutput], context: Context) -> Scored:
    """Return the share of the output's grounded content that no other output holds, in [0, 1].

    ``(f(all) - f(all without it)) / f(it)`` with f the weight of distinct grounded terms. Leaving
    one out makes it independent of order, and nonsense, which is not grounded, earns nothing.
    """
    own = grounded_terms(output, context)
    if not own or output.refused:
        return scored([], ["no grounded content"])
    elsewhere = {term for other in others for term in grounded_terms(other, context)}
    weights = context.checker.weights(own)
    whole = sum(weights.values())
    only = sorted((term for term in own if term not in elsewhere), key=lambda t: (-weights[t], t))
    terms = [(f"only here: {term}", weights[term] / whole) for term in only[:_SHOWN]]
    if len(only) > _SHOWN:
        rest = sum(weights[term] for term in only[_SHOWN:]) / whole
        terms.append((f"only here: {len(only) - _SHOWN} more terms", rest))
    return scored(terms)
