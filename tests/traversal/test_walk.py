"""A persona's walk: what its traits change, what it records, and how the evidence is chosen."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from engine.config import RetrievalSettings
from engine.evaluation.metrics import mean_metrics
from engine.events import Event, NodeOpened, StepTaken, WalkStopped
from engine.graph.model import Node
from engine.graph.query_graph import QueryGraph
from engine.personas.document import Persona
from engine.personas.policy import Policy
from engine.pipeline import Engine
from engine.traversal.beam import RELEVANCE_WEIGHTS, BeamTraversal
from engine.traversal.interface import PersonaTraversalInterface
from engine.traversal.selection import choose_evidence
from engine.traversal.walk import Ground, Walk
from engine.workspace import Workspace
from tui.datasets import Dataset, read_dataset

SLICE = Path(__file__).parents[1] / "data" / "2wiki-slice"


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return read_dataset(SLICE)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Iterator[Engine]:
    with Engine.open(Workspace.open(tmp_path_factory.mktemp("w"))) as opened:
        opened.index([dataset.corpus])
        yield opened


@pytest.fixture
def graph(engine: Engine, dataset: Dataset) -> QueryGraph:
    return QueryGraph(next(iter(dataset.queries.values())), engine.store, RetrievalSettings())


def persona(name: str = "walker") -> Persona:
    return Persona(
        persona_id=name,
        traits={},
        expertise=["film"],
        activation_cost=1.0,
        historical_performance={},
        metadata={},
    )


def walk(
    graph: QueryGraph,
    policy: Policy,
    ground: Ground | None = None,
    traversal: PersonaTraversalInterface | None = None,
    name: str = "walker",
) -> tuple[Walk, list[Event]]:
    walker = persona(name)
    made = Walk(
        graph, walker, policy, traversal or BeamTraversal({name: policy}), ground or Ground(), {}, record=True
    )
    return made, list(made.run())


# -- quality, end to end -------------------------------------------------------------------------
def test_the_committee_finds_both_hops(engine: Engine, dataset: Dataset) -> None:
    run = {query: [e.evidence_id for e in engine.search(text)] for query, text in dataset.queries.items()}
    assert mean_metrics(run, dataset.qrels)["recall@5"] >= 0.95


def test_links_are_what_finds_the_second_hop(engine: Engine, dataset: Dataset) -> None:
    off = msgspec.structs.replace(RetrievalSettings(), link_weight=0.0, name_bonus=0.0, lift=0.0)
    run: dict[str, list[str]] = {}
    for query, text in dataset.queries.items():
        graph = QueryGraph(text, engine.store, off)
        run[query] = [e.evidence_id for e in choose_evidence(graph, graph.seeds(), 10)]
    alone = mean_metrics(run, dataset.qrels)["recall@5"]
    assert alone < 0.95


# -- the beam ------------------------------------------------------------------------------------
def test_relevance_is_a_weighted_mean() -> None:
    assert sum(RELEVANCE_WEIGHTS.values()) == pytest.approx(1.0)
    walker = BeamTraversal({})
    assert walker.evaluate_node_relevance(persona(), Node("p", dict.fromkeys(RELEVANCE_WEIGHTS, 1.0))) == 1.0
    assert walker.evaluate_node_relevance(persona(), Node("p", {})) == 0.0


def node(name: str, **data: float) -> Node:
    return Node(name, {"strength": 0.5, "lexical": 0.5, "hops": 0, **data})


@pytest.mark.parametrize(
    ("policy", "better", "worse"),
    [
        (Policy(hop_discount=0.5), {"hops": 0}, {"hops": 1}),
        (Policy(exploration=0.3), {"crowding": 0.0}, {"crowding": 1.0}),
        (Policy(), {"strength": 0.6}, {"strength": 0.5}),
        (Policy(), {"facet": 0.6}, {"facet": 0.5}),
        (Policy(), {"expertise": 0.6}, {"expertise": 0.5}),
    ],
)
def test_what_makes_a_node_more_urgent(
    policy: Policy, better: Mapping[str, float], worse: Mapping[str, float]
) -> None:
    walker = BeamTraversal({"walker": policy})
    nodes = [node("a", **worse), node("b", **better)]
    chosen = walker.decide_traversal(Node("q", {}), nodes, persona())
    assert chosen[0].node_id == "b"


def test_the_beam_is_as_wide_as_the_policy_and_ends_at_the_floor() -> None:
    policy = Policy(beam_width=2, relevance_floor=0.5, max_hops=1)
    walker = BeamTraversal({"walker": policy})
    nodes = [node("a"), node("b"), node("c"), node("weak", strength=0.01, lexical=0.0), node("far", hops=2)]
    assert [n.node_id for n in walker.decide_traversal(Node("q", {}), nodes, persona())] == ["a", "b"]
    assert walker.decide_traversal(Node("q", {"best": 5.0}), nodes, persona()) == []


def test_ties_are_told_by_id_whatever_the_order_given() -> None:
    walker = BeamTraversal({})
    nodes = [node("c"), node("a"), node("b")]
    chosen = [n.node_id for n in walker.decide_traversal(Node("q", {}), nodes, persona())]
    assert chosen == ["a", "b", "c"]


# -- walks ---------------------------------------------------------------------------------------
def test_a_walk_keeps_to_its_budget_and_tells_each_step(graph: QueryGraph) -> None:
    policy = Policy(seeds=3, beam_width=4, relevance_floor=0.0)
    made, events = walk(graph, policy)
    steps = [event for event in events if isinstance(event, StepTaken)]
    assert [step.step for step in steps] == list(range(len(made.visited)))
    assert 0 < len(made.visited) <= 7
    assert len(set(made.visited)) == len(made.visited)
    stopped = events[-1]
    assert isinstance(stopped, WalkStopped)
    assert stopped.steps == len(steps)
    for step in steps:
        assert sum(term.value for term in step.terms) == pytest.approx(step.priority, abs=1e-5)


def test_one_hop_stays_one_hop(graph: QueryGraph) -> None:
    _, events = walk(graph, Policy(max_hops=1, beam_width=12, relevance_floor=0.0))
    parents = {event.node: event.source for event in events if isinstance(event, StepTaken)}
    for source in parents.values():
        assert source == "q" or parents[source] == "q"


def test_ground_that_others_covered_does_not_turn_a_walk(engine: Engine, dataset: Dataset) -> None:
    for text in dataset.queries.values():
        seconds = []
        for knows in (True, False):
            graph, ground = QueryGraph(text, engine.store, RetrievalSettings()), Ground()
            walk(graph, Policy(), ground, name="a")
            keen = Policy(overlap_penalty=1.0)
            seconds.append(walk(graph, keen, ground if knows else Ground(), name="b")[0].visited)
        assert seconds[0] == seconds[1]


def test_a_walk_that_is_told_where_to_begin_visits_that_and_no_more(engine: Engine, dataset: Dataset) -> None:
    graph = QueryGraph(next(iter(dataset.queries.values())), engine.store, RetrievalSettings())
    start = graph.seeds()[2:5]
    made = Walk(
        graph,
        persona(),
        Policy(relevance_floor=0.0),
        BeamTraversal({}),
        Ground(),
        {},
        start=start,
    )
    list(made.run())
    assert len(made.visited) == 3
    assert made.visited[0] in start


def test_walks_are_the_same_each_time(engine: Engine, dataset: Dataset) -> None:
    text = list(dataset.queries.values())[1]
    runs = [walk(QueryGraph(text, engine.store, RetrievalSettings()), Policy())[1] for _ in range(2)]
    assert msgspec.json.encode(runs[0]) == msgspec.json.encode(runs[1])


def test_recording_changes_nothing_but_the_record(engine: Engine, dataset: Dataset) -> None:
    text = list(dataset.queries.values())[2]
    loud, events = walk(QueryGraph(text, engine.store, RetrievalSettings()), Policy())
    graph = QueryGraph(text, engine.store, RetrievalSettings())
    quiet = Walk(graph, persona(), Policy(), BeamTraversal({}), Ground(), {}, record=False)
    assert list(quiet.run()) == []
    assert quiet.visited == loud.visited
    assert any(isinstance(event, NodeOpened) for event in events)


def test_what_stands_out_by_likeness_has_a_place_among_the_first(engine: Engine, dataset: Dataset) -> None:
    text = next(iter(dataset.queries.values()))
    plain = QueryGraph(text, engine.store, RetrievalSettings())
    walk(plain, Policy())
    found = [each.passage for each in choose_evidence(plain, list(plain.finders), 10)]
    least = plain.seeds()[-1]
    likest = plain.passage_id(least)
    assert likest not in found

    graph = QueryGraph(text, engine.store, RetrievalSettings(), likest=least)
    walk(graph, Policy())
    again = choose_evidence(graph, list(graph.finders), 10)
    assert [each.passage for each in again[:5] if each.passage != likest] == found[:4]
    assert [each.personas for each in again if each.passage == likest] == [["walker"]]

    first = plain.seeds()[0]
    graph = QueryGraph(text, engine.store, RetrievalSettings(), likest=first)
    walk(graph, Policy())
    assert [each.passage for each in choose_evidence(graph, list(graph.finders), 10)] == found


class Backwards(PersonaTraversalInterface):
    """Walks to the worst first."""

    def evaluate_node_relevance(self, persona: Persona, node: Node) -> float:
        return 1.0 - float(node.data.get("lexical", 0.0))

    def decide_traversal(
        self, current_node: Node, available_nodes: Sequence[Node], persona: Persona
    ) -> list[Node]:
        return sorted(available_nodes, key=lambda n: (n.data["lexical"], n.node_id))[:3]


def test_another_way_to_walk_can_be_plugged_in(graph: QueryGraph) -> None:
    made, events = walk(graph, Policy(), traversal=Backwards())
    usual, _ = walk(graph, Policy())
    assert made.visited != usual.visited
    assert isinstance(events[-1], WalkStopped)


# -- selection -----------------------------------------------------------------------------------
def test_evidence_is_ranked_once_each_and_explained(graph: QueryGraph) -> None:
    made, _ = walk(graph, Policy())
    found = choose_evidence(graph, made.visited, 5)
    assert [each.rank for each in found] == list(range(1, len(found) + 1))
    assert len({each.evidence_id for each in found}) == len(found)
    for each in found:
        assert sum(term.value for term in each.terms) == pytest.approx(each.score, abs=1e-5)
        assert each.trail[-1].node == f"p:{each.passage}"
        assert all(step.quote for step in each.trail)


def test_a_passage_reached_by_paths_is_among_the_first_but_seldom_the_first(
    engine: Engine, dataset: Dataset
) -> None:
    firsts = []
    for path_order in (0.0, 1.0):
        settings = msgspec.structs.replace(RetrievalSettings(), path_order=path_order)
        found = {}
        for text in dataset.queries.values():
            graph = QueryGraph(text, engine.store, settings)
            made = Walk(graph, persona(), Policy(), BeamTraversal({}), Ground(), {}, record=False)
            list(made.run())
            found[text] = [e.evidence_id for e in choose_evidence(graph, list(graph.finders), 10)]
        firsts.append(found)
    own, paths = firsts
    assert {text: sorted(found[:5]) for text, found in own.items()} == {
        text: sorted(found[:5]) for text, found in paths.items()
    }
    assert {text: found[5:] for text, found in own.items()} == {t: found[5:] for t, found in paths.items()}
    assert own != paths


def test_paths_and_feedback_count_half_for_the_order_where_the_question_names_nothing(
    engine: Engine, dataset: Dataset
) -> None:
    ordered: dict[bool, list[list[tuple[float, float]]]] = {True: [], False: []}
    rows = map(json.loads, dataset.corpus.read_text("utf-8").splitlines()[:80])
    plain = [" ".join(word for word in row["text"].split() if word.islower()) for row in rows]
    for text in [*dataset.queries.values(), *(text for text in plain if text)]:
        # More than are looked at: several passages of one row count once, and others come in their place.
        graph = QueryGraph(text, engine.store, RetrievalSettings(set_size=10))
        list(Walk(graph, persona(), Policy(), BeamTraversal({}), Ground(), {}, record=False).run())
        found = choose_evidence(graph, list(graph.finders), 5)
        others = ("path", "leads on", "feedback")
        paths = [sum(t.value for t in each.terms if t.name in others) for each in found]
        ordered[graph.named].append([(e.score - p, p) for e, p in zip(found, paths, strict=True)])

    def falls(first: list[tuple[float, float]], part: float) -> bool:
        worth = [round(own + part * path, 5) for own, path in first]
        return worth == sorted(worth, reverse=True)

    assert all(falls(first, 0.5) for first in ordered[True])
    assert all(falls(first, 0.25) for first in ordered[False])
    assert not all(falls(first, 0.5) for first in ordered[False])


def test_no_rows_no_evidence(graph: QueryGraph) -> None:
    assert choose_evidence(graph, [], 5) == []
