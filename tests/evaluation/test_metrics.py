import math
import random

import pytest

from engine.errors import InputError
from engine.evaluation.metrics import (
    aggregate_persona_performance,
    calculate_average_score,
    calculate_weighted_score,
    mean_metrics,
    ndcg,
    parse_qrels,
    write_trec_run,
)
from engine.events import Scores


def rederived(run: dict[str, list[str]], qrels: dict[str, dict[str, float]]) -> dict[str, float]:
    """The definitions once more, written from the text of the metrics and not from the code."""
    sums = dict.fromkeys(["recall@2", "recall@5", "recall@10", "all-gold@10", "mrr@10", "ndcg@10"], 0.0)
    for query, gold in qrels.items():
        seen: list[str] = []
        for passage in run.get(query, []):
            if passage not in seen:
                seen.append(passage)
        for k in (2, 5, 10):
            sums[f"recall@{k}"] += len([p for p in seen[:k] if p in gold]) / len(gold)
        sums["all-gold@10"] += 1.0 if len([p for p in seen[:10] if p in gold]) == len(gold) else 0.0
        places = [i for i, p in enumerate(seen[:10], start=1) if p in gold]
        sums["mrr@10"] += 1.0 / places[0] if places else 0.0
        gain = sum(gold[seen[i - 1]] / math.log(i + 1, 2) for i in places)
        ideal = sum(g / math.log(i + 2, 2) for i, g in enumerate(sorted(gold.values())[::-1][:10]))
        sums["ndcg@10"] += gain / ideal
    return {name: value / len(qrels) for name, value in sums.items()}


@pytest.mark.parametrize("seed", range(20))
def test_metrics_equal_a_second_derivation_on_random_runs(seed: int) -> None:
    dice = random.Random(seed)
    ids = [f"p{i}" for i in range(25)]
    qrels = {
        f"q{i}": {p: float(dice.choice([1, 1, 2, 3])) for p in dice.sample(ids, dice.randint(1, 13))}
        for i in range(8)
    }
    run = {q: dice.choices(ids, k=dice.randint(0, 20)) for q in qrels if dice.random() < 0.9}
    expected = rederived(run, qrels)
    assert mean_metrics(run, qrels) == pytest.approx(expected, abs=1e-12)


def test_a_question_missing_from_the_run_counts_zero() -> None:
    assert mean_metrics({}, {"q": {"p": 1.0}})["mrr@10"] == 0.0


def test_no_judged_questions_is_an_error() -> None:
    with pytest.raises(ValueError, match="no judged questions"):
        mean_metrics({"q": ["p"]}, {})
    with pytest.raises(ValueError, match="gold"):
        ndcg(["p"], {})


def test_qrels_without_header_and_with_blank_lines_are_read() -> None:
    assert parse_qrels("q1\tp1\t2\n\nq1\tp2\t0\r\nq2\tp3\t1\r\n") == {"q1": {"p1": 2.0}, "q2": {"p3": 1.0}}


@pytest.mark.parametrize("line", ["q1\tp1\tmany", "q1 p1 1", "q1\tp1\tnan"])
def test_a_malformed_judgement_names_its_line(line: str) -> None:
    with pytest.raises(InputError, match="qrels line 2"):
        parse_qrels(f"q0\tp0\t1\n{line}\n")


def test_a_run_is_written_in_the_order_given() -> None:
    text = write_trec_run({"q": [("a", 0.5), ("b", 0.25)]}, tag="t")
    assert text.splitlines() == ["q Q0 a 1 0.5 t", "q Q0 b 2 0.25 t"]


SCORES = Scores(relevance=0.5, consistency=0.5, novelty=0.25, grounding=0.75, total=0.1)


def test_averages_take_lists_names_and_score_records() -> None:
    assert calculate_average_score([0.25, 0.75]) == 0.5
    assert calculate_average_score({"a": 1.0, "b": 0.0}) == 0.5
    assert calculate_average_score(SCORES) == 0.5
    weights = {"relevance": 1, "consistency": 0, "novelty": 0, "grounding": 1}
    assert calculate_weighted_score(SCORES, weights) == 0.625
    assert aggregate_persona_performance({"a": [SCORES, 0.3]}) == {"a": pytest.approx(0.2)}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.01, 1.01])
def test_scores_out_of_range_are_refused(bad: float) -> None:
    for call in (
        lambda: calculate_average_score([0.5, bad]),
        lambda: calculate_weighted_score([0.5, bad], [1, 1]),
        lambda: aggregate_persona_performance({"a": [bad]}),
    ):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            call()


def test_empty_or_mismatched_input_is_refused() -> None:
    with pytest.raises(ValueError, match="no scores to average"):
        calculate_average_score([])
    with pytest.raises(ValueError, match="no scores to weigh"):
        calculate_weighted_score([], [])
    with pytest.raises(ValueError, match="do not match: novelty"):
        calculate_weighted_score({"relevance": 1.0}, {"relevance": 1, "novelty": 1})
    with pytest.raises(ValueError, match="do not match"):
        calculate_weighted_score([0.5, 0.5], [1])
    with pytest.raises(ValueError, match="above 0"):
        calculate_weighted_score([0.5], [0])
    with pytest.raises(ValueError, match="not below 0"):
        calculate_weighted_score([0.5], [-1])
    with pytest.raises(ValueError, match="no personas"):
        aggregate_persona_performance({})
    with pytest.raises(ValueError, match="no scores of a"):
        aggregate_persona_performance({"a": []})
    with pytest.raises(ValueError, match="no scores to aggregate"):
        aggregate_persona_performance([])
