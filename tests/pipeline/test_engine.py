"""What a user of the engine can rely on: evidence, answers, events, snapshots, records."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from engine import events as ev
from engine.errors import CorpusError, InputError, PersonaError
from engine.evaluation.outputs import Context
from engine.personas.ledger import Ledger
from engine.personas.registry import PersonaRegistry
from engine.pipeline import AskOptions, Engine
from engine.snapshots.reader import open_snapshot
from engine.snapshots.verify import compare
from engine.workspace import Workspace

QUESTION = "Where was the designer of Tolland Bridge from?"


def only(events: Sequence[ev.Event], kind: type[ev.Event]) -> list[ev.Event]:
    return [event for event in events if isinstance(event, kind)]


def one(events: Sequence[ev.Event], kind: type[ev.Event]) -> ev.Event:
    (event,) = only(events, kind)
    return event


def test_search_finds_both_hops_and_shows_the_trail(engine: Engine) -> None:
    found = engine.search(QUESTION, k=3)
    documents = [each.position.document for each in found]
    assert documents[0] == "docs/bridge.md"
    assert "docs/engineer.md" in documents
    hop = next(each for each in found if each.position.document == "docs/engineer.md")
    assert [step.label for step in hop.trail] == ["Tolland Bridge", "Margaret Tolland"]
    assert hop.trail[1].phrase == "margaret tolland"
    assert "designed by Margaret Tolland" in hop.trail[1].quote


def test_evidence_stands_where_it_says(engine: Engine, documents: Path) -> None:
    for each in engine.search(QUESTION, k=10):
        lines = (documents.parent / each.position.document).read_text().splitlines()
        assert "\n".join(lines[each.position.start - 1 : each.position.end]).strip() == each.text.strip()


def test_scores_are_ordered_and_open_into_their_terms(engine: Engine) -> None:
    found = engine.search(QUESTION, k=10)
    assert [each.rank for each in found] == list(range(1, len(found) + 1))
    for each in found:
        assert sum(term.value for term in each.terms) == pytest.approx(each.score, abs=1e-5)
        assert each.personas


def test_code_is_found_by_its_symbol(engine: Engine) -> None:
    (best, *_) = engine.search("What does `open_sluice` return when the motor is locked?")
    assert best.position.document == "docs/tool.py"


def test_answer_cites_sentences_that_are_in_the_passages(engine: Engine) -> None:
    events = list(engine.ask_sync("When was Tolland Bridge opened?"))
    answer = one(events, ev.AnswerReady)
    assert "1874" in answer.answer
    texts = {each.marker: each.text for each in answer.citations}
    for sentence in only(events, ev.SentenceChecked):
        if sentence.kept:
            joined = " ".join(" ".join(texts[marker].split()) for marker in sentence.markers)
            assert sentence.text.rstrip("…").strip() in joined


def test_events_count_without_gaps_and_end_in_the_snapshot(engine: Engine) -> None:
    events = list(engine.ask_sync(QUESTION))
    assert [event.seq for event in events] == list(range(len(events)))
    assert isinstance(events[0], ev.QueryStarted)
    assert isinstance(events[-2], ev.QueryFinished)
    assert isinstance(events[-1], ev.SnapshotSaved)


def test_every_edge_joins_nodes_opened_before_it(engine: Engine) -> None:
    opened = set()
    for event in engine.ask_sync(QUESTION):
        if isinstance(event, ev.NodeOpened):
            opened.add(event.node)
        elif isinstance(event, ev.EdgeOpened):
            assert {event.source, event.target} <= opened


def test_snapshot_replays_the_same_events(engine: Engine) -> None:
    events = list(engine.ask_sync(QUESTION))
    saved = events[-1]
    assert isinstance(saved, ev.SnapshotSaved)
    snapshot = open_snapshot(engine.snapshot_path(saved.snapshot))
    assert list(snapshot.events()) == events
    assert snapshot.digest == saved.digest


def test_asking_again_gives_the_same_digest(engine: Engine) -> None:
    first, second = (list(engine.ask_sync(QUESTION))[-1] for _ in range(2))
    assert first.digest == second.digest
    assert first.snapshot != second.snapshot


def test_order_of_indexing_does_not_show(tmp_path: Path, documents: Path) -> None:
    results = []
    for number, names in enumerate(
        (sorted(os.listdir(documents)), sorted(os.listdir(documents), reverse=True))
    ):
        with Engine.open(Workspace.open(tmp_path / f"w{number}")) as engine:
            for name in names:
                engine.index([documents / name])
            digest = engine.store.digest()
            run = [msgspec.structs.replace(e, seq=0) for e in engine.ask_sync(QUESTION)]
            results.append((digest, run[:-1], run[-1].digest))
    assert results[0] == results[1]


def test_rerun_repeats_a_recorded_question(engine: Engine) -> None:
    events = list(engine.ask_sync(QUESTION, AskOptions(personas=("sceptic", "fact-finder"))))
    snapshot = open_snapshot(engine.snapshot_path(events[-1].snapshot))
    assert compare(events, engine.rerun(snapshot)).identical


def test_gate_accounts_for_every_persona(engine: Engine) -> None:
    events = list(engine.ask_sync(QUESTION))
    chosen = {event.persona for event in only(events, ev.ExpertChosen)}
    skipped = {event.persona for event in only(events, ev.ExpertSkipped)}
    usable = {event.persona_id for event in one(events, ev.QueryStarted).personas}
    assert chosen | skipped == usable
    assert not chosen & skipped
    assert sum(event.cost for event in only(events, ev.ExpertChosen)) <= one(events, ev.QueryStarted).budget
    assert all(event.reason for event in only(events, ev.ExpertSkipped))


def test_personas_named_are_the_ones_that_walk(engine: Engine) -> None:
    events = list(engine.ask_sync(QUESTION, AskOptions(personas=("historian",))))
    assert {event.persona for event in only(events, ev.StepTaken)} == {"historian"}


def test_experts_do_not_all_read_the_same(engine: Engine) -> None:
    named = AskOptions(personas=("lexicographer", "fact-finder"))
    events = list(engine.ask_sync(QUESTION, named))
    packed = [set(event.passages) for event in only(events, ev.ContextPacked)]
    assert len(packed) == 2
    assert packed[0] != packed[1]


def test_scores_of_experts_and_control_are_recorded_once(engine: Engine, workspace: Workspace) -> None:
    events = list(engine.ask_sync(QUESTION))
    scores = {event.persona: event.scores for event in only(events, ev.ScoresReady)}
    control = one(events, ev.ControlScored)
    assert 0 <= control.scores.total <= 1
    with Ledger.open(workspace.ledger_path) as ledger:
        for persona, score in scores.items():
            record = ledger.summary(persona)
            assert record.n == 1
            assert record.mean.total == pytest.approx(score.total)


def test_no_learn_leaves_no_record_and_no_persona_changed(engine: Engine, workspace: Workspace) -> None:
    before = {path: path.read_bytes() for path in sorted(workspace.personas.rglob("*.json"))}
    list(engine.ask_sync(QUESTION, AskOptions(learn=False)))
    assert not workspace.ledger_path.exists()
    assert {path: path.read_bytes() for path in sorted(workspace.personas.rglob("*.json"))} == before


def test_unanswerable_question_is_refused_honestly(engine: Engine) -> None:
    events = list(engine.ask_sync("What is the boiling point of gallium arsenide?"))
    answer = one(events, ev.AnswerReady)
    assert answer.citations == []
    assert "do not answer" in answer.answer
    assert one(events, ev.QueryFinished).outcome == "no-evidence"


def test_run_given_up_half_way_is_a_valid_shorter_snapshot(engine: Engine, workspace: Workspace) -> None:
    events = engine.ask_sync(QUESTION)
    seen = [next(events) for _ in range(30)]
    events.close()
    (path,) = workspace.snapshots.glob("*.jsonl")
    snapshot = open_snapshot(path)
    assert not snapshot.complete
    kept = list(snapshot.events())
    assert kept[: len(seen)] == seen
    assert not any(isinstance(event, ev.QueryFinished) for event in kept)


def test_cancelling_the_task_keeps_what_was_written(engine: Engine, workspace: Workspace) -> None:
    async def ask_and_cancel() -> int:
        count = 0

        async def listen() -> None:
            nonlocal count
            async for _ in engine.ask(QUESTION):
                count += 1
                if count == 10:
                    asyncio.current_task().cancel()
                    await asyncio.sleep(0)

        task = asyncio.create_task(listen())
        with pytest.raises(asyncio.CancelledError):
            await task
        return count

    count = asyncio.run(ask_and_cancel())
    (path,) = workspace.snapshots.glob("*.jsonl*")
    assert len(list(open_snapshot(path).events())) == count


def test_snapshots_folder_that_cannot_be_written_is_a_warning(engine: Engine, workspace: Workspace) -> None:
    workspace.snapshots.rmdir()
    workspace.snapshots.write_text("in the way")
    events = list(engine.ask_sync(QUESTION))
    assert any("snapshot" in event.problem for event in only(events, ev.Warned))
    assert isinstance(events[-1], ev.QueryFinished)


def test_empty_corpus_says_what_to_do(new_workspace: Workspace) -> None:
    with Engine.open(new_workspace) as engine, pytest.raises(CorpusError, match="persona-moe index"):
        engine.search("anything")


@pytest.mark.parametrize(
    ("question", "problem"),
    [("", "empty"), ("  ?! ", "empty"), ("a\x1b[2Jb", "control"), ("x" * 8001, "8,000")],
)
def test_bad_questions_are_refused(engine: Engine, question: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        engine.search(question)
    with pytest.raises(InputError, match=problem):
        next(engine.ask_sync(question))


def test_unknown_persona_is_named(engine: Engine) -> None:
    with pytest.raises(PersonaError, match="sceptik"):
        engine.search(QUESTION, personas=["sceptik"])


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_number_of_results_is_bounded(engine: Engine, k: int) -> None:
    with pytest.raises(InputError, match="1 to 1000"):
        engine.search(QUESTION, k=k)


def test_removed_document_leaves_no_evidence(changing: Engine, documents: Path) -> None:
    (documents / "engineer.md").unlink()
    report = changing.index([documents])
    assert report.removed == 1
    assert all(each.position.document != "docs/engineer.md" for each in changing.search(QUESTION))


def test_final_answer_is_scored_on_what_was_read(engine: Engine) -> None:
    events = list(engine.ask_sync(QUESTION))
    control = one(events, ev.ControlScored)
    assert -1 <= control.lift <= 1
    evidence = one(events, ev.EvidenceRanked).evidence
    assert Context(evidence=evidence).evidence.keys() >= {each.passage for each in evidence}


def test_unusable_persona_is_a_warning_and_the_others_answer(engine: Engine, workspace: Workspace) -> None:
    (workspace.personas / "active" / "broken.json").write_text("{not json")
    events = list(engine.ask_sync(QUESTION))
    assert any("broken.json" in event.problem for event in only(events, ev.Warned))
    assert one(events, ev.QueryFinished).outcome == "answered"


def test_persona_in_two_tiers_is_named_when_asked_for(engine: Engine, workspace: Workspace) -> None:
    original = workspace.personas / "active" / "sceptic.json"
    (workspace.personas / "stable" / "sceptic.json").write_bytes(original.read_bytes())
    with pytest.raises(PersonaError, match="active and stable"):
        engine.search(QUESTION, personas=["sceptic"])


def test_pruned_persona_asked_for_by_name_is_said_to_be_pruned(engine: Engine, workspace: Workspace) -> None:
    PersonaRegistry.of(workspace).move("sceptic", "pruned", reason="by hand")
    with pytest.raises(PersonaError, match=r"sceptic is pruned.*personas restore sceptic"):
        engine.search(QUESTION, personas=["sceptic"])
    with pytest.raises(PersonaError, match="sceptic is pruned"):
        next(engine.ask_sync(QUESTION, AskOptions(personas=("sceptic",))))


def test_one_persona_answers_alone_and_without_any_it_is_said_why(
    engine: Engine, workspace: Workspace
) -> None:
    registry = PersonaRegistry.of(workspace)
    names = [each.persona.persona_id for each in registry.load().personas]
    for name in names:
        if name != "sceptic":
            registry.move(name, "pruned", reason="by hand")
    events = list(engine.ask_sync(QUESTION))
    assert [event.persona for event in only(events, ev.ExpertChosen)] == ["sceptic"]
    assert [event.persona for event in only(events, ev.ControlScored)] == ["sceptic"]
    registry.move("sceptic", "pruned", reason="by hand")
    with pytest.raises(PersonaError, match=r"no persona can take part.*personas restore ID"):
        list(engine.ask_sync(QUESTION))
    with pytest.raises(PersonaError, match="no persona can take part"):
        engine.search(QUESTION)


def test_persona_written_meanwhile_takes_part_in_the_next_question(
    engine: Engine, workspace: Workspace
) -> None:
    engine.search(QUESTION)
    (workspace.personas / "active" / "sceptic.json").rename(workspace.personas / "pruned" / "sceptic.json")
    events = list(engine.ask_sync(QUESTION))
    assert "sceptic" not in {event.persona for event in only(events, ev.GateScored)}


def test_search_kept_in_memory_is_forgotten_when_documents_change(changing: Engine, documents: Path) -> None:
    before = changing.search(QUESTION)
    assert changing.search(QUESTION) == before
    (documents / "engineer.md").write_text("# Margaret Tolland\n\nMargaret Tolland came from Osterby.\n")
    changing.index([documents])
    assert any("Osterby" in each.text for each in changing.search(QUESTION))


def test_log_tells_what_was_done_but_no_question(new_workspace: Workspace, documents: Path) -> None:
    system = new_workspace.configs / "system.toml"
    system.write_text(system.read_text().replace('log_level = "warning"', 'log_level = "info"'))
    with Engine.open(new_workspace) as engine:
        engine.index([documents])
        list(engine.ask_sync(QUESTION))
    log = new_workspace.state / "persona-moe.log"
    assert log.stat().st_mode & 0o777 == 0o600
    lines = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
    assert any("indexed: 5 added" in line["message"] for line in lines)
    assert any("answered" in line["message"] for line in lines)
    assert "Tolland" not in log.read_text()
