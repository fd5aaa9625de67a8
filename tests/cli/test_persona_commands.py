"""``init``, ``personas`` and ``config`` as a user types them."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.personas.evolution import sibling
from engine.personas.lineage import lineage
from engine.personas.registry import PersonaRegistry
from engine.workspace import Workspace, create_workspace
from tui.cli import main

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return create_workspace(tmp_path / "place").root


@pytest.fixture
def say(place: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command in the workspace; returns exit code, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["--workspace", str(place), *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def data(answer: tuple[int, str, str]) -> Any:
    assert answer[0] == 0, answer
    return json.loads(answer[1])


def editor(tmp_path: Path, code: str) -> str:
    """Return an $EDITOR that runs ``code`` on the text of the file, ``text`` in and out."""
    script = tmp_path / "my editor.py"
    script.write_text(
        f"import sys, pathlib\npath = pathlib.Path(sys.argv[1])\ntext = path.read_text()\n{code}\n"
        "path.write_text(text)\n"
    )
    return f"'{sys.executable}' '{script}'"


def test_init_makes_a_workspace_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "place"
    assert main(["init", str(folder)]) == 0
    said = capsys.readouterr()
    assert str(folder) in said.out
    assert "index PATH" in said.err
    before = sorted(folder.rglob("*"))
    assert main(["init", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["personas"]["pruned"] == 0
    assert sorted(folder.rglob("*")) == before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_init_in_a_file_or_without_a_name_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for folder, code in ((str(tmp_path / "file"), 1), (str(tmp_path / "file" / "below"), 1), ("", 2)):
        assert main(["init", folder]) == code
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_list_by_tier_and_as_json(say: Say) -> None:
    code, out, _ = say("personas", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["active", "api-docs-reader"]
    listed = data(say("personas", "list", "--tier", "stable", "--json"))
    assert {each["tier"] for each in listed["personas"]} == {"stable"}
    assert listed["problems"] == []


def test_a_bad_file_is_told_of_and_the_others_are_listed(say: Say, place: Path) -> None:
    (place / "personas" / "active" / "bad.json").write_text('{"x": "\x1b]0;evil\x07')
    code, out, err = say("personas", "list")
    assert (code, "sceptic" in out) == (0, True)
    assert "active/bad.json is not valid JSON" in err
    assert "\x1b" not in out + err
    code, out, err = say("personas", "validate")
    assert code == 2
    assert "active/bad.json" in out
    assert "1 cannot be used" in err


def test_show_tells_the_policy_and_which_traits_only_colour_the_voice(say: Say) -> None:
    _, out, _ = say("personas", "show", "sceptic")
    assert "counter_seeds     0 + 3 x (scepticism 9 - 1) / 8 = 3" in out
    assert "bluntness" in out
    assert "voice only" in out
    shown = data(say("personas", "show", "sceptic", "--json"))
    assert shown["policy"]["policy"]["counter_seeds"] == 3
    assert shown["policy"]["voice_only"] == ["bluntness"]


def test_the_history_of_a_sibling_begins_with_its_birth(say: Say, place: Path) -> None:
    registry = PersonaRegistry.of(Workspace.open(place))
    parent = registry.get("sceptic")
    child = sibling(parent.persona, parent.digest, [], 0, {"sceptic"})
    assert child is not None
    registry.create(child, "experimental")
    change = lineage(child)["change"]
    assert say("personas", "history", child.persona_id) == (
        0, f"no moves yet; born as a sibling of sceptic: {change}\n", ""
    )  # fmt: skip
    assert say("personas", "history", "sceptic") == (0, "no moves yet\n", "")


def test_new_show_move_restore_history(say: Say) -> None:
    made = data(
        say(
            "personas",
            "new",
            "ada",
            "--trait",
            "depth=7",
            "--expertise",
            "graph theory",
            "--cost",
            "2",
            "--json",
        )
    )
    assert (made["tier"], made["traits"], made["activation_cost"]) == ("experimental", {"depth": 7}, 2.0)
    assert say("personas", "new", "ada")[0] == 2
    assert say("personas", "move", "ada", "up", "--reason", "does well")[1] == (
        "ada moved from experimental to stable\n"
    )
    assert say("personas", "move", "ada", "active")[0] == 0
    assert "no tier further up" in say("personas", "move", "ada", "up")[2]
    assert say("personas", "restore", "ada")[1] == "ada is stable again\n"
    moves = data(say("personas", "history", "ada", "--json"))["moves"]
    assert [(move["from_tier"], move["to_tier"], move["state"]) for move in moves] == [
        ("experimental", "stable", "done"),
        ("stable", "active", "done"),
        ("active", "stable", "done"),
    ]
    assert moves[0]["reason"] == "does well"
    assert "no moves yet" in say("personas", "history", "sceptic")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "scptic"), "did you mean sceptic?"),
        (("show", "../sceptic"), "not allowed"),
        (("history", "nobody"), "there is no persona nobody"),
        (("new", "Ada"), "not allowed"),
        (("new", "ada", "--trait", "depth=12"), "trait depth must be a whole number from 1 to 9, not 12"),
        (("new", "ada", "--trait", "depth"), "NAME=1..9"),
        (("new", "ada", "--cost", "nan"), "activation_cost"),
        (("new", "ada", "--name", "\udcff"), "JSON cannot hold"),
        (("move", "sceptic", "sideways"), "invalid choice"),
        (("move", "sceptic", "active"), "active already"),
        (("clone", "sceptic", "historian"), "already"),
        (("resolve", "sceptic", "active"), "no conflict"),
        (("import", "nowhere.json"), "there is no file"),
        (("export",), "--to DIR"),
        (("edit", "sceptic", "--from", "nowhere.json"), "there is no file"),
        ((), "required"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    say: Say, place: Path, words: tuple[str, ...], said: str
) -> None:
    before = {path: path.read_bytes() for path in place.rglob("*.json")}
    code, out, err = say("personas", *words)
    assert code in (1, 2)
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1
    assert {path: path.read_bytes() for path in place.rglob("*.json")} == before


def test_edit_takes_over_what_validates(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, 'text = text.replace("\\"depth\\": 5", "\\"depth\\": 6")'))
    assert data(say("personas", "edit", "sceptic", "--json"))["traits"]["depth"] == 6
    assert say("personas", "edit", "sceptic")[1] == "sceptic left as it was\n"


def test_an_edit_that_does_not_validate_is_kept_and_gone_on_with(
    say: Say, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (place / "personas" / "active" / "sceptic.json").read_bytes()
    monkeypatch.setenv("EDITOR", editor(tmp_path, 'text = text.replace("\\"depth\\": 5", "\\"depth\\": 66")'))
    code, _, err = say("personas", "edit", "sceptic")
    assert code == 2
    assert "trait depth must be a whole number from 1 to 9, not 66; your edit is kept in" in err
    assert (place / "personas" / "active" / "sceptic.json").read_bytes() == before
    monkeypatch.setenv("EDITOR", editor(tmp_path, 'text = text.replace("66", "6")'))
    assert data(say("personas", "edit", "sceptic", "--json"))["traits"]["depth"] == 6
    assert list((place / "state" / "edits").iterdir()) == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("no-such-editor-here", "cannot be started"), ("'", "cannot be read"), ("false", "ended with status")],
)
def test_an_editor_that_does_not_work_is_named(
    say: Say, monkeypatch: pytest.MonkeyPatch, wanted: str, said: str
) -> None:
    monkeypatch.setenv("VISUAL", wanted)
    code, _, err = say("personas", "edit", "sceptic")
    assert code == 2
    assert said in err


def test_an_edit_cannot_change_the_id(say: Say, place: Path) -> None:
    other = place / "personas" / "stable" / "historian.json"
    code, _, err = say("personas", "edit", "sceptic", "--from", str(other))
    assert code == 2
    assert "persona_id cannot change" in err


def test_export_and_import_bring_the_same_personas_over(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert len(data(say("personas", "export", "--to", str(folder), "--json"))["written"]) == len(
        list(folder.iterdir())
    )
    assert say("personas", "export", "--to", str(folder))[0] == 0
    other = create_workspace(tmp_path / "other").root
    for path in other.glob("personas/*/*.json"):
        path.unlink()
    assert main(["--workspace", str(other), "personas", "import", str(folder)]) == 0
    found = PersonaRegistry.of(Workspace(other)).load()
    assert {stored.tier for stored in found.personas} == {"experimental"}
    assert sorted(stored.persona.persona_id for stored in found.personas) == sorted(
        path.stem for path in folder.iterdir()
    )


def test_an_import_that_would_overwrite_is_refused_and_another_id_taken(say: Say, tmp_path: Path) -> None:
    _, out, _ = say("personas", "export", "sceptic")
    document = json.loads(out)
    path = tmp_path / "theirs.json"
    path.write_text(out)
    assert "same: " in say("personas", "import", str(path))[1]
    path.write_text(json.dumps({**document, "activation_cost": 3, "colour": "red"}))
    code, out, _ = say("personas", "import", str(path))
    assert code == 2
    assert "conflict: there is another persona sceptic (active); '--as NEW-ID'" in out
    (result,) = data(say("personas", "import", str(path), "--as", "doubter", "--json"))["imported"]
    assert result["status"] == "added"
    shown = data(say("personas", "show", "doubter", "--json"))
    assert shown["persona"]["metadata"]["foreign"] == {"colour": "red"}
    assert say("personas", "import", str(tmp_path / "theirs.json"), str(path), "--as", "x")[0] == 2


def test_one_bad_file_does_not_stop_an_import(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text("{")
    document = json.loads(say("personas", "export", "sceptic")[1])
    (folder / "b.json").write_text(json.dumps({**document, "persona_id": "bea"}))
    code, out, _ = say("personas", "import", str(folder))
    assert code == 2
    assert [line.split(":")[0] for line in out.splitlines()] == ["refused", "added"]
    assert say("personas", "validate", str(folder / "b.json"))[0] == 0
    assert say("personas", "validate", str(folder))[0] == 2


def test_a_conflict_is_shown_and_resolved(say: Say, place: Path) -> None:
    source = place / "personas" / "active" / "sceptic.json"
    (place / "personas" / "stable" / "sceptic.json").write_bytes(source.read_bytes())
    assert "in active and stable; none takes part" in say("personas", "list")[2]
    resolved = data(say("personas", "resolve", "sceptic", "stable", "--json"))
    assert Path(resolved["set_aside"][0]).exists()
    assert data(say("personas", "show", "sceptic", "--json"))["tier"] == "stable"


def test_config_show_set_check(say: Say, place: Path) -> None:
    settings = data(say("config", "show", "--json"))
    assert settings["thresholds.budget"] == 4.0
    assert say("config", "set", "thresholds.budget", "2.5")[1] == "thresholds.budget = 2.5\n"
    assert say("config", "show", "thresholds.budget")[1] == "thresholds.budget = 2.5  (default 4.0)\n"
    assert data(say("config", "show", "thresholds", "--json")).keys() == {
        key for key in settings if key.startswith("thresholds.")
    }
    assert "depth" in say("config", "show", "traits")[1]
    assert "# The sum of activation costs" in (place / "configs" / "thresholds.toml").read_text()
    assert say("config", "check")[0] == 0
    (place / "configs" / "system.toml").write_text("max_iteration = 3")
    code, out, _ = say("config", "check")
    assert code == 2
    assert "unknown key max_iteration; did you mean max_iterations?" in out
    assert "configs/thresholds.toml: ok" in out
    assert not data((0, say("config", "check", "--json")[1], ""))["system"]["ok"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "thresholds.bugdet"), "did you mean thresholds.budget?"),
        (("set", "thresholds.bugdet", "1"), "did you mean thresholds.budget?"),
        (("set", "thresholds.budget", "lots"), "above 0"),
        (("set", "thresholds.nope", "1"), "'persona-moe config show' lists all keys"),
        (("set", "retrieval.k1", "abc"), "k1: must be a number above 0.0 and at most 10.0, not 'abc'"),
        (("set", "thresholds.budget"), "required"),
    ],
)
def test_config_mistakes(say: Say, words: tuple[str, ...], said: str) -> None:
    code, out, err = say("config", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
