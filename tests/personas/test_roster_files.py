"""A registry reads a file that did not change only once, and never misses a change."""

import os
import time
from pathlib import Path

import msgspec
import pytest

from engine.personas.document import encode_persona
from engine.personas.draft import blank
from engine.personas.registry import PersonaRegistry
from engine.workspace import Workspace, create_workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / "place")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the persona files that were read."""
    from engine.personas import roster

    seen: list[str] = []
    real = roster.read_bounded

    def counted(path: Path, limit: int) -> bytes:
        seen.append(path.name)
        return real(path, limit)

    monkeypatch.setattr(roster, "read_bounded", counted)
    return seen


def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every file be older than the coarsest clock of a file system."""
    later = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)


def test_unchanged_files_are_read_once(
    place: Workspace, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(monkeypatch)
    registry = PersonaRegistry.of(place)
    first = registry.load()
    assert len(reads) == len(first.personas)
    assert registry.load() == first
    assert len(reads) == len(first.personas)
    path = registry.get("sceptic").path
    reads.clear()
    stored = registry.get("sceptic").persona
    path.write_bytes(encode_persona(msgspec.structs.replace(stored, activation_cost=7.0)))
    reads.clear()
    again = registry.load()
    assert reads == ["sceptic.json"]
    assert {each.persona.persona_id: each.persona.activation_cost for each in again.personas}[
        "sceptic"
    ] == 7.0


def test_a_change_of_the_same_size_and_time_is_seen_in_a_file_written_just_now(place: Workspace) -> None:
    path = place.personas / "stable" / "ada.json"
    registry = PersonaRegistry.of(place)
    for cost in (1.0, 2.0, 3.0, 4.0):
        path.write_bytes(encode_persona(msgspec.structs.replace(blank("ada"), activation_cost=cost)))
        os.utime(path, ns=(0, 0))
        (ada,) = [each for each in registry.load().personas if each.persona.persona_id == "ada"]
        assert ada.persona.activation_cost == cost


def test_files_that_went_bad_moved_or_vanished_are_seen(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(monkeypatch)
    registry = PersonaRegistry.of(place)
    before = {each.persona.persona_id: each.tier for each in registry.load().personas}
    registry.get("scout").path.write_bytes(b"{")
    registry.get("historian").path.rename(place.personas / "pruned" / "historian.json")
    registry.get("sceptic").path.unlink()
    roster = registry.load()
    after = {each.persona.persona_id: each.tier for each in roster.personas}
    assert after == {
        **{k: v for k, v in before.items() if k not in ("scout", "sceptic")},
        "historian": "pruned",
    }
    assert [each.path.name for each in roster.problems] == ["scout.json"]
