"""The graph as a tree: question, names, passages, sections; who opened what, and what was left unopened."""

from collections.abc import Iterator
from typing import Final

from engine.events import Unopened
from tui.panes.ego import edge_rows
from tui.panes.rows import Part, Row, View, capped, is_open, row, term_rows, text_rows
from tui.state import NodeView

CHILDREN_SHOWN: Final = 24
CHILDREN_MORE: Final = 400
OPEN_TO_DEPTH: Final = 3
OPEN_UP_TO_NODES: Final = 400
"""A graph of more nodes starts closed below its first level."""

HINT: Final = "The graph grows here while personas walk it. Press i to ask a question."


def graph_rows(view: View, toggled: frozenset[str], width: int) -> list[Row]:
    """Return the lines of the tree."""
    run = view.run
    if "q" not in run.nodes:
        empty = HINT if view.run.started is None and not view.live else "No node is open yet."
        return list(text_rows("hint", empty, width, style="dim"))
    return capped(_branch(view, "q", 0, toggled, frozenset()))


def _is_open(view: View, node: str, depth: int, toggled: frozenset[str]) -> bool:
    """Return whether the node is open; where a passage merely stands is one key away, not in the way."""
    small = len(view.run.nodes) <= OPEN_UP_TO_NODES
    leads_on = node == "q" or any(child[:2] in {"e:", "p:"} for child in view.run.children.get(node, ()))
    return is_open(node, toggled, leads_on and depth < (OPEN_TO_DEPTH if small else 1))


def _branch(
    view: View, name: str, depth: int, toggled: frozenset[str], above: frozenset[str]
) -> Iterator[Row]:
    run, glyphs = view.run, view.glyphs
    node = run.nodes[name]
    below = [child for child in run.children.get(name, ()) if child not in above]
    left = _left(view) if name == "q" else []
    opened = _is_open(view, name, depth, toggled)
    has_more = bool(below or left)
    mark = glyphs.kinds.get(node.kind, glyphs.bullet)
    yield row(
        name,
        (f"{mark} ", "accent" if node.kind in {"question", "entity"} else "dim"),
        *_label(view, node),
        depth=depth,
        folded=(not opened) if has_more else None,
    )
    if not (opened and has_more):
        return
    more = f"{name}#more"
    shown = CHILDREN_MORE if more in toggled else CHILDREN_SHOWN
    for child in below[:shown]:
        if child in run.nodes:
            yield from _branch(view, child, depth + 1, toggled, above | {name})
    if len(below) > shown:
        yield row(more, (f"{glyphs.more} {len(below) - shown:,} more", "dim"), depth=depth + 1, folded=True)
    if left:
        unopened = f"{name}#left"
        inside = unopened in toggled
        yield row(unopened, (f"{len(left)} seen but not opened", "warn"), depth=depth + 1, folded=not inside)
        if inside:
            for persona, item in left[:CHILDREN_MORE]:
                yield row(
                    f"{unopened}/{item.node}",
                    item.label,
                    (f"  {item.priority:.2f}  {item.reason} ({persona})", "dim"),
                    depth=depth + 2,
                )


def _left(view: View) -> list[tuple[str, Unopened]]:
    run = view.run
    left = [pair for node, pair in run.unopened.items() if node not in run.nodes]
    return sorted(left, key=lambda pair: (-pair[1].priority, pair[1].node))


def _label(view: View, node: NodeView) -> Iterator[Part]:
    yield (" ".join(node.label.split())[:160] or node.node, "strong" if node.kind == "question" else "")
    if node.kind in {"passage", "entity"} and node.openers:
        yield (f"  {node.relevance:.2f}", "accent")
        others = f" +{len(node.openers) - 1}" if len(node.openers) > 1 else ""
        yield (f"  {node.openers[0]}{others}", "dim")
    cited = [each.marker for each in view.run.citations if f"p:{each.passage}" == node.node]
    if cited:
        yield (f"  {''.join(dict.fromkeys(cited))}", "good")


def node_rows(view: View, name: str, width: int) -> list[Row]:
    """Return everything about one node: openers, visits with their terms, edges with their sentences."""
    run = view.run
    node = run.nodes.get(name)
    if node is None:
        return []
    rows = [
        row("relevance", ("relevance ", "dim"), f"{node.relevance:.3f}"),
    ]
    if node.openers:
        rows.append(row("openers", ("opened by ", "dim"), ", ".join(node.openers)))
    for index, visit in enumerate(node.visits):
        rows.append(
            row(
                f"v{index}",
                (f"{visit.persona} ", "accent"),
                f"visited it at step {visit.step}: priority {visit.priority:.3f}, path {visit.path:.3f}",
            )
        )
        rows.extend(term_rows(f"v{index}t", visit.terms, 1))
    evidence = next((each for each in run.evidence if f"p:{each.passage}" == name), None)
    if evidence is not None:
        rows.append(row("text", ("text", "dim")))
        rows.extend(text_rows("t", evidence.text, width, 1))
    edges = run.edges.get(name, ())
    rows.append(row("edges", (f"edges ({len(edges)})", "dim")))
    rows.extend(edge_rows(view, name, width, 1))
    return capped(rows)
