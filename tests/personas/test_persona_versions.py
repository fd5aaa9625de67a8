"""Undo: whatever was done last to a persona is taken back, whether a move or an edit."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PersonaError
from engine.personas.document import Persona
from engine.personas.registry import PersonaRegistry
from engine.personas.versions import versions
from engine.workspace import create_workspace


@pytest.fixture
def registry(tmp_path: Path) -> PersonaRegistry:
    return PersonaRegistry.of(create_workspace(tmp_path / "place"))


def trait(registry: PersonaRegistry, value: int, persona_id: str = "sceptic") -> None:
    stored = registry.get(persona_id)
    persona: Persona = msgspec.structs.replace(
        stored.persona, traits={**stored.persona.traits, "depth": value}
    )
    registry.update(persona, stored.content)


def state(registry: PersonaRegistry, persona_id: str = "sceptic") -> tuple[str, bytes]:
    stored = registry.get(persona_id)
    return stored.tier, stored.path.read_bytes()


def test_edits_and_moves_are_taken_back_in_the_order_they_were_made(registry: PersonaRegistry) -> None:
    before = [state(registry)]
    trait(registry, 6)
    before.append(state(registry))
    registry.move("sceptic", "stable", reason="test")
    before.append(state(registry))
    trait(registry, 7)
    trait(registry, 8)
    registry.undo("sceptic")
    for expected in reversed(before):
        registry.undo("sceptic")
        assert state(registry) == expected
    with pytest.raises(PersonaError, match="sceptic has no change to undo"):
        registry.undo("sceptic")


@given(steps=st.lists(st.sampled_from(["edit", "up", "down", "pin"]), max_size=8))
@settings(max_examples=15, deadline=None)
def test_undo_walks_all_the_way_back(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    registry = PersonaRegistry.of(create_workspace(tmp_path_factory.mktemp("place")))
    states = [state(registry, "historian")]
    for number, step in enumerate(steps):
        if step == "edit":
            trait(registry, 1 + number % 9, "historian")
        elif step == "pin":
            registry.pin("historian", registry.get("historian").persona.metadata.get("pinned") is not True)
        else:
            tiers = ("active", "stable", "experimental", "pruned")
            at = tiers.index(registry.get("historian").tier) + (1 if step == "down" else -1)
            if not 0 <= at < 4:
                continue
            registry.move("historian", tiers[at], reason="test")  # type: ignore[arg-type]
        states.append(state(registry, "historian"))
    for expected in reversed(states[:-1]):
        registry.undo("historian")
        assert state(registry, "historian")[0] == expected[0]
    assert state(registry, "historian") == states[0]


def test_without_an_id_the_last_change_of_all_is_taken_back(registry: PersonaRegistry) -> None:
    trait(registry, 6)
    registry.move("historian", "active", reason="test")
    trait(registry, 9, "scout")
    assert [registry.undo().persona_id for _ in range(3)] == ["scout", "historian", "sceptic"]
    with pytest.raises(PersonaError, match="there is no change to undo"):
        registry.undo()


def test_what_an_undo_replaces_is_set_aside(registry: PersonaRegistry) -> None:
    trait(registry, 6)
    edited = state(registry)[1]
    registry.undo("sceptic")
    (aside,) = (registry.workspace.state / "set_aside").iterdir()
    assert aside.read_bytes() == edited
    assert versions(registry.workspace) == []


def test_a_kept_version_that_is_damaged_is_told_of_and_changes_nothing(registry: PersonaRegistry) -> None:
    trait(registry, 6)
    before = state(registry)
    (version,) = versions(registry.workspace, "sceptic")
    version.path.write_bytes(b"{")
    with pytest.raises(PersonaError, match="not valid JSON"):
        registry.undo("sceptic")
    assert state(registry) == before


def test_an_edit_that_is_refused_leaves_no_version(registry: PersonaRegistry) -> None:
    stored = registry.get("sceptic")
    trait(registry, 6)
    with pytest.raises(PersonaError, match="changed by another program meanwhile"):
        registry.update(stored.persona, stored.content)
    assert len(versions(registry.workspace)) == 1


def test_pinning_twice_changes_once(registry: PersonaRegistry) -> None:
    assert registry.pin("sceptic")[1] is True
    assert registry.pin("sceptic")[1] is False
    assert registry.get("sceptic").persona.metadata["pinned"] is True
    assert registry.pin("sceptic", False)[1] is True
    assert "pinned" not in registry.get("sceptic").persona.metadata
