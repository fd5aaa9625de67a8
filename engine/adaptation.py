"""Later rounds of a question: where to look for what is missing, what to read, who stands down."""

from collections.abc import Callable, Sequence

import msgspec

from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import Evidence, ExpertChosen, ExpertStoodDown
from engine.experts.rounds import Gap, added
from engine.personas.bench import Bench
from engine.personas.gate import Candidate
from engine.query import Query
from engine.traversal.selection import choose_evidence

GAP_PASSAGES = 3
"""How many passages nobody cites are opened for what nobody spoke of."""


class Rounds(msgspec.Struct, frozen=True, kw_only=True):
    """How a question goes on after its first answers: who may be asked, and for how many rounds."""

    bench: Bench
    expert: Callable[[ExpertChosen], Candidate]
    most: int


def places_to_look(query: Query, gap: Gap) -> list[int]:
    """Return where a walk for ``gap`` begins; nowhere if strong passages only have to be read.

    Begins at the passages that hold most of what nobody spoke of and that nobody cites, and at those
    that contradict each other, which lead to whatever may settle it.
    """
    if gap.leading:
        return []
    graph = query.graph
    wanted = {
        term: gap.lacking[facet.facet_id]
        for facet in query.facets
        if facet.facet_id in gap.lacking
        for term in facet.terms
    }
    places = [row for row in graph.holding(wanted) if graph.passage_id(row) not in gap.cited][:GAP_PASSAGES]
    disputed = [row for row in graph.ordered(graph.finders) if graph.passage_id(row) in gap.disputed]
    return [*places, *disputed]


def to_read_for(query: Query, gap: Gap, visited: Sequence[int]) -> list[Evidence]:
    """Return what an expert reads for ``gap``: what nobody cites, or what its walk came to."""
    evidence = gap.leading or choose_evidence(query.graph, visited, len(visited))
    return [msgspec.structs.replace(each, rank=rank) for rank, each in enumerate(evidence, 1)]


def stood_down(
    query: Query, outputs: Sequence[ExpertOutput], number: int, price: float, context: Context
) -> list[ExpertStoodDown]:
    """Return who of those that answered in round ``number`` added less per cost than ``price``.

    What an expert adds is its share of all grounded content so far, after those before it. ``context``
    is over all that was read.
    """
    costs = {expert.persona.persona_id: expert.persona.activation_cost for expert in query.experts}
    events: list[ExpertStoodDown] = []
    for output in outputs:
        gain = added(output, query.outputs[: query.outputs.index(output)], context)
        cost = costs[output.persona_id]
        if gain < price * cost:
            asked = f"less than {price * cost:.2f} for a cost of {cost:g}"
            reason = f"added {gain:.2f} to what was found, {asked}"
            events.append(ExpertStoodDown(persona=output.persona_id, round=number, gain=gain, reason=reason))
    return events
