"""Where the app opens and where it does not, and what it imports before its first picture."""

import subprocess
import sys

import pytest

from tui.glyphs import ASCII, UNICODE, fitting
from tui.launch import has_plain_colours, prepare


@pytest.mark.parametrize(
    ("environment", "plain"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, False),
        ({"TERM": "linux"}, True),
        ({"TERM": "screen"}, True),
    ],
)
def test_sixteen_colours_are_known_by_the_terminals_name(environment: dict[str, str], plain: bool) -> None:
    assert has_plain_colours(environment) is plain


@pytest.mark.parametrize(
    ("environment", "glyphs"),
    [
        ({"TERM": "xterm", "LANG": "en_GB.UTF-8"}, UNICODE),
        ({"TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "C"}, ASCII),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, ASCII),
        ({"TERM": "xterm"}, ASCII),
    ],
)
def test_marks_fit_the_terminal(environment: dict[str, str], glyphs: object) -> None:
    assert fitting(environment) is glyphs


def test_ascii_marks_are_ascii() -> None:
    import msgspec

    assert msgspec.json.encode(ASCII).isascii()


def test_the_app_is_imported_without_a_model_client_or_a_graph_library() -> None:
    code = (
        "import tui.launch, tui.app, sys\n"
        "heavy = {'ollama', 'networkx', 'docutils', 'pypdfium2', 'docx', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_size_that_a_shell_once_exported_is_not_believed() -> None:
    environment = {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
    prepare(environment)
    assert environment.keys().isdisjoint({"COLUMNS", "LINES"})
