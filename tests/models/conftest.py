import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest imports by importlib here, which leaves helpers beside the tests unimportable.
sys.path.insert(0, str(Path(__file__).parent))

from asking import DOCUMENTS
from loopback import Loopback

from engine.pipeline import Engine
from engine.workspace import Workspace


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace to copy: what it is asked changes the copy alone."""
    place = tmp_path_factory.mktemp("indexed")
    documents = place / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text)
    with Engine.open(Workspace.open(place / "workspace")) as engine:
        engine.index([documents])
    return place / "workspace"


@pytest.fixture
def workspace(indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    return shutil.copytree(indexed, tmp_path / "workspace")
