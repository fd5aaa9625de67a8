"""What a finished question teaches: gauges, limits and committees, then the moves they call for.

Recording and every gauge it moves are one transaction of the ledger. A move takes the workspace's
lock and then a second one, in which the tier is read again from the folders: of two processes that
see the same full gauge the later finds it empty, and a gauge of a process that died in between is
still full at the next question.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from engine.config import Settings, ThresholdSettings
from engine.errors import PersonaError, WorkspaceBusyError
from engine.events import Event, GaugeMoved, PersonaMoved, Term, ThresholdMoved, Tier
from engine.ids import q6
from engine.personas.document import Persona
from engine.personas.evolution import lead_over_parent, propose_sibling
from engine.personas.gauges import KNOWN_FROM, PROMOTIONS_PER_DEMOTION, radius, solve_limit
from engine.personas.learned import COMMITTEE, dials
from engine.personas.ledger import Ledger, Outcome
from engine.personas.lifecycle import (
    Gauges,
    Limits,
    Standing,
    Verdict,
    demotion_band,
    evaluate_pruning_thresholds,
    fresh,
    guarded,
    promotion_band,
)
from engine.personas.lineage import is_sibling, lineage
from engine.personas.registry import PersonaRegistry, Roster, StoredPersona
from engine.workspace import Workspace

DOWN, UP = "behind limit", "ahead limit"
_LATEST: Final = 600
"""How many advantages, the latest, a limit is solved from."""
_NOTABLE: Final = 0.1
"""A limit moves when the solved one differs by this share; less is noise."""
_LOCK_SECONDS: Final = 0.5


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What one question came to: its topic, how many answered, and the lift over the control arm."""

    topic: str
    experts: int
    lift: float
    outcomes: list[Outcome]


def learn(
    ledger: Ledger, run_id: str, lesson: Lesson, registry: PersonaRegistry, settings: Settings
) -> list[Event]:
    """Record the lesson and move the gauges; return what changed. A run counts once."""
    thresholds = settings.thresholds
    events: list[Event] = []
    with ledger.transaction():
        if not ledger.record(run_id, lesson.outcomes):
            return []
        number = ledger.runs()
        ledger.rows(
            "INSERT INTO question VALUES (?, ?, ?, ?)",
            (number, lesson.topic, lesson.experts, q6(lesson.lift)),
        )
        if number % settings.system.learn_every == 0:
            events += _turn_limits(ledger, number, thresholds)
        limits = read_limits(ledger)
        # Who answered in a later round had another task: no comparison with a parent in the first.
        totals = {each.persona_id: each.scores.total for each in lesson.outcomes if each.chosen}
        for outcome in lesson.outcomes:
            if outcome.chosen and list(registry.places(outcome.persona_id)) == [outcome.tier]:
                lead = lead_over_parent(registry, outcome.persona_id, totals)
                events += _move_gauges(ledger, outcome, lead, limits, thresholds)
        events += _weigh_committee(ledger, number, lesson, thresholds)
    return events


def settle(workspace: Workspace, ledger: Ledger, settings: Settings) -> list[Event]:
    """Carry out the moves that the gauges call for; return one event for each.

    If another process writes to the workspace, nothing is done and the gauges stay as they are.
    """
    registry = PersonaRegistry.of(workspace)
    roster = registry.load()
    if not _due(ledger, roster, settings.thresholds) and not _may_evolve(ledger, settings):
        return []
    try:
        with workspace.lock(_LOCK_SECONDS), ledger.transaction():
            roster = registry.load()
            moved: list[Event] = []
            for verdict in _due(ledger, roster, settings.thresholds):
                inputs = {term.name: term.value for term in verdict.inputs} | {"rule": verdict.rule}
                stored = registry.move(
                    verdict.persona_id, verdict.target, reason=verdict.reason, inputs=inputs
                )
                _reset(ledger, stored.persona.persona_id, stored.digest, stored.tier, settings.thresholds)
                moved.append(
                    PersonaMoved(
                        persona=verdict.persona_id,
                        source=verdict.source,
                        target=verdict.target,
                        rule=verdict.rule,
                        reason=verdict.reason,
                        inputs=verdict.inputs,
                    )
                )
            if _may_evolve(ledger, settings):
                moved += _newborn(propose_sibling(registry, ledger, settings))
            return moved
    except (WorkspaceBusyError, PersonaError):
        # Somebody indexes, edits or moves just now. What is due stays due.
        return []


def read_gauges(ledger: Ledger, topic: str | None = "") -> dict[str, dict[str, Gauges]]:
    """Return persona -> topic -> gauges; the overall ones have the topic ''. None: every topic."""
    where, values = ("", ()) if topic is None else (" WHERE topic = ?", (topic,))
    found: dict[str, dict[str, Gauges]] = {}
    query = f"SELECT persona_id, topic, state FROM gauge{where} ORDER BY persona_id, topic"  # noqa: S608
    for persona, about, state in ledger.rows(query, values):
        found.setdefault(persona, {})[about] = msgspec.json.decode(state, type=Gauges)
    return found


def read_limits(ledger: Ledger) -> Limits:
    """Return where the gauges end now."""
    known = dials(ledger, ledger.runs())
    return Limits(down=known.get(DOWN, Limits().down), up=known.get(UP, Limits().up))


def is_pinned(persona: Persona) -> bool:
    """Return whether the lifecycle must leave the persona where it is."""
    return persona.metadata.get("pinned") is True


# -- gauges --------------------------------------------------------------------------------------
def _move_gauges(
    ledger: Ledger, outcome: Outcome, lead: float | None, limits: Limits, thresholds: ThresholdSettings
) -> list[Event]:
    events: list[Event] = []
    scores = outcome.scores
    for topic in dict.fromkeys(("", outcome.topic)):
        before = _gauges(ledger, outcome, topic, thresholds)
        grounding = None if outcome.refused else scores.grounding
        after = before.after(
            outcome.advantage,
            scores.total,
            grounding,
            thresholds,
            lead=lead,
            sibling=is_sibling(outcome.persona_id),
        )
        _store(ledger, outcome.persona_id, topic, after)
        events.append(
            GaugeMoved(
                persona=outcome.persona_id, topic=topic, down=after.down, up=after.up, limit=limits.down
            )
        )
    return events


def _gauges(ledger: Ledger, outcome: Outcome, topic: str, thresholds: ThresholdSettings) -> Gauges:
    rows = ledger.rows(
        "SELECT state FROM gauge WHERE persona_id = ? AND topic = ?", (outcome.persona_id, topic)
    )
    stored = msgspec.json.decode(rows[0][0], type=Gauges) if rows else None
    if stored is None or (stored.tier, stored.digest) != (outcome.tier, outcome.persona_digest):
        # Moved by hand or edited since: as after a move of the lifecycle's own.
        wait = thresholds.min_questions if stored is None else _wait(thresholds)
        return fresh(outcome.tier, outcome.persona_digest, wait)
    return stored


def _store(ledger: Ledger, persona: str, topic: str, gauges: Gauges) -> None:
    state = msgspec.json.encode(gauges).decode()
    ledger.rows("INSERT OR REPLACE INTO gauge VALUES (?, ?, ?)", (persona, topic, state))


def _reset(ledger: Ledger, persona: str, content: str, tier: Tier, thresholds: ThresholdSettings) -> None:
    ledger.rows("DELETE FROM gauge WHERE persona_id = ?", (persona,))
    _store(ledger, persona, "", fresh(tier, content, _wait(thresholds)))


def _wait(thresholds: ThresholdSettings) -> int:
    return max(thresholds.min_questions, thresholds.cool_down)


# -- limits --------------------------------------------------------------------------------------
def _turn_limits(ledger: Ledger, number: int, thresholds: ThresholdSettings) -> list[Event]:
    rows = ledger.rows(
        "SELECT advantage FROM outcome WHERE chosen ORDER BY number DESC, persona_id LIMIT ?", (_LATEST,)
    )
    if len(rows) < KNOWN_FROM:
        return []
    advantages = [row[0] for row in rows]
    now = read_limits(ledger)
    questions = thresholds.questions_per_wrong_demotion
    events: list[Event] = []
    for name, old, every, band, direction in (
        (DOWN, now.down, questions, demotion_band(thresholds), -1),
        (UP, now.up, questions / PROMOTIONS_PER_DEMOTION, promotion_band(thresholds), 1),
    ):
        new = solve_limit(every, advantages, band, direction)
        if abs(new - old) > _NOTABLE * old:
            spread = math.sqrt(math.fsum(value**2 for value in advantages) / len(advantages))
            values = {
                "advantages": len(rows),
                "their spread": spread,
                "questions per mistake": every,
                "dead band": band,
            }
            events.append(_turn(ledger, number, name, old, new, values))
    return events


def _turn(
    ledger: Ledger, number: int, name: str, old: float, new: float, inputs: Mapping[str, float]
) -> ThresholdMoved:
    ledger.rows("INSERT OR REPLACE INTO dial VALUES (?, ?, ?)", (name, number, q6(new)))
    terms = [Term(name=key, value=q6(value)) for key, value in inputs.items()]
    return ThresholdMoved(name=name, old=q6(old), new=q6(new), inputs=terms)


# -- committee or one ----------------------------------------------------------------------------
def _weigh_committee(
    ledger: Ledger, number: int, lesson: Lesson, thresholds: ThresholdSettings
) -> list[Event]:
    """Compare the committee's mean lift on the topic with what it must give; turn the dial if it is sure."""
    if lesson.experts < 2:
        return []
    name = COMMITTEE + lesson.topic
    rows = ledger.rows("SELECT number, value FROM dial WHERE name = ? ORDER BY number DESC LIMIT 1", (name,))
    since, asked = rows[0] if rows else (0, 1.0)
    found = ledger.rows(
        "SELECT count(*), avg(lift), avg(lift * lift) FROM question "
        "WHERE topic = ? AND experts > 1 AND number > ? AND number <= ?",
        (lesson.topic, since, number),
    )
    n, mean, square = found[0]
    if n < thresholds.min_questions:
        return []
    spread = max((square - mean**2) * n / (n - 1), 0.0) ** 0.5
    unsure = radius(n, max(spread, 0.01))
    least = thresholds.least_lift
    new = asked
    if asked and mean + unsure < least:
        new = 0.0
    elif not asked and mean - unsure > least:
        new = 1.0
    if new == asked:
        return []
    values = {"questions": n, "mean lift": mean, "unsure by": unsure, "least lift": least}
    return [_turn(ledger, number, name, asked, new, values)]


# -- moves ---------------------------------------------------------------------------------------
def _due(ledger: Ledger, roster: Roster, thresholds: ThresholdSettings) -> list[Verdict]:
    return due_moves(
        read_gauges(ledger, None),
        {each.persona.persona_id: (each.tier, each.digest, each.persona) for each in roster.personas},
        thresholds,
        read_limits(ledger),
    )


def due_moves(
    gauges: Mapping[str, Mapping[str, Gauges]],
    personas: Mapping[str, tuple[Tier, str, Persona]],
    thresholds: ThresholdSettings,
    limits: Limits,
) -> list[Verdict]:
    """Return the moves that the gauges call for and the guards allow."""
    current = {
        persona: by_topic[""]
        for persona, by_topic in gauges.items()
        if "" in by_topic
        and persona in personas
        and (by_topic[""].tier, by_topic[""].digest) == personas[persona][:2]
    }
    standings = [
        Standing(persona_id=name, tier=tier, expertise=persona.expertise, pinned=is_pinned(persona))
        for name, (tier, _, persona) in sorted(personas.items())
    ]
    verdicts = evaluate_pruning_thresholds(current, thresholds, limits)
    return guarded(
        verdicts.values(), standings, {name: _good_at(gauges[name], thresholds) for name in current}
    )


def _good_at(by_topic: Mapping[str, Gauges], thresholds: ThresholdSettings) -> Sequence[str]:
    return [
        topic
        for topic, gauges in sorted(by_topic.items())
        if topic and gauges.n >= thresholds.min_questions and gauges.advantage >= 0
    ]


def _newborn(stored: StoredPersona | None) -> list[Event]:
    if stored is None:
        return []
    origin = lineage(stored.persona)
    return [
        PersonaMoved(
            persona=stored.persona.persona_id,
            source=stored.tier,
            target=stored.tier,
            rule="sibling",
            reason=f"a sibling of {origin['parent']}: {origin['change']}",
            inputs=[],
        )
    ]


def _may_evolve(ledger: Ledger, settings: Settings) -> bool:
    return settings.system.evolve and ledger.runs() % settings.system.learn_every == 0 and ledger.runs() > 0
