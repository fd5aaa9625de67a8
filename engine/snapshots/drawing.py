"""A picture of a query graph as SVG: the question in the middle, what it led to in rings around it.

The same events give the same picture to the byte: no physics, no chance. A node hangs on the node
it was opened from, and every branch gets the share of the circle that its leaves need.
"""

import math
from collections.abc import Iterable
from html import escape

import msgspec

from engine.cleaning import one_line
from engine.events import AnyEvent, EdgeOpened, NodeOpened

MAX_NODES = 150
_RING = 120.0
_MARGIN = 150.0
_LABEL = 28


class Spot(msgspec.Struct, frozen=True):
    """A node with its place."""

    node: NodeOpened
    x: float
    y: float
    depth: int


def drawing(events: Iterable[AnyEvent]) -> tuple[str, int, int]:
    """Return (svg, nodes drawn, nodes there are); of more than 150 nodes the most relevant are drawn.

    All text in the SVG is escaped.
    """
    nodes: dict[str, NodeOpened] = {}
    edges: dict[tuple[str, str], EdgeOpened] = {}
    for event in events:
        if isinstance(event, NodeOpened):
            nodes.setdefault(event.node, event)
        elif isinstance(event, EdgeOpened):
            edges.setdefault((event.source, event.target), event)
    kept = _most_relevant(nodes)
    spots = _place(kept)
    return _svg(spots, edges), len(spots), len(nodes)


def _most_relevant(nodes: dict[str, NodeOpened]) -> dict[str, NodeOpened]:
    best = sorted(nodes.values(), key=lambda node: (node.kind != "question", -node.relevance, node.node))
    names = {node.node for node in best[:MAX_NODES]}
    return {name: node for name, node in nodes.items() if name in names}


def _branches(nodes: dict[str, NodeOpened]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the roots, and the children of each node; a parent was opened before its children."""
    roots: list[str] = []
    children: dict[str, list[str]] = {}
    for name, node in nodes.items():
        children.get(node.parent, roots).append(name)
        children[name] = []
    return roots, children


def _place(nodes: dict[str, NodeOpened]) -> dict[str, Spot]:
    roots, children = _branches(nodes)
    leaves: dict[str, int] = {}
    for name in reversed(nodes):  # children come after their parent, so this is leaves first
        leaves[name] = sum(leaves[child] for child in children[name]) or 1
    lone_question = len(roots) == 1
    spots: dict[str, Spot] = {}
    waiting = [(roots, 0.0, 2 * math.pi, 0 if lone_question else 1)]
    while waiting:
        names, start, width, depth = waiting.pop(0)
        total = sum(leaves[name] for name in names) or 1
        for name in names:
            share = width * leaves[name] / total
            angle = start + share / 2
            x, y = depth * _RING * math.cos(angle), depth * _RING * math.sin(angle)
            spots[name] = Spot(nodes[name], round(x, 1) + 0.0, round(y, 1) + 0.0, depth)
            waiting.append((children[name], start, share, depth + 1))
            start += share
    return spots


def _svg(spots: dict[str, Spot], edges: dict[tuple[str, str], EdgeOpened]) -> str:
    reach = max((max(abs(spot.x), abs(spot.y)) for spot in spots.values()), default=0.0) + _MARGIN
    size = f"{-reach:.0f} {-reach:.0f} {2 * reach:.0f} {2 * reach:.0f}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img" aria-label="query graph">']
    for (source, target), edge in edges.items():
        if source in spots and target in spots:
            a, b = spots[source], spots[target]
            told = escape(one_line(f"{edge.kind} {edge.phrase}: {edge.quote}", 300))
            parts.append(
                f'<line class="edge" x1="{a.x}" y1="{a.y}" x2="{b.x}" y2="{b.y}" '
                f'stroke-width="{1 + 2 * min(max(edge.weight, 0.0), 1.0):.2f}"><title>{told}</title></line>'
            )
    for spot in spots.values():
        node = spot.node
        radius = 5 + 7 * min(max(node.relevance, 0.0), 1.0)
        told = escape(one_line(f"{node.kind}: {node.label} ({node.relevance:.3f}) {node.persona}", 300))
        parts.append(
            f'<circle class="{node.kind}" cx="{spot.x}" cy="{spot.y}" r="{radius:.1f}"><title>{told}</title>'
            f'</circle><text x="{spot.x}" y="{spot.y + radius + 11:.1f}">'
            f"{escape(one_line(node.label, _LABEL))}</text>"
        )
    return "\n".join([*parts, "</svg>"])
