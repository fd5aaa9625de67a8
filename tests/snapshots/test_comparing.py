import asyncio
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_samples import RUN, numbered, record, sample_run

from engine import events as ev
from engine.errors import InputError, SnapshotError
from engine.snapshots.diff import diff
from engine.snapshots.library import SnapshotLibrary
from engine.snapshots.replay import paced, replay
from engine.snapshots.verify import check_chain, compare, verify


def changed(run, kind, **fields):
    return [msgspec.structs.replace(event, **fields) if isinstance(event, kind) else event for event in run]


@pytest.fixture
def opened(tmp_path):
    def make(run, pace=0.01):
        return SnapshotLibrary(tmp_path).open(record(tmp_path, run, pace=pace).snapshot)

    return make


def test_replay_gives_every_event_when_it_is_due(opened):
    snapshot = opened(sample_run(), pace=0.5)
    assert [event for _, event in replay(snapshot)] == [*snapshot.events()]
    assert {due for due, _ in replay(snapshot)} == {0.0}
    assert [due for due, _ in replay(snapshot, speed=5)][:4] == pytest.approx([0, 0.1, 0.2, 0.3])
    part = [*replay(snapshot, speed=1, start=4, until=6)]
    assert [event.seq for _, event in part] == [4, 5, 6]
    assert [due for due, _ in part] == [0, 0.5, 1.0]
    assert [*replay(snapshot, start=10_000)] == []
    for speed in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="speed"):
            replay(snapshot, speed=speed)


def test_paced_events_come_in_order_and_not_early(opened):
    snapshot = opened(sample_run()[:5], pace=0.02)

    async def collect():
        began = time.monotonic()
        seen = [event.seq async for event in paced(replay(snapshot, speed=1))]
        return seen, time.monotonic() - began

    seen, took = asyncio.run(collect())
    assert seen == [0, 1, 2, 3, 4, 5]
    assert took >= 0.075


def test_seeking_goes_both_ways(opened):
    run = sample_run()
    snapshot = opened(run)
    for seq in (30, 2, 17, 0, 37):
        assert snapshot.at(seq) == run[seq]
        assert next(snapshot.events(seq)) == run[seq]
    assert len(snapshot) == len(run) + 1
    for seq in (-1, len(run) + 1):
        with pytest.raises(SnapshotError, match="has no event"):
            snapshot.at(seq)


def test_equal_runs_have_no_difference(opened):
    found = diff(opened(sample_run()), opened(sample_run(tokens=8), pace=1))
    assert found.identical
    assert [found.inputs, found.evidence, found.experts, found.scores] == [[], [], [], []]


def test_a_diff_tells_inputs_evidence_experts_scores_and_answers(opened):
    run = sample_run()
    ranked = next(event for event in run if isinstance(event, ev.EvidenceRanked)).evidence
    new = msgspec.structs.replace(ranked[0], rank=1, evidence_id="p7", score=0.95)
    moved = msgspec.structs.replace(ranked[0], rank=2, score=0.9)
    other = changed(run, ev.QueryStarted, corpus="dd" * 16, budget=5.0, personas=run[0].personas[:1])
    other = changed(other, ev.EvidenceRanked, evidence=[new, moved])
    other = changed(other, ev.AnswerReady, answer="Use pip.")
    other = changed(
        other,
        ev.ScoresReady,
        scores=ev.Scores(relevance=0.9, consistency=0.75, novelty=0.5, grounding=1.0, total=0.8),
    )
    other = [event for event in other if not isinstance(event, ev.ExpertChosen)]
    found = diff(opened(run), opened(numbered(other)))
    assert not found.identical
    assert [change.name for change in found.inputs] == ["corpus", "budget", "persona sceptic"]
    assert [(e.change, e.evidence_id, e.left_rank, e.right_rank) for e in found.evidence] == [
        ("gained", "p7", None, 1),
        ("lost", "p2", 2, None),
        ("moved", "p1", 1, 2),
    ]
    assert [(e.persona, e.left, e.right) for e in found.experts] == [
        ("fact-finder", "chosen as 1: best value", "not there")
    ]
    assert [(s.score, s.moved) for s in found.scores] == [("relevance", 0.1), ("total", 0.0375)]
    assert found.right_answer == "Use pip."
    assert found.left_answer.startswith("Use pipx")


def test_comparing_names_the_first_field_that_differs():
    run = sample_run()
    assert compare(run, sample_run(tokens=7)).identical
    ranked = next(event for event in run if isinstance(event, ev.EvidenceRanked))
    worse = msgspec.structs.replace(ranked.evidence[1], score=0.3)
    other = changed(run, ev.EvidenceRanked, evidence=[ranked.evidence[0], worse])
    found = compare(run, other).divergence
    assert found == ev_divergence(ranked.seq, "EvidenceRanked", "evidence[1].score", "0.4", "0.3")
    edge = next(event.seq for event in run if isinstance(event, ev.EdgeOpened))
    longer = compare(run[:edge], run[: edge + 1]).divergence
    assert (longer.seq, longer.recorded, longer.type) == (edge, "", "EdgeOpened")
    assert compare(run[: edge + 1], run[:edge]).divergence.rerun == ""
    facets = edge - 4
    kinds = compare(run, [*run[:facets], *run[facets + 1 :]]).divergence
    assert (kinds.seq, kinds.field) == (facets, "")
    assert '"FacetsFound"' in kinds.recorded
    assert '"SeedsFound"' in kinds.rerun


def ev_divergence(seq, kind, field, recorded, rerun):
    from engine.snapshots.verify import Divergence

    return Divergence(seq=seq, type=kind, field=field, recorded=recorded, rerun=rerun)


@settings(max_examples=50, deadline=None)
@given(RUN, st.integers(0, 7))
def test_any_run_equals_itself_and_no_run_without_one_decision(run, index):
    assert compare(run, run).identical
    decided = [event for event in run if not isinstance(event, ev.DISPLAY_ONLY)]
    if index < len(decided):
        shorter = [event for event in run if event is not decided[index]]
        same_neighbour = [msgspec.structs.replace(event, seq=0) for event in decided]
        del same_neighbour[index]
        whole = [msgspec.structs.replace(event, seq=0) for event in decided]
        assert compare(run, shorter).identical == (same_neighbour == whole)


def test_verifying_against_a_new_run_tells_what_changed(opened):
    run = sample_run()
    snapshot = opened(run)
    assert check_chain(snapshot.path).intact
    assert verify(snapshot, lambda recorded: recorded.events()).identical
    ranked = next(event for event in run if isinstance(event, ev.EvidenceRanked)).evidence
    other = changed(run, ev.QueryStarted, corpus="dd" * 16)
    other = changed(other, ev.EvidenceRanked, evidence=ranked[:1])
    found = verify(snapshot, lambda _: iter(other))
    assert found.divergence.field == "corpus"
    assert [change.name for change in found.inputs] == ["corpus"]
    assert found.documents_missing == ["manual.pdf"]
