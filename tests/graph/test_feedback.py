"""Feedback: what the first passages say beside the question, where it names nothing and finds little."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from engine.config import RetrievalSettings
from engine.corpus.records import ParsedDocument, Passage, passage_id
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.query_graph import QueryGraph
from engine.traversal.selection import choose_evidence

QUESTION = "how do tall glaciers calve icebergs into narrow fjords during quiet winters"
# Each holds a word or two of the question; those of the first kind share what it does not say.
ALIKE = [
    f"the {word} of a tidewater front breaks where meltwater undercuts its {word} and brash drifts"
    for word in ("glacier", "iceberg", "fjord", "glaciers", "icebergs", "fjords", "calve", "calving")
]
OTHERS = [
    f"a {word} market opens every {word} with {i} stalls of fruit"
    for i, word in enumerate(["tall", "narrow", "quiet", "winter"] * 3)
]
# Both hold one word of the question, in like places.
TWIN = "brash and meltwater at a tidewater front, seen during one long winter"
STRANGER = "stalls and lanterns at a village market, seen during one long winter"
SETTINGS = RetrievalSettings(choose_from=40)


def corpus(texts: Sequence[str]) -> SqliteStore:
    store = SqliteStore(":memory:")
    with store.transaction():
        for number, text in enumerate(texts):
            name = f"d{hash_of(text)}-{number}" if texts.count(text) > 1 else f"d{hash_of(text)}"
            passage = Passage(
                passage_id=passage_id(name, text, 0),
                document=name,
                evidence_id=text,
                title="",
                section=(),
                start=1,
                end=1,
                unit="row",
                text=text,
                names=(),
            )
            store.put_document(
                ParsedDocument(name=name, source="s", kind="row", title="", digest=name, passages=(passage,))
            )
    return store


def hash_of(text: str) -> str:
    return passage_id("", text, 0)


def gains(store: SqliteStore, question: str, settings: RetrievalSettings = SETTINGS) -> dict[str, float]:
    graph = QueryGraph(question, store, settings)
    assert not graph.named
    return {graph.passage(row).text: graph.parts(row).get("feedback", 0.0) for row in graph.seeds()}


@pytest.fixture(scope="module")
def store() -> SqliteStore:
    return corpus([*ALIKE, *OTHERS, TWIN, STRANGER])


def test_what_says_the_same_as_the_first_passages_gains_most(store: SqliteStore) -> None:
    gained = gains(store, QUESTION)
    assert gained[TWIN] > 2 * gained[STRANGER]
    assert max(gained.values()) <= SETTINGS.feedback_weight / (1 - SETTINGS.feedback_b)


def test_the_gain_is_a_part_of_the_score_and_counts_little_for_the_order(store: SqliteStore) -> None:
    graph = QueryGraph(QUESTION, store, SETTINGS)
    (row,) = (row for row in graph.seeds() if graph.passage(row).text == TWIN)
    gained = graph.parts(row)["feedback"]
    assert graph.base(row) == pytest.approx(sum(graph.parts(row).values()), abs=1e-6)
    assert graph.own(row) == pytest.approx(graph.base(row) - gained)
    found = choose_evidence(graph, graph.seeds(), 5)
    worth = [
        graph.own(r) + 0.25 * (e.score - graph.own(r))
        for e, r in zip(found, chosen(graph, found), strict=True)
    ]
    assert worth == sorted(worth, reverse=True)


def chosen(graph: QueryGraph, found: Sequence[object]) -> list[int]:
    rows = {graph.passage(row).evidence_id: row for row in graph.seeds()}
    return [rows[each.evidence_id] for each in found]  # type: ignore[attr-defined]


def test_none_where_the_words_of_the_question_tell_enough(store: SqliteStore) -> None:
    assert not any(gains(store, "glacier iceberg fjord").values())
    assert not any(gains(store, QUESTION, msgspec.structs.replace(SETTINGS, feedback_weight=0.0)).values())


def test_none_where_likeness_of_meaning_tells_it_better(store: SqliteStore) -> None:
    row = QueryGraph(QUESTION, store, SETTINGS).seeds()[0]
    graph = QueryGraph(QUESTION, store, SETTINGS, meaning={row: 0.1})
    assert "meaning" in graph.parts(row)
    assert not any("feedback" in graph.parts(row) for row in graph.seeds())


def test_none_where_few_passages_are_found(store: SqliteStore) -> None:
    settings = msgspec.structs.replace(SETTINGS, feedback_passages=200)
    assert not any(gains(store, QUESTION, settings).values())


def test_the_order_of_arrival_decides_nothing(store: SqliteStore) -> None:
    texts = [*ALIKE, *OTHERS, TWIN, STRANGER]
    expected = gains(store, QUESTION)
    for seed in range(3):
        random.Random(seed).shuffle(texts)
        again = gains(corpus(texts), QUESTION)
        assert again == expected
        assert list(again) == list(expected)
