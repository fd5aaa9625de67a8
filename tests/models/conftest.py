import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest imports by importlib here, which leaves helpers beside the tests unimportable.
sys.path.insert(0, str(Path(__file__).parent))

from asking import DOCUMENTS, Captured
from loopback import Loopback

from tui.cli import main


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text)
    folder = tmp_path / "workspace"
    assert main(["--workspace", str(folder), "index", str(documents)]) == 0
    capsys.readouterr()
    return folder
