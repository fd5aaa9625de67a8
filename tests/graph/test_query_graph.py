"""One question's graph: seeds, names at home, links that count for what is left, and the paths they make."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from engine.config import RetrievalSettings
from engine.corpus.records import Name, ParsedDocument, Passage, passage_id
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.facets import question_facets
from engine.graph.links import residual
from engine.graph.opening import open_passage, open_question
from engine.graph.query_graph import QueryGraph
from engine.graph.words import idf
from engine.traversal.selection import choose_evidence

FILM = ("Second Chance", "Second Chance is a 1953 film directed by Rudolph Mate. It was shot in Mexico.")
PERSON = ("Rudolph Mate", "Rudolph Mate (born 1898) was a director. He died in Los Angeles.")
NAMESAKE = ("Chance Town", "Chance Town lies in Ohio. Nobody famous died there.")
SHARED = ("Studios", "A studio that Rudolph Mate founded with others burnt down in 1931.")
FILLER = [(f"Place {i}", f"Place {i} is a village with a church and {i} wells.") for i in range(30)]
QUESTION = "Where did the director of Second Chance die?"


def passage(title: str, text: str) -> Passage:
    return Passage(
        passage_id=passage_id(title, text, 0),
        document=title,
        evidence_id=title,
        title=title,
        section=(),
        start=1,
        end=1,
        unit="row",
        text=text,
        names=(Name(title, "title"),) if title else (),
    )


def corpus(rows: Sequence[tuple[str, str]]) -> SqliteStore:
    store = SqliteStore(":memory:")
    with store.transaction():
        for title, text in rows:
            store.put_document(
                ParsedDocument(
                    name=title,
                    source="s",
                    kind="row",
                    title=title,
                    digest=title,
                    passages=(passage(title, text),),
                )
            )
    return store


@pytest.fixture(scope="module")
def store() -> SqliteStore:
    return corpus([FILM, PERSON, NAMESAKE, SHARED, *FILLER])


def row_of(graph: QueryGraph, title: str) -> int:
    found = graph.store._db.execute("SELECT passage FROM passages WHERE title=?", (title,)).get
    assert isinstance(found, int)
    return found


def test_the_home_of_a_name_in_the_question_comes_first(store: SqliteStore) -> None:
    graph = QueryGraph(QUESTION, store, RetrievalSettings())
    assert graph.label(graph.seeds()[0]) == "Second Chance"
    assert graph.homes_of_question(graph.seeds()[0]) == ["second chance"]


def test_a_link_leads_to_the_home_of_a_name_mentioned(store: SqliteStore) -> None:
    graph = QueryGraph(QUESTION, store, RetrievalSettings())
    film, person = row_of(graph, "Second Chance"), row_of(graph, "Rudolph Mate")
    before = graph.strength(person)
    links = {link.target: link for link in graph.expand(film, "p")}
    assert (links[person].key, links[person].kind) == ("rudolph mate", "title")
    assert graph.strength(person) > before
    assert graph.trail(person) == [links[person]]
    assert "Rudolph Mate" in graph.quote(film, links[person].sentence)
    assert max(links.values(), key=lambda link: link.strength).target == person


def test_a_shared_name_counts_only_what_the_rest_of_the_question_finds(store: SqliteStore) -> None:
    graph = QueryGraph("Where did the director of Second Chance die?", store, RetrievalSettings())
    film, studio = row_of(graph, "Second Chance"), row_of(graph, "Studios")
    assert studio not in {link.target for link in graph.expand(film, "p")}
    graph = QueryGraph(
        "When did the studio of the director of Second Chance burn?", store, RetrievalSettings()
    )
    links = {link.target: link for link in graph.expand(row_of(graph, "Second Chance"), "p")}
    assert links[studio].kind == "shared"
    assert links[studio].residual > 0


def test_what_is_covered_counts_once(store: SqliteStore) -> None:
    graph = QueryGraph(QUESTION, store, RetrievalSettings())
    film = row_of(graph, "Second Chance")
    assert residual(graph.weighed_matches(film), graph.coverage(film)) == 0.0
    assert 0.0 < graph.share(graph.coverage(film)) <= 1.0


def test_every_strength_is_the_sum_of_its_parts(store: SqliteStore) -> None:
    graph = QueryGraph(QUESTION, store, RetrievalSettings())
    for row in graph.seeds():
        graph.expand(row, "p")
    for row in [*graph.seeds(), *graph.paths]:
        assert sum(graph.parts(row).values()) == pytest.approx(graph.strength(row), abs=1e-5)


def test_a_second_visitor_finds_the_same_links_and_is_remembered(store: SqliteStore) -> None:
    graph = QueryGraph(QUESTION, store, RetrievalSettings())
    film = row_of(graph, "Second Chance")
    assert graph.expand(film, "a") == graph.expand(film, "b")
    assert graph.finders[row_of(graph, "Rudolph Mate")] == ["a", "b"]


def test_where_nothing_is_left_to_ask_a_name_leads_away_less(store: SqliteStore) -> None:
    settings = RetrievalSettings()
    graph = QueryGraph("What is Second Chance?", store, settings)
    film, person = row_of(graph, "Second Chance"), row_of(graph, "Rudolph Mate")
    assert graph.share(graph.coverage(film)) > settings.answered

    def strength(answered: float) -> float:
        changed = msgspec.structs.replace(settings, answered=answered)
        one = QueryGraph("What is Second Chance?", store, changed)
        return next((link.strength for link in one.expand(film, "p") if link.target == person), 0.0)

    assert strength(settings.answered) < strength(1.0)
    assert strength(0.0) < strength(settings.answered)


def test_a_link_leads_to_what_is_about_a_name_and_no_less_to_what_bears_it() -> None:
    mine = ("Red Mine", "The Red Mine lies in Ohio, near a river.")
    bearer = ("Ohio", "A state of lakes and of wide plains.")
    about = ("History of Ohio", "It joined the union in 1803, after long talks.")
    others = [(f"Well {i}", f"Well {i} was dug in Ohio.") for i in range(6)]
    question = "When did the state of the Red Mine join the union?"

    def strengths(rows: Sequence[tuple[str, str]]) -> dict[str, float]:
        graph = QueryGraph(question, corpus([mine, *rows, *others, *FILLER]), RetrievalSettings())
        links = graph.expand(row_of(graph, "Red Mine"), "p")
        return {f"{graph.label(each.target)} ({each.kind})": each.strength for each in links}

    both, alone = strengths([bearer, about]), strengths([bearer, ("Ohio now", about[1])])
    assert both.keys() >= {"Ohio (title)", "History of Ohio (topic)"}
    assert both["Ohio (title)"] == pytest.approx(alone["Ohio (title)"], rel=1e-3)


def test_a_name_too_common_leads_nowhere() -> None:
    rows = [("A", "A met Common Name once."), *((f"P{i}", f"Common Name owns well {i}.") for i in range(60))]
    graph = QueryGraph("Which well did A own?", corpus(rows), RetrievalSettings())
    assert [link for link in graph.expand(row_of(graph, "A"), "p") if link.kind == "shared"] == []


def test_a_link_finds_the_common_words_of_the_question_where_no_rare_one_stands() -> None:
    film = ("Second Chance", "Second Chance was filmed in the state of Kansas.")
    state = ("Kansas", "Its population grew: the city and the state have people.")
    towns = [(f"Town {i}", f"The city has a population of {i} in its state.") for i in range(5)]
    store = corpus([film, state, *towns, *FILLER])
    question = "What is the population of the state where Second Chance was filmed?"
    everywhere = QueryGraph(question, store, RetrievalSettings(common_share=1.0))
    found = QueryGraph(question, store, RetrievalSettings(common_share=0.05, common_after=1))
    film_row, state_row = row_of(found, "Second Chance"), row_of(found, "Kansas")
    assert set(found.lexical.common) == {"popul", "state"}
    assert state_row not in found.lexical.shares
    link, same = (
        {link.target: link for link in graph.expand(film_row, "p")}[state_row]
        for graph in (found, everywhere)
    )
    assert link.residual > 0.05
    assert link.residual == pytest.approx(same.residual)
    for row in [row_of(found, title) for title, _ in [film, state, *towns]]:
        assert found.lexical.words(row) == pytest.approx(everywhere.lexical.words(row), abs=1e-12)
        assert found.matches(row) == pytest.approx(everywhere.matches(row))


@pytest.fixture(scope="module")
def villages() -> SqliteStore:
    """Thirty passages about the same, one far behind the others by words that bears the question's title."""
    rows = [
        (f"Place {i}", f"A village with a church. The church of the village has {i} wells.")
        for i in range(30)
    ]
    long = "A church was built here. " + "Nothing else of note ever happened in these quiet parts. " * 6
    return corpus([*rows, ("Village church", long), ("Elsewhere", long), *FILLER])


VILLAGES = "Which village church has wells?"


def test_what_is_looked_at_closely_later_counts_as_if_it_had_been_at_once(villages: SqliteStore) -> None:
    late = QueryGraph(VILLAGES, villages, RetrievalSettings(choose_from=5))
    once = QueryGraph(VILLAGES, villages, RetrievalSettings(choose_from=60))
    assert late.lexical.later
    assert not once.lexical.later
    assert {*late.seeds(), *late.lexical.later} == {*once.seeds()}
    for row in sorted(once.seeds(), reverse=True):
        assert late.base(row) == once.base(row)
        assert late.parts(row) == once.parts(row)
        assert sum(late.parts(row).values()) == pytest.approx(late.base(row), abs=1e-6)
        assert late.known_features(row) is not None


def test_a_title_made_of_the_questions_words_is_looked_at_at_once(villages: SqliteStore) -> None:
    graph = QueryGraph(VILLAGES, villages, RetrievalSettings(choose_from=1, depth=62))
    seeds = {graph.label(row) for row in graph.seeds()}
    later = {graph.label(row) for row in graph.lexical.later}
    assert "Village church" in seeds
    assert "Elsewhere" in later


def test_passages_looked_at_later_may_hold_what_an_answer_lacks(villages: SqliteStore) -> None:
    graph = QueryGraph(VILLAGES, villages, RetrievalSettings(choose_from=1, depth=62))
    held = graph.holding({"church": 1.0})
    assert "Elsewhere" in {graph.label(row) for row in held if row in graph.lexical.later}


def test_a_question_of_common_words_alone_still_finds_passages(store: SqliteStore) -> None:
    settings = RetrievalSettings(common_share=0.0, common_after=0)
    graph = QueryGraph("Which village has a church?", store, settings)
    assert graph.lexical.common
    assert graph.label(graph.seeds()[0]).startswith("Place")


@pytest.mark.parametrize("single_inside", [0.7, 0.2])
def test_a_word_with_a_capital_inside_a_sentence_leads_to_its_home_by_a_share_of_its_own(
    single_inside: float,
) -> None:
    home = ("Kansas", "The prairie is wide.")
    at_head = ("Second Chance", "Kansas welcomed the film.")
    inside = ("Second Chance", "The film was welcomed by Kansas.")
    settings = RetrievalSettings(single_word=0.5, single_inside=single_inside)
    links = {}
    for row in (at_head, inside):
        graph = QueryGraph("Second Chance", corpus([home, row, *FILLER]), settings)
        (links[row],) = graph.expand(row_of(graph, "Second Chance"), "p")
    assert links[inside].rarity == pytest.approx(links[at_head].rarity * single_inside / 0.5)
    assert links[inside].strength == pytest.approx(links[at_head].strength * single_inside / 0.5)


def test_facets_share_the_question_out(store: SqliteStore) -> None:
    facets = question_facets(QueryGraph(QUESTION, store, RetrievalSettings()))
    assert facets[0].facet_id == "name:second chance"
    assert sum(facet.weight for facet in facets) == pytest.approx(1.0, abs=1e-5)
    terms = [term for facet in facets for term in facet.terms]
    assert len(terms) == len(set(terms))


def test_an_identifier_is_one_facet_of_its_parts() -> None:
    code = corpus([*FILLER, ("tool.py", "def save_report(path): writes the report that was asked for")])
    facets = question_facets(QueryGraph("What calls save_report?", code, RetrievalSettings()))
    (whole,) = [facet for facet in facets if "report" in facet.terms]
    assert whole.terms == ["save", "report"]
    assert sum(facet.weight for facet in facets) == pytest.approx(1.0)


def test_an_identifier_of_words_that_say_nothing_keeps_its_facet() -> None:
    code = corpus([*FILLER, ("tool.py", "def is_a(x): tells a hedgehog from a badger")])
    facets = question_facets(QueryGraph("Does is_a know a hedgehog?", code, RetrievalSettings()))
    assert {term for facet in facets for term in facet.terms} >= {"isa", "hedgehog"}


def test_what_opens_says_why(store: SqliteStore) -> None:
    graph = QueryGraph(QUESTION, store, RetrievalSettings())
    graph.expand(row_of(graph, "Second Chance"), "p")
    opened = [*open_question(graph), *open_passage(graph, row_of(graph, "Rudolph Mate"), "p", 0.5)]
    edges = [(e.kind, e.phrase) for e in opened if hasattr(e, "phrase")]
    assert ("mentions", "rudolph mate") in edges
    assert ("home (title)", "rudolph mate") in edges


@pytest.mark.parametrize("question", [QUESTION, "village church wells", "Place 7", "zzzz", "Who met Ohio?"])
def test_the_order_of_indexing_changes_nothing(question: str) -> None:
    rows = [FILM, PERSON, NAMESAKE, SHARED, *FILLER]
    found = []
    for seed in (0, 1, 2):
        shuffled = list(rows)
        random.Random(seed).shuffle(shuffled)
        graph = QueryGraph(question, corpus(shuffled), RetrievalSettings())
        for row in graph.seeds()[:10]:
            graph.expand(row, "p")
        rows_found = list(dict.fromkeys([*graph.seeds(), *graph.paths]))
        found.append(msgspec.json.encode(choose_evidence(graph, rows_found, 10)))
    assert found[0] == found[1] == found[2]


def test_idf_falls_with_frequency_and_stays_positive() -> None:
    values = [idf(100, n) for n in range(1, 101)]
    assert values == sorted(values, reverse=True)
    assert values[-1] > 0


def test_a_row_cut_into_passages_counts_once_and_further_rows_fill_its_place() -> None:
    cut = [passage("", f"Wells of the village, part {i}: wells, wells and a church.") for i in range(6)]
    store = corpus(FILLER)
    with store.transaction():
        store.put_document(
            ParsedDocument(
                name="cut",
                source="s",
                kind="row",
                title="",
                digest="cut",
                passages=tuple(msgspec.structs.replace(each, evidence_id="cut") for each in cut),
            )
        )
    graph = QueryGraph("village wells church", store, RetrievalSettings())
    rows = graph.seeds()
    found = [each.evidence_id for each in choose_evidence(graph, rows, 5)]
    assert found.count("cut") == 1
    assert len(found) == len(set(found)) == 5
    assert found == [each.evidence_id for each in choose_evidence(graph, rows, 30)][:5]
