"""One question's cycle: personas widen the graph, their answers are judged, the record is kept."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial

from engine.adaptation import Rounds, places_to_look, stood_down, to_read_for
from engine.config import Settings
from engine.evaluation.credit import credit_events, lift
from engine.evaluation.outputs import Context, ExpertOutput, KnownNames
from engine.evaluation.scores import ScoredOutput, score_outputs
from engine.events import (
    Claim,
    ContextPacked,
    ControlScored,
    CreditAssigned,
    Event,
    Evidence,
    EvidenceRanked,
    FaultSeen,
    ModelFailed,
    RoundPlanned,
    ScoresReady,
)
from engine.experts.author import Assignment, Author, Closing, Emit, ExtractiveAuthor
from engine.experts.claims import check_claims, checked_events
from engine.experts.packing import pack_context
from engine.experts.rounds import find_gap
from engine.experts.synthesis import Synthesis
from engine.personas.document import persona_digest
from engine.personas.gate import Candidate
from engine.personas.ledger import Outcome
from engine.personas.topics import topic_of
from engine.query import Query
from engine.streaming import released_in_order
from engine.traversal.beam import BeamTraversal
from engine.traversal.interface import PersonaTraversalInterface
from engine.traversal.reading import to_read
from engine.traversal.selection import choose_evidence
from engine.traversal.walk import Walk

EVIDENCE_PASSAGES = 10


class MoeOrchestrator:
    """Runs the phases of a question. ``traversal`` may be any implementation of the interface."""

    def __init__(self, settings: Settings, traversal: PersonaTraversalInterface | None = None) -> None:
        self._settings = settings
        self._traversal = traversal

    # -- expansion -------------------------------------------------------------------------------
    def expansion_phase(
        self, query: Query, experts: Sequence[Candidate], *, record: bool = True
    ) -> Iterator[Event]:
        """Yield the experts' walks in turn, then the evidence that their shared pool ranks.

        Without ``record`` nothing but the evidence is yielded, and no node is drawn.
        """
        query.experts = list(experts)
        query.compared = {expert.persona.persona_id for expert in experts}
        for expert in experts:
            walk = self._walk(query, expert, record=record)
            yield from walk.run()
            query.visited[expert.persona.persona_id] = walk.visited
        found = list(query.graph.finders)
        query.evidence = choose_evidence(query.graph, found, EVIDENCE_PASSAGES)
        yield EvidenceRanked(evidence=query.evidence)

    def search(self, query: Query, experts: Sequence[Candidate], count: int) -> list[Evidence]:
        """Return the ``count`` best passages the experts find together; draws and records nothing."""
        for expert in experts:
            for _ in self._walk(query, expert, record=False).run():
                pass
        return choose_evidence(query.graph, list(query.graph.finders), count)

    def _walk(
        self, query: Query, expert: Candidate, *, record: bool = True, start: Sequence[int] = ()
    ) -> Walk:
        traversal = self._traversal or BeamTraversal({expert.persona.persona_id: expert.policy})
        weights = query.lexicon.weighed(" ".join(expert.persona.expertise))
        return Walk(
            query.graph,
            expert.persona,
            expert.policy,
            traversal,
            query.ground,
            weights,
            record=record,
            start=start,
        )

    # -- evaluation ------------------------------------------------------------------------------
    async def evaluation_phase(
        self, query: Query, author: Author, rounds: "Rounds | None" = None, *, at_once: int = 1
    ) -> AsyncIterator[Event]:
        """Yield what each expert read and claimed, each claim checked, and each output's four scores.

        At most ``at_once`` experts write at the same time; the events keep the order of the plan.
        With ``rounds`` further experts are asked for what the answers so far lack.
        """
        for expert in query.experts:
            yield self._pack(query, expert, author, self._to_read(query, expert))
        async for event in self._answers(query, author, query.experts, at_once):
            yield event
        if rounds is not None:
            async for event in self._later_rounds(query, author, rounds):
                yield event
        query.scored = self._score(query, query.outputs, query.all_read())
        for output, scored in zip(query.outputs, query.scored, strict=True):
            yield ScoresReady(
                persona=output.persona_id,
                output=output.text,
                scores=scored.scores,
                terms=scored.terms,
                notes=scored.notes,
            )

    def _pack(
        self, query: Query, expert: Candidate, author: Author, evidence: Sequence[Evidence]
    ) -> ContextPacked:
        budget = round(author.context_tokens * expert.policy.context_share)
        packed = pack_context(evidence, query.facets, query.lexicon, budget=budget, context=query.context)
        query.read[expert.persona.persona_id] = packed.kept
        return packed.event(expert.persona.persona_id)

    async def _answers(
        self, query: Query, author: Author, experts: Sequence[Candidate], at_once: int = 1
    ) -> AsyncIterator[Event]:
        first = len(query.outputs)
        jobs = [partial(author.claims, self._assignment(query, expert)) for expert in experts]
        async for event in released_in_order(jobs, query.outputs, at_once=at_once, ahead=_fault_seen):
            yield event
        threshold = self._settings.thresholds.support_threshold
        for output in query.outputs[first:]:
            for checked in checked_events(output, threshold):
                yield checked

    def _to_read(self, query: Query, expert: Candidate) -> list[Evidence]:
        """Return what an expert reads; whoever comes after it is told what that was."""
        graph, name = query.graph, expert.persona.persona_id
        rows = to_read(graph, expert.policy, query.visited[name], query.taken)
        for row in rows:
            graph.found_by(row, name)
        query.taken.update(rows)
        return choose_evidence(graph, rows, len(rows))

    # -- rounds ----------------------------------------------------------------------------------
    async def _later_rounds(self, query: Query, author: Author, rounds: Rounds) -> AsyncIterator[Event]:
        """Ask one more expert at a time for what is still open, as long as that is worth its price."""
        bench = rounds.bench
        context = query.context.over(query.all_read())
        for left_out in stood_down(query, query.outputs, 1, bench.price, context):
            yield left_out
        for number in range(2, rounds.most + 1):
            gap = find_gap(query.outputs, query.evidence, query.facets, context)
            if gap is None:
                return
            places = places_to_look(query, gap)
            picked = bench.pick(gap.lacking, number) if places or gap.leading else None
            if picked is None:
                return
            chosen, bench = picked
            expert = rounds.expert(chosen)
            yield RoundPlanned(round=number, reason=gap.reason, facets=gap.facets)
            yield chosen
            query.experts.append(expert)
            visited: Sequence[int] = ()
            if places:
                walk = self._walk(query, expert, start=places)
                for event in walk.run():
                    yield event
                visited = walk.visited
            yield self._pack(query, expert, author, to_read_for(query, gap, visited))
            async for event in self._answers(query, author, [expert]):
                yield event
            context = query.context.over(query.all_read())
            nothing_new = stood_down(query, query.outputs[-1:], number, bench.price, context)
            for left_out in nothing_new:
                yield left_out
            if nothing_new:
                return

    def _assignment(
        self, query: Query, expert: Candidate, evidence: Sequence[Evidence] | None = None
    ) -> Assignment:
        evidence = query.read[expert.persona.persona_id] if evidence is None else evidence
        return Assignment(
            question=query.text,
            persona=expert.persona,
            policy=expert.policy,
            evidence=evidence,
            context=query.context.over(evidence),
            facets=query.facets,
            answer_type=query.answer_type,
        )

    def _score(
        self, query: Query, outputs: Sequence[ExpertOutput], evidence: Sequence[Evidence]
    ) -> list[ScoredOutput]:
        return score_outputs(
            outputs,
            query.text,
            facets=query.facets,
            answer_type=query.answer_type,
            entities=KnownNames(query.lexicon, evidence),
            context=query.context.over(evidence),
            settings=self._settings.thresholds,
        )

    # -- synthesis -------------------------------------------------------------------------------
    async def compose(self, query: Query, author: Author, emit: Emit) -> Synthesis:
        """Return the answer that ``author`` makes of the experts' supported claims."""
        read = query.all_read()
        closing = Closing(
            question=query.text,
            outputs=query.outputs,
            evidence=read,
            context=query.context.over(read),
            facets=query.facets,
            answer_type=query.answer_type,
            thresholds=self._settings.thresholds,
        )
        return await author.answer(closing, emit)

    async def control_arm(self, query: Query, control: Candidate, answer: Synthesis) -> ControlScored:
        """Return what one plain walk alone would have answered, and the committee's lift over it.

        The walk has a graph of its own, so that nothing the committee found can help it, and its
        answer is extracted, so that it is free. Final and control answer are scored side by side on
        what each of them read.
        """
        alone = query.afresh()
        for _ in self.expansion_phase(alone, [control], record=False):
            pass
        assignment = self._assignment(alone, control, alone.evidence)
        output = await ExtractiveAuthor(query.lexicon).claims(assignment, lambda _: None)
        final = _as_output(answer, query.context.over(query.all_read()))
        evidence = {each.passage: each for each in (*query.all_read(), *alone.evidence)}
        scored_control, scored_final = (
            self._score(query, [each], list(evidence.values()))[0] for each in (output, final)
        )
        return ControlScored(
            persona=control.persona.persona_id,
            answer=output.text,
            evidence=[each.evidence_id for each in alone.evidence],
            scores=scored_control.scores,
            lift=lift(scored_final.scores.total, scored_control.scores.total),
        )

    # -- lifecycle -------------------------------------------------------------------------------
    def pruning_phase(self, query: Query, answer: Synthesis, control: ControlScored) -> Iterator[Event]:
        """Yield each expert's credit: its advantage over the others, and its share of the answer.

        What the credit means for a persona's tier is judged over many questions, never on one.
        """
        totals = {
            each.persona_id: each.scores.total for each in query.scored if each.persona_id in query.compared
        }
        later = [each.persona_id for each in query.scored if each.persona_id not in totals]
        query.credits = credit_events(totals, answer.sentences, query.lexicon, control.scores.total, later)
        yield from query.credits

    def outcomes(self, query: Query) -> list[Outcome]:
        """Return what is kept of the question for each expert that answered."""
        credit: Mapping[str, CreditAssigned] = {each.persona: each for each in query.credits}
        scores = {each.persona_id: each.scores for each in query.scored}
        refused = {each.persona_id for each in query.outputs if each.refused or not each.claims}
        return [
            Outcome(
                persona_id=expert.persona.persona_id,
                persona_digest=persona_digest(expert.persona),
                topic=topic_of(expert.persona.expertise, query.facets, query.lexicon),
                tier=expert.tier,
                chosen=expert.persona.persona_id in query.compared,
                cost=expert.persona.activation_cost,
                scores=scores[expert.persona.persona_id],
                advantage=credit[expert.persona.persona_id].advantage,
                survival=credit[expert.persona.persona_id].survival,
                refused=expert.persona.persona_id in refused,
            )
            for expert in query.experts
        ]


def _fault_seen(event: Event) -> FaultSeen | None:
    """Return what is told of a call that failed before its turn comes."""
    if not isinstance(event, ModelFailed):
        return None
    return FaultSeen(call=event.call, problem=event.problem, mend=event.mend)


def _as_output(answer: Synthesis, context: Context) -> ExpertOutput:
    """The answer as one more expert's output, so that it can be scored like the others."""
    passage_of = {citation.marker: citation.passage for citation in answer.citations}
    claims = [
        Claim(text=sentence.text, cites=[passage_of[m] for m in sentence.markers if m in passage_of])
        for sentence in answer.sentences
        if sentence.kept
    ]
    output = ExpertOutput(persona_id="", claims=claims, text=answer.answer, refused=not claims)
    return check_claims(output, context)
