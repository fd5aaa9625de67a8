"""Real runs on a few documents: recorded, replayed, verified, compared."""

import pytest

from engine.pipeline import AskOptions, Engine
from engine.snapshots.inputs import RunInputs
from engine.snapshots.library import SnapshotLibrary
from engine.workspace import create_workspace
from tui.cli import main

QUESTION = "Which oil does the pump need?"


@pytest.fixture
def workspace(tmp_path):
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "pump.md").write_text("# Pump\n\nThe pump needs mineral oil. Oil is changed each spring.\n")
    (papers / "valve.md").write_text("# Valve\n\nThe valve beside the pump needs no oil at all.\n")
    made = create_workspace(tmp_path / "w")
    with Engine.open(made) as engine:
        engine.index([papers])
        assert [*engine.ask_sync(QUESTION, AskOptions(no_model=True, learn=False))]
    return made


def verify(workspace, capfd):
    code = main(["snapshots", "verify", "last", "--workspace", str(workspace.root)])
    return code, capfd.readouterr().out


def test_a_run_verifies_until_documents_and_settings_change_and_each_is_named(workspace, tmp_path, capfd):
    code, out = verify(workspace, capfd)
    assert code == 0
    assert "run again: identical" in out
    (tmp_path / "papers" / "pump.md").write_text("# Pump\n\nThe pump needs synthetic oil.\n")
    (tmp_path / "papers" / "valve.md").unlink()
    (tmp_path / "papers" / "motor.md").write_text("# Motor\n\nThe motor drives the pump.\n")
    settings = workspace.root / "configs" / "thresholds.toml"
    settings.write_text(settings.read_text().replace("budget = 4", "budget = 3"))
    with Engine.open(workspace) as engine:
        engine.index([tmp_path / "papers"])
    code, out = verify(workspace, capfd)
    assert code == 1
    assert "differs first at event 0 (QueryStarted, field corpus)" in out
    told = [line.split(": ", 1)[1] for line in out.splitlines() if "not the same" in line]
    assert told[0].startswith("corpus: ")
    assert told[-4:] == [
        "setting thresholds.budget: 4.0 -> 3.0",
        "document papers/motor.md: none -> there",
        "document papers/pump.md: there -> changed",
        "document papers/valve.md: there -> none",
    ]


def test_two_runs_are_compared_down_to_documents_and_settings(workspace, tmp_path, capfd):
    first = SnapshotLibrary(workspace.snapshots).list()[0].id
    (tmp_path / "papers" / "valve.md").write_text("# Valve\n\nThe valve needs mineral oil, like the pump.\n")
    with Engine.open(workspace) as engine:
        engine.index([tmp_path / "papers"])
        assert [*engine.ask_sync(QUESTION, AskOptions(no_model=True, learn=False))]
    (second,) = (info.id for info in SnapshotLibrary(workspace.snapshots).list() if info.id != first)
    assert main(["snapshots", "diff", first, second, "--workspace", str(workspace.root)]) == 0
    out = capfd.readouterr().out
    assert "given     document papers/valve.md: there -> changed" in out
    assert "setting" not in out


def test_inputs_that_cannot_be_read_are_as_good_as_none(workspace, tmp_path, capfd):
    for path in RunInputs(workspace.snapshots).paths():
        path.write_bytes(path.read_bytes()[:-9])
    assert verify(workspace, capfd)[0] == 0
    (tmp_path / "papers" / "pump.md").unlink()
    with Engine.open(workspace) as engine:
        engine.index([tmp_path / "papers"])
    code, out = verify(workspace, capfd)
    assert code == 1
    assert "document papers" not in out
    assert "no evidence any more: papers/pump.md" in out


def test_pruning_takes_the_inputs_that_no_run_needs_any_more(workspace, tmp_path):
    library, inputs = SnapshotLibrary(workspace.snapshots), RunInputs(workspace.snapshots)
    (old,) = library.list()
    assert len(inputs.paths()) == 2
    (tmp_path / "papers" / "valve.md").unlink()
    with Engine.open(workspace) as engine:
        engine.index([tmp_path / "papers"])
        assert [*engine.ask_sync(QUESTION, AskOptions(no_model=True, learn=False))]
    assert len(inputs.paths()) == 3
    (newest,) = (info for info in library.list() if info.id != old.id)
    library.pin(newest.id)
    library.retention(keep=1, dry_run=True)
    assert len(inputs.paths()) == 3
    library.retention(keep=0, dry_run=False)
    assert {path.name.split(".")[0] for path in inputs.paths()} == {newest.corpus, newest.settings}


def test_a_digest_from_elsewhere_names_no_path(tmp_path):
    inputs = RunInputs(tmp_path)
    inputs.keep("../../evil", lambda: {"a": "b"})
    assert inputs.read("../../evil") is None
    assert [*tmp_path.iterdir()] == []
