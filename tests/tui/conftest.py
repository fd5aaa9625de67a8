"""A workspace with a small corpus, recorded runs, and the app over it with a clock that stands still."""

import shutil
import sys
from pathlib import Path

import pytest

from engine.events import Event
from engine.pipeline import Engine
from engine.workspace import Workspace

# pytest imports by importlib here, which leaves helpers beside the tests unimportable.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "models"))

from tui_samples import QUESTION

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
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name.lower()))
    for name in ("TMUX", "SSH_TTY", "SSH_CONNECTION", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def write_documents(folder: Path) -> Path:
    for name, text in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return write_documents(tmp_path / "documents")


@pytest.fixture(scope="session")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace without documents, to copy."""
    workspace = Workspace.open(tmp_path_factory.mktemp("complete") / "workspace")
    (workspace.configs / "ollama.toml").write_text('provider = "extractive"\n', encoding="utf-8")
    return workspace.root


@pytest.fixture(scope="session")
def indexed(complete: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with documents, to copy."""
    place = tmp_path_factory.mktemp("indexed")
    with Engine.open(Workspace.open(shutil.copytree(complete, place / "workspace"))) as engine:
        engine.index([write_documents(place / "documents")])
    return place / "workspace"


@pytest.fixture
def empty_workspace(complete: Path, tmp_path: Path) -> Workspace:
    return Workspace.open(shutil.copytree(complete, tmp_path / "workspace"))


@pytest.fixture
def workspace(indexed: Path, tmp_path: Path) -> Workspace:
    return Workspace.open(shutil.copytree(indexed, tmp_path / "workspace"))


@pytest.fixture
def run_events(workspace: Workspace) -> list[Event]:
    """The events of one run, which is also recorded in the workspace."""
    with Engine.open(workspace) as engine:
        return list(engine.ask_sync(QUESTION))


@pytest.fixture(autouse=True)
def _no_blinking(monkeypatch: pytest.MonkeyPatch) -> None:
    from textual.widgets import Input, TextArea

    monkeypatch.setattr(TextArea.cursor_blink, "_default", False)
    monkeypatch.setattr(Input.cursor_blink, "_default", False)
