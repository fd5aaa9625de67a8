"""Feedback: passages that say what the best ones say beside the question's own words.

Pseudo-relevance feedback (Rocchio 1971; relevance models, Lavrenko and Croft 2001): the words that the
first passages share with each other, weighed by how rare they are, tell of the same subject in other
words than the question's. It is no list of its own, but adds to what passages score that are
candidates already.
"""

import heapq
import math
from collections.abc import Sequence, Set

from engine.config import RetrievalSettings
from engine.corpus.features import STOP_WORD, Features
from engine.graph.words import WordBook


def feedback(
    found: Sequence[tuple[Features, float]],
    asked: Set[int],
    book: WordBook,
    settings: RetrievalSettings,
    body_length: float,
) -> list[float]:
    """Return what each of the passages found gains, in the order given, best first by their scores.

    A word's weight is the sum over the first ``feedback_passages`` of score² by length, times its idf;
    a passage gains ``feedback_weight`` times its share of the weight of the ``feedback_words`` heaviest
    that the question did not ask for, by length, too. All of it fades to nothing as the last of those
    passages scores ``feedback_until``: then the question's own words tell enough.
    """
    s = settings
    if len(found) <= s.feedback_passages:
        return [0.0] * len(found)
    open_ = 1.0 - found[s.feedback_passages - 1][1] / s.feedback_until
    if open_ <= 0.0 or not s.feedback_weight:
        return [0.0] * len(found)

    def length(features: Features) -> float:
        return 1.0 - s.feedback_b + s.feedback_b * features.length / body_length

    said: dict[int, float] = {}
    for features, score in found[: s.feedback_passages]:
        weight = score**2 / length(features)
        for word in features.words:
            said[word] = said.get(word, 0.0) + weight
    said.pop(STOP_WORD, None)
    idf = book.idf(list(said))
    weights = {word: weight * idf[word] for word, weight in said.items() if word not in asked}
    heaviest = heapq.nlargest(s.feedback_words, weights.values())[-1] if weights else 0.0
    kept = {word: weight for word, weight in weights.items() if weight >= heaviest}
    whole = math.fsum(kept.values()) or 1.0
    words = frozenset(kept)
    return [
        s.feedback_weight
        * open_
        * math.fsum([kept[word] for word in words & features.words])
        / whole
        / length(features)
        for features, _ in found
    ]
