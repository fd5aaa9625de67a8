"""What is shipped: one lock without an index, and a wheel that carries its data."""

import gzip
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_lock_names_no_index_host_or_path() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^\s*-[-a-z]*(index|find-links|trusted)", LOCK, re.MULTILINE)
    assert not re.search(r"(^|\s)/\w", LOCK)


def test_everything_in_the_lock_is_pinned_and_hashed() -> None:
    pins = re.findall(r"^(\S+)==(\S+)(.*?)(?=^\S|\Z)", LOCK, re.MULTILINE | re.DOTALL)
    assert len(pins) > 40
    for name, _, rest in pins:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), f"{name} has no hash"


def test_the_lock_satisfies_the_project() -> None:
    pinned: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.\-]+)==([^\s;\\]+)", LOCK, re.MULTILINE):
        pinned.setdefault(name, []).append(version)
    wanted = [
        *PROJECT["dependencies"],
        *(d for extra in PROJECT["optional-dependencies"].values() for d in extra),
    ]
    for text in wanted:
        requirement = Requirement(text)
        versions = pinned.get(requirement.name.lower(), [])
        assert versions, f"{requirement.name} is not in requirements.lock; run make lock"
        assert all(requirement.specifier.contains(version) for version in versions), text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_carries_every_data_file(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    for name in ("personas", "configs", "snapshots", "docs"):
        shipped = [path for path in (ROOT / name).rglob("*") if path.is_file()]
        for path in shipped:
            assert f"engine/_data/{path.relative_to(ROOT).as_posix()}" in inside
    assert sum(name.startswith("engine/_data/personas/") and name.endswith(".json") for name in inside) >= 12
    assert {"engine/_data/README.md", "engine/py.typed", "tui/py.typed", "engine/corpus/schema.sql"} <= inside


def test_the_wheel_carries_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"engine", "tui"}
    assert not [
        name for name in wheel.namelist() if "__pycache__" in name or name.endswith((".pyc", ".sqlite3"))
    ]


def test_the_wheel_has_the_command(wheel: zipfile.ZipFile) -> None:
    (points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "persona-moe = tui.cli:main" in wheel.read(points).decode()


def test_the_recorded_demo_plays_from_the_wheel_with_nothing_else_present(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    wheel.extractall(site)
    empty.mkdir()
    command = [sys.executable, "-m", "tui", "snapshots", "replay", "demo", "--json", "--workspace", "w"]
    environment = {**os.environ, "PYTHONPATH": str(site), "HOME": str(empty)}
    done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, timeout=60, check=True)
    with gzip.open(ROOT / "snapshots" / "demo.jsonl.gz") as lines:
        recorded = [json.loads(line)["event"] for line in [*lines][1:]]
    assert [json.loads(line) for line in done.stdout.splitlines()] == recorded
    where = [sys.executable, "-c", "import engine; print(engine.__file__)"]
    found = subprocess.run(where, cwd=empty, env=environment, capture_output=True, timeout=60, check=True)
    assert found.stdout.decode().startswith(str(site))
