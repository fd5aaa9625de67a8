"""One persona alone on a question: what it walks, finds, says and scores; nothing is recorded.

For trying an edit before it is saved, and for comparing personas by what they find. Nobody is
chosen, nothing is learnt, no snapshot is written.
"""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from engine.corpus.lexicon import CorpusLexicon
from engine.errors import NothingIndexedError
from engine.events import Event, Evidence, NodeOpened, Scores, ScoresReady, StepTaken, Term, WalkStopped
from engine.experts.author import ExtractiveAuthor
from engine.graph.question import require_question
from engine.orchestrator import MoeOrchestrator
from engine.personas.comparison import Overlap, Row, overlaps, policy_rows, shared_expertise, trait_rows
from engine.personas.document import Persona
from engine.personas.gate import Candidate
from engine.personas.policy import derive_policy
from engine.personas.registry import StoredPersona
from engine.personas.track_record import Duel
from engine.pipeline import Engine
from engine.query import Query

ALONE_PASSAGES = 10


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A place the persona visited; ``priority`` is why it came there before others."""

    node: str
    label: str
    source: str
    relevance: float
    priority: float


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A persona's own run of a question: its walk, the evidence, what it said (in quotes) and scores.

    ``terms`` holds the addends of each score, ``stopped`` why the walk ended.
    """

    persona_id: str
    question: str
    steps: list[Step]
    stopped: str
    evidence: list[Evidence]
    output: str
    scores: Scores
    terms: dict[str, list[Term]]


def preview(engine: Engine, persona: Persona, question: str) -> Preview:
    """Return what :func:`previewed` gives, for callers without an event loop."""
    return asyncio.run(previewed(engine, persona, question))


async def previewed(engine: Engine, persona: Persona, question: str) -> Preview:
    """Return what the persona alone, saved or not, makes of the question.

    What it says is extracted from the documents, so equal personas always preview alike and no model
    is asked. Raises InputError for a bad question, NothingIndexedError if nothing is indexed.
    """
    query = _query(engine, question)
    orchestrator = MoeOrchestrator(engine.settings)
    events: list[Event] = list(orchestrator.expansion_phase(query, [_candidate(engine, persona)]))
    async for event in orchestrator.evaluation_phase(query, ExtractiveAuthor(query.lexicon)):
        events.append(event)
    labels = {event.node: event.label for event in events if isinstance(event, NodeOpened)}
    scored = next(event for event in events if isinstance(event, ScoresReady))
    return Preview(
        persona_id=persona.persona_id,
        question=query.text,
        steps=[
            Step(
                node=event.node,
                label=labels.get(event.node, event.node),
                source=event.source,
                relevance=event.relevance,
                priority=event.priority,
            )
            for event in events
            if isinstance(event, StepTaken)
        ],
        stopped=next((event.reason for event in events if isinstance(event, WalkStopped)), ""),
        evidence=query.evidence,
        output=scored.output,
        scores=scored.scores,
        terms=scored.terms,
    )


def found_alone(
    engine: Engine, persona: Persona, question: str, count: int = ALONE_PASSAGES
) -> list[Evidence]:
    """Return the best passages that the persona finds by itself. Raises what :func:`preview` raises."""
    query = _query(engine, question)
    return MoeOrchestrator(engine.settings).search(query, [_candidate(engine, persona)], count)


def found_by_each(
    engine: Engine, personas: Sequence[Persona], questions: Sequence[str]
) -> Iterator[tuple[str, dict[str, list[Evidence]]]]:
    """Yield each question with what every persona finds alone, by id."""
    for question in questions:
        yield question, {each.persona_id: found_alone(engine, each, question) for each in personas}


class SideBySide(msgspec.Struct, frozen=True, kw_only=True):
    """Personas compared: traits, knobs, common expertise, wins against each other, shared evidence.

    ``found`` gives for each question the passages that each persona finds alone, by id.
    """

    personas: list[StoredPersona]
    traits: list[Row]
    policy: list[Row]
    shared_expertise: list[str]
    duels: list[Duel]
    questions: list[str]
    found: list[dict[str, list[str]]]
    overlap: list[Overlap]

    @property
    def ids(self) -> list[str]:
        """The ids of the personas, in their order."""
        return [each.persona.persona_id for each in self.personas]


def side_by_side(
    engine: Engine, stored: Sequence[StoredPersona], questions: Sequence[str], wins: Sequence[Duel]
) -> SideBySide:
    """Return the personas compared, their evidence on ``questions``; without an index on none."""
    personas = [each.persona for each in stored]
    asked = list(questions) if engine.store.size().passages else []
    found = [
        {name: [each.passage for each in rows] for name, rows in by_id.items()}
        for _, by_id in found_by_each(engine, personas, asked)
    ]
    ids = [each.persona_id for each in personas]
    return SideBySide(
        personas=list(stored),
        traits=trait_rows(personas),
        policy=policy_rows(personas, engine.settings.traits.rows),
        shared_expertise=shared_expertise(personas),
        duels=list(wins),
        questions=asked,
        found=found,
        overlap=overlaps(ids, found) if asked else [],
    )


def _query(engine: Engine, question: str) -> Query:
    text = require_question(question)
    if not engine.store.size().passages:
        raise NothingIndexedError
    return Query(text, engine.store, CorpusLexicon(engine.store), engine.settings)


def _candidate(engine: Engine, persona: Persona) -> Candidate:
    policy = derive_policy(persona.traits, engine.settings.traits.rows)
    return Candidate(persona=persona, tier="experimental", policy=policy)
