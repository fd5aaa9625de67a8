"""The persona screens as pictures, each looked at, in three sizes."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from picture_kit import Before, Filmed, Snap, settled, sized
from tui_samples import still, wait_until

from engine.events import Scores, Tier
from engine.personas.comparison import Overlap, policy_rows, shared_expertise, trait_rows
from engine.personas.document import Persona, encode_persona
from engine.personas.ledger import Ledger, Outcome
from engine.personas.lifecycle import Gauges
from engine.personas.registry import PersonaRegistry
from engine.personas.track_record import Duel
from engine.preview import SideBySide
from engine.workspace import Workspace, create_workspace
from tui.glyphs import ASCII, UNICODE, Glyphs
from tui.notices import Opened
from tui.screens.personas import PersonasScreen
from tui.screens.personas_card import CardScreen
from tui.screens.personas_import import ImportScreen
from tui.widgets.persona_lists import CardList, RosterList
from tui.widgets.row_list import RowList

PERSONAS: tuple[tuple[str, Tier, float, dict[str, int], list[str]], ...] = (
    ("fact-finder", "active", 0.5, {"depth": 4, "rigour": 5}, ["fact", "answer"]),
    ("sceptic", "active", 1.0, {"depth": 5, "scepticism": 9, "bluntness": 7}, ["risk", "known issue"]),
    ("historian", "stable", 1.2, {"depth": 7, "recency": 1}, ["origin", "turning point"]),
    ("number-checker", "stable", 0.8, {"rigour": 9}, ["amount", "unit"]),
    ("scout", "experimental", 1.5, {"exploration": 9, "depth": 8}, ["rare", "far link"]),
    ("old-hand", "pruned", 1.0, {}, ["archive"]),
)


class Clock(datetime):
    """A clock that stands still, for the moves."""

    @classmethod
    def now(cls, tz: Any = None) -> "Clock":
        return cls(2030, 1, 1, 12, 0, 0, tzinfo=tz)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Six personas, of which two have a past."""
    monkeypatch.setattr("engine.personas.moves.datetime", Clock)
    workspace = create_workspace(tmp_path / "place")
    for path in workspace.personas.rglob("*.json"):
        path.unlink()
    for name, tier, cost, traits, expertise in PERSONAS:
        metadata: dict[str, Any] = {
            "name": name.replace("-", " ").capitalize(),
            "description": f"Looks for {name}.",
        }
        if name == "fact-finder":
            metadata["pinned"] = True
        if name == "scout":
            metadata["lineage"] = {"parent": "historian"}
        persona = Persona(
            persona_id=name,
            traits=traits,
            expertise=expertise,
            activation_cost=cost,
            historical_performance={},
            metadata=metadata,
        )
        (workspace.personas / tier / f"{name}.json").write_bytes(encode_persona(persona))
    registry = PersonaRegistry.of(workspace)
    registry.move("historian", "experimental", reason="moved by hand in the app")
    registry.restore("historian")
    record(registry)
    return workspace


def record(registry: PersonaRegistry) -> None:
    with Ledger.open(registry.workspace.ledger_path) as ledger:
        stored = {name: registry.get(name) for name in ("sceptic", "historian")}
        for run in range(30):
            outcomes = [
                Outcome(
                    persona_id=name,
                    persona_digest=each.digest,
                    topic=each.persona.expertise[run % 2],
                    tier=each.tier,
                    chosen=True,
                    cost=each.persona.activation_cost,
                    scores=Scores(relevance=0.5, consistency=0.5, novelty=0.5, grounding=0.75, total=total),
                    advantage=total - 0.5,
                    survival=0.5,
                )
                for name, each, total in (
                    ("sceptic", stored["sceptic"], 0.3 + 0.02 * run),
                    ("historian", stored["historian"], 0.9 - 0.02 * run),
                )
            ]
            ledger.record(f"203001{run:02}-000000-abcdef", outcomes)
        for name, down, up in (("sceptic", 0.125, 0.0), ("historian", 0.75, 0.25)):
            gauges = Gauges(
                tier=stored[name].tier, digest=stored[name].digest, down=down, up=up, n=30, wait=0
            )
            with ledger.transaction():
                state = msgspec.json.encode(gauges).decode()
                ledger.rows("INSERT OR REPLACE INTO gauge VALUES (?, ?, ?)", (name, "", state))


class Inline(Filmed):
    """The app whose engine's thread is this one: what is asked of it is there at once."""

    def start_session(self) -> None:
        async def call(work: Callable[[Any], Any]) -> Any:
            return work(SimpleNamespace(workspace=self.desk.session.workspace))

        self.desk.session.call = call  # type: ignore[method-assign]
        self.desk.session.look = lambda: None  # type: ignore[method-assign]
        self.desk.session.queue.put(
            0, Opened(passages=5, documents=(), file_count=0, personas=(), problems=())
        )


def app(workspace: Workspace, glyphs: Glyphs = UNICODE, **options: Any) -> Inline:
    return Inline(workspace, glyphs=glyphs, clock=still, **options)


async def to_roster(pilot: Any) -> PersonasScreen:
    await wait_until(pilot, lambda: pilot.app.desk.opened is not None)
    await pilot.press("escape", "P")
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, PersonasScreen))
    await wait_until(pilot, lambda: len(pilot.app.screen.query_one(RosterList).rows) > 4)
    screen: PersonasScreen = pilot.app.screen
    return screen


def roster(*keys: str) -> Before:
    async def before(pilot: Any) -> None:
        screen = await to_roster(pilot)
        screen.query_one(RosterList).go_to("persona:sceptic")
        await pilot.press(*keys)
        await settled(pilot)

    return before


def card(name: str, row: str, *keys: str) -> Before:
    async def before(pilot: Any) -> None:
        screen = await to_roster(pilot)
        screen.query_one(RosterList).go_to(f"persona:{name}")
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, CardScreen))
        await wait_until(pilot, lambda: bool(pilot.app.screen.query_one(CardList).rows))
        pilot.app.screen.query_one(CardList).go_to(row)
        await pilot.press(*keys)
        await settled(pilot)

    return before


@sized
def test_roster(snap_compare: Snap, place: Workspace, size: tuple[int, int]) -> None:
    assert snap_compare(app(place), terminal_size=size, run_before=roster("space", "space"))


def test_roster_filtered(snap_compare: Snap, place: Workspace) -> None:
    before = roster("slash", "i", "s", "enter", "o", "o", "o", "o")
    assert snap_compare(app(place), terminal_size=(80, 24), run_before=before)


@sized
def test_card(snap_compare: Snap, place: Workspace, size: tuple[int, int]) -> None:
    before = card("sceptic", "trait:depth", "8", "j", "right")
    assert snap_compare(app(place), terminal_size=size, run_before=before)


def test_card_below(snap_compare: Snap, place: Workspace) -> None:
    assert snap_compare(app(place), terminal_size=(80, 24), run_before=card("historian", "field:name", "G"))


def test_a_wrong_answer_stays_in_the_line(snap_compare: Snap, place: Workspace) -> None:
    before = card("sceptic", "field:cost", "enter", "0", "0", "0", "enter")
    assert snap_compare(app(place), terminal_size=(80, 24), run_before=before)


def test_card_in_ascii(snap_compare: Snap, place: Workspace) -> None:
    before = card("historian", "did:mean")
    made = app(place, ASCII, plain_colours=True)
    assert snap_compare(made, terminal_size=(120, 40), run_before=before)


@sized
def test_new(snap_compare: Snap, place: Workspace, size: tuple[int, int]) -> None:
    assert snap_compare(app(place), terminal_size=size, run_before=roster("n"))


@sized
def test_import(snap_compare: Snap, place: Workspace, size: tuple[int, int]) -> None:
    made = app(place)
    stored = PersonaRegistry.of(place).get("sceptic").persona
    theirs = msgspec.structs.replace(stored, activation_cost=1.5, expertise=["risk"])
    newcomer = msgspec.structs.replace(stored, persona_id="newcomer")
    documents = [(f"shared/{each.persona_id}.json", encode_persona(each)) for each in (theirs, newcomer)]

    async def before(pilot: Any) -> None:
        await to_roster(pilot)
        await made.push_screen(ImportScreen(documents, ["shared/broken.json: not JSON"]))
        await wait_until(pilot, lambda: len(made.screen.query_one(RowList).rows) > 2)
        await settled(pilot)

    assert snap_compare(made, terminal_size=size, run_before=before)


@sized
def test_compare(
    snap_compare: Snap, place: Workspace, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = PersonaRegistry.of(place)
    stored = [registry.get("sceptic"), registry.get("historian")]
    personas = [each.persona for each in stored]
    found = SideBySide(
        personas=stored,
        traits=trait_rows(personas),
        policy=policy_rows(personas),
        shared_expertise=shared_expertise(personas),
        duels=[Duel(first="sceptic", second="historian", together=30, left=14, right=15, lead=-0.02)],
        questions=["Who designed the Helio lamp?"],
        found=[{}],
        overlap=[
            Overlap(first="sceptic", second="historian", shared=4, only_first=3, only_second=3, overlap=0.4)
        ],
    )
    monkeypatch.setattr("tui.persona_compare.compared", lambda *_, **__: found)

    async def before(pilot: Any) -> None:
        screen = await to_roster(pilot)
        screen.query_one(RosterList).go_to("persona:sceptic")
        await pilot.press("space")
        screen.query_one(RosterList).go_to("persona:historian")
        await pilot.press("space", "c")
        await wait_until(pilot, lambda: pilot.app.screen is not screen)
        await wait_until(pilot, lambda: len(pilot.app.screen.query_one(RowList).rows) > 4)
        await settled(pilot)

    assert snap_compare(app(place), terminal_size=size, run_before=before)
