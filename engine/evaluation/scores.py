"""The four scores of an expert's output and their total: pure, deterministic, each in [0, 1].

The ``score_*`` functions take plain strings or :class:`ExpertOutput`; with ``lexicon`` and
``evidence`` they use the corpus's weights and check citations. :func:`score_outputs` scores a whole
committee at once and gives every score with the terms that sum to it.
"""

from collections.abc import Iterable, Sequence

import msgspec

from engine.config import ThresholdSettings
from engine.corpus.store import Lexicon
from engine.evaluation.consistency import consistency
from engine.evaluation.grounding import grounding
from engine.evaluation.metrics import (
    aggregate_persona_performance,
    calculate_average_score,
    calculate_weighted_score,
    require_score,
)
from engine.evaluation.novelty import novelty
from engine.evaluation.outputs import Context, ExpertOutput, Scored, scored
from engine.evaluation.relevance import relevance
from engine.events import Evidence, Facet, Scores, Term

__all__ = [
    "ExpertOutput",
    "ScoredOutput",
    "aggregate_persona_performance",
    "calculate_average_score",
    "calculate_weighted_score",
    "score_consistency",
    "score_entity_grounding",
    "score_novelty",
    "score_outputs",
    "score_relevance",
    "total",
]

Output = ExpertOutput | str


class ScoredOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output's scores; ``terms`` maps each score, and 'total', to the terms that sum to it."""

    persona_id: str
    scores: Scores
    terms: dict[str, list[Term]]
    notes: list[str]


def score_relevance(
    output: Output,
    query: str,
    *,
    facets: Sequence[Facet] = (),
    answer_type: str = "",
    lexicon: Lexicon | None = None,
    evidence: Sequence[Evidence] = (),
) -> float:
    """Return how far ``output`` speaks of what ``query`` asks, in [0, 1]; 0 for a refusal.

    0.6 facet coverage + 0.2 answer form + 0.2 locality; parts that cannot be judged give their
    share to the others.

    >>> score_relevance("Karl was born in 1804.", "When was Karl born?")
    1.0
    >>> score_relevance("Cats sleep.", "When was Karl born?")
    0.0
    """
    context = Context(lexicon, evidence)
    return relevance(context.as_output(output), query, context, facets, answer_type).value


def score_consistency(
    output: Output,
    reference_outputs: Sequence[Output],
    *,
    lexicon: Lexicon | None = None,
    evidence: Sequence[Evidence] = (),
    support_threshold: float = 0.6,
) -> float:
    """Return how far other outputs agree, in [0, 1]; 0.5 if there is nothing to compare.

    >>> score_consistency("The timeout is 5 s.", ["The timeout is 5 s."])
    0.75
    >>> score_consistency("The timeout is 5 s.", ["The timeout is 9 s."])
    0.25
    """
    context = Context(lexicon, evidence, support_threshold)
    others = [context.as_output(other) for other in reference_outputs]
    return consistency(context.as_output(output), others, context).value


def score_novelty(
    output: Output,
    existing_outputs: Sequence[Output],
    *,
    lexicon: Lexicon | None = None,
    evidence: Sequence[Evidence] = (),
    support_threshold: float = 0.6,
) -> float:
    """Return the share of grounded content that only ``output`` holds, in [0, 1].

    >>> score_novelty("red fox", ["red hen"])
    0.5
    """
    context = Context(lexicon, evidence, support_threshold)
    others = [context.as_output(other) for other in existing_outputs]
    return novelty(context.as_output(output), others, context).value


def score_entity_grounding(
    output: Output,
    entities: Sequence[str],
    *,
    lexicon: Lexicon | None = None,
    evidence: Sequence[Evidence] = (),
    support_threshold: float = 0.6,
) -> float:
    """Return how far claims, and the names, numbers and dates in them, are borne out, in [0, 1].

    ``entities`` are the names of the visited graph. With ``evidence``: citation F1 times the share
    of anchors known; without: the share of anchors that ``entities`` hold, 0 if there are none.

    >>> score_entity_grounding("It was Ada Lovelace in 1843.", ["Ada Lovelace"])
    0.5
    """
    context = Context(lexicon, evidence, support_threshold)
    return grounding(context.as_output(output), entities, context).value


def total(
    relevance: float, consistency: float, novelty: float, grounding: float, settings: ThresholdSettings
) -> Scored:
    """Return ``(b + (1 - b) G) * (w_r R + w_c C + w_n N)``, b the setting ``grounding_base``.

    Grounding multiplies, so charm cannot buy back a fabrication. Raises ValueError for a score
    that is NaN or outside [0, 1].

    >>> total(0.8, 0.5, 0.4, 1.0, ThresholdSettings()).value
    0.625
    >>> total(0.8, 0.5, 0.4, 0.0, ThresholdSettings()).value
    0.15625
    """
    named = {"relevance": relevance, "consistency": consistency, "novelty": novelty}
    factor = settings.grounding_base + (1 - settings.grounding_base) * require_score(grounding, "grounding")
    weights = zip(named.items(), settings.weights, strict=True)
    return scored((name, factor * weight * require_score(value, name)) for (name, value), weight in weights)


def score_outputs(
    outputs: Sequence[ExpertOutput],
    query: str,
    *,
    facets: Sequence[Facet],
    answer_type: str,
    entities: Iterable[str],
    context: Context,
    settings: ThresholdSettings,
) -> list[ScoredOutput]:
    """Return the scores of each output against all the others, in the order given.

    ``context`` holds the passages that may be cited. ``entities`` are names known beside those of
    the passages; they are gone through for a name that no passage holds, once for each output.
    """
    return [
        _score(
            output, [*outputs[:i], *outputs[i + 1 :]], query, facets, answer_type, entities, context, settings
        )
        for i, output in enumerate(outputs)
    ]


def _score(
    output: ExpertOutput,
    others: Sequence[ExpertOutput],
    query: str,
    facets: Sequence[Facet],
    answer_type: str,
    entities: Iterable[str],
    context: Context,
    settings: ThresholdSettings,
) -> ScoredOutput:
    parts = {
        "relevance": relevance(output, query, context, facets, answer_type),
        "consistency": consistency(output, others, context),
        "novelty": novelty(output, others, context),
        "grounding": grounding(output, entities, context),
    }
    values = {name: part.value for name, part in parts.items()}
    parts["total"] = total(**values, settings=settings)
    return ScoredOutput(
        persona_id=output.persona_id,
        scores=Scores(**values, total=parts["total"].value),
        terms={name: part.terms for name, part in parts.items()},
        notes=list(dict.fromkeys(note for part in parts.values() for note in part.notes)),
    )
