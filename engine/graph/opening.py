"""The nodes and edges that open when somebody visits a passage, each edge with its reason quoted."""

from collections.abc import Iterator

from engine.events import EdgeOpened, Event, NodeKind, NodeOpened
from engine.graph.query_graph import QueryGraph
from engine.ids import digest, q6


def section_id(document: str, section: tuple[str, ...]) -> str:
    """Return the node id of a section: its document and its path of headings, hashed."""
    return "s:" + digest("section.v1", document, *section)[:16]


def open_question(graph: QueryGraph) -> Iterator[Event]:
    """Yield the opening of the question's own node and of the names in it that are at home somewhere."""
    yield _node("q", "question", graph.question.text, "", "", 1.0)
    for name in graph.question.names:
        yield _node(f"e:{name.key}", "entity", name.key, "q", "", 1.0)
        yield _edge("q", f"e:{name.key}", "asks about", 1.0, name.key, graph.question.text, "")


def open_passage(graph: QueryGraph, row: int, persona: str, relevance: float) -> Iterator[Event]:
    """Yield what opens with a passage: itself, where it stands, and the best way that led to it."""
    passage = graph.passage(row)
    node = f"p:{passage.passage_id}"
    path = graph.paths.get(row)
    source = f"p:{graph.passage_id(path.link.source)}" if path else "q"
    yield _node(node, "passage", graph.label(row), source, persona, relevance)
    document = f"d:{passage.document}"
    yield _node(document, "document", passage.document, node, persona, relevance)
    if passage.section:
        section = section_id(passage.document, passage.section)
        yield _node(section, "section", " › ".join(passage.section), node, persona, relevance)
        yield _edge(document, section, "holds", 1.0, "", "", persona)
        yield _edge(section, node, "holds", 1.0, "", "", persona)
    else:
        yield _edge(document, node, "holds", 1.0, "", "", persona)
    for name in graph.homes_of_question(row):
        yield _edge(f"e:{name}", node, "home", 1.0, name, passage.title, persona)
    if path is None:
        yield _edge("q", node, "matches", q6(graph.base(row)), "", graph.best_sentence(row), persona)
        return
    link = path.link
    entity = f"e:{link.key}"
    quote = graph.quote(link.source, link.sentence)
    yield _node(entity, "entity", link.key, source, persona, q6(link.rarity))
    yield _edge(source, entity, "mentions", q6(link.rarity), link.key, quote, persona)
    kind = "also mentions" if link.kind == "shared" else f"home ({link.kind})"
    yield _edge(entity, node, kind, q6(min(1.0, link.strength)), link.key, graph.best_sentence(row), persona)


def _node(node: str, kind: NodeKind, label: str, parent: str, persona: str, relevance: float) -> NodeOpened:
    return NodeOpened(node=node, kind=kind, label=label, parent=parent, persona=persona, relevance=relevance)


def _edge(
    source: str, target: str, kind: str, weight: float, phrase: str, quote: str, persona: str
) -> EdgeOpened:
    return EdgeOpened(
        source=source, target=target, kind=kind, weight=weight, phrase=phrase, quote=quote, persona=persona
    )
