"""A small corpus with a two-hop question, indexed once for all tests of the pipeline."""

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


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def engine(workspace: Workspace, documents: Path) -> Iterator[Engine]:
    with Engine.open(workspace) as opened:
        opened.index([documents])
        yield opened
