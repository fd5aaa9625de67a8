"""A workspace whose embedder is a small server's, and the server."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))

from loopback import Loopback

from engine.pipeline import Engine
from engine.workspace import Workspace

DOCUMENTS = {
    "lamps.md": "# Helio\n\nThe Helio lamp was designed by Mara Voss in 1994. It runs on sunlight.\n",
    "ships.md": "# Petrel\n\nThe Petrel sailed from Kelby. Her master was Ann Holt.\n",
    "towns.md": "# Kelby\n\nKelby is a market town. Its wool market closed in 1902.\n",
}


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, server: Loopback) -> Workspace:
    made = Workspace.open(tmp_path / "workspace")
    (made.configs / "ollama.toml").write_text(f'api_endpoint = "{server.url}"\nprovider = "extractive"\n')
    (made.configs / "embedding.toml").write_text('model_name = "embedder"\n')
    return made


@pytest.fixture
def engine(workspace: Workspace, documents: Path) -> Iterator[Engine]:
    with Engine.open(workspace) as opened:
        opened.index([documents])
        yield opened
