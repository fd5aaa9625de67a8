"""Real runs on a few documents: recorded, replayed, verified, compared."""

import os
import subprocess
import sys

import pytest

from engine.pipeline import AskOptions, Engine
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


def test_a_run_verifies_until_a_document_changes(workspace, tmp_path, capfd):
    code, out = verify(workspace, capfd)
    assert code == 0
    assert "run again: identical" in out
    (tmp_path / "papers" / "pump.md").write_text("# Pump\n\nThe pump needs synthetic oil.\n")
    with Engine.open(workspace) as engine:
        engine.index([tmp_path / "papers"])
    code, out = verify(workspace, capfd)
    assert code == 1
    assert "differs first at event 0 (QueryStarted, field corpus)" in out
    assert "not the same: corpus" in out


def test_another_process_hash_seed_and_locale_give_the_same_digest(workspace):
    command = [sys.executable, "-m", "tui.cli", "ask", "--no-model", "--no-learn", QUESTION]
    for seed, locale in (("1", "C"), ("77", "C.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale}
        subprocess.run(
            [*command, "--workspace", str(workspace.root)],
            env=environment,
            check=True,
            capture_output=True,
            timeout=60,
        )
    infos = SnapshotLibrary(workspace.snapshots).list()
    assert len(infos) == 3
    assert len({info.digest for info in infos}) == 1
    assert all(info.complete for info in infos)
