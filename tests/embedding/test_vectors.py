"""Vectors of an index: made, kept, subtracted, refused, compared; with a server's embedder."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loopback import Loopback

from engine.embedding.likeness import Likeness
from engine.errors import CorpusError, ModelUnavailableError
from engine.events import Event, QuestionEmbedded, SnapshotSaved, Warned
from engine.pipeline import AskOptions, Engine
from engine.snapshots.library import SnapshotLibrary
from engine.snapshots.verify import verify
from engine.workspace import Workspace

QUESTION = "Who designed the lamp that runs on sunlight?"


def embed(engine: Engine) -> int:
    return asyncio.run(engine.embed())


def held(engine: Engine) -> dict[int, list[bytes]]:
    found = engine.store.vectors.all()
    by_row: dict[int, list[bytes]] = {}
    for row, data in zip(found.rows, found.packed, strict=True):
        by_row.setdefault(row, []).append(data)
    return by_row


def ask(engine: Engine) -> list[Event]:
    return list(engine.ask_sync(QUESTION, AskOptions(no_model=True, learn=False)))


def recorded_as(events: list[Event]) -> str:
    (saved,) = [event for event in events if isinstance(event, SnapshotSaved)]
    return saved.snapshot


def embedded(events: list[Event]) -> list[QuestionEmbedded]:
    return [event for event in events if isinstance(event, QuestionEmbedded)]


def test_an_index_without_vectors_asks_no_embedder(engine: Engine, server: Loopback) -> None:
    assert not engine.embedder
    assert not embedded(ask(engine))
    assert engine.search(QUESTION)
    assert server.log == []


def test_vectors_are_made_once_and_only_for_what_lacks_them(
    engine: Engine, server: Loopback, documents: Path
) -> None:
    passages = engine.store.size().passages
    assert embed(engine) == passages
    assert engine.embedder == "embedder:latest"
    assert embed(engine) == 0
    (documents / "towns.md").write_text("# Kelby\n\nKelby lies in the north, says the new text.\n")
    server.log.clear()
    engine.index([documents])
    assert embed(engine) == 1
    texts = [text for call in server.log if call["path"] == "/api/embed" for text in call["body"]["input"]]
    assert [text for text in texts if text != "size"] == [
        "Kelby\nKelby lies in the north, says the new text."
    ]


def test_what_is_removed_takes_its_vectors_with_it_and_nothing_else(engine: Engine, documents: Path) -> None:
    embed(engine)
    before, digest = held(engine), engine.store.vectors.all().digest
    (documents / "new.md").write_text("# New\n\nA passage that comes and goes again.\n")
    engine.index([documents])
    embed(engine)
    assert len(held(engine)) == len(before) + 1
    (documents / "new.md").unlink()
    engine.index([documents])
    assert held(engine) == before
    assert engine.store.vectors.all().digest == digest


def test_the_order_of_arrival_leaves_no_trace_in_what_is_compared(
    tmp_path: Path, workspace: Workspace, documents: Path
) -> None:
    digests = []
    for number, names in enumerate((sorted, lambda each: sorted(each, reverse=True))):
        other = Workspace.open(tmp_path / f"w{number}")
        for name in ("ollama.toml", "embedding.toml"):
            (other.configs / name).write_bytes((workspace.configs / name).read_bytes())
        with Engine.open(other) as engine:
            for path in names(documents.iterdir()):
                engine.index([path])
            embed(engine)
            digests.append((engine.store.vectors.all().digest, [e.passage for e in engine.search(QUESTION)]))
    assert digests[0] == digests[1]


def test_vectors_of_another_embedder_are_refused_and_the_mend_mends(
    engine: Engine, workspace: Workspace
) -> None:
    embed(engine)
    (workspace.configs / "embedding.toml").write_text(
        'model_name = "embedder"\nquestion_prefix = "search_query: "\n'
    )
    with Engine.open(workspace) as other:
        with pytest.raises(CorpusError, match=r"'embedder:latest'.*do not mix.*index --no-embed"):
            embed(other)
        told: list[Warned] = []
        assert other.search(QUESTION, warn=told.append)
        assert "compared by words only: the index holds vectors of" in told[0].problem
        other.drop_vectors()
        assert embed(other) == other.store.size().passages
        assert embedded(ask(other))


def test_a_model_that_makes_no_vectors_is_named(engine: Engine, workspace: Workspace) -> None:
    (workspace.configs / "embedding.toml").write_text('model_name = "tiny:1b"\n')
    with Engine.open(workspace) as other, pytest.raises(ModelUnavailableError, match="makes no vectors"):
        embed(other)
    (workspace.configs / "embedding.toml").write_text('embedder = "ollama"\n')
    with (
        Engine.open(workspace) as other,
        pytest.raises(ModelUnavailableError, match=r"embedding\.model_name"),
    ):
        embed(other)


def test_a_build_that_was_stopped_goes_on_where_it_was(engine: Engine, documents: Path) -> None:
    for number in range(40):
        (documents / f"more{number}.md").write_text(
            f"# More {number}\n\nPassage number {number} says this.\n"
        )
    engine.index([documents])
    passages = engine.store.size().passages

    class StopError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert total == passages
        if done >= 16:
            raise StopError

    with pytest.raises(StopError):
        asyncio.run(engine.embed(stop))
    kept = engine.store.vectors.missing()
    assert 0 < kept < passages
    told: list[Warned] = []
    assert engine.search(QUESTION, warn=told.append)
    assert f"{kept} passages have no vector yet" in told[0].problem
    assert "index --embed" in told[0].mend
    assert embed(engine) == kept
    assert engine.store.vectors.missing() == 0


def many(documents: Path) -> None:
    for number in range(60):
        text = f"# More {number}\n\nPassage number {number} says this, and no other does.\n"
        (documents / f"more{number}.md").write_text(text)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("embed-500", "process has terminated"),
        ("embed-drop", "closed the connection"),
        ("embed-silent", "within 0.5 seconds"),
        ("nan", "no numbers"),
        ("few", "vectors came back"),
    ],
)
def test_an_embedder_that_fails_in_mid_index_costs_nothing_that_was_made(
    engine: Engine, workspace: Workspace, server: Loopback, documents: Path, fault: str, said: str
) -> None:
    many(documents)
    engine.index([documents])
    assert embed(engine) == 63
    whole = engine.store.vectors.all().digest
    engine.drop_vectors()
    settings = workspace.configs / "ollama.toml"
    settings.write_text(f"{settings.read_text()}first_token_seconds = 0.5\n")

    def fail(done: int, total: int) -> None:
        server.fault = fault

    with Engine.open(workspace) as hurried:
        with pytest.raises(ModelUnavailableError, match=said):
            asyncio.run(hurried.embed(fail))
        assert 0 < hurried.store.vectors.missing() < 63
        server.fault = ""
        embed(hurried)
        assert hurried.store.vectors.all().digest == whole


def test_a_kill_in_mid_index_leaves_an_index_that_goes_on_to_the_same_vectors(
    engine: Engine, workspace: Workspace, server: Loopback, documents: Path
) -> None:
    many(documents)
    engine.index([documents])
    embed(engine)
    whole = engine.store.vectors.all().digest
    engine.drop_vectors()
    server.log.clear()
    server.fault, server.embeds_before_fault = "embed-silent", 3  # the size, and two of four lots
    command = [sys.executable, "-m", "tui", "--workspace", str(workspace.root), "index", "--embed"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 60
        while sum(call["path"] == "/api/embed" for call in server.log) < 4:
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.kill()
    server.fault = ""
    with Engine.open(workspace) as after:
        assert after.store.vectors.missing() == 63 - 32
        assert any("no vector yet" in each.problem for each in ask(after) if isinstance(each, Warned))
        assert embed(after) == 63 - 32
        assert after.store.vectors.all().digest == whole


def test_a_question_does_not_wait_for_an_embedder_that_is_silent(
    engine: Engine, workspace: Workspace, server: Loopback
) -> None:
    embed(engine)
    settings = workspace.configs / "ollama.toml"
    settings.write_text(f"{settings.read_text()}first_token_seconds = 0.5\n")
    server.fault = "embed-silent"
    with Engine.open(workspace) as later:
        began = time.monotonic()
        told = ask(later)
    assert time.monotonic() - began < 8.0
    assert any("compared by words only" in each.problem for each in told if isinstance(each, Warned))


def test_a_server_that_is_gone_in_mid_index_is_replaced_by_another(
    engine: Engine, workspace: Workspace, server: Loopback
) -> None:
    with Loopback("embed-silent") as silent:
        text = f'api_endpoint = ["{silent.url}", "{server.url}"]\nfirst_token_seconds = 0.5\n'
        (workspace.configs / "ollama.toml").write_text(text)
        with Engine.open(workspace) as other:
            assert embed(other) == other.store.size().passages


@pytest.mark.parametrize(("lead", "stands_out"), [("0.0", False), ("0.0001", True), ("1.0", False)])
def test_the_likest_stands_out_where_it_leads_the_tenth_by_enough(
    engine: Engine, workspace: Workspace, documents: Path, lead: str, stands_out: bool
) -> None:
    many(documents)
    engine.index([documents])
    embed(engine)
    (workspace.configs / "embedding.toml").write_text(f'model_name = "embedder"\nlead = {lead}\n')
    with Engine.open(workspace) as other:
        meaning = asyncio.run(Likeness(other.store, other.settings).of(QUESTION))
        (event,) = embedded(ask(other))
    likest = max(meaning.adds, key=lambda row: meaning.adds[row])
    assert meaning.likest == (likest if stands_out else None)
    assert event.lead == float(lead)


def test_likeness_is_part_of_the_score_and_every_part_is_told(engine: Engine) -> None:
    embed(engine)
    (event,) = embedded(ask(engine))
    assert event.embedder == "embedder:latest"
    found = engine.search(QUESTION)
    assert any(term.name == "meaning" and term.value > 0 for each in found for term in each.terms)
    for each in found:
        assert sum(term.value for term in each.terms) == pytest.approx(each.score, abs=1e-4)


@pytest.mark.parametrize(
    "question",
    [
        "Who was master of the Petrel?",  # a heading of the index
        "What does `light_up` do?",
        "Where is the light_up function called?",
        "Who wrote run_target?",
        "Who wrote runTarget?",
        "Who wrote RunTargetTwice?",
    ],
)
def test_a_question_that_says_exactly_what_it_is_about_is_answered_by_words(
    engine: Engine, documents: Path, server: Loopback, question: str
) -> None:
    (documents / "lamp.py").write_text("def light_up(lamp):\n    return lamp.sunlight\n", encoding="utf-8")
    engine.index([documents])
    embed(engine)
    asked = len(server.log)
    found = engine.search(question)
    assert found
    assert not any(term.name == "meaning" for each in found for term in each.terms)
    assert len(server.log) == asked


@pytest.mark.parametrize("question", ["Where did LiHua sail with tRNAs?", "Which PlayStation, Mr McKenzie?"])
def test_a_name_written_in_one_word_is_no_identifier(engine: Engine, server: Loopback, question: str) -> None:
    embed(engine)
    asked = len(server.log)
    engine.search(question)
    assert len(server.log) > asked


def test_a_recorded_run_verifies_with_no_server_left(
    engine: Engine, server: Loopback, workspace: Workspace
) -> None:
    embed(engine)
    events = ask(engine)
    assert embedded(events)
    settings = workspace.configs / "ollama.toml"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    settings.write_text(f'api_endpoint = "{closed}"\nprovider = "extractive"\n')
    library = SnapshotLibrary(workspace.snapshots)
    with Engine.open(workspace) as later:
        comparison = verify(library.open(recorded_as(events)), later.rerun)
        assert comparison.identical, comparison.divergence
        # Without its server a new question is answered by words, and says so; that run verifies, too.
        by_words = ask(later)
        assert any("compared by words only" in e.problem for e in by_words if isinstance(e, Warned))
        again = verify(library.open(recorded_as(by_words)), later.rerun)
        assert again.identical, again.divergence
        later.drop_vectors()
        dropped = verify(library.open(recorded_as(events)), later.rerun)
        assert dropped.divergence is not None
        assert dropped.divergence.type == "QuestionEmbedded"
