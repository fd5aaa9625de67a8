"""What the ledger has taught, as the gate reads it: records of personas, topics where one is enough.

It is read as of a run whose number is a multiple of ``learn_every``, so that what is asked in
between meets equal knowledge, and a snapshot that names the number can be run again later.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from engine.ids import canonical, digest, q6
from engine.personas.gate import Record
from engine.personas.ledger import Ledger

WINDOW: Final = 2_000
"""How many runs back the records reach."""
COMMITTEE: Final = "committee: "
"""Before a topic: the dial that says whether a committee is asked there (1) or one expert (0)."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """How often a persona answered, its mean advantage, and its last run's number."""

    n: int
    advantage: float
    last: int


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger as of run ``runs``; ``digest`` is empty while nothing acts on any choice."""

    runs: int = 0
    digest: str = ""
    pasts: dict[str, dict[str, Past]] = msgspec.field(default_factory=dict)
    alone: dict[str, float] = msgspec.field(default_factory=dict)
    acting_from: int = 8

    def records(self, personas: Mapping[str, str], topic_of: Callable[[str], str]) -> dict[str, Record]:
        """Return the records of ``personas`` (id -> digest) for a question with these topics.

        A record acts from ``min_questions`` answers on; below, only the count and the turn are
        told. ``mean`` is 0.5 plus the mean advantage: comparing on the same question takes its
        difficulty out. An edited persona has no record.
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
        return f"one expert answers {about}: there a committee's answers scored no better than one expert's"

    def _record(self, pasts: Mapping[str, Past], topic: str) -> Record:
        whole = _together(pasts.values())
        if whole.n < self.acting_from:
            return Record(tried=whole.n, last_tried=whole.last)
        there = (
            pasts.get(topic, Past(n=0, advantage=0.0, last=0)) if topic else Past(n=0, advantage=0.0, last=0)
        )
        return Record(
            n=whole.n,
            mean=_standing(whole.advantage),
            topic_n=there.n,
            topic_mean=_standing(there.advantage),
            tried=whole.n,
            last_tried=whole.last,
        )


def read_learned(ledger: Ledger, *, every: int, acting_from: int, as_of: int | None = None) -> Learned:
    """Return what the ledger taught up to run ``as_of``, by default the last multiple of ``every``."""
    runs = ledger.runs()
    runs = runs // every * every if as_of is None else min(as_of, runs)
    if runs == 0:
        return Learned(acting_from=acting_from)
    pasts: dict[str, dict[str, Past]] = {}
    rows = ledger.rows(
        "SELECT persona_id || ' ' || persona_digest, topic, count(*), avg(advantage), max(number) "
        "FROM outcome WHERE number > ? AND number <= ? AND chosen GROUP BY 1, 2 ORDER BY 1, 2",
        (runs - WINDOW, runs),
    )
    for persona, topic, n, advantage, last in rows:
        pasts.setdefault(persona, {})[topic] = Past(n=n, advantage=q6(advantage), last=last)
    alone = {
        name.removeprefix(COMMITTEE): value
        for name, value in dials(ledger, runs).items()
        if name.startswith(COMMITTEE) and value < 1
    }
    learned = Learned(runs=runs, pasts=pasts, alone=alone, acting_from=acting_from)
    acts = alone or any(_together(each.values()).n >= acting_from for each in pasts.values())
    if not acts:
        return Learned(acting_from=acting_from)
    return msgspec.structs.replace(learned, digest=digest("learned.v1", canonical(learned)))


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
    n = sum(past.n for past in every)
    if not n:
        return Past(n=0, advantage=0.0, last=0)
    mean = math.fsum(past.n * past.advantage for past in every) / n
    return Past(n=n, advantage=q6(mean), last=max(past.last for past in every))
