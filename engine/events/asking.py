"""Events of a question: what it depends on, how it was read, where walks may start."""

from engine.events.base import Event
from engine.events.parts import Carried, Facet, ModelRef, PersonaRef, Seed


class QueryStarted(Event, frozen=True, kw_only=True):
    """What the run depends on: equal values here promise equal decisions after.

    ``learned`` is the digest of what earlier questions taught the gate, as of run
    ``learned_runs``, and of what others' machines say of the personas; empty and 0 as long as
    that acts on nothing.
    """

    question: str
    schema: int
    corpus: str
    settings: str
    personas: list[PersonaRef]
    model: ModelRef
    budget: float
    only: list[str]
    learn: bool
    learned: str = ""
    learned_runs: int = 0


class QuestionEmbedded(Event, frozen=True, kw_only=True):
    """The question was compared by meaning, too; a run without vectors has no such event.

    ``vector`` is the question's, base64 of float16; ``vectors`` the digest of all that it was compared
    with, ``weight``, ``nearest`` and ``lead`` the settings of what likeness counts.
    """

    embedder: str
    made_by: str
    vectors: str
    vector: str
    weight: float
    nearest: int
    lead: float = 0.0


class FollowUpRead(Event, frozen=True, kw_only=True):
    """How a follow-up question was read: ``reading`` is what was answered, and why it reads so.

    ``previous`` is the digest of the run before; what was said there stands here too, so that the
    run can be repeated without it.
    """

    reading: str
    previous: str
    earlier_question: str
    earlier_answer: str
    earlier_type: str
    carried: list[Carried]


class FacetsFound(Event, frozen=True, kw_only=True):
    facets: list[Facet]
    answer_type: str
    comparison: list[str]


class SeedsFound(Event, frozen=True, kw_only=True):
    """Where walks may start, best first."""

    seeds: list[Seed]
