"""Which passages an expert may read under a hard budget of tokens."""

import math
from collections.abc import Sequence

import msgspec

from engine.corpus.store import Lexicon
from engine.evaluation.outputs import Context, evidence_text
from engine.evaluation.relevance import facet_share
from engine.events import ContextPacked, Evidence, Facet
from engine.ids import q6

BYTES_PER_TOKEN = 3
TOKENS_PER_PASSAGE = 8
"""Label, brackets and line breaks around a passage in a prompt."""
STRENGTH_SHARE = 0.3
"""What a passage's own score counts beside the facets it adds, so that ties go to better evidence."""
FIXED_TOKENS = 64
"""Added to a passage's tokens when gain is divided by them, lest the shortest always win."""


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence kept, in rank order, and the passages dropped; ``tokens`` never exceed ``budget``."""

    kept: list[Evidence]
    dropped: list[str]
    tokens: int
    budget: int

    def event(self, persona_id: str) -> ContextPacked:
        """Return the event that tells it."""
        return ContextPacked(
            persona=persona_id,
            passages=[each.passage for each in self.kept],
            dropped=self.dropped,
            tokens=self.tokens,
            budget=self.budget,
        )


def estimate_tokens(text: str) -> int:
    """Return an upper estimate of the tokens of ``text``: one per three bytes of UTF-8.

    Byte-pair vocabularies take about four bytes of English to a token and rarely under three;
    overestimating wastes a little room, underestimating would cut a prompt off.

    >>> estimate_tokens("The gate picks experts.")
    8
    """
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def pack_context(
    evidence: Sequence[Evidence],
    facets: Sequence[Facet],
    lexicon: Lexicon,
    *,
    budget: int,
    context: Context | None = None,
) -> Packed:
    """Return the passages to read, chosen greedily by new facet mass per token.

    Each passage's gain is the weight of the facets it newly covers, plus 0.3 of its own score over
    the best one's. A passage that does not fit is dropped, except the best one if nothing was kept:
    that is cut to the sentences that fit.
    """
    context = context or Context(lexicon, evidence)
    ranked = sorted(evidence, key=lambda each: (each.rank, each.passage))
    best_score = max((each.score for each in ranked), default=0.0)
    shares = {each.passage: _shares(each, facets, context) for each in ranked}
    covered = [0.0] * len(facets)
    tokens = 0
    kept: list[Evidence] = []
    left = list(ranked)

    def worth(each: Evidence) -> float:
        rows = zip(facets, shares[each.passage], covered, strict=True)
        new = math.fsum(facet.weight * max(share - had, 0.0) for facet, share, had in rows)
        strength = each.score / best_score if best_score > 0 else 0.0
        return q6((new + STRENGTH_SHARE * strength) / (_cost(each) + FIXED_TOKENS))

    while left:
        best = min(left, key=lambda each: (-worth(each), each.rank, each.passage))
        left.remove(best)
        cost = _cost(best)
        if tokens + cost > budget:
            continue
        kept.append(best)
        tokens += cost
        covered = [max(had, share) for had, share in zip(covered, shares[best.passage], strict=True)]
    if not kept and ranked:
        trimmed = _trim(ranked[0], lexicon, budget)
        if trimmed is not None:
            kept, tokens = [trimmed], _cost(trimmed)
    kept.sort(key=lambda each: (each.rank, each.passage))
    passages = {each.passage for each in kept}
    dropped = [each.passage for each in ranked if each.passage not in passages]
    return Packed(kept=kept, dropped=dropped, tokens=tokens, budget=budget)


def _cost(each: Evidence) -> int:
    return estimate_tokens(evidence_text(each)) + TOKENS_PER_PASSAGE


def _shares(each: Evidence, facets: Sequence[Facet], context: Context) -> list[float]:
    held = context.checker.terms(evidence_text(each))
    return [facet_share(facet, held, context) for facet in facets]


def _trim(each: Evidence, lexicon: Lexicon, budget: int) -> Evidence | None:
    """Return ``each`` with as many whole sentences from its start as fit, None if not even one does."""
    fitting: Evidence | None = None
    for _, end in lexicon.sentences(each.text):
        shorter = msgspec.structs.replace(each, text=each.text[:end])
        if _cost(shorter) > budget:
            break
        fitting = shorter
    return fitting
