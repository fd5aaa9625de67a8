"""The query-scoped knowledge graph: what somebody looked at, and the edges that led there."""

from collections.abc import Iterator, Mapping
from typing import Any


class Node:
    """A node as opened: its id and what is known of it.

    >>> Node("e:pagerank", {"kind": "entity", "label": "PageRank"}).data["label"]
    'PageRank'
    """

    __slots__ = ("data", "node_id")

    def __init__(self, node_id: str, data: Mapping[str, Any]) -> None:
        self.node_id = node_id
        self.data = dict(data)

    def __repr__(self) -> str:
        return f"Node({self.node_id!r}, {self.data!r})"


class Edge:
    """An edge as opened; ``data`` says its kind and weight, and quotes the sentence that made it."""

    __slots__ = ("data", "source_node", "target_node")

    def __init__(self, source_node: str, target_node: str, data: Mapping[str, Any]) -> None:
        self.source_node = source_node
        self.target_node = target_node
        self.data = dict(data)

    def __repr__(self) -> str:
        return f"Edge({self.source_node!r}, {self.target_node!r}, {self.data!r})"


class DynamicKnowledgeGraph:
    """A directed graph that grows while personas walk; ``graph`` is the networkx graph inside.

    >>> graph = DynamicKnowledgeGraph()
    >>> graph.add_node("q", {"kind": "question"}).node_id
    'q'
    >>> _ = graph.add_node("p:1", {"kind": "passage"})
    >>> graph.add_edge("q", "p:1", {"kind": "seed", "weight": 0.5}).data["weight"]
    0.5
    >>> graph.add_edge("q", "p:1", {"kind": "seed", "weight": 0.2}).data["weight"]
    0.5
    >>> [edge.target_node for edge in graph.edges_from("q")]
    ['p:1']
    """

    def __init__(self) -> None:
        # networkx takes a quarter of a second to import; a search that draws no graph never pays it.
        import networkx as nx

        self.graph: nx.DiGraph[str] = nx.DiGraph()

    def add_node(self, node_id: str, node_data: Mapping[str, Any]) -> Node:
        """Return the node of this id, made now or made before; new data adds to what is known."""
        self.graph.add_node(node_id, **dict(node_data))
        return self.node(node_id)

    def add_edge(self, source_id: str, target_id: str, edge_data: Mapping[str, Any]) -> Edge:
        """Return the edge between two nodes; of several the one of the greatest ``weight`` stays.

        Raises KeyError naming the node if one of them was never added.
        """
        for node_id in (source_id, target_id):
            if node_id not in self.graph:
                raise KeyError(f"node {node_id!r} is not in the graph; add it before its edges")
        known = self.graph.get_edge_data(source_id, target_id)
        if known is None or known.get("weight", 0.0) < edge_data.get("weight", 0.0):
            self.graph.add_edge(source_id, target_id, **dict(edge_data))
        return Edge(source_id, target_id, self.graph.edges[source_id, target_id])

    def node(self, node_id: str) -> Node:
        """Return the node of this id. Raises KeyError if there is none."""
        return Node(node_id, self.graph.nodes[node_id])

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes in the order in which they were added."""
        for node_id, data in self.graph.nodes(data=True):
            yield Node(node_id, data)

    def edges(self) -> Iterator[Edge]:
        """Yield the edges, by source in the order of adding."""
        for source, target, data in self.graph.edges(data=True):
            yield Edge(source, target, data)

    def edges_from(self, node_id: str) -> Iterator[Edge]:
        """Yield the edges that leave a node."""
        for source, target, data in self.graph.out_edges(node_id, data=True):
            yield Edge(source, target, data)

    def __len__(self) -> int:
        return len(self.graph)

    def __contains__(self, node_id: str) -> bool:
        return node_id in self.graph
