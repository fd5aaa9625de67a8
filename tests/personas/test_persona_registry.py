"""The registry: bad files stop nobody, moves are one step, history is true, nothing is lost."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import files
from engine.errors import InputError, PersonaError, WorkspaceError
from engine.events import Tier
from engine.personas.document import Persona, encode_persona
from engine.personas.exchange import is_same, read_foreign
from engine.personas.moves import MoveJournal, move_persona_to_folder
from engine.personas.registry import PersonaRegistry
from engine.workspace import TIERS, Workspace


def persona(persona_id: str = "ada", **changes: Any) -> Persona:
    fields: dict[str, Any] = {
        "persona_id": persona_id,
        "traits": {"depth": 3},
        "expertise": ["graphs"],
        "activation_cost": 1.0,
        "historical_performance": {},
        "metadata": {},
    }
    return Persona(**{**fields, **changes})


@pytest.fixture
def registry(tmp_path: Path) -> PersonaRegistry:
    workspace = Workspace(tmp_path)
    for folder in workspace.folders():
        files.make_folder(folder)
    registry = PersonaRegistry.of(workspace)
    for tier, persona_id in (("active", "ada"), ("active", "bob"), ("stable", "cyd"), ("pruned", "old")):
        registry.create(persona(persona_id), tier)  # type: ignore[arg-type]
    return registry


def where(registry: PersonaRegistry, persona_id: str) -> list[str]:
    return [tier for tier in TIERS if (registry.folder / tier / f"{persona_id}.json").exists()]


def test_the_roster_is_in_order_and_leaves_the_pruned_out(registry: PersonaRegistry) -> None:
    roster = registry.load()
    assert [(each.tier, each.persona.persona_id) for each in roster.personas] == [
        ("active", "ada"), ("active", "bob"), ("stable", "cyd"), ("pruned", "old"),
    ]  # fmt: skip
    assert [each.persona.persona_id for each in roster.usable] == ["ada", "bob", "cyd"]
    assert roster.problems == ()


def test_bad_files_are_named_and_stop_nobody(registry: PersonaRegistry) -> None:
    active = registry.folder / "active"
    (active / "broken.json").write_bytes(b"{")
    (active / "renamed.json").write_bytes(encode_persona(persona("other")))
    (active / "dan.JSON").write_bytes(encode_persona(persona("dan")))
    (active / "folder.json").mkdir()
    os.mkfifo(active / "pipe.json")
    (active / "away.json").symlink_to("/etc/passwd")
    (active / ".hidden.json").write_bytes(b"{")
    (active / "README.md").write_bytes(b"notes")
    roster = registry.load()
    assert [each.persona.persona_id for each in roster.personas] == ["ada", "bob", "cyd", "old"]
    reasons = {problem.path.name: problem.reason for problem in roster.problems}
    assert sorted(reasons) == [
        "away.json",
        "broken.json",
        "dan.JSON",
        "folder.json",
        "pipe.json",
        "renamed.json",
    ]
    assert "rename the file to other.json" in reasons["renamed.json"]
    assert "not valid JSON" in reasons["broken.json"]
    assert "symbolic link" in reasons["away.json"]


def test_a_missing_tier_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert PersonaRegistry(tmp_path).load().personas == ()


def test_an_id_in_two_tiers_takes_no_part_until_resolved(registry: PersonaRegistry) -> None:
    other = registry.folder / "stable" / "ada.json"
    other.write_bytes(encode_persona(persona("ada", activation_cost=9.0)))
    roster = registry.load()
    assert "ada" not in [each.persona.persona_id for each in roster.personas]
    assert [problem.path.parent.name for problem in roster.problems] == ["active", "stable"]
    for act in (lambda: registry.get("ada"), lambda: registry.move("ada", "pruned", reason="x")):
        with pytest.raises(PersonaError, match=r"in active and stable.*personas resolve ada"):
            act()
    (aside,) = registry.resolve("ada", "stable")
    assert aside.read_bytes() == encode_persona(persona("ada"))
    assert registry.get("ada").persona.activation_cost == 9.0
    with pytest.raises(PersonaError, match="no conflict"):
        registry.resolve("ada", "stable")


def test_an_unknown_id_names_the_nearest(registry: PersonaRegistry) -> None:
    with pytest.raises(PersonaError, match=r"there is no persona adda; did you mean ada\?"):
        registry.get("adda")
    with pytest.raises(PersonaError, match="not allowed"):
        registry.get("../ada")


def test_a_move_is_recorded_and_can_be_undone_step_by_step(registry: PersonaRegistry) -> None:
    registry.move("ada", "stable", reason="scored low", inputs={"mean": 0.31})
    registry.move("ada", "experimental", reason="again")
    assert where(registry, "ada") == ["experimental"]
    assert registry.restore("ada").tier == "stable"
    assert registry.restore("ada").tier == "active"
    with pytest.raises(PersonaError, match="no move to undo"):
        registry.restore("ada")
    registry.move("ada", "pruned", reason="third")
    assert registry.restore("ada").tier == "active"
    moves = registry.history("ada")
    assert [move.state for move in moves] == ["done"] * 6
    assert (moves[0].reason, moves[0].inputs) == ("scored low", {"mean": 0.31})
    assert moves[2].inputs == {"undoes": moves[1].seq}
    assert registry.history("bob") == []


def test_a_move_to_where_it_is_is_refused(registry: PersonaRegistry) -> None:
    with pytest.raises(PersonaError, match="ada is active already"):
        registry.move("ada", "active", reason="x")
    assert registry.history("ada") == []


def test_moving_folders_by_the_public_function(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "ada.json").write_bytes(b"one")
    assert move_persona_to_folder("ada", tmp_path / "a", str(tmp_path / "b")) == tmp_path / "b" / "ada.json"
    with pytest.raises(PersonaError, match="there is no persona ada in"):
        move_persona_to_folder("ada", tmp_path / "a", tmp_path / "b")
    (tmp_path / "a" / "ada.json").write_bytes(b"two")
    with pytest.raises(PersonaError, match="already"):
        move_persona_to_folder("ada", tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "ada.json").read_bytes() == b"one"
    with pytest.raises(PersonaError, match="not allowed"):
        move_persona_to_folder("../ada", tmp_path / "a", tmp_path / "b")


class Killed(BaseException):
    """What kill -9 looks like from inside a test: nothing after it runs."""


@pytest.mark.parametrize("step", ["intend", "rename", "finish"])
def test_killed_anywhere_the_history_tells_where_the_file_is(
    registry: PersonaRegistry, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    target = {
        "intend": (MoveJournal, "intend"),
        "rename": (files, "_rename_noreplace"),
        "finish": (MoveJournal, "finish"),
    }[step]
    with monkeypatch.context() as patch:
        patch.setattr(*target, die)
        with pytest.raises(Killed):
            registry.move("ada", "stable", reason="x")
    notes = registry.recover()
    assert len(notes) == (0 if step == "intend" else 1)
    assert registry.recover() == []
    states = [move.state for move in registry.history("ada")]
    assert (where(registry, "ada"), states) == {
        "intend": (["active"], []),
        "rename": (["active"], ["void"]),
        "finish": (["stable"], ["done"]),
    }[step]


def test_a_rename_that_a_power_cut_left_half_done_is_completed(registry: PersonaRegistry) -> None:
    journal = MoveJournal(registry.workspace.moves_path)
    journal.intend("ada", "active", "stable", "x", {})
    os.link(registry.folder / "active" / "ada.json", registry.folder / "stable" / "ada.json")
    registry.recover()
    assert where(registry, "ada") == ["stable"]
    journal.intend("bob", "active", "stable", "x", {})
    (registry.folder / "stable" / "bob.json").write_bytes(encode_persona(persona("bob", activation_cost=3.0)))
    registry.recover()
    assert where(registry, "bob") == ["active", "stable"]
    assert [move.state for move in registry.history("bob")] == ["void"]


def test_a_move_the_system_refuses_is_void_in_the_history(
    registry: PersonaRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(files, "_rename_noreplace", refuse)
        with pytest.raises(WorkspaceError, match="Input/output error"):
            registry.move("ada", "stable", reason="x")
    assert where(registry, "ada") == ["active"]
    assert [move.state for move in registry.history("ada")] == ["void"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(cut=st.integers(1, 300), junk=st.binary(max_size=20))
def test_a_torn_tail_costs_at_most_what_was_torn(tmp_path: Path, cut: int, junk: bytes) -> None:
    path = tmp_path / "moves.jsonl"
    path.unlink(missing_ok=True)
    journal = MoveJournal(path)
    for number in range(3):
        intent = journal.intend(f"p{number}", "active", "stable", "because", {"x": number / 7})
        journal.finish(intent, "done")
    whole = path.read_bytes()
    kept = whole[: max(0, len(whole) - cut)]
    path.write_bytes(kept + junk)
    good = kept.count(b"\n")
    journal.intend("new", "active", "stable", "after", {})
    lines, _ = journal.lines()
    assert len(lines) >= good + 1
    assert lines[-1].persona_id == "new"
    assert [line.seq for line in lines[:good]] == list(range(good))


def test_a_line_changed_in_the_middle_costs_that_line(registry: PersonaRegistry) -> None:
    registry.move("ada", "stable", reason="one")
    registry.move("bob", "stable", reason="two")
    path = registry.workspace.moves_path
    path.write_bytes(path.read_bytes().replace(b'"reason":"one"', b'"reason":"ONE"'))
    lines, bad = MoveJournal(path).lines()
    assert (len(lines), bad) == (3, 1)
    assert [move.reason for move in registry.history("bob")] == ["two"]


def test_an_id_is_made_once(registry: PersonaRegistry) -> None:
    with pytest.raises(PersonaError, match=r"already \(pruned\)"):
        registry.create(persona("old"))
    assert where(registry, "old") == ["pruned"]


def test_an_edit_does_not_overwrite_a_newer_one(registry: PersonaRegistry) -> None:
    first = registry.get("ada")
    second = registry.update(persona("ada", activation_cost=2.0), first.content)
    assert second.persona.activation_cost == 2.0
    with pytest.raises(PersonaError, match="changed by another program"):
        registry.update(persona("ada", activation_cost=3.0), first.content)
    assert registry.get("ada").persona.activation_cost == 2.0


def test_a_clone_has_its_parents_nature_and_no_past(registry: PersonaRegistry) -> None:
    registry.create(persona("eve", historical_performance={"runs": 9}, metadata={"name": "Eve"}))
    child = registry.clone("eve", "eve-2")
    assert child.persona.historical_performance == {}
    assert child.persona.metadata["name"] == "Eve"
    assert child.persona.metadata["lineage"] == {"parent": "eve", "parent_digest": registry.get("eve").digest}


def test_without_a_workspace_there_is_reading_only(registry: PersonaRegistry) -> None:
    reader = PersonaRegistry(registry.folder)
    assert reader.load() == registry.load()
    with pytest.raises(WorkspaceError, match="not part of a workspace"):
        reader.move("ada", "stable", reason="x")


def test_a_foreign_document_is_completed_and_its_own_fields_are_kept() -> None:
    document = {
        "persona_id": "ada",
        "traits": {},
        "expertise": [],
        "activation_cost": 1,
        "metadata": {"pinned": True, "foreign": {"old": 1}},
        "colour": "red",
        "__class__": "os.system",
    }
    imported = read_foreign(json.dumps(document).encode(), "ada.json", as_id="zoe")
    assert imported.persona.persona_id == "zoe"
    assert imported.persona.metadata == {"foreign": {"old": 1, "colour": "red", "__class__": "os.system"}}
    assert len(imported.notes) == 4
    misspelt = json.dumps({**document, "activation_costs": 1, "activation_cost": None}).encode()
    with pytest.raises(PersonaError):
        read_foreign(misspelt, "ada.json")
    del document["expertise"]
    with pytest.raises(PersonaError, match="did you mean expertise"):
        read_foreign(json.dumps({**document, "expertize": []}).encode(), "ada.json")


def test_the_same_persona_is_told_from_another() -> None:
    one = persona("ada", historical_performance={"runs": 1}, metadata={"pinned": True})
    assert is_same(one, persona("ada"))
    assert not is_same(one, persona("ada", activation_cost=2.0))


@pytest.mark.parametrize("tier", TIERS)
def test_a_persona_can_be_made_in_any_tier(registry: PersonaRegistry, tier: Tier) -> None:
    assert registry.create(persona("new"), tier).tier == tier
    with pytest.raises(InputError):
        registry.create(persona("new"), tier)
