"""A workspace that may not be read or written: one line with a mend, from every command."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import QUESTION

Bound = Callable[..., subprocess.CompletedProcess[str]]

_POWERS = "-dac_override,-dac_read_search"


def _bound() -> list[str]:
    """What makes permissions bind even root; empty for everybody else."""
    if os.geteuid() != 0:
        return []
    found = shutil.which("setpriv")
    if found is None:
        pytest.skip("root reads everything, and setpriv is not there to stop it")
    return [found, f"--bounding-set={_POWERS}", f"--inh-caps={_POWERS}"]


@pytest.fixture
def bound(workspace: Path) -> Iterator[Bound]:
    """Run the command line on the workspace as somebody whom permissions bind."""
    prefix = _bound()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, sys.executable, "-m", "tui.cli", "--workspace", str(workspace), *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    yield run
    for folder in (workspace, *(workspace / name for name in ("state", "configs", "personas"))):
        folder.chmod(0o700)


def test_the_index_of_a_read_only_workspace_is_whole(workspace: Path, bound: Bound) -> None:
    places = [workspace, workspace / "state", workspace / "state" / "corpus.sqlite3"]
    for place in places:
        place.chmod(0o500 if place.is_dir() else 0o400)
    assert bound("search", QUESTION).returncode == 0
    done = bound("doctor")
    assert done.returncode == 1
    assert "is read-only" in done.stdout
    assert "ok   index" in done.stdout, done.stdout


def test_an_index_that_may_not_be_read_is_said_to_be_so(workspace: Path, bound: Bound) -> None:
    (workspace / "state" / "corpus.sqlite3").chmod(0)
    done = bound("doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert "fail index" in done.stdout
    assert "check the folder's permissions" in done.stdout
    assert "delete" not in done.stdout


@pytest.mark.parametrize("name", ["", "state", "configs", "personas"])
def test_a_folder_that_may_not_be_read_is_named(name: str, workspace: Path, bound: Bound) -> None:
    (workspace / name).chmod(0)
    done = bound("doctor")
    assert (done.returncode, done.stderr) == (1, "")
    said = " ".join(done.stdout.split())
    assert f"fail {'settings' if name == 'configs' else name if name == 'personas' else 'workspace'} " in said
    assert "Permission denied" in said
    assert "check the permissions" in said

    done = bound("search", QUESTION)
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert str(workspace / name) in line
    assert "check the permissions" in line
    assert "internal" not in line
