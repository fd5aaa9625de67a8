"""Would settings chosen without a set serve it as well? A guard against tuning to the sets.

For each set in turn, each of the weightiest settings takes the value of a small grid that serves the
*other* sets best (mean recall@5 on a fixed third of their questions, one setting moved at a time); the set
left out is then measured, on all its questions, with all of these together.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import arms
import msgspec
from keeping import Kept, digest_of, opened, part, product_digest, workspace

from engine.config import RetrievalSettings
from engine.evaluation.metrics import retrieval_metrics
from engine.pipeline import Engine
from tui.datasets import read_dataset

GRID: dict[str, tuple[float, ...]] = {
    "title_bonus": (0.5, 1.1),
    "name_bonus": (1.4, 2.8),
    "window_weight": (0.3, 0.8),
    "link_weight": (1.8, 3.6),
    "shared_weight": (1.4, 2.8),
    "hop_idf_power": (1.0, 1.6),
    "lift": (0.1, 0.3),
    "feedback_weight": (0.15, 0.6),
}


class LeftOut(msgspec.Struct):
    """One set left out: what the others chose, and its recall@5 and nDCG@10 with that and as shipped."""

    name: str
    chosen: dict[str, float]
    recall: tuple[float, float]
    ndcg: tuple[float, float]


class Means(msgspec.Struct):
    """Mean recall@5 and nDCG@10."""

    recall: float
    ndcg: float


def measure(folders: Sequence[Path], kept: Kept) -> list[LeftOut]:
    """Return for each set how it fares with settings chosen on the others."""
    sets = [_Set(folder, kept) for folder in folders]
    try:
        plain = {each.name: each.mean({}, whole=False).recall for each in sets}
        moved = {
            (each.name, key, value): each.mean({key: value}, whole=False).recall
            for each in sets
            for key, values in GRID.items()
            for value in values
        }
        return [_left_out(each, sets, plain, moved) for each in sets]
    finally:
        for each in sets:
            each.close()


def _left_out(
    out: "_Set",
    sets: Sequence["_Set"],
    plain: Mapping[str, float],
    moved: Mapping[tuple[str, str, float], float],
) -> LeftOut:
    others = [each.name for each in sets if each is not out]
    shipped = statistics.fmean(plain[name] for name in others)
    chosen: dict[str, float] = {}
    for key, values in GRID.items():
        means = {value: statistics.fmean(moved[name, key, value] for name in others) for value in values}
        best = max(values, key=lambda value: (means[value], value))
        if means[best] > shipped:
            chosen[key] = best
    before, after = out.mean({}, whole=True), out.mean(chosen, whole=True)
    return LeftOut(out.name, chosen, (after.recall, before.recall), (after.ndcg, before.ndcg))


class _Set:
    def __init__(self, folder: Path, kept: Kept) -> None:
        self.dataset, self._kept = read_dataset(folder), kept
        self.name = self.dataset.name
        self._key = [digest_of(self.dataset.corpus, folder / "queries.jsonl"), product_digest()]
        self._folder = folder
        self._engine: Engine | None = None

    def mean(self, changes: dict[str, Any], *, whole: bool) -> Means:
        """Return the means over all questions, or over the fixed third, with these settings changed."""
        shipped = msgspec.to_builtins(RetrievalSettings())
        parts = [self._key, {key: value for key, value in changes.items() if shipped[key] != value}, whole]
        return self._kept.get("left out", parts, Means, lambda: self._mean(changes, whole))

    def _mean(self, changes: dict[str, Any], whole: bool) -> Means:
        engine = self._opened()
        plain = engine.settings
        engine.settings = arms.changed(plain, changes)
        rows = [
            retrieval_metrics(arms.committee(engine, self.dataset.queries[query]), self.dataset.qrels[query])
            for query in (self.dataset.queries if whole else part(self.dataset.queries))
        ]
        engine.settings = plain
        return Means(*(statistics.fmean(row[name] for row in rows) for name in ("recall@5", "ndcg@10")))

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine = opened(workspace(self._kept, self._folder, True))
            self._engine.index([self.dataset.corpus])
        return self._engine

    def close(self) -> None:
        """Close the index."""
        if self._engine is not None:
            self._engine.close()
