"""Consistency: do other experts, from other evidence, say the same or the contrary?"""

import math
from collections.abc import Sequence

from engine.evaluation.outputs import Context, ExpertOutput, Scored, scored
from engine.events import Claim

UNTESTED = "untested: there was nothing to compare it with"


def consistency(output: ExpertOutput, others: Sequence[ExpertOutput], context: Context) -> Scored:
    """Return ``(1 + (A - K) / (A + K + 1)) / 2`` in [0, 1]; 0.5 if nothing could be compared.

    A counts the claims that another expert makes too, each by how independent its evidence is: two
    experts who quote one passage corroborate nothing. K counts the claims another expert
    contradicts. The 1 keeps a single agreement from settling the matter: one independent agreement
    gives 0.75, two give 0.83, one contradiction 0.25.
    """
    compared = [other for other in others if other.claims and not other.refused]
    if output.refused or not output.claims or not compared:
        return scored([("no comparison", 0.5)], [UNTESTED])
    agreed: list[float] = []
    contradicted = 0
    for claim in output.claims:
        found = [_compare(claim, theirs, context) for other in compared for theirs in other.claims]
        agreed.append(max((value for value in found if value is not None), default=0.0))
        contradicted += any(value is None for value in found)
    agreement = math.fsum(agreed)
    whole = agreement + contradicted + 1
    return scored(
        [
            ("no comparison", 0.5),
            ("independent agreement", agreement / whole / 2),
            ("contradiction", -contradicted / whole / 2),
        ],
        [f"contradicted in {contradicted} of {len(output.claims)} claims"] if contradicted else [],
    )


def independence(left: Claim, right: Claim, context: Context) -> float:
    """Return how little two claims share their evidence, in [0, 1].

    1 minus the mean of two Jaccard indices: over the passages cited and over their documents. Two
    passages of one document count half; claims that cite nothing count as independent.
    """
    if not left.cites or not right.cites:
        return 1.0
    ours, theirs = ({_content(cite, context) for cite in claim.cites} for claim in (left, right))
    documents = [{context.document(cite) for cite in claim.cites} for claim in (left, right)]
    passages = len(ours & theirs) / len(ours | theirs)
    files = len(documents[0] & documents[1]) / len(documents[0] | documents[1])
    return 1 - (passages + max(passages, files)) / 2


def _content(cite: str, context: Context) -> str:
    """Two passages with the same words are the same evidence, whatever their ids."""
    found = context.evidence.get(cite)
    return " ".join(found.text.split()) if found else cite


def _compare(claim: Claim, other: Claim, context: Context) -> float | None:
    """Return independent agreement, 0 for neither, None for a contradiction."""
    left, right = context.said(claim), context.said(other)
    if context.matcher.contradiction(left, right) is not None:
        return None
    if context.matcher.says_the_same(left, right, context.threshold):
        return independence(claim, other, context)
    return 0.0
