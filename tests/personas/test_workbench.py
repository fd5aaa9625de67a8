"""Acts on personas, one or many, and taking them back act by act; nothing of others is overwritten."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PersonaError
from engine.personas.bundle import encode_bundle, plan_import
from engine.personas.document import encode_persona
from engine.personas.draft import blank
from engine.personas.registry import PersonaRegistry
from engine.personas.workbench import Workbench
from engine.workspace import Workspace, create_workspace

NAMES = ("sceptic", "historian", "scout")


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / "place")


@pytest.fixture
def bench(place: Workspace) -> Workbench:
    return Workbench(PersonaRegistry.of(place))


def state(registry: PersonaRegistry) -> dict[str, tuple[str, str]]:
    """Each persona's tier and file."""
    return {each.persona.persona_id: (each.tier, each.content) for each in registry.load().personas}


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["up", "down", "pruned", "pin", "unpin", "retire", "restore", "edit"]),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(ACTS)
def test_undoing_everything_brings_every_file_back_to_its_bytes_and_tier(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, list[str]]]
) -> None:
    registry = PersonaRegistry.of(create_workspace(tmp_path_factory.mktemp("w") / "place"))
    bench = Workbench(registry)
    before = state(registry)
    for act, ids in acts:
        if act in ("pin", "unpin"):
            bench.pin(ids, act == "pin")
        elif act == "retire":
            bench.retire(ids)
        elif act == "restore":
            bench.restore(ids)
        elif act == "edit":
            stored = registry.get(ids[0])
            cost = stored.persona.activation_cost + 1
            bench.update(msgspec.structs.replace(stored.persona, activation_cost=cost), stored.content)
        else:
            bench.move(ids, act)
    while bench.next_undo:
        assert bench.undo().refused == ()
    assert state(registry) == before


def test_of_many_those_that_can_be_moved_are_and_the_others_are_named(bench: Workbench) -> None:
    act = bench.move(["sceptic", "scout", "nobody"], "up")
    assert act.ids == ("scout",)
    assert act.said == "scout went from experimental to stable"
    assert "sceptic is active already" in act.refused[0]
    assert "there is no persona nobody" in act.refused[1]
    assert "sceptic is active already" in act.told


def test_what_is_refused_is_counted_and_not_listed_for_ever(bench: Workbench) -> None:
    act = bench.move([f"nobody-{number}" for number in range(50)], "up")
    assert act.told.endswith("and 47 more could not")
    with pytest.raises(PersonaError, match="nothing was done"):
        bench.undo()


def test_a_persona_that_somebody_moved_since_is_left_where_it_is(bench: Workbench) -> None:
    bench.move(["sceptic", "scout"], "down")
    bench.registry.move("sceptic", "experimental", reason="by another program")
    act = bench.undo()
    assert "sceptic is experimental and no longer stable" in act.refused[0]
    assert bench.registry.get("sceptic").tier == "experimental"
    assert bench.registry.get("scout").tier == "experimental"


def test_a_persona_that_somebody_edited_since_keeps_that_edit(bench: Workbench) -> None:
    bench.pin(["sceptic"])
    stored = bench.registry.get("sceptic")
    stored.path.write_bytes(encode_persona(msgspec.structs.replace(stored.persona, activation_cost=7.0)))
    act = bench.undo()
    assert "was changed by another program since" in act.refused[0]
    assert bench.registry.get("sceptic").persona.activation_cost == 7.0


def test_what_was_made_is_set_aside_by_undo_and_not_deleted(bench: Workbench, place: Workspace) -> None:
    for _ in range(2):
        bench.create(blank("ada"))
        bench.undo()
    assert bench.registry.places("ada") == {}
    assert sorted(path.name for path in (place.state / "set_aside").iterdir()) == [
        "ada.made.1.json",
        "ada.made.2.json",
    ]


def test_an_import_is_taken_back_as_a_whole(bench: Workbench) -> None:
    registry = bench.registry
    before = state(registry)
    sceptic = registry.get("sceptic")
    other = msgspec.structs.replace(sceptic.persona, activation_cost=9.0)
    documents = [
        ("a", encode_persona(other)),
        ("a", encode_persona(blank("ada"))),
        ("a", encode_persona(msgspec.structs.replace(registry.get("scout").persona, activation_cost=9.0))),
        ("a", b"{"),
    ]
    act = bench.take_in(plan_import(registry, documents, {"sceptic": "replace"}))
    assert act.ids == ("sceptic", "ada")
    assert len(act.refused) == 2
    assert registry.get("sceptic").persona.activation_cost == 9.0
    assert bench.undo().refused == ()
    assert state(registry) == before


def test_a_resolved_conflict_can_be_taken_back(bench: Workbench, place: Workspace) -> None:
    one = bench.registry.get("scout").path
    other = place.personas / "pruned" / "scout.json"
    other.write_bytes(encode_persona(msgspec.structs.replace(blank("scout"), activation_cost=3.0)))
    bench.resolve("scout", "pruned")
    assert bench.registry.get("scout").persona.activation_cost == 3.0
    bench.undo()
    assert one.exists()
    assert other.exists()


def test_progress_is_told_of_an_act_on_many(bench: Workbench) -> None:
    bench.move(NAMES, "down")
    assert bench.progress == (2, 3)


def test_a_bundle_of_moved_personas_reads_back(bench: Workbench) -> None:
    bench.move(["scout"], "up")
    assert b'"stable"' in encode_bundle([bench.registry.get("scout")])
