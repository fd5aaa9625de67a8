"""One node and what it is joined to: every edge with the sentence that made it."""

from collections.abc import Iterator
from typing import Final

from engine.cleaning import counted
from engine.events import EdgeOpened
from tui.panes.rows import Row, View, capped, row, text_rows

MOST_EDGES: Final = 200
HINT: Final = "What the node under the cursor is joined to stands here."


def ego_rows(view: View, name: str, width: int) -> list[Row]:
    """Return the node ``name`` and its edges; a line with the key ``edge:...:NODE`` leads to NODE."""
    run = view.run
    node = run.nodes.get(name)
    if node is None:
        return list(text_rows("hint", HINT, width, style="dim"))
    edges = run.edges.get(name, ())
    mark = view.glyphs.kinds.get(node.kind, view.glyphs.bullet)
    head = row(
        "node",
        (f"{mark} ", "accent"),
        (node.label, "strong"),
        (f"  {counted(len(edges), 'edge')}", "dim"),
    )
    return capped([head, *edge_rows(view, name, width)])


def edge_rows(view: View, name: str, width: int, depth: int = 0) -> Iterator[Row]:
    """Yield the edges of a node, outgoing and incoming in the order they were opened."""
    edges = view.run.edges.get(name, ())
    for index, edge in enumerate(edges[:MOST_EDGES]):
        yield from _edge(view, name, edge, index, width, depth)
    if len(edges) > MOST_EDGES:
        yield row("edges/more", (f"{view.glyphs.more} {len(edges) - MOST_EDGES:,} more", "dim"), depth=depth)


def _edge(view: View, name: str, edge: EdgeOpened, index: int, width: int, depth: int) -> Iterator[Row]:
    outward = edge.source == name
    other = edge.target if outward else edge.source
    node = view.run.nodes.get(other)
    yield row(
        f"edge:{index}:{other}",
        ("to " if outward else "from ", "dim"),
        (node.label if node else other, "strong"),
        (f"  {edge.kind}", "accent"),
        (f" {edge.weight:.2f}{f'  {edge.persona}' if edge.persona else ''}", "dim"),
        depth=depth,
    )
    if edge.quote:
        yield from text_rows(f"quote:{index}", edge.quote, width, depth + 1, "quote")


def end_of(key: str) -> str:
    """Return the node that the line ``key`` leads to, or nothing.

    >>> end_of("edge:3:e:helio lamp"), end_of("quote:3/0")
    ('e:helio lamp', '')
    """
    kind, _, rest = key.partition(":")
    return rest.partition(":")[2] if kind == "edge" else ""
