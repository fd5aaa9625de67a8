"""What the ledger says about personas, for showing: read only, nothing here decides anything."""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.ids import q6
from engine.personas.ledger import Ledger

TREND: Final = 16
"""How many of the latest scores a trend shows."""
MOST_SCORES: Final = 2_000
"""How many of the latest scores a plot is drawn from."""


class TrackRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``n`` answers with their mean total, mean advantage, and latest totals, oldest first."""

    n: int = 0
    mean: float = 0.0
    advantage: float = 0.0
    trend: tuple[float, ...] = ()


class TopicRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A persona's answers on one topic; ``topic`` is empty where no expertise of its own fitted."""

    topic: str
    n: int
    mean: float
    advantage: float
    grounding: float


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question that a persona answered: its snapshot, its number among all runs, and the scores."""

    snapshot: str
    number: int
    topic: str
    tier: str
    total: float
    relevance: float
    consistency: float
    novelty: float
    grounding: float
    advantage: float


class Duel(msgspec.Struct, frozen=True, kw_only=True):
    """How two personas did on the questions that both answered; ``left`` and ``right`` count wins."""

    first: str
    second: str
    together: int
    left: int
    right: int
    lead: float


def track_records(ledger: Ledger) -> dict[str, TrackRecord]:
    """Return the record of every persona that ever answered, by id."""
    trends: dict[str, list[float]] = {}
    for persona, total in ledger.rows(
        "SELECT persona_id, total FROM (SELECT persona_id, total, number, "
        "row_number() OVER (PARTITION BY persona_id ORDER BY number DESC) AS back "
        "FROM outcome WHERE chosen) WHERE back <= ? ORDER BY persona_id, number",
        (TREND,),
    ):
        trends.setdefault(persona, []).append(total)
    rows = ledger.rows(
        "SELECT persona_id, count(*), avg(total), avg(advantage) FROM outcome WHERE chosen "
        "GROUP BY persona_id ORDER BY persona_id"
    )
    return {
        persona: TrackRecord(n=n, mean=q6(mean), advantage=q6(advantage), trend=tuple(trends[persona]))
        for persona, n, mean, advantage in rows
    }


def scores_over_time(ledger: Ledger, persona_id: str, most: int = MOST_SCORES) -> list[float]:
    """Return the total scores of the persona's latest ``most`` answers, oldest first, each in [0, 1]."""
    rows = ledger.rows(
        "SELECT total FROM outcome WHERE persona_id = ? AND chosen ORDER BY number DESC LIMIT ?",
        (persona_id, most),
    )
    return [total for (total,) in reversed(rows)]


def by_topic(ledger: Ledger, persona_id: str) -> list[TopicRecord]:
    """Return how the persona did by topic, the most answered first."""
    rows = ledger.rows(
        "SELECT topic, count(*) AS n, avg(total), avg(advantage), avg(grounding) FROM outcome "
        "WHERE persona_id = ? AND chosen GROUP BY topic ORDER BY n DESC, topic",
        (persona_id,),
    )
    return [
        TopicRecord(topic=topic, n=n, mean=q6(mean), advantage=q6(advantage), grounding=q6(grounding))
        for topic, n, mean, advantage, grounding in rows
    ]


def questions_of(ledger: Ledger, persona_id: str, count: int = 10) -> list[Question]:
    """Return the last ``count`` questions that the persona answered, latest first."""
    found: list[Question] = []
    for each in ledger.recent(persona_id, 4 * count):
        outcome = each.outcome
        if outcome.chosen and len(found) < count:
            scores = msgspec.structs.asdict(outcome.scores)
            found.append(
                Question(
                    snapshot=each.run_id,
                    number=each.number,
                    topic=outcome.topic,
                    tier=outcome.tier,
                    advantage=outcome.advantage,
                    **scores,
                )
            )
    return found


def duels(ledger: Ledger, ids: Sequence[str]) -> list[Duel]:
    """Return each pair's wins on the questions that both answered, in the order of ``ids``.

    A win is a higher total; equal totals are nobody's. ``lead`` is the mean of first minus second.
    """
    found: list[Duel] = []
    names = list(dict.fromkeys(ids))
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            together, left, right, lead = ledger.rows(
                "SELECT count(*), coalesce(sum(a.total > b.total), 0), coalesce(sum(a.total < b.total), 0), "
                "coalesce(avg(a.total - b.total), 0.0) FROM outcome AS a JOIN outcome AS b "
                "ON b.run_id = a.run_id "
                "WHERE a.persona_id = ? AND b.persona_id = ? AND a.chosen AND b.chosen",
                (first, second),
            )[0]
            found.append(
                Duel(first=first, second=second, together=together, left=left, right=right, lead=q6(lead))
            )
    return found
