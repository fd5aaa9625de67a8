"""A picture of a query graph as SVG: a tree from left to right, the question first, a row for every leaf.

The same events give the same picture to the byte: no physics, no chance. A node hangs on the node
it was opened from; edges beside that tree are dashed. The way to what the answer cites is emphasised,
and a cited passage links to its citation. Nothing is scaled down, so that labels stay legible.
"""

from collections.abc import Iterable
from html import escape

import msgspec

from engine.cleaning import one_line
from engine.events import AnswerReady, AnyEvent, EdgeOpened, NodeOpened

MAX_NODES = 150
_ROW, _COLUMN, _BEND, _MARGIN = 22, 250, 40, 16
_LABEL = 33


class Spot(msgspec.Struct, frozen=True):
    """A node with its place."""

    node: NodeOpened
    x: float
    y: float


class Shown(msgspec.Struct):
    """What of a run is drawn: ``cited`` maps a node to number and marker of its citation.

    ``trail`` are the nodes on the way there, itself included.
    """

    nodes: dict[str, NodeOpened] = msgspec.field(default_factory=dict)
    edges: dict[tuple[str, str], EdgeOpened] = msgspec.field(default_factory=dict)
    cited: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    trail: set[str] = msgspec.field(default_factory=set)


def bare(marker: str) -> str:
    """Return a citation's marker without its brackets.

    >>> bare(" [2]")
    '2'
    """
    return marker.strip().strip("[]").strip()


def drawing(events: Iterable[AnyEvent]) -> tuple[str, int, int]:
    """Return (svg, nodes drawn, nodes there are); of more than 150 nodes the most relevant are drawn.

    All text in the SVG is escaped.
    """
    shown = _shown(events)
    there = len(shown.nodes)
    shown.nodes = _kept(shown)
    spots = _place(shown.nodes)
    return _svg(spots, shown), len(spots), there


def _shown(events: Iterable[AnyEvent]) -> Shown:
    shown = Shown()
    answer: AnswerReady | None = None
    for event in events:
        match event:
            case NodeOpened():
                shown.nodes.setdefault(event.node, event)
            case EdgeOpened():
                shown.edges.setdefault((event.source, event.target), event)
            case AnswerReady():
                answer = event
            case _:
                continue
    for number, citation in enumerate(answer.citations if answer else [], 1):
        shown.cited.setdefault(f"p:{citation.passage}", (number, bare(citation.marker)))
    for cited in shown.cited:
        name = cited
        while name in shown.nodes and name not in shown.trail:
            shown.trail.add(name)
            name = shown.nodes[name].parent
    return shown


def _kept(shown: Shown) -> dict[str, NodeOpened]:
    def rank(node: NodeOpened) -> tuple[bool, bool, float, str]:
        return (node.kind != "question", node.node not in shown.trail, -node.relevance, node.node)

    names = {node.node for node in sorted(shown.nodes.values(), key=rank)[:MAX_NODES]}
    return {name: node for name, node in shown.nodes.items() if name in names}


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
    depth = dict.fromkeys(roots, 0)
    order, waiting = [], roots[::-1]
    while waiting:
        name = waiting.pop()
        order.append(name)
        for child in reversed(children[name]):
            depth[child] = depth[name] + 1
            waiting.append(child)
    rows: dict[str, float] = {}
    leaves = 0
    for name in order:
        if not children[name]:
            rows[name], leaves = float(leaves), leaves + 1
    for name in reversed(order):  # children come after their parent, so they have their row already
        if children[name]:
            rows[name] = (rows[children[name][0]] + rows[children[name][-1]]) / 2
    return {
        name: Spot(nodes[name], _MARGIN + depth[name] * _COLUMN, round(_ROW * (rows[name] + 1), 1))
        for name in order
    }


def _svg(spots: dict[str, Spot], shown: Shown) -> str:
    width = max((spot.x for spot in spots.values()), default=0.0) + _COLUMN
    height = max((spot.y for spot in spots.values()), default=0.0) + _ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="query graph">'
    ]
    for spot in spots.values():
        if (parent := spots.get(spot.node.parent)) is not None and parent.x < spot.x:
            parts.append(_branch(parent, spot, shown))
    for (source, target), edge in shown.edges.items():
        if source in spots and target in spots:
            a, b = spots[source], spots[target]
            if source != b.node.parent and target != a.node.parent:
                bulge, middle = min(a.x, b.x) - _BEND / 2, (a.y + b.y) / 2
                line = f"M{a.x:g} {a.y:g}Q{bulge:g} {middle:g} {b.x:g} {b.y:g}"
                parts.append(f'<path class="edge other" d="{line}"><title>{_told(edge)}</title></path>')
    parts += [_node(spot, shown) for spot in spots.values()]
    return "\n".join([*parts, "</svg>"])


def _told(edge: EdgeOpened) -> str:
    return escape(one_line(f"{edge.kind} {edge.phrase}: {edge.quote}", 300))


def _branch(parent: Spot, spot: Spot, shown: Shown) -> str:
    """Return the line from a node to one opened from it: below the parent's label, then a bend."""
    a, b = parent.node.node, spot.node.node
    kind = "edge trail" if b in shown.trail else "edge"
    bend, middle = spot.x - _BEND, spot.x - _BEND / 2
    curve = f"C{middle:g} {parent.y:g} {middle:g} {spot.y:g} {spot.x:g} {spot.y:g}"
    line = f"M{parent.x:g} {parent.y:g}H{bend:g}{curve}"
    edge = shown.edges.get((a, b)) or shown.edges.get((b, a))
    title = f"<title>{_told(edge)}</title>" if edge is not None else ""
    return f'<path class="{kind}" d="{line}">{title}</path>'


def _node(spot: Spot, shown: Shown) -> str:
    node = spot.node
    radius = 4 + 4 * min(max(node.relevance, 0.0), 1.0)
    told = escape(one_line(f"{node.kind}: {node.label} ({node.relevance:.3f}) {node.persona}", 300))
    label = one_line(node.label).rpartition(" › ")[2]
    number, marker = shown.cited.get(node.node, (0, ""))
    if number:
        label = f"[{marker}] {label}"
    kind = f"{node.kind} cited" if number else node.kind
    drawn = (
        f'<circle class="{kind}" cx="{spot.x:g}" cy="{spot.y:g}" r="{radius:.1f}">'
        f"<title>{told}</title></circle>"
        f'<text x="{spot.x + radius + 5:.1f}" y="{spot.y + 4:g}">{escape(one_line(label, _LABEL))}</text>'
    )
    return f'<a href="#cite-{number}">{drawn}</a>' if number else drawn
