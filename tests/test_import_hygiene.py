"""Start-up imports little, the engine never knows a face, and nothing dangerous is used anywhere."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("tui/**/*.py")])
HEAVY = ("networkx", "textual", "ollama", "pydantic", "rich", "msgspec", "apsw", "asyncio", "docutils")
DANGEROUS = ("pickle", "marshal", "shelve", "yaml", "dill", "joblib")


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in done.stderr.split()} | set(done.stderr.split())


def test_help_imports_argparse_and_no_command() -> None:
    loaded = modules_after("from tui.cli import main\nassert main(['--help']) == 0")
    assert loaded.isdisjoint(HEAVY)
    assert not [name for name in loaded if name.startswith("tui.commands")]


def test_no_command_needs_anything_heavy_to_explain_itself() -> None:
    code = "from tui.cli import COMMANDS, main\nfor name in COMMANDS:\n    assert main([name, '--help']) == 0"
    loaded = modules_after(code)
    assert "tui.commands.ask" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_a_command_imports_only_its_own_module() -> None:
    loaded = modules_after("from tui.cli import main\nassert main(['search', '--help']) == 0")
    assert {name for name in loaded if name.startswith("tui.commands.")} == {"tui.commands.search"}


def test_the_engine_runs_without_any_face() -> None:
    loaded = modules_after("import engine.pipeline")
    assert loaded.isdisjoint({"tui", "textual", "rich"})


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_uses_nothing_dangerous(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    }
    assert imported.isdisjoint(DANGEROUS)
    for name, call in calls(tree):
        plain = isinstance(call.func, ast.Name)
        assert not (plain and name in {"eval", "exec", "hash"}), f"{name} in line {call.lineno}"
        assert not (plain and name == "print"), f"line {call.lineno}: write through tui.output"
        assert all(word.arg != "shell" for word in call.keywords), f"shell= in line {call.lineno}"
