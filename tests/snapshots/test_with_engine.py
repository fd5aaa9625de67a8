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


RECORD = """
import sys
from pathlib import Path
from engine.pipeline import AskOptions, Engine
from engine.workspace import create_workspace
folder, papers, question = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
for workers in "1", "4":
    made = create_workspace(folder / workers)
    system = made.configs / "system.toml"
    text = system.read_text("utf-8")
    assert "workers = 4" in text
    system.write_text(text.replace("workers = 4", f"workers = {workers}"), "utf-8")
    with Engine.open(made) as engine:
        assert engine.settings.system.workers == int(workers)
        engine.index([papers])
        *_, saved = engine.ask_sync(question, AskOptions(no_model=True, learn=False))
    print(saved.digest)
"""


def test_hash_seed_locale_and_workers_leave_the_digest_alone(workspace, tmp_path):
    """Every cell of the matrix: a process of its own indexes and asks in a workspace of its own."""
    digests = []
    for seed in ("0", "1", "77"):
        for locale in ("C", "C.UTF-8"):
            done = subprocess.run(
                [sys.executable, "-c", RECORD, tmp_path / f"{seed}-{locale}", tmp_path / "papers", QUESTION],
                env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale},
                check=True,
                capture_output=True,
                text=True,
                timeout=180,
            )
            digests += done.stdout.split()
    (recorded,) = SnapshotLibrary(workspace.snapshots).list()
    assert digests == [recorded.digest] * 12
