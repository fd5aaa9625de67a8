"""One persona's walk: from its seeds, best first, over links."""

import math
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from engine.evaluation.metrics import require_score
from engine.events import Event, StepTaken, Term, Unopened, WalkStopped
from engine.graph.links import residual
from engine.graph.model import Node
from engine.graph.opening import open_passage
from engine.graph.query_graph import QueryGraph
from engine.ids import q6
from engine.personas.document import Persona
from engine.personas.policy import Policy
from engine.traversal.beam import BeamTraversal
from engine.traversal.interface import PersonaTraversalInterface

_UNOPENED_SHOWN = 5
_SAME_DOCUMENT_OVERLAP = 0.3


class Ground(msgspec.Struct):
    """What the personas before have visited, in plan order; shared by all walks of a question."""

    passages: dict[int, str] = msgspec.field(default_factory=dict)
    families: dict[int, int] = msgspec.field(default_factory=dict)


class _Waiting(msgspec.Struct, frozen=True):
    """A passage that may be visited next, with what of it does not change while it waits."""

    row: int
    source: str
    hops: int
    node: Node
    family: int | None
    base: float
    matches: Sequence[tuple[float, float, int]]


class Walk:
    """A walk that yields its events as it goes. After it, ``visited`` are the rows in order of visit."""

    def __init__(
        self,
        graph: QueryGraph,
        persona: Persona,
        policy: Policy,
        traversal: PersonaTraversalInterface,
        ground: Ground,
        expertise: Mapping[int, float],
        *,
        record: bool = True,
        start: Sequence[int] = (),
    ) -> None:
        self._graph, self._persona, self._policy = graph, persona, policy
        self._traversal, self._ground = traversal, ground
        self._expertise = expertise
        self._record = record
        self.start = list(start)
        self._expert_words = frozenset(expertise)
        self._expertise_total = math.fsum(expertise.values()) or 1.0
        self._knows: dict[int, float] = {}
        self._covered: dict[int, float] = {}
        self._families: dict[int, int] = {}
        self._strongest = 0.0
        self._best_priority = 0.0
        self.visited: list[int] = []
        self._been: set[int] = set()

    def run(self) -> Iterator[Event]:
        """Yield a NodeOpened and a StepTaken for each visit, and a WalkStopped at the end."""
        budget = len(self.start) or self._policy.seeds + self._policy.beam_width
        reason = "nothing left to visit"
        current = Node("q", {"best": 0.0})
        waiting = {row: self._waiting(row, "q", 0) for row in self._seeds()}
        left: dict[int, _Waiting] = {}
        while waiting:
            if len(self.visited) >= budget:
                reason = f"budget of {budget} steps used"
                break
            nodes = [self._node(w) for w in waiting.values()]
            beam = self._traversal.decide_traversal(current, nodes, self._persona)
            kept = [int(node.data["row"]) for node in beam]
            left.update((row, w) for row, w in waiting.items() if row not in kept)
            if not kept:
                reason = "the rest is below the floor"
                break
            step = waiting[kept[0]]
            waiting = {row: waiting[row] for row in kept[1:]}
            yield from self._visit(beam[0], step)
            self._best_priority = max(self._best_priority, self._priority(beam[0]))
            current = Node(beam[0].node_id, {"best": self._best_priority})
            left.pop(step.row, None)
            for link in self._graph.expand(step.row, self._persona.persona_id):
                row = link.target
                if step.hops < self._policy.max_hops and row not in self._been and row not in waiting:
                    waiting[row] = self._waiting(row, beam[0].node_id, step.hops + 1)
        if self._record:
            yield WalkStopped(
                persona=self._persona.persona_id,
                reason=reason,
                steps=len(self.visited),
                unopened=self._left([*waiting.values(), *left.values()], reason),
            )

    def _seeds(self) -> list[int]:
        """Where to begin: as told, else the best by match and expertise."""
        graph = self._graph
        if self.start:
            self._strongest = max(graph.strength(row) for row in self.start)
            for row in self.start:
                graph.found_by(row, self._persona.persona_id)
            return list(self.start)
        seeds = graph.seeds()[: graph.settings.choose_from]
        if seeds:
            self._strongest = graph.strength(seeds[0])

        def own(row: int) -> float:
            return graph.base(row) * (1.0 + 0.5 * self._match_expertise(row))

        ranked = sorted((-q6(own(row)), graph.passage_id(row), row) for row in seeds)
        mine = [row for *_, row in ranked[: self._policy.seeds + self._policy.beam_width]]
        if graph.likest is not None and graph.likest not in mine:
            mine.append(graph.likest)
        for row in mine:
            graph.found_by(row, self._persona.persona_id)
        return mine

    def _match_expertise(self, row: int) -> float:
        """The persona's expertise in a passage; 0 for one whose words were not looked at yet."""
        known = self._knows.get(row)
        if known is None:
            features = self._graph.known_features(row) if self._expertise else None
            if features is None:
                return 0.0
            met = math.fsum([self._expertise[word] for word in self._expert_words & features.words])
            known = self._knows[row] = min(1.0, 3.0 * met / self._expertise_total)
        return known

    def _waiting(self, row: int, source: str, hops: int) -> _Waiting:
        graph = self._graph
        features = graph.known_features(row)
        base = graph.base(row)
        fixed = {
            "row": row,
            "hops": hops,
            "lexical": min(1.0, base / (self._strongest or 1.0)),
            "expertise": self._match_expertise(row),
        }
        family = None if features is None else features.family
        node = Node("p:" + graph.passage_id(row), fixed)
        return _Waiting(row, source, hops, node, family, base, graph.weighed_matches(row))

    def _node(self, waiting: _Waiting) -> Node:
        """The node with what depends on the walk so far brought up to date."""
        row, family = waiting.row, waiting.family
        top = self._strongest or 1.0
        path = self._graph.paths.get(row)
        value = path.value if path else 0.0
        overlap, crowding = (1.0 if row in self._ground.passages else 0.0), 0.0
        if family is not None:
            if not overlap and family in self._ground.families:
                overlap = _SAME_DOCUMENT_OVERLAP
            crowding = self._families.get(family, 0) / max(1, len(self.visited))
        data = waiting.node.data
        data["strength"] = min(1.0, (waiting.base + value) / top)
        data["path"] = min(1.0, value / top)
        data["facet"] = min(1.0, residual(waiting.matches, self._covered))
        data["overlap"], data["crowding"] = overlap, crowding
        return waiting.node

    def _priority(self, node: Node) -> float:
        return sum(self._terms(node).values())

    def _terms(self, node: Node) -> dict[str, float]:
        if isinstance(self._traversal, BeamTraversal):
            terms = self._traversal.priority_terms(self._persona, node)
            return {name: q6(value) for name, value in terms.items()}
        return {"relevance": q6(self._traversal.evaluate_node_relevance(self._persona, node))}

    def _visit(self, node: Node, step: _Waiting) -> Iterator[Event]:
        graph, row = self._graph, step.row
        features = graph.features(row)
        if self._record:
            relevance = require_score(
                self._traversal.evaluate_node_relevance(self._persona, node), "the relevance of a passage"
            )
            if row not in self._ground.passages:
                yield from open_passage(graph, row, self._persona.persona_id, relevance)
            terms = self._terms(node)
            yield StepTaken(
                persona=self._persona.persona_id,
                step=len(self.visited),
                node=node.node_id,
                source=step.source,
                relevance=relevance,
                path=q6(graph.strength(row)),
                priority=q6(math.fsum(terms.values())),
                terms=[Term(name=name, value=value) for name, value in terms.items()],
            )
        self.visited.append(row)
        self._been.add(row)
        graph.found_by(row, self._persona.persona_id)
        self._families[features.family] = self._families.get(features.family, 0) + 1
        self._ground.passages.setdefault(row, self._persona.persona_id)
        self._ground.families[features.family] = self._ground.families.get(features.family, 0) + 1
        for index, match in graph.coverage(row).items():
            self._covered[index] = max(match, self._covered.get(index, 0.0))

    def _left(self, waiting: list[_Waiting], reason: str) -> list[Unopened]:
        nodes = [self._node(w) for w in waiting]
        ranked = sorted(
            ((q6(self._priority(n)), n) for n in nodes), key=lambda item: (-item[0], item[1].node_id)
        )
        why = "below the floor" if reason.startswith("the rest") else "step budget used up"
        return [
            Unopened(
                node=node.node_id,
                label=self._graph.label(int(node.data["row"])),
                priority=priority,
                reason=why,
            )
            for priority, node in ranked[:_UNOPENED_SHOWN]
        ]
