"""Follow-up questions: what stands for what, by which rule, and what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.corpus.sqlite_store import SqliteStore
from engine.graph.follow_up import Earlier, read_follow_up
from engine.graph.question import LONGEST_QUESTION, names_in
from engine.pipeline import AskOptions, Engine
from engine.snapshots.library import SnapshotLibrary
from engine.snapshots.run_view import view_run
from engine.snapshots.sessions import sessions
from engine.snapshots.verify import verify
from engine.workspace import Workspace

DOCUMENTS = {
    "helio.md": "# Helio lamp\n\nThe Helio lamp is made by Nordlys. It was designed by Mara Voss in 1994.\n",
    "oil.md": "# Oil lamps\n\nAn oil lamp burns oil through a wick.\n",
    "mara.md": "# Mara Voss\n\nMara Voss is an engineer from Bergen. She was born in 1960.\n",
    "faq.md": "## What is a burner?\n\nA burner holds a wick.\n\n## Every answer\n\nIt is short.\n",
    "nordlys.md": "# Nordlys\n\nNordlys was founded by Mara Voss. It moved to Bergen in 2003.\n",
}
WHO = Earlier(
    question="Who designed the Helio lamp?",
    answer="The **Helio lamp** was designed by Mara Voss in 1994. [1]",
    answer_type="person",
)
WHICH = Earlier(
    question="Which company makes the Helio lamp?", answer="The Helio lamp is made by Nordlys. [1]"
)
WHAT = Earlier(question="What is the Helio lamp?", answer="It is made by Nordlys. [1]")
FILM = Earlier(
    question="Who is the director of the film Gladiators Seven?",
    answer="Gladiators Seven( also known as The Revolt of the Seven) is a 1964 Italian film directed by "
    "Alberto De Martino and starring Tony Russel. [1]",
    answer_type="person",
)
MEANS = Earlier(question="What does wick mean?", answer="A wick carries oil. [1]")


def asked(question: str, answer: str = "Nobody knows. [1]") -> Earlier:
    return Earlier(question=question, answer=answer)


NAMELESS = Earlier(question="How long does the wick last?", answer="Nine hours. [1]", answer_type="number")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("follow")
    made = Workspace.open(folder / "workspace")
    (made.configs / "ollama.toml").write_text('provider = "extractive"\n', encoding="utf-8")
    (folder / "documents").mkdir()
    for name, text in DOCUMENTS.items():
        (folder / "documents" / name).write_text(text, encoding="utf-8")
    with Engine.open(made) as engine:
        engine.index([folder / "documents"])
    return made


@pytest.fixture(scope="module")
def store(workspace: Workspace) -> SqliteStore:
    return SqliteStore(workspace.corpus_path)


@pytest.mark.parametrize(
    ("earlier", "question", "reading"),
    [
        (WHO, "and where was she born?", "and where was Mara Voss born?"),
        (WHO, "and who wrote it?", "and who wrote the Helio lamp?"),
        (WHO, "What is her profession?", "What is Mara Voss's profession?"),
        (WHO, "What did they found?", "What did Mara Voss found?"),
        (WHO, "How does that work?", "How does the Helio lamp work?"),
        (WHO, "what about oil lamps?", "Who designed oil lamps?"),
        (WHO, "and oil lamps?", "Who designed oil lamps?"),
        (WHO, "And in which year?", "And in which year: designed the Helio lamp?"),
        (WHO, "when?", "when: designed the Helio lamp?"),
        (WHO, "why is that?", "why is that: designed the Helio lamp?"),
        (FILM, "and when was he born?", "and when was Alberto De Martino born?"),
        (WHICH, "When did it move?", "When did Nordlys move?"),
        (WHAT, "Who makes it?", "Who makes the Helio lamp?"),
        (WHO, "Who met her in 1833?", "Who met Mara Voss in 1833?"),
        (MEANS, "and lamp?", "What does lamp mean?"),
        (NAMELESS, "and who made it?", "and who made the wick?"),
        (NAMELESS, "What about the glass?", "How long does the glass last?"),
        (asked("How is the flame kept?"), "What about smoke?", "How is smoke kept?"),
        (asked("How is brightness calculated in a lamp?"), "And heat?", "How is heat calculated in a lamp?"),
        (asked("How do I trim a wick by hand?"), "What about a rope?", "How do I trim a rope by hand?"),
        (asked("Where do wicks live?"), "Who can trim them?", "Who can trim wicks?"),
        (asked("What is a burner?"), "and what does it cost?", "and what does a burner cost?"),
        (asked("Which wicks are wet?"), "where are they sold?", "where are wicks sold?"),
        (
            asked("What is a burner?", "A burner holds a wick, the burner's flame and every answer. [1]"),
            "who makes them?",
            "who makes a burner?",
        ),
    ],
)
def test_what_is_carried_over(store: SqliteStore, earlier: Earlier, question: str, reading: str) -> None:
    read = read_follow_up(question, earlier, store)
    assert read is not None
    assert read.reading == reading
    assert read.carried
    assert all(each.text in reading and each.reason for each in read.carried)


@pytest.mark.parametrize(
    "question",
    [
        "Who founded Nordlys?",
        "When did Nordlys move, and why did it move?",
        "Is it possible to burn oil?",
        "Is there a warehouse?",
        "Isn't there a warehouse?",
        "What does the IT department run?",
        "Which lamp is the one that lasts longest?",
        "Does that lamp burn oil?",
        "How does an oil lamp burn?",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(store: SqliteStore, question: str) -> None:
    assert read_follow_up(question, WHO, store) is None


def test_names_are_found_as_they_are_written(store: SqliteStore) -> None:
    found = names_in("Did Mara Voss design the Helio Lamp?", store)
    assert [name.surface for name in found] == ["Mara Voss", "the Helio Lamp"]
    assert [name.key for name in found] == ["mara voss", "helio lamp"]


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_read_the_same_twice_and_never_beyond_the_limit(
    store: SqliteStore, text: str, question: str, answer: str
) -> None:
    earlier = Earlier(question=question, answer=answer)
    read = read_follow_up(text, earlier, store)
    assert read == read_follow_up(text, earlier, store)
    if read is not None:
        assert read.carried
        assert len(read.reading) <= LONGEST_QUESTION


def test_a_follow_up_is_recorded_replayed_and_repeated_without_the_run_before(workspace: Workspace) -> None:
    library = SnapshotLibrary(workspace.snapshots)
    with Engine.open(workspace) as engine:
        first = view_run(engine.ask_sync("Who designed the Helio lamp?", AskOptions(learn=False)))
        before = library.find("last")
        events = list(engine.ask_sync("and where was she born?", AskOptions(learn=False, after=before)))
        view = view_run(events)
        assert first.follow_up is None
        assert view.question == "and where was she born?"
        assert view.reading == "and where was Mara Voss born?"
        assert view.follow_up is not None
        assert view.follow_up.previous == library.open(before).digest
        follower = library.find(events[-1].snapshot)  # type: ignore[attr-defined]
        library.remove(before)
        snapshot = library.open(follower)
        assert verify(snapshot, engine.rerun).identical
        assert snapshot.header.session == before
        third = list(engine.ask_sync("and when?", AskOptions(learn=False, after=follower)))
        assert view_run(third).reading == "and when: was Mara Voss born?"
    (session,) = sessions(library.list())
    assert session.id == before
    assert [run.question for run in session.runs] == ["and where was she born?", "and when?"]
