"""The best-first beam: how a persona's policy judges nodes and orders what to visit next."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.graph.model import Node
from engine.ids import q6
from engine.personas.document import Persona
from engine.personas.policy import Policy
from engine.traversal.interface import PersonaTraversalInterface

RELEVANCE_WEIGHTS: Mapping[str, float] = {"lexical": 0.35, "path": 0.25, "facet": 0.25, "expertise": 0.15}
"""The linear mix of node relevance; linear on purpose, since the terms are the explanation."""


class BeamTraversal(PersonaTraversalInterface):
    """Best-first search under the policies of the personas that walk."""

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = dict(policies)

    def policy(self, persona: Persona) -> Policy:
        """Return the policy that the persona's traits were turned into."""
        return self._policies.get(persona.persona_id, _DEFAULT)

    def evaluate_node_relevance(self, persona: Persona, node: Node) -> float:
        """Return the weighted mean of lexical, path, facet and expertise match, in [0, 1].

        >>> walker = BeamTraversal({})
        >>> node = Node("p:1", {"lexical": 1.0, "path": 0.0, "facet": 0.4, "expertise": 0.0})
        >>> walker.evaluate_node_relevance(None, node)
        0.45
        """
        return _relevance(node.data)

    def priority_terms(self, persona: Persona, node: Node) -> dict[str, float]:
        """Return the addends of a node's priority: strength and exploration.

        ``path strength · (½ + ½ · relevance) + β · (1 - crowding)`` with the policy's exploration β.
        Ground that others covered is no reason to stay away: a walk that does opens weaker passages,
        and their links are noise. Who reads what is settled after the walks.
        """
        strength, exploration = _addends(self.policy(persona), node.data)
        return {"strength": strength, "exploration": exploration}

    def priority(self, persona: Persona, node: Node) -> float:
        """Return the sum of :meth:`priority_terms`, quantised."""
        return q6(sum(_addends(self.policy(persona), node.data)))

    def decide_traversal(
        self, current_node: Node, available_nodes: Sequence[Node], persona: Persona
    ) -> list[Node]:
        """Return the nodes above the persona's floor, by priority, at most a beam's width of them.

        The floor is a share of the priority of the best node seen so far, which ``current_node``
        carries as ``best``.
        """
        policy = self.policy(persona)
        scored = [
            (q6(sum(_addends(policy, node.data))), node)
            for node in available_nodes
            if node.data.get("hops", 0) <= policy.max_hops
        ]
        best = max((priority for priority, _ in scored), default=0.0)
        floor = policy.relevance_floor * max(current_node.data.get("best", 0.0), best)
        kept = [(priority, node) for priority, node in scored if priority >= floor]
        kept.sort(key=lambda item: (-item[0], item[1].node_id))
        return [node for _, node in kept[: policy.beam_width]]


_DEFAULT = Policy()
_LEXICAL, _PATH, _FACET, _EXPERTISE = (
    RELEVANCE_WEIGHTS[name] for name in ("lexical", "path", "facet", "expertise")
)


def _relevance(data: Mapping[str, Any]) -> float:
    get = data.get
    return q6(
        _LEXICAL * get("lexical", 0.0)
        + _PATH * get("path", 0.0)
        + _FACET * get("facet", 0.0)
        + _EXPERTISE * get("expertise", 0.0)
    )


def _addends(policy: Policy, data: Mapping[str, Any]) -> tuple[float, float]:
    """What a node's priority is made of; worked out for every node that waits, at every step."""
    get = data.get
    reach = get("strength", 0.0) * policy.hop_discount ** get("hops", 0)
    return (
        reach * (0.5 + 0.5 * _relevance(data)),
        policy.exploration * reach * (1.0 - get("crowding", 0.0)),
    )
