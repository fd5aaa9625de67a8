"""Claims of several experts that say the same, gathered with their supporters and sources."""

from collections.abc import Sequence

import msgspec

from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import Claim


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Claims that say the same: the best worded one, who made it, what is cited for it.

    ``documents`` counts the independent sources; ``support`` is that of ``claim`` by ``cites``.
    """

    claim: Claim
    personas: list[str]
    cites: list[str]
    documents: int
    support: float


def cluster_claims(outputs: Sequence[ExpertOutput], context: Context) -> list[Cluster]:
    """Return the clusters in the order in which their first claims came.

    A claim joins the first cluster whose first claim it says the same as. The wording kept is the
    one its own citations support best, the shorter of equals; citations that do not bear that
    wording out by themselves are left out.
    """
    groups: list[list[tuple[str, Claim]]] = []
    for output in outputs:
        for claim in output.claims:
            for group in groups:
                known = group[0][1]
                if claim.text == known.text or context.matcher.says_the_same(
                    context.said(claim), context.said(known), context.threshold
                ):
                    group.append((output.persona_id, claim))
                    break
            else:
                groups.append([(output.persona_id, claim)])
    return [_cluster(group, context) for group in groups]


def _cluster(group: Sequence[tuple[str, Claim]], context: Context) -> Cluster:
    best = min((claim for _, claim in group), key=lambda c: (-context.support(c).value, len(c.text), c.text))
    cited = dict.fromkeys(cite for claim in (best, *(c for _, c in group)) for cite in claim.cites)
    alone = [cite for cite in cited if context.support(best, [cite]).value >= context.threshold]
    cites = alone or list(best.cites)
    return Cluster(
        claim=best,
        personas=list(dict.fromkeys(persona for persona, _ in group)),
        cites=cites,
        documents=len({context.document(cite) for cite in cites}),
        support=context.support(best, cites).value,
    )
