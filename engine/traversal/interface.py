"""What a persona must be able to do on the graph. Ours is one implementation; others may be registered."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from engine.graph.model import Node
from engine.personas.document import Persona


class PersonaTraversalInterface(ABC):
    """How personas judge nodes and choose where to go.

    ``Node.data`` of a passage holds numbers in [0, 1]: ``lexical`` (match by itself), ``path`` (best
    path found), ``facet`` (share of the question that this persona's walk has not covered yet),
    ``expertise`` (overlap with the persona's expertise), ``overlap`` (ground others covered) and
    ``crowding`` (share of the persona's own steps in the same document).
    """

    @abstractmethod
    def evaluate_node_relevance(self, persona: Persona, node: Node) -> float:
        """Return how much ``node`` matters to ``persona``, in [0, 1]."""

    @abstractmethod
    def decide_traversal(
        self, current_node: Node, available_nodes: Sequence[Node], persona: Persona
    ) -> list[Node]:
        """Return those of ``available_nodes`` worth visiting after ``current_node``, best first."""
