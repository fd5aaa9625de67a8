"""What other machines' words may do to a run: lend credit at the gate, and never move a tier."""

from engine import events as ev
from engine.personas.federation import Bundle, Cell, card_of
from engine.personas.federation_priors import keep_bundle
from engine.personas.learning import read_gauges, settle
from engine.personas.ledger import Ledger
from engine.personas.registry import PersonaRegistry
from engine.pipeline import Engine
from engine.snapshots.reader import open_snapshot
from engine.snapshots.verify import compare
from engine.workspace import Workspace

QUESTION = "Where was the designer of Tolland Bridge from?"


def hear(workspace: Workspace, said: dict[str, float], nodes: int = 3) -> None:
    """Take in what ``nodes`` machines say: the mean standing of each persona over a million answers."""
    registry = PersonaRegistry.of(workspace)
    n = 1_000_000
    cells = [
        Cell(
            persona=card_of(registry.get(name).persona, "0" * 32).digest,
            model="extractive",
            topic="",
            node=f"{node:032x}",
            version=1,
            n=n,
            standing=mean * n,
            squares=mean * mean * n,
            quality=mean * n,
            grounding=mean * n,
            histogram=(n, 0, 0, 0, 0, 0, 0, 0),
        )
        for name, mean in said.items()
        for node in range(1, nodes + 1)
    ]
    keep_bundle(workspace, [Bundle(node=f"{1:032x}", cells=tuple(cells))])


def values(events: list[ev.Event]) -> dict[str, float]:
    return {event.persona: event.value for event in events if isinstance(event, ev.GateScored)}


def test_foreign_evidence_moves_the_gate_and_the_run_names_what_it_heard(
    engine: Engine, workspace: Workspace
) -> None:
    before = list(engine.ask_sync(QUESTION))
    hear(workspace, {"sceptic": 1.0, "synthesiser": 0.0})
    after = list(engine.ask_sync(QUESTION))
    was, now = values(before), values(after)
    assert now["sceptic"] > was["sceptic"]
    assert now["synthesiser"] < was["synthesiser"]
    assert {name: value for name, value in now.items() if name not in ("sceptic", "synthesiser")} == {
        name: value for name, value in was.items() if name not in ("sceptic", "synthesiser")
    }
    assert isinstance(before[0], ev.QueryStarted)
    assert isinstance(after[0], ev.QueryStarted)
    assert before[0].learned == ""
    assert after[0].learned != ""
    again = open_snapshot(engine.snapshot_path(after[-1].snapshot))  # type: ignore[attr-defined]
    assert compare(again.events(), engine.rerun(again)).identical
    older = open_snapshot(engine.snapshot_path(before[-1].snapshot))  # type: ignore[attr-defined]
    assert not compare(older.events(), engine.rerun(older)).identical


def test_foreign_evidence_counts_for_twenty_questions_at_the_most(
    engine: Engine, workspace: Workspace
) -> None:
    hear(workspace, {"sceptic": 1.0}, nodes=1)
    one = values(list(engine.ask_sync(QUESTION)))["sceptic"]
    hear(workspace, {"sceptic": 1.0}, nodes=40)
    assert values(list(engine.ask_sync(QUESTION)))["sceptic"] == one
    # (20 * 1 + 2 * 0.55) / 22 of a persona that knows nothing of the subject
    assert one == 0.959091


def test_foreign_evidence_alone_moves_no_tier_and_no_gauge(engine: Engine, workspace: Workspace) -> None:
    registry = PersonaRegistry.of(workspace)
    everyone = [each.persona.persona_id for each in registry.load().personas]
    tiers = {each.persona.persona_id: each.tier for each in registry.load().personas}
    list(engine.ask_sync(QUESTION))
    with Ledger.open(workspace.ledger_path) as ledger:
        gauges = read_gauges(ledger, None)
        hear(workspace, {name: 1.0 if number % 2 else 0.0 for number, name in enumerate(everyone)}, nodes=9)
        assert settle(workspace, ledger, workspace.settings()) == []
        assert read_gauges(ledger, None) == gauges
    assert {each.persona.persona_id: each.tier for each in registry.load().personas} == tiers
    assert all(registry.history(name) == [] for name in everyone)


def test_foreign_evidence_changes_no_audition(engine: Engine, workspace: Workspace) -> None:
    """A persona that others praise is no less of a newcomer here, and no more of one."""
    auditions = [f"Where was the designer of Tolland Bridge from, asked {number}?" for number in range(12)]

    def guests() -> list[list[str]]:
        engine.settings = workspace.settings()
        return [
            [
                event.persona
                for event in engine.rerun(open_snapshot(engine.snapshot_path(name)))
                if isinstance(event, ev.ExpertChosen) and event.reason.startswith("audition")
            ]
            for name in names
        ]

    names = [list(engine.ask_sync(each))[-1].snapshot for each in auditions]  # type: ignore[attr-defined]
    before = guests()
    assert any(before)
    hear(workspace, {"scout": 1.0, "newcomer": 0.0, "rule-reader": 1.0})
    assert guests() == before
