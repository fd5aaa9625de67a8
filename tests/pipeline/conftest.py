"""A small corpus with a two-hop question, indexed once for all tests of the pipeline."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.pipeline import Engine
from engine.workspace import Workspace

DOCUMENTS = {
    "bridge.md": """# Tolland Bridge

Tolland Bridge is a stone bridge over the River Wend. It was opened in 1874 and designed by Margaret Tolland.

## Repairs

The bridge was closed for eleven weeks in 1947 after the flood. The weight limit is 7 tonnes.
""",
    "engineer.md": """# Margaret Tolland

Margaret Tolland (born 1831) was an engineer from Kelby. She taught at the Kelby Institute until 1890.
""",
    "kelby.md": """# Kelby

Kelby is a market town in the north. Its wool market closed in 1902.
""",
    "river.md": """# River Wend

The River Wend rises near Hollin Moor and floods in most winters.
""",
    "tool.py": '''"""Opens the gates."""


def open_sluice(height: int) -> bool:
    """Open the sluice by height centimetres; False if the motor is locked."""
    return height > 0
''',
}


def write_documents(folder: Path) -> Path:
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return write_documents(tmp_path / "docs")


@pytest.fixture
def new_workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "new")


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the documents, to copy: what it is asked changes the copy alone."""
    place = tmp_path_factory.mktemp("indexed")
    with Engine.open(Workspace.open(place / "workspace")) as engine:
        engine.index([write_documents(place / "docs")])
    return place / "workspace"


@pytest.fixture
def workspace(indexed: Path, tmp_path: Path) -> Workspace:
    return Workspace.open(shutil.copytree(indexed, tmp_path / "workspace"))


@pytest.fixture
def engine(workspace: Workspace) -> Iterator[Engine]:
    with Engine.open(workspace) as opened:
        yield opened


@pytest.fixture
def changing(new_workspace: Workspace, documents: Path) -> Iterator[Engine]:
    """An engine over ``documents``, which the test changes."""
    with Engine.open(new_workspace) as opened:
        opened.index([documents])
        yield opened
