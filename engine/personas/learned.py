"""What the ledger has taught, as the gate reads it: records of personas, topics where one is enough.

It is read as of a run whose number is a multiple of ``learn_every``, so that what is asked in
between meets equal knowledge, and a snapshot that names the number can be run again later.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.events import ONE_EXPERT
from engine.ids import canonical, digest, q6
from engine.personas.gate import Record
from engine.personas.ledger import Ledger

WINDOW: Final = 2_000
"""How many runs back the records reach."""
COMMITTEE: Final = "committee: "
"""Before a topic: the dial that says whether a committee is asked there (1) or one expert (0)."""


HALF_LIFE: Final = 200
"""After this many runs an answer counts half: personas change with models and documents."""
_BUCKET: Final = 25
"""Runs that fade together."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What a persona's answers come to: ``n`` of them as far as they still count, their mean advantage.

    ``tried`` is how many there were within the window, ``last`` the number of the latest run.
    """

    n: float = 0.0
    advantage: float = 0.0
    tried: int = 0
    last: int = -1


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger as of run ``runs``; ``digest`` is empty while nothing acts on any choice."""

    runs: int = 0
    digest: str = ""
    pasts: dict[str, dict[str, Past]] = msgspec.field(default_factory=dict)
    alone: dict[str, float] = msgspec.field(default_factory=dict)

    def records(self, personas: Mapping[str, str], topic_of: Callable[[str], str]) -> dict[str, Record]:
        """Return the records of ``personas`` (id -> digest) for a question with these topics.

        ``mean`` is 0.5 plus the mean advantage: comparing on the same question takes its difficulty
        out. Questions on nothing that the persona says it knows are a topic of their own. An edited
        persona has no record.
        """
        if not self.digest:
            return {}
        return {
            persona: self._record(self.pasts.get(f"{persona} {content}", {}), topic_of(persona))
            for persona, content in sorted(personas.items())
        }

    def alone_for(self, topic: str) -> str:
        """Return why one expert is enough for a question on ``topic``, or nothing."""
        if topic not in self.alone:
            return ""
        about = f"on '{topic}'" if topic else "on questions that no persona knows"
        return f"{ONE_EXPERT} {about}: there a committee's answers scored no better than one expert's"

    def _record(self, pasts: Mapping[str, Past], topic: str) -> Record:
        whole, there = _together(pasts.values()), pasts.get(topic, Past())
        return Record(
            n=whole.n,
            mean=_standing(whole.advantage),
            topic_n=there.n,
            topic_mean=_standing(there.advantage),
            tried=whole.tried,
            last_tried=whole.last,
        )


def read_learned(ledger: Ledger, *, every: int, as_of: int | None = None) -> Learned:
    """Return what the ledger taught up to run ``as_of``, by default the last multiple of ``every``."""
    runs = ledger.runs()
    runs = runs // every * every if as_of is None else min(as_of, runs)
    if runs == 0:
        return Learned()
    rows = ledger.rows(
        "SELECT persona_id || ' ' || persona_digest, topic, count(*), avg(advantage), max(number) "
        "FROM outcome WHERE number > ? AND number <= ? AND chosen "
        "GROUP BY 1, 2, (? - number) / ? ORDER BY 1, 2, 5",
        (runs - WINDOW, runs, runs, _BUCKET),
    )
    pasts = faded(rows, runs)
    alone = {
        name.removeprefix(COMMITTEE): value
        for name, value in dials(ledger, runs).items()
        if name.startswith(COMMITTEE) and value < 1
    }
    learned = Learned(runs=runs, pasts=pasts, alone=alone)
    if not alone and not pasts:
        return Learned()
    return msgspec.structs.replace(learned, digest=digest("learned.v2", canonical(learned)))


def faded(rows: Iterable[Sequence[Any]], runs: int) -> dict[str, dict[str, Past]]:
    """Return persona -> topic -> what is left after ``runs`` runs of its answers.

    Each row is a persona, a topic, a number of answers, their mean advantage and the run they came to
    by. They count in full if that is ``runs``, half if it is ``HALF_LIFE`` runs ago, and so on.

    >>> faded([("ada", "war", 4, 0.1, 200), ("ada", "war", 2, 0.4, 400)], 400)["ada"]["war"]
    Past(n=4.0, advantage=0.25, tried=6, last=400)
    """
    grouped: dict[str, dict[str, list[Past]]] = {}
    for persona, topic, count, advantage, last in rows:
        left = count * 0.5 ** ((runs - last) / HALF_LIFE)
        part = Past(n=left, advantage=advantage, tried=count, last=last)
        grouped.setdefault(persona, {}).setdefault(topic, []).append(part)
    return {
        persona: {topic: _together(parts) for topic, parts in by_topic.items()}
        for persona, by_topic in grouped.items()
    }


def dials(ledger: Ledger, runs: int) -> dict[str, float]:
    """Return every dial as it stood after run ``runs``."""
    rows = ledger.rows(
        "SELECT name, value FROM dial AS d WHERE number = "
        "(SELECT max(number) FROM dial WHERE name = d.name AND number <= ?) ORDER BY name",
        (runs,),
    )
    return dict(rows)


def _standing(advantage: float) -> float:
    return q6(min(max(0.5 + advantage, 0.0), 1.0))


def _together(pasts: Iterable[Past]) -> Past:
    every = list(pasts)
    n = math.fsum(past.n for past in every)
    if not n:
        return Past()
    return Past(
        n=q6(n),
        advantage=q6(math.fsum(past.n * past.advantage for past in every) / n),
        tried=sum(past.tried for past in every),
        last=max(past.last for past in every),
    )
