import itertools
import multiprocessing
from collections.abc import Iterator
from datetime import datetime, tzinfo
from pathlib import Path

import msgspec
import pytest

from engine import events as ev
from engine.config import Settings, SystemSettings
from engine.errors import WorkspaceBusyError
from engine.events import Scores
from engine.personas.evolution import MOST_AT_ONCE, MOST_LIVING, propose_sibling, sibling
from engine.personas.learned import COMMITTEE, dials, read_learned
from engine.personas.learning import Lesson, learn, read_gauges, read_limits, settle
from engine.personas.ledger import Ledger, Outcome
from engine.personas.lifecycle import LONGEST_TRIAL, SIBLING_TRIAL
from engine.personas.lineage import lineage
from engine.personas.registry import PersonaRegistry
from engine.workspace import TIERS, Workspace

SETTINGS = Settings(system=SystemSettings(learn_every=10))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def ledger(workspace: Workspace) -> Iterator[Ledger]:
    with Ledger.open(workspace.ledger_path) as opened:
        yield opened


def lesson(workspace: Workspace, gaps: dict[str, float], **changes: object) -> Lesson:
    registry = PersonaRegistry.of(workspace)
    outcomes = []
    for name, gap in gaps.items():
        stored = registry.get(name)
        total = 0.5 + gap
        outcomes.append(
            Outcome(
                persona_id=name,
                persona_digest=stored.digest,
                topic="code",
                tier=stored.tier,
                chosen=True,
                cost=1.0,
                scores=Scores(relevance=0.5, consistency=0.5, novelty=0.5, grounding=1.0, total=total),
                advantage=gap,
                survival=0.5,
            )
        )
    fields: dict[str, object] = {"topic": "code", "experts": len(gaps), "lift": 0.1, "outcomes": outcomes}
    return Lesson(**(fields | changes))  # type: ignore[arg-type]


def teach(
    workspace: Workspace, ledger: Ledger, times: int, gaps: dict[str, float], **changes: object
) -> list[ev.Event]:
    registry = PersonaRegistry.of(workspace)
    events: list[ev.Event] = []
    for _ in range(times):
        run_id = f"run-{ledger.runs()}"
        events += learn(ledger, run_id, lesson(workspace, gaps, **changes), registry, SETTINGS)
        events += settle(workspace, ledger, SETTINGS)
    return events


BAD = {"code-reader": -0.3, "sceptic": 0.0, "synthesiser": 0.0}


def test_a_persona_that_stays_behind_is_moved_with_every_number_kept(
    workspace: Workspace, ledger: Ledger
) -> None:
    events = teach(workspace, ledger, 12, BAD)
    (moved,) = [event for event in events if isinstance(event, ev.PersonaMoved)]
    assert (moved.persona, moved.source, moved.target, moved.rule) == (
        "code-reader", "active", "stable", "behind",
    )  # fmt: skip
    registry = PersonaRegistry.of(workspace)
    assert list(registry.places("code-reader")) == ["stable"]
    (kept,) = registry.history("code-reader")
    assert kept.reason == moved.reason
    assert kept.inputs == {term.name: term.value for term in moved.inputs} | {"rule": "behind"}
    gauges = read_gauges(ledger)["code-reader"][""]
    assert (gauges.tier, gauges.down) == ("stable", pytest.approx(gauges.down))
    assert gauges.n + moved.inputs[0].value == 12


def test_restore_undoes_the_move_and_begins_the_gauges_anew(workspace: Workspace, ledger: Ledger) -> None:
    teach(workspace, ledger, 9, BAD)
    registry = PersonaRegistry.of(workspace)
    registry.restore("code-reader")
    assert [move.to_tier for move in registry.history("code-reader")] == ["stable", "active"]
    teach(workspace, ledger, 1, BAD)
    gauges = read_gauges(ledger)["code-reader"][""]
    assert (gauges.tier, gauges.n) == ("active", 1)
    assert list(registry.places("code-reader")) == ["active"]


def test_a_clock_that_goes_backwards_changes_no_order(
    workspace: Workspace, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Backwards:
        hours = iter(range(23, 0, -1))

        @classmethod
        def now(cls, zone: tzinfo) -> datetime:
            return datetime(2026, 5, 14, next(cls.hours), tzinfo=zone)

    monkeypatch.setattr("engine.personas.moves.datetime", Backwards)
    events = teach(workspace, ledger, 40, BAD)
    moved = [event.target for event in events if isinstance(event, ev.PersonaMoved)]
    assert moved == ["stable", "experimental", "pruned"]
    registry = PersonaRegistry.of(workspace)
    moves = registry.history("code-reader")
    assert [move.to_tier for move in moves] == moved
    assert [move.at for move in moves] == sorted((move.at for move in moves), reverse=True)
    assert registry.restore("code-reader").tier == "experimental"
    assert registry.restore("code-reader").tier == "stable"


def test_pinned_personas_are_left_alone(workspace: Workspace, ledger: Ledger) -> None:
    teach(workspace, ledger, 30, {"fact-finder": -0.3, "sceptic": 0.0})
    assert list(PersonaRegistry.of(workspace).places("fact-finder")) == ["active"]


def test_an_edited_persona_begins_anew(workspace: Workspace, ledger: Ledger) -> None:
    teach(workspace, ledger, 5, BAD)
    registry = PersonaRegistry.of(workspace)
    stored = registry.get("code-reader")
    changed = msgspec.structs.replace(stored.persona, activation_cost=2.5)
    registry.update(changed, stored.content)
    teach(workspace, ledger, 1, BAD)
    assert read_gauges(ledger)["code-reader"][""].n == 1


def test_a_run_counts_once(workspace: Workspace, ledger: Ledger) -> None:
    registry = PersonaRegistry.of(workspace)
    one = lesson(workspace, BAD)
    assert learn(ledger, "r", one, registry, SETTINGS)
    assert learn(ledger, "r", one, registry, SETTINGS) == []
    assert read_gauges(ledger)["code-reader"][""].n == 1


def test_a_move_waits_while_somebody_else_writes(
    workspace: Workspace, ledger: Ledger, tmp_path: Path
) -> None:
    other = Workspace(workspace.root)
    with other.lock():
        events = teach(workspace, ledger, 9, BAD)
        assert not any(isinstance(event, ev.PersonaMoved) for event in events)
    events = teach(workspace, ledger, 1, BAD)
    assert any(isinstance(event, ev.PersonaMoved) for event in events)


def test_records_act_in_steps(workspace: Workspace, ledger: Ledger) -> None:
    names = {each.persona.persona_id: each.digest for each in PersonaRegistry.of(workspace).load().personas}

    def read(as_of: int | None = None):  # type: ignore[no-untyped-def]
        return read_learned(ledger, every=10, as_of=as_of)

    gaps = {"sceptic": 0.1, "synthesiser": -0.1}
    teach(workspace, ledger, 9, gaps)
    assert read().digest == ""
    assert read().records(names, lambda _: "code") == {}
    teach(workspace, ledger, 1, gaps)
    first = read()
    record = first.records(names, lambda _: "code")["sceptic"]
    assert (first.runs, record.n, record.mean, record.topic_n) == (10, 10, 0.6, 10)
    teach(workspace, ledger, 9, gaps)
    assert read() == first
    teach(workspace, ledger, 1, gaps)
    assert read().digest != first.digest
    assert read(as_of=10) == first


def test_where_a_committee_scores_below_one_expert_one_is_asked(workspace: Workspace, ledger: Ledger) -> None:
    gaps = {"sceptic": 0.0, "synthesiser": 0.0}
    events = teach(workspace, ledger, 40, gaps, lift=-0.1)
    (turned,) = [
        event for event in events if isinstance(event, ev.ThresholdMoved) and COMMITTEE in event.name
    ]
    assert (turned.old, turned.new) == (1.0, 0.0)
    assert dials(ledger, ledger.runs())[f"{COMMITTEE}code"] == 0.0
    learned = read_learned(ledger, every=10)
    assert "one expert answers on 'code'" in learned.alone_for("code")
    assert learned.alone_for("history") == ""
    teach(workspace, ledger, 60, gaps, lift=0.2)
    assert dials(ledger, ledger.runs())[f"{COMMITTEE}code"] == 1.0


def test_limits_follow_what_is_measured(workspace: Workspace, ledger: Ledger) -> None:
    events = teach(workspace, ledger, 60, {"sceptic": 0.05, "synthesiser": -0.05})
    moved = [event for event in events if isinstance(event, ev.ThresholdMoved)]
    assert {event.name for event in moved} == {"behind limit", "ahead limit"}
    assert read_limits(ledger).down < 1.2
    assert {term.name for term in moved[0].inputs} >= {"their spread", "questions per mistake", "dead band"}


def _finish_questions(root: str, name: str, count: int) -> None:
    workspace = Workspace.open(Path(root))
    registry = PersonaRegistry.of(workspace)
    with Ledger.open(workspace.ledger_path) as ledger:
        for number in range(count):
            # A ledger waits two seconds for another process; a loaded machine may take longer.
            for _ in range(12):
                try:
                    learn(ledger, f"{name}-{number}", lesson(workspace, BAD), registry, SETTINGS)
                    break
                except WorkspaceBusyError:
                    continue
            settle(workspace, ledger, SETTINGS)


def test_two_processes_that_finish_at_once_lose_nothing(workspace: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_finish_questions, args=(str(workspace.root), name, 25)) for name in ("a", "b")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    with Ledger.open(workspace.ledger_path) as ledger:
        assert ledger.runs() == 50
        assert ledger.summary("code-reader").n == 50
    registry = PersonaRegistry.of(workspace)
    moves = registry.history("code-reader")
    assert moves
    for before, following in itertools.pairwise(moves):
        assert following.from_tier == before.to_tier
    files = [path.name for tier in TIERS for path in (workspace.personas / tier).glob("*.json")]
    assert len(files) == len(set(files))


def test_siblings_differ_in_one_thing_and_name_their_parent(workspace: Workspace) -> None:
    stored = PersonaRegistry.of(workspace).get("historian")
    taken: set[str] = {"historian"}
    seen = []
    for _ in range(2 * 9 + 1):  # two of each trait and one of expertise, at the most
        child = sibling(stored.persona, stored.digest, ["battle"], 0, taken)
        if child is None:
            break
        taken.add(child.persona_id)
        seen.append(child)
        changed = {t for t, v in child.traits.items() if stored.persona.traits.get(t, 5) != v}
        added = set(child.expertise) - set(stored.persona.expertise)
        assert len(changed) + len(added) == 1
        assert lineage(child)["parent"] == "historian"
        assert "pinned" not in child.metadata
    assert child is None
    assert len(seen) >= 10
    again = sibling(stored.persona, stored.digest, ["battle"], 0, {"historian"})
    assert again == seen[0]


def test_evolution_is_off_unless_it_is_switched_on(workspace: Workspace, ledger: Ledger) -> None:
    count = len(PersonaRegistry.of(workspace).load().personas)
    gaps = {"sceptic": 0.05, "synthesiser": -0.05}
    teach(workspace, ledger, 10, gaps)
    assert len(PersonaRegistry.of(workspace).load().personas) == count
    on = Settings(system=SystemSettings(learn_every=10, evolve=True))
    (born,) = settle(workspace, ledger, on)
    assert isinstance(born, ev.PersonaMoved)
    assert (born.rule, born.target) == ("sibling", "experimental")
    assert born.persona.startswith("sceptic--")


EVOLVING = Settings(system=SystemSettings(learn_every=10, evolve=True))


def born_of(workspace: Workspace, ledger: Ledger, gaps: dict[str, float]) -> str:
    teach(workspace, ledger, 10, gaps)
    (born,) = settle(workspace, ledger, EVOLVING)
    assert isinstance(born, ev.PersonaMoved)
    return born.persona


def test_a_sibling_that_beats_its_parent_rises_and_one_that_does_not_makes_room(
    workspace: Workspace, ledger: Ledger
) -> None:
    registry = PersonaRegistry.of(workspace)
    gaps = {"sceptic": 0.05, "synthesiser": -0.05}
    better, equal = born_of(workspace, ledger, gaps), born_of(workspace, ledger, gaps)
    teach(workspace, ledger, SIBLING_TRIAL, {"sceptic": 0.0, better: 0.25})
    risen = registry.history(better)[0]
    assert (risen.from_tier, risen.to_tier, risen.inputs["rule"]) == ("experimental", "stable", "ahead")
    events = teach(workspace, ledger, SIBLING_TRIAL - 1, {"sceptic": 0.2, equal: 0.2})
    assert not [event for event in events if isinstance(event, ev.PersonaMoved)]
    events = teach(workspace, ledger, 1, {"sceptic": 0.2, equal: 0.2})
    (moved,) = [event for event in events if isinstance(event, ev.PersonaMoved)]
    assert (moved.rule, moved.target) == ("trial", "pruned")
    assert f"{SIBLING_TRIAL} questions beside its parent" in moved.reason


def test_a_sibling_is_judged_only_on_questions_its_parent_answered_too(
    workspace: Workspace, ledger: Ledger
) -> None:
    name = born_of(workspace, ledger, {"sceptic": 0.05, "synthesiser": -0.05})
    teach(workspace, ledger, 3, {"sceptic": 0.0, name: 0.2})
    before = read_gauges(ledger)[name][""]
    alone = LONGEST_TRIAL - before.n - 1
    teach(workspace, ledger, alone, {"historian": 0.0, name: 0.05})
    after = read_gauges(ledger)[name][""]
    assert (after.up, after.beside) == (before.up, 3)
    assert after.n == before.n + alone
    registry = PersonaRegistry.of(workspace)
    assert list(registry.places(name)) == ["experimental"]
    # A trial ends even if the parent can no longer be asked beside it.
    teach(workspace, ledger, 1, {"historian": 0.0, name: 0.05})
    assert registry.history(name)[-1].reason == (
        f"it answered {LONGEST_TRIAL} questions and could be compared with its parent on 3 only"
    )


def test_there_are_never_more_siblings_than_the_cap(workspace: Workspace, ledger: Ledger) -> None:
    registry = PersonaRegistry.of(workspace)
    teach(workspace, ledger, 10, {"sceptic": 0.05, "synthesiser": -0.05})
    born = []
    for _ in range(MOST_LIVING + 1):
        child = propose_sibling(registry, ledger, EVOLVING)
        if child is None:
            break
        born.append(child.persona.persona_id)
        if len(born) % MOST_AT_ONCE == 0:
            assert propose_sibling(registry, ledger, EVOLVING) is None
            for name in born[-MOST_AT_ONCE:]:
                registry.move(name, "stable", reason="it beat its parent", inputs={})
    assert len(born) == len(set(born)) == MOST_LIVING
