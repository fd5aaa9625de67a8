"""A workspace of its own for each test, and the command line as a user runs it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engine.config import set_value
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace

Run = Callable[..., subprocess.CompletedProcess[str]]

DOCUMENTS = {
    "lamps.md": """# Lamps

## Solar lamps

A solar lamp stores the light of the day in a battery. The battery of the Helio lamp lasts nine hours.
The Helio lamp was designed by Mara Voss in 1994.

## Oil lamps

An oil lamp burns oil through a wick. It gives less light than a solar lamp.
""",
    "people/mara.md": """# Mara Voss

Mara Voss is an engineer from Tromsø. She founded the company Nordlys, which makes the Helio lamp.
Nordlys moved to Bergen in 2003.
""",
    "notes.txt": "The warehouse in Bergen keeps 400 Helio lamps.\nIt is open on Mondays.\n",
    "code.py": '''"""Battery sums."""


def hours_left(charge: float, draw: float) -> float:
    """Return the hours that a battery lasts at this draw."""
    return charge / draw
''',
}
QUESTION = "Who designed the Helio lamp?"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's real folders and settings."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("PERSONA_MOE_TRACEBACK", raising=False)
    monkeypatch.chdir(tmp_path)


def write_documents(folder: Path) -> Path:
    """Write the sample documents and return their folder."""
    for name, text in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def asked_before(folder: Path, questions: Sequence[str]) -> Path:
    """Return a workspace in which two personas answered these questions."""
    place = folder / "place"
    with Engine.open(Workspace.open(place)) as engine:
        engine.index([write_documents(folder / "documents")])
        for question in questions:
            assert [*engine.ask_sync(question, AskOptions(no_model=True, personas=("sceptic", "scout")))]
    return place


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return write_documents(tmp_path / "documents")


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace to copy: the documents are indexed, and no model server is asked."""
    place = tmp_path_factory.mktemp("indexed")
    made = Workspace.open(place / "workspace")
    set_value(made.configs, "ollama.provider", "extractive")
    with Engine.open(made) as engine:
        engine.index([write_documents(place / "documents")])
    return made.root


@pytest.fixture
def workspace(indexed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(indexed, tmp_path / "workspace")


@pytest.fixture
def run() -> Run:
    """Run the command line in a process of its own."""

    def run_process(
        *arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tui.cli", *arguments],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run_process
