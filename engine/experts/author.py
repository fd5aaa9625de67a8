"""Who writes: the one seam between the cycle of a question and whatever puts words together.

The orchestrator knows what an expert may read; an :class:`Author` turns that into claims, and the
claims of all experts into an answer. The extractive author quotes and needs no model.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from engine.config import ThresholdSettings
from engine.corpus.store import Lexicon
from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import ClaimsParsed, Event, Evidence, Facet, ModelRef
from engine.experts.extractive import extract_answer
from engine.experts.synthesis import Synthesis, synthesize
from engine.models.base import quoting
from engine.personas.document import Persona
from engine.personas.policy import Policy

Emit = Callable[[Event], None]
"""Takes the events of writing as they happen (ModelAsked, Token, ...)."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What one expert is to answer, from what, and in which manner; ``context`` is over the evidence."""

    question: str
    persona: Persona
    policy: Policy
    evidence: Sequence[Evidence]
    context: Context
    facets: Sequence[Facet]
    answer_type: str


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """What the final answer is written from: all outputs, and in ``context`` all that was read."""

    question: str
    outputs: Sequence[ExpertOutput]
    evidence: Sequence[Evidence]
    context: Context
    facets: Sequence[Facet]
    answer_type: str
    thresholds: ThresholdSettings


class Author(Protocol):
    """Writes claims and answers."""

    @property
    def model(self) -> ModelRef:
        """Return what writes, and why it was picked."""
        ...

    @property
    def context_tokens(self) -> int:
        """Return how many tokens of evidence one expert may read at most."""
        ...

    @property
    def most_experts(self) -> int:
        """Return how many experts may write: as many as there is patience for."""
        ...

    @property
    def at_once(self) -> int:
        """Return how many experts can be written for at the same time: a further one would only wait."""
        ...

    async def claims(self, assignment: Assignment, emit: Emit) -> ExpertOutput:
        """Return the expert's claims, checked; ``emit`` gets ClaimsParsed and all before it."""
        ...

    async def answer(self, closing: Closing, emit: Emit) -> Synthesis:
        """Return the final answer, each sentence checked; ``emit`` gets what happens meanwhile."""
        ...

    async def aclose(self) -> None:
        """Release what is held."""
        ...


class ExtractiveAuthor:
    """Quotes supported sentences; the honest author where no model is to be had."""

    def __init__(self, lexicon: Lexicon, model: ModelRef | None = None) -> None:
        self._lexicon = lexicon
        self._model = quoting() if model is None else model

    @property
    def model(self) -> ModelRef:
        """Return the provider ``extractive``, and why no model writes."""
        return self._model

    @property
    def context_tokens(self) -> int:
        """Return the tokens of evidence an expert reads: what a small model would hold as well."""
        return 3_000

    @property
    def most_experts(self) -> int:
        """Return 32: quoting takes no time."""
        return 32

    @property
    def at_once(self) -> int:
        """Return 32: there is nothing to wait for."""
        return 32

    async def aclose(self) -> None:
        """Do nothing: nothing is held."""

    async def claims(self, assignment: Assignment, emit: Emit) -> ExpertOutput:
        """Return sentences of the evidence as claims."""
        output = extract_answer(
            assignment.persona.persona_id,
            assignment.question,
            assignment.evidence,
            lexicon=self._lexicon,
            policy=assignment.policy,
            facets=assignment.facets,
            answer_type=assignment.answer_type,
            expertise=assignment.persona.expertise,
            context=assignment.context,
        )
        emit(ClaimsParsed(persona=output.persona_id, mode="extractive", claims=output.claims))
        return output

    async def answer(self, closing: Closing, emit: Emit) -> Synthesis:
        """Return the answer composed of supported claims."""
        return synthesize(
            closing.outputs,
            closing.question,
            closing.evidence,
            lexicon=self._lexicon,
            facets=closing.facets,
            answer_type=closing.answer_type,
            support_threshold=closing.thresholds.support_threshold,
            mark_unsupported=closing.thresholds.unsupported == "mark",
            context=closing.context,
        )
