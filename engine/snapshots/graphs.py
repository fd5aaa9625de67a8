"""The query graph of a run as a file: networkx, GraphML, node-link JSON, DOT."""

import io
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.cleaning import clean, one_line
from engine.errors import InputError
from engine.events import AnyEvent, EdgeOpened, NodeOpened
from engine.files import make_folder, write_atomic
from engine.ids import require_safe_id

if TYPE_CHECKING:
    import networkx as nx

GRAPHS = "graphs"
_STAMP = re.compile(r"[^0-9A-Za-z]+")


def graph_of(events: Iterable[AnyEvent]) -> "nx.DiGraph[str]":
    """Return the graph that a run opened, nodes and edges in the order of opening.

    Of several edges between two nodes the heaviest stays, the first of equals. Text is cleaned and
    empty text left out, so that every format can carry what is there.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for event in events:
        if isinstance(event, NodeOpened):
            name = one_line(event.node)
            if name not in graph or "kind" not in graph.nodes[name]:
                graph.add_node(
                    name,
                    **_filled(kind=event.kind, label=event.label, parent=event.parent, persona=event.persona),
                    relevance=float(event.relevance),
                )
        elif isinstance(event, EdgeOpened):
            source, target = one_line(event.source), one_line(event.target)
            if graph.has_edge(source, target) and graph.edges[source, target]["weight"] >= event.weight:
                continue
            if graph.has_edge(source, target):
                graph.remove_edge(source, target)
            told = _filled(kind=event.kind, phrase=event.phrase, quote=event.quote, persona=event.persona)
            graph.add_edge(source, target, **told, weight=float(event.weight))
    return graph


def _filled(**texts: str) -> dict[str, str]:
    # GraphML cannot tell empty text from none; XML readers may drop blank text too.
    return {key: cleaned for key, text in texts.items() if (cleaned := clean(text)).strip()}


def to_graphml(graph: "nx.DiGraph[str]") -> bytes:
    """Return the graph as GraphML, which networkx reads back equal."""
    import networkx as nx

    out = io.BytesIO()
    nx.write_graphml_xml(graph, out, encoding="utf-8")
    return out.getvalue() + b"\n"


def to_node_link(graph: "nx.DiGraph[str]") -> bytes:
    """Return the graph as node-link JSON, which networkx reads back equal (``edges="edges"``)."""
    import networkx as nx

    data = msgspec.json.encode(nx.node_link_data(graph, edges="edges"), enc_hook=_plain, order="sorted")
    return msgspec.json.format(data) + b"\n"


def _plain(value: Any) -> Any:
    """Return what stands for a value JSON does not know: its data if it has some, else its text."""
    return value.data if hasattr(value, "data") else str(value)


def to_dot(graph: "nx.DiGraph[str]") -> bytes:
    """Return the graph in the DOT language of Graphviz."""
    lines = ["digraph run {", "  rankdir=LR;", "  node [shape=box];"]
    for name, data in graph.nodes(data=True):
        told = f"{data.get('kind', '')} {data.get('relevance', 0.0):.3f}".strip()
        lines.append(
            f"  {_quoted(name)} [label={_quoted(data.get('label', name))}, tooltip={_quoted(told)}];"
        )
    for source, target, data in graph.edges(data=True):
        told = (
            f"label={_quoted(data.get('phrase', ''))}, weight={_quoted(format(data.get('weight', 0.0), 'g'))}"
        )
        lines.append(f"  {_quoted(source)} -> {_quoted(target)} [{told}];")
    return "\n".join([*lines, "}"]).encode() + b"\n"


def _quoted(text: str) -> str:
    flat = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{flat}"'


def save_graph_snapshot(
    graph: Any, query_id: str, timestamp: datetime | float | str, *, folder: Path | None = None
) -> Path:
    """Save ``graph`` as node-link JSON and return the new file, whole or not there at all.

    ``graph`` is a networkx graph, or an object that holds one as ``.graph``, such as
    :class:`engine.graph.DynamicKnowledgeGraph`. ``timestamp`` goes into the file's name only, so equal
    graphs are equal files. ``folder`` is where snapshots lie, by default those of the workspace
    that the current folder belongs to. Raises InputError for an id or timestamp that cannot name a
    file, WorkspaceError if it cannot be written.
    """
    import networkx as nx

    held = graph if isinstance(graph, nx.Graph) else graph.graph
    if folder is None:
        from engine.workspace import Workspace, find_workspace

        folder = Workspace.open(find_workspace(None, Path.cwd())).snapshots
    name = f"{require_safe_id(query_id, 'query')}.{_stamp(timestamp)}.json"
    ordered = nx.DiGraph() if held.is_directed() else nx.Graph()
    ordered.add_nodes_from(sorted(held.nodes(data=True), key=lambda node: str(node[0])))
    ordered.add_edges_from(sorted(held.edges(data=True), key=lambda edge: (str(edge[0]), str(edge[1]))))
    make_folder(folder / GRAPHS)
    target = folder / GRAPHS / name
    write_atomic(target, to_node_link(ordered))
    return target


def _stamp(timestamp: datetime | float | str) -> str:
    text = timestamp.isoformat() if isinstance(timestamp, datetime) else str(timestamp)
    stamp = _STAMP.sub("-", text).strip("-")[:40]
    if not stamp:
        raise InputError(f"a timestamp of {one_line(text, 60)!r} cannot name a file", "give a date and time")
    return stamp


def graph_bytes(events: Iterable[AnyEvent], form: str) -> bytes:
    """Return the graph of a run in ``form``: graphml, json or dot."""
    writers = {"graphml": to_graphml, "json": to_node_link, "dot": to_dot}
    if form not in writers:
        raise InputError(f"there is no graph format {one_line(form, 40)!r}", "use graphml, json or dot")
    return writers[form](graph_of(events))
