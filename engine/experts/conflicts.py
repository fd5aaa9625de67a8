"""Claims of different experts that cannot both be true, told with both sources."""

from collections.abc import Sequence

from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import ConflictFound


def find_conflicts(outputs: Sequence[ExpertOutput], context: Context) -> list[ConflictFound]:
    """Return each pair of contradicting claims once, in the order of the outputs.

    Only claims that their own citations bear out take part: a claim nothing supports is not the
    other side of a dispute. Two claims of one expert count too, if they cite different passages.
    """
    sides = [
        (output.persona_id, claim)
        for output in outputs
        if not output.refused
        for claim in output.claims
        if not context.evidence or context.support(claim).value >= context.threshold
    ]
    found: dict[frozenset[str], ConflictFound] = {}
    for i, (left_persona, left) in enumerate(sides):
        for right_persona, right in sides[i + 1 :]:
            if left.text == right.text or (left.cites and left.cites == right.cites):
                continue
            pair = frozenset((left.text, right.text))
            if pair in found:
                continue
            clash = context.matcher.contradiction(context.said(left), context.said(right))
            if clash is not None:
                found[pair] = ConflictFound(
                    subject=clash.subject,
                    left_persona=left_persona,
                    left=left,
                    right_persona=right_persona,
                    right=right,
                )
    return list(found.values())
