"""Documents that indexing is tried on."""

from pathlib import Path

import pytest

from tests.corpus.index_kit import write


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    write(folder, a_md="# A\n\nalpha\n", b_txt="beta\n", c_py="def gamma():\n    pass\n")
    return folder
