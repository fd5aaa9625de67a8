"""What an expert reads of what it found follows its traits."""

import math
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from engine.corpus.lexicon import CorpusLexicon
from engine.graph.model import Node
from engine.graph.query_graph import QueryGraph
from engine.personas.document import Persona
from engine.personas.policy import Policy
from engine.pipeline import Engine
from engine.query import Query
from engine.traversal.interface import PersonaTraversalInterface
from engine.traversal.reading import PASSAGES, to_read
from engine.traversal.walk import Ground, Walk
from engine.workspace import Workspace

PLAIN = Policy(counter_seeds=0, freshness=0.0, specificity_mix=0.5, overlap_penalty=0.0)
QUESTION = "How high is the water tower of Hollin Moor?"
LEAK = "Do the farmers like the supply that leaks into the fields near Hollin Moor, and has the council paid?"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    place = tmp_path_factory.mktemp("reading")
    folder = place / "docs"
    folder.mkdir()
    for year in range(2010, 2022):
        text = f"The water tower was looked at and is high, says report {year}."
        (folder / f"{year}.md").write_text(f"# Tower report of {year}-05-01\n\n{text}\n", encoding="utf-8")
    (folder / "moor.md").write_text("# Hollin Moor\n\nHollin Moor lies above the town.\n", encoding="utf-8")
    (folder / "but.md").write_text(
        "# Complaint\n\nThe tower is not high enough, however often it is said, and it leaks a lot of its "
        "supply into the fields, which the farmers do not like and the council has never paid for.\n",
        encoding="utf-8",
    )
    with Engine.open(Workspace.open(place / "workspace")) as opened:
        opened.index([folder])
        yield opened


@pytest.fixture
def graph(engine: Engine, request: pytest.FixtureRequest) -> QueryGraph:
    question = getattr(request, "param", QUESTION)
    return Query(question, engine.store, CorpusLexicon(engine.store), engine.settings).graph


def titles(graph: QueryGraph, rows: list[int]) -> list[str]:
    return [graph.passage(row).title for row in rows]


def policy(**changes: float) -> Policy:
    return msgspec.structs.replace(PLAIN, **changes)


def test_the_strongest_passages_are_read_where_no_trait_says_otherwise(graph: QueryGraph) -> None:
    visited = graph.seeds()
    assert to_read(graph, PLAIN, visited[::-1], ()) == graph.ordered(visited)[:PASSAGES]


def test_what_experts_before_read_counts_less(graph: QueryGraph) -> None:
    visited = graph.seeds()
    first = to_read(graph, PLAIN, visited, ())
    assert to_read(graph, PLAIN, visited, set(first)) == first
    other = to_read(graph, policy(overlap_penalty=0.6), visited, set(first))
    assert set(other) - set(first)


def test_the_fresh_are_read_first_by_who_likes_them(graph: QueryGraph) -> None:
    dated = [row for row in graph.seeds() if "report" in titles(graph, [row])[0]]
    years = [title[-10:-6] for title in titles(graph, to_read(graph, policy(freshness=1.0), dated, ()))]
    assert years == sorted(years, reverse=True)
    assert years[0] == "2021"


@pytest.mark.parametrize("graph", [LEAK], indirect=True)
def test_rare_names_or_the_words_of_the_question_come_first(graph: QueryGraph) -> None:
    visited = graph.seeds()
    by_names = to_read(graph, policy(specificity_mix=1.0), visited, ())
    by_words = to_read(graph, policy(specificity_mix=0.0), visited, ())
    assert titles(graph, by_names)[0] == "Hollin Moor"
    assert titles(graph, by_words)[0] == "Complaint"


def test_who_looks_for_the_opposite_reads_what_contrasts(graph: QueryGraph) -> None:
    visited = [row for row in graph.seeds() if titles(graph, [row])[0] != "Complaint"]
    without = to_read(graph, PLAIN, visited, ())
    assert "Complaint" not in titles(graph, without)
    found = to_read(graph, policy(counter_seeds=2), visited, ())
    assert found[: len(without)] == without
    assert titles(graph, found[len(without) :]) == ["Complaint"]


class Odd(PersonaTraversalInterface):
    """A traversal of somebody else's whose relevance is no share."""

    def __init__(self, relevance: float) -> None:
        self.relevance = relevance

    def evaluate_node_relevance(self, persona: Persona, node: Node) -> float:
        return self.relevance

    def decide_traversal(
        self, current_node: Node, available_nodes: Sequence[Node], persona: Persona
    ) -> list[Node]:
        return list(available_nodes)


@pytest.mark.parametrize("relevance", [math.nan, math.inf, -0.1, 1.5])
def test_a_relevance_that_is_no_share_is_refused(graph: QueryGraph, relevance: float) -> None:
    someone = Persona(
        persona_id="someone",
        traits={},
        expertise=[],
        activation_cost=1.0,
        historical_performance={},
        metadata={},
    )
    with pytest.raises(ValueError, match=r"must|number"):
        list(Walk(graph, someone, PLAIN, Odd(relevance), Ground(), {}).run())
