"""Grounding: is what the output says in the passages it cites, and nothing else?"""

import itertools
from collections.abc import Iterable

from engine.evaluation.outputs import Context, ExpertOutput, Scored, scored


def grounding(output: ExpertOutput, entities: Iterable[str], context: Context) -> Scored:
    """Return citation F1 times the share of anchors known to the visited graph, in [0, 1].

    Citation recall is the share of claims that their citations together bear out; precision the
    share of citations that alone bear out their claim, or without which it would not be borne out
    (after Gao et al., "Enabling Large Language Models to Generate Text with Citations", EMNLP 2023,
    with :mod:`engine.evaluation.support` in place of an entailment model). An anchor is foreign if
    neither ``entities`` nor any passage holds it. Without any passage to check against, the score
    is the share of anchors among ``entities``.
    """
    if output.refused or not output.claims:
        return scored([], ["refusal: nothing to check" if output.refused else "empty answer"])
    anchors = list(dict.fromkeys(a for claim in output.claims for a in context.checker.anchors(claim.text)))
    known = itertools.chain(map(context.passage_text, context.evidence), entities)
    foreign = context.checker.absent(" \n".join(claim.text for claim in output.claims), known)
    share = len(foreign) / len(anchors) if anchors else 0.0
    notes = [f"found nowhere in the visited graph: {', '.join(foreign[:5])}"] if foreign else []
    if not context.evidence:
        if not anchors:
            return scored([], ["no names, numbers or dates to check"])
        return scored([("names, numbers and dates that are known", 1 - min(share, 1.0))], notes)
    recall, precision = _citations(output, context)
    both = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    notes.insert(0, f"citation recall {recall:.2f}, precision {precision:.2f}")
    return scored(
        [("claims borne out by their citations", both), ("foreign anchors", -both * min(share, 1.0))], notes
    )


def _citations(output: ExpertOutput, context: Context) -> tuple[float, float]:
    borne_out = 0
    needed = 0
    listed = 0
    for claim in output.claims:
        supported = context.support(claim).value >= context.threshold
        borne_out += supported
        listed += len(claim.cites)
        for i, cite in enumerate(claim.cites):
            rest = [*claim.cites[:i], *claim.cites[i + 1 :]]
            alone = context.support(claim, [cite]).value >= context.threshold
            needed += alone or (supported and context.support(claim, rest).value < context.threshold)
    return borne_out / len(output.claims), needed / listed if listed else 0.0
