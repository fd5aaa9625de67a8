"""Retrieval metrics, and the average and weighted scores of outputs and personas.

Every metric is in [0, 1]. Definitions follow TREC practice: a passage counts at its first place
only, and each judged question counts, with 0 where nothing was returned for it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import overload

from engine.errors import InputError
from engine.events import Scores

CUTOFFS = (2, 5, 10)


def recall_at(k: int, ranked: Sequence[str], gold: Mapping[str, float]) -> float:
    """Return the share of ``gold`` among the first ``k`` of ``ranked``.

    >>> recall_at(2, ["a", "x", "b"], {"a": 1, "b": 1})
    0.5
    """
    _require_gold(gold)
    return len(gold.keys() & _unique(ranked)[:k]) / len(gold)


def all_gold_at(k: int, ranked: Sequence[str], gold: Mapping[str, float]) -> float:
    """Return 1.0 if the first ``k`` of ``ranked`` hold every gold passage, else 0.0.

    >>> all_gold_at(3, ["a", "x", "b"], {"a": 1, "b": 1})
    1.0
    """
    _require_gold(gold)
    return float(gold.keys() <= set(_unique(ranked)[:k]))


def reciprocal_rank(ranked: Sequence[str], gold: Mapping[str, float], k: int = 10) -> float:
    """Return 1 / place of the first gold passage within ``k``, 0.0 if there is none (MRR@k).

    >>> reciprocal_rank(["x", "a"], {"a": 1})
    0.5
    """
    _require_gold(gold)
    return next((1 / place for place, p in enumerate(_unique(ranked)[:k], 1) if p in gold), 0.0)


def ndcg(ranked: Sequence[str], gold: Mapping[str, float], k: int = 10) -> float:
    """Return the discounted gain of ``ranked`` over the best possible one (linear gain, log2).

    Järvelin and Kekäläinen, ACM TOIS 20(4), 2002.

    >>> round(ndcg(["x", "a"], {"a": 1}), 6)
    0.63093
    """
    _require_gold(gold)
    best = sorted(gold.values(), reverse=True)
    return _discounted(gold.get(p, 0.0) for p in _unique(ranked)[:k]) / _discounted(best[:k])


def retrieval_metrics(ranked: Sequence[str], gold: Mapping[str, float]) -> dict[str, float]:
    """Return recall at 2, 5 and 10, all-gold at 10, MRR at 10 and nDCG at 10 of one question."""
    metrics = {f"recall@{k}": recall_at(k, ranked, gold) for k in CUTOFFS}
    metrics["all-gold@10"] = all_gold_at(10, ranked, gold)
    metrics["mrr@10"] = reciprocal_rank(ranked, gold)
    metrics["ndcg@10"] = ndcg(ranked, gold)
    return metrics


def mean_metrics(
    run: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Return each metric's mean over all judged questions; ValueError if there are none.

    >>> mean_metrics({"q1": ["a"]}, {"q1": {"a": 1}, "q2": {"b": 1}})["recall@2"]
    0.5
    """
    if not qrels:
        raise ValueError("there are no judged questions to take a mean over")
    rows = [retrieval_metrics(run.get(query, ()), qrels[query]) for query in qrels]
    return {name: math.fsum(row[name] for row in rows) / len(rows) for name in rows[0]}


def parse_qrels(text: str) -> dict[str, dict[str, float]]:
    """Return question -> passage -> grade of tab-separated judgements; grades of 0 are left out.

    A header line is skipped. Raises InputError naming the line that cannot be read.

    >>> parse_qrels("query-id\\tcorpus-id\\tscore\\nq1\\tp1\\t1\\nq1\\tp2\\t0\\n")
    {'q1': {'p1': 1.0}}
    """
    gold: dict[str, dict[str, float]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = line.rstrip("\r").split("\t")
        grade = _grade(fields[-1])
        if grade is None and number == 1:
            continue
        if grade is None or len(fields) < 3:
            raise InputError(
                f"qrels line {number} is not 'question TAB passage TAB grade'", "correct it or remove it"
            )
        if grade > 0:
            gold.setdefault(fields[0], {})[fields[1]] = grade
    return gold


def write_trec_run(run: Mapping[str, Sequence[tuple[str, float]]], tag: str = "persona-moe") -> str:
    """Return a TREC run file: lines ``question Q0 passage rank score tag``, in the order given.

    >>> write_trec_run({"q1": [("p9", 0.5)]})
    'q1 Q0 p9 1 0.5 persona-moe\\n'
    """
    return "".join(
        f"{query} Q0 {passage} {rank} {score:.6g} {tag}\n"
        for query, ranked in run.items()
        for rank, (passage, score) in enumerate(ranked, 1)
    )


def calculate_average_score(scores: Iterable[float] | Mapping[str, float] | Scores) -> float:
    """Return the plain mean of scores, in [0, 1].

    A :class:`~engine.events.Scores` gives the mean of its four scores, its total left out. Raises
    ValueError if there are none, or one is not a number in [0, 1].

    >>> calculate_average_score([0.5, 1.0])
    0.75
    """
    values = _values(scores)
    if not values:
        raise ValueError("there are no scores to average")
    return math.fsum(values.values()) / len(values)


def calculate_weighted_score(
    scores: Sequence[float] | Mapping[str, float] | Scores,
    weights: Sequence[float] | Mapping[str, float],
) -> float:
    """Return the mean of scores under ``weights`` (divided by their sum), in [0, 1].

    Raises ValueError if there are no scores, if scores and weights do not match one to one, if a
    score is not in [0, 1], a weight is negative or not finite, or all weights are 0.

    >>> calculate_weighted_score({"relevance": 1.0, "novelty": 0.0}, {"relevance": 3, "novelty": 1})
    0.75
    """
    values = _values(scores)
    shares = dict(weights) if isinstance(weights, Mapping) else {str(i): w for i, w in enumerate(weights)}
    if not values:
        raise ValueError("there are no scores to weigh")
    if values.keys() != shares.keys():
        odd = sorted(values.keys() ^ shares.keys())
        raise ValueError(f"scores and weights do not match: {', '.join(odd)} on one side only")
    for name, share in shares.items():
        if not math.isfinite(share) or share < 0:
            raise ValueError(f"weight {name} must be a number not below 0, not {share!r}")
    whole = math.fsum(shares.values())
    if whole <= 0:
        raise ValueError("at least one weight must be above 0")
    return min(math.fsum(values[name] * shares[name] for name in values) / whole, 1.0)


@overload
def aggregate_persona_performance(
    persona_scores: Mapping[str, Sequence[float | Scores]],
) -> dict[str, float]: ...
@overload
def aggregate_persona_performance(persona_scores: Sequence[float | Scores]) -> float: ...
def aggregate_persona_performance(
    persona_scores: Mapping[str, Sequence[float | Scores]] | Sequence[float | Scores],
) -> dict[str, float] | float:
    """Return the mean score of one persona, or persona (or criterion) -> mean, in the order given.

    Of a :class:`~engine.events.Scores` the total counts. Raises ValueError where there is nothing
    to average or a score is not in [0, 1].

    >>> aggregate_persona_performance({"sceptic": [0.4, 0.6], "historian": [1.0]})
    {'sceptic': 0.5, 'historian': 1.0}
    >>> aggregate_persona_performance([0.4, 0.6])
    0.5
    """
    if isinstance(persona_scores, Mapping):
        if not persona_scores:
            raise ValueError("there are no personas to aggregate")
        return {name: _mean_total(name, persona_scores[name]) for name in persona_scores}
    return _mean_total("", persona_scores)


def require_score(value: float, name: str = "a score") -> float:
    """Return ``value`` if it is a finite number in [0, 1], else raise ValueError.

    >>> require_score(1.5)
    Traceback (most recent call last):
    ...
    ValueError: a score must be a number in [0, 1], not 1.5
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number in [0, 1], not {value!r}")
    return float(value)


def _mean_total(name: str, scores: Sequence[float | Scores]) -> float:
    values = [each.total if isinstance(each, Scores) else each for each in scores]
    if not values:
        raise ValueError(f"there are no scores of {name}" if name else "there are no scores to aggregate")
    return math.fsum(
        require_score(value, f"score {i} {name}".rstrip()) for i, value in enumerate(values)
    ) / len(values)


def _values(scores: Iterable[float] | Mapping[str, float] | Scores) -> dict[str, float]:
    if isinstance(scores, Scores):
        named = ("relevance", "consistency", "novelty", "grounding")
        return {name: require_score(getattr(scores, name), name) for name in named}
    if isinstance(scores, Mapping):
        return {name: require_score(value, f"score {name}") for name, value in scores.items()}
    return {str(i): require_score(value, f"score {i}") for i, value in enumerate(scores)}


def _discounted(gains: Iterable[float]) -> float:
    return math.fsum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def _unique(ranked: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ranked))


def _require_gold(gold: Mapping[str, float]) -> None:
    if not gold or any(not grade > 0 for grade in gold.values()):
        raise ValueError("a question needs at least one gold passage, and grades above 0")


def _grade(field: str) -> float | None:
    try:
        grade = float(field)
    except ValueError:
        return None
    return grade if math.isfinite(grade) else None
