"""Two runs side by side: what they were given, what they found, whom they asked, what they said."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from engine.events import Event, QueryStarted, Scores
from engine.ids import q6
from engine.snapshots.describe import why_skipped
from engine.snapshots.reader import Snapshot
from engine.snapshots.run_view import RunView, view_run


class InputChange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a run depends on that was not the same; a digest, a name, a number, as text."""

    name: str
    left: str
    right: str


class EvidenceChange(msgspec.Struct, frozen=True, kw_only=True):
    """A passage whose place differs; rank and score are None on the side where it is not."""

    evidence_id: str
    document: str
    section: str
    change: Literal["gained", "lost", "moved"]
    left_rank: int | None
    right_rank: int | None
    left_score: float | None
    right_score: float | None


class ScoreChange(msgspec.Struct, frozen=True, kw_only=True):
    """A score of a persona that differs by ``moved``, right less left."""

    persona: str
    score: str
    left: float
    right: float
    moved: float


class ExpertChange(msgspec.Struct, frozen=True, kw_only=True):
    """A persona chosen on one side only, with what each side said of it."""

    persona: str
    left: str
    right: str


class SnapshotDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two runs, ``left`` and ``right``; ``identical`` compares their digests."""

    left: str
    right: str
    identical: bool
    inputs: list[InputChange]
    evidence: list[EvidenceChange]
    experts: list[ExpertChange]
    scores: list[ScoreChange]
    left_answer: str
    right_answer: str
    left_outcome: str
    right_outcome: str


def diff(left: Snapshot, right: Snapshot) -> SnapshotDiff:
    """Return what differs between two snapshots, each list ordered so that it repeats."""
    a, b = view_run(left.events()), view_run(right.events())
    return SnapshotDiff(
        left=left.snapshot_id,
        right=right.snapshot_id,
        identical=left.digest == right.digest,
        inputs=changed_inputs(a.started, b.started),
        evidence=_evidence(a, b),
        experts=_experts(a, b),
        scores=_scores(a, b),
        left_answer=a.answer,
        right_answer=b.answer,
        left_outcome=a.outcome,
        right_outcome=b.outcome,
    )


def _inputs(started: QueryStarted | None) -> dict[str, str]:
    if started is None:
        return {}
    model = started.model
    return {
        "question": started.question,
        "corpus": started.corpus,
        "settings": started.settings,
        "model": " ".join(part for part in (model.provider, model.name, model.digest) if part),
        "budget": f"{started.budget:g}",
        "only": ", ".join(started.only),
        "learn": "yes" if started.learn else "no",
        "learned": started.learned,
        "event schema": str(started.schema),
        **{f"persona {ref.persona_id}": f"{ref.tier} {ref.digest}" for ref in started.personas},
    }


def changed_inputs(left: QueryStarted | None, right: QueryStarted | None) -> list[InputChange]:
    """Return what two runs were given differently, question first, personas last by id."""
    a, b = _inputs(left), _inputs(right)
    names = [*(name for name in a if not name.startswith("persona "))]
    names += [name for name in b if name not in names and not name.startswith("persona ")]
    names += sorted(name for name in {**a, **b} if name.startswith("persona "))
    return [
        InputChange(name=name, left=a.get(name, ""), right=b.get(name, ""))
        for name in names
        if a.get(name, "") != b.get(name, "")
    ]


def documents_of(events: Iterable[Event]) -> list[str]:
    """Return the documents that the evidence of a run stands in, sorted."""
    return sorted({each.position.document for each in view_run(events).evidence})


def _evidence(a: RunView, b: RunView) -> list[EvidenceChange]:
    left = {each.evidence_id: each for each in a.evidence}
    right = {each.evidence_id: each for each in b.evidence}
    changes = []
    for key in {**right, **left}:
        one, two = left.get(key), right.get(key)
        known = two or one
        if known is None or (one and two and (one.rank, one.score) == (two.rank, two.score)):
            continue
        changes.append(
            EvidenceChange(
                evidence_id=key,
                document=known.position.document,
                section=known.position.section,
                change="gained" if one is None else "lost" if two is None else "moved",
                left_rank=one.rank if one else None,
                right_rank=two.rank if two else None,
                left_score=one.score if one else None,
                right_score=two.score if two else None,
            )
        )
    order = {"gained": 0, "lost": 1, "moved": 2}
    return sorted(
        changes,
        key=lambda each: (order[each.change], each.right_rank or each.left_rank or 0, each.evidence_id),
    )


def _standing(view: RunView, persona: str) -> str:
    if persona in view.chosen:
        chosen = view.chosen[persona]
        return f"chosen as {chosen.order}: {chosen.reason}"
    if persona in view.skipped:
        return why_skipped(view.skipped[persona].reason)
    return "not there"


def _experts(a: RunView, b: RunView) -> list[ExpertChange]:
    return [
        ExpertChange(persona=persona, left=_standing(a, persona), right=_standing(b, persona))
        for persona in sorted({*a.chosen} ^ {*b.chosen})
    ]


def _scores(a: RunView, b: RunView) -> list[ScoreChange]:
    changes = []
    for persona in sorted({*a.scores} & {*b.scores}):
        one, two = a.scores[persona].scores, b.scores[persona].scores
        for name in Scores.__struct_fields__:
            left, right = getattr(one, name), getattr(two, name)
            if left != right:
                changes.append(
                    ScoreChange(persona=persona, score=name, left=left, right=right, moved=q6(right - left))
                )
    return changes
