"""The ledger: what every persona earned on every question, in one SQLite file.

A run is written in one transaction and only once, so a run recorded twice counts once, and two
processes that finish at the same moment both count. No question text is kept. The file is made by
this program only; one that is not, or is damaged, is put aside under another name, never deleted.
What is learned from it (:mod:`engine.personas.learning`) stands in the same file, so that a run and
what it changes are one transaction.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec

from engine.events import Scores, Tier
from engine.ids import q6
from engine.personas.ledger_file import ForeignError, connect, failure, put_aside, reported

_SCORES = "relevance, consistency, novelty, grounding, total"
_FIELDS = f"persona_id, persona_digest, topic, tier, chosen, cost, {_SCORES}, advantage, survival, refused"
_MEANS = ", ".join(f"avg({name})" for name in f"{_SCORES}, advantage, survival".split(", "))


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one question came to for one persona; ``scores`` are those of its answer if chosen."""

    persona_id: str
    persona_digest: str
    topic: str
    tier: Tier
    chosen: bool
    cost: float
    scores: Scores
    advantage: float
    survival: float
    refused: bool = False


class RecordedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome with the run it belongs to; ``number`` counts runs from 1 in order of recording."""

    run_id: str
    number: int
    outcome: Outcome


class PersonaRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A persona's questions: how many it was considered for and answered, means over those answered.

    ``mean`` and the other means are 0 while ``n`` is 0; ``last`` is the number of the last run it
    answered, 0 for none.
    """

    persona_id: str
    considered: int = 0
    n: int = 0
    mean: Scores = Scores(relevance=0.0, consistency=0.0, novelty=0.0, grounding=0.0, total=0.0)
    mean_advantage: float = 0.0
    mean_survival: float = 0.0
    last: int = 0
    last_run_id: str = ""


class Ledger:
    """An open ledger. Use it as a context, or close it."""

    def __init__(self, connection: apsw.Connection, path: Path, notes: Sequence[str] = ()) -> None:
        self._connection = connection
        self._path = path
        self.notes = list(notes)

    @classmethod
    def open(cls, path: Path | str) -> "Ledger":
        """Open the ledger at ``path``, made (mode 0600) if it is not there.

        A file that is damaged or no ledger is renamed to ``NAME.damaged-N`` and a fresh one begun:
        ``notes`` then says so. Raises WorkspaceError if the file cannot be opened or written, or
        was written by a newer version; WorkspaceBusyError if another process holds it for longer
        than two seconds.
        """
        path = Path(path)
        try:
            return cls(connect(path), path)
        except (apsw.NotADBError, apsw.CorruptError, ForeignError) as error:
            aside = put_aside(path)
            note = f"{path.name} could not be used ({error}) and was put aside as {aside.name}"
            with reported(path):
                return cls(connect(path), path, [note])
        except apsw.Error as error:
            raise failure(path, error) from error

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a closed ledger cannot be used again."""
        self._connection.close()

    def record(self, run_id: str, outcomes: Sequence[Outcome]) -> bool:
        """Write a run's outcomes, all or none; return False if the run was recorded before.

        Raises ValueError for a number that is NaN, infinite or, for a score, outside [0, 1].
        """
        rows = [_row(outcome) for outcome in outcomes]
        marks = ", ".join("?" * (len(_FIELDS.split(",")) + 2))
        with self.transaction():
            if self.rows("SELECT 1 FROM run WHERE run_id = ?", (run_id,)):
                return False
            number = self.runs() + 1
            self.rows("INSERT INTO run VALUES (?, ?)", (run_id, number))
            for row in rows:
                self.rows(
                    f"INSERT INTO outcome (run_id, number, {_FIELDS}) VALUES ({marks})",  # noqa: S608
                    (run_id, number, *row),
                )
        return True

    def summary(self, persona_id: str, topic: str | None = None) -> PersonaRecord:
        """Return what is known of a persona, on one topic if given; all zero for an unknown one."""
        where = "persona_id = ?" if topic is None else "persona_id = ? AND topic = ?"
        values = (persona_id,) if topic is None else (persona_id, topic)
        answered = f"FROM outcome WHERE {where} AND chosen"
        with reported(self._path):
            considered = self.rows(f"SELECT count(*) FROM outcome WHERE {where}", values)[0][0]  # noqa: S608
            n, *means = self.rows(f"SELECT count(*), {_MEANS} {answered}", values)[0]
            if not n:
                return PersonaRecord(persona_id=persona_id, considered=considered)
            latest = f"SELECT number, run_id {answered} ORDER BY number DESC LIMIT 1"
            last, run_id = self.rows(latest, values)[0]
        *scores, advantage, survival = map(q6, means)
        return PersonaRecord(
            persona_id=persona_id,
            considered=considered,
            n=n,
            mean=Scores(**dict(zip(Scores.__struct_fields__, scores, strict=True))),
            mean_advantage=advantage,
            mean_survival=survival,
            last=last,
            last_run_id=run_id,
        )

    def recent(self, persona_id: str, k: int) -> list[RecordedOutcome]:
        """Return the persona's last ``k`` outcomes, latest first."""
        return self._outcomes(persona_id, max(k, 0))

    def runs(self) -> int:
        """Return how many runs are recorded."""
        with reported(self._path):
            return int(self.rows("SELECT coalesce(max(number), 0) FROM run")[0][0])

    def _outcomes(self, persona_id: str, limit: int = -1) -> list[RecordedOutcome]:
        query = (
            f"SELECT run_id, number, {_FIELDS} FROM outcome WHERE persona_id = ? ORDER BY number DESC LIMIT ?"  # noqa: S608
        )
        with reported(self._path):
            return [_recorded(row) for row in self.rows(query, (persona_id, limit))]

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what the statement gives. Raises WorkspaceError, WorkspaceBusyError."""
        with reported(self._path):
            return list(self._connection.execute(statement, tuple(values)))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is written meanwhile one change, alone among all processes; may be nested."""
        if self._connection.in_transaction:
            yield
            return
        with reported(self._path):
            # IMMEDIATE takes the write lock first, so that two processes queue instead of failing.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _row(outcome: Outcome) -> tuple[Any, ...]:
    scores = [getattr(outcome.scores, name) for name in Scores.__struct_fields__]
    if not all(0 <= score <= 1 for score in scores):
        raise ValueError(f"scores of {outcome.persona_id} must be in [0, 1], not {scores}")
    numbers = [outcome.cost, outcome.advantage, outcome.survival]
    return (
        outcome.persona_id,
        outcome.persona_digest,
        outcome.topic,
        outcome.tier,
        int(outcome.chosen),
        q6(numbers[0]),
        *map(q6, scores),
        *map(q6, numbers[1:]),
        int(outcome.refused),
    )


def _recorded(row: tuple[Any, ...]) -> RecordedOutcome:
    run_id, number, persona_id, persona_digest, topic, tier, chosen, cost, *rest = row
    outcome = Outcome(
        persona_id=persona_id,
        persona_digest=persona_digest,
        topic=topic,
        tier=tier,
        chosen=bool(chosen),
        cost=cost,
        scores=Scores(**dict(zip(Scores.__struct_fields__, rest[:5], strict=True))),
        advantage=rest[5],
        survival=rest[6],
        refused=bool(rest[7]),
    )
    return RecordedOutcome(run_id=run_id, number=number, outcome=outcome)
