"""One digest, whatever the process: hash seeds, locales and time zones, one worker or four."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback

from engine.events import SnapshotSaved
from engine.pipeline import AskOptions, Engine
from engine.snapshots.library import SnapshotLibrary
from engine.workspace import Workspace

QUESTION = "Who designed the Helio lamp, and from where does she come?"
DOCUMENTS = {
    "lamps.md": "# Lamps\n\nThe Helio lamp was designed by Mara Voss in 1994. Its battery lasts 9 hours.\n",
    "mara.md": "# Mara Voss\n\nMara Voss is an engineer from Bergen. She founded the company Nordlys.\n",
    "størrelse.md": "# Størrelse\n\nThe Helio lamp weighs 2 kg; Mara Voss’s later one, “Ørn”, weighs 3 kg.\n",
}
SEEDS = ("0", "1", "4294967295")
LOCALES = (
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "UTC"},
    {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"},
)
WORKERS = (1, 4)
# Asks in each workspace, then verifies there what the other number of workers recorded.
CHILD = """
import sys
from tui.cli import main
question, *roots = sys.argv[1:]
for root in roots:
    assert main(["ask", "--no-learn", "--json", question, "--workspace", root]) == 0
for root in roots:
    assert main(["snapshots", "verify", "first", "--json", "--workspace", root]) == 0
"""


@pytest.fixture
def workspaces(tmp_path: Path) -> list[Path]:
    """Return a workspace for each number of workers, alike otherwise."""
    papers = tmp_path / "papers"
    papers.mkdir()
    for name, text in DOCUMENTS.items():
        (papers / name).write_text(text, encoding="utf-8")
    first = tmp_path / "workers-1"
    with Engine.open(Workspace.open(first)) as engine:
        engine.index([papers])
    made = [tmp_path / f"workers-{count}" for count in WORKERS]
    for folder in made[1:]:
        shutil.copytree(first, folder)
    for folder, count in zip(made, WORKERS, strict=True):
        settings = folder / "configs" / "system.toml"
        settings.write_text(settings.read_text("utf-8").replace("workers = 4", f"workers = {count}"), "utf-8")
    return made


def test_hash_seeds_locales_and_workers_give_one_digest_and_verify_each_other(
    workspaces: list[Path], tmp_path: Path
) -> None:
    def run(case: tuple[str, dict[str, str]]) -> subprocess.CompletedProcess[str]:
        seed, locale = case
        command = [sys.executable, "-c", CHILD, QUESTION, *map(str, workspaces)]
        environment = {**os.environ, **locale, "PYTHONHASHSEED": seed, "HOME": str(tmp_path)}
        return subprocess.run(
            command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False
        )

    with Loopback(delay=0.001) as server:
        first = []
        for folder in workspaces:
            (folder / "configs" / "ollama.toml").write_text(f'api_endpoint = "{server.url}"\n')
            with Engine.open(Workspace.open(folder)) as engine:
                saved = [*engine.ask_sync(QUESTION, AskOptions(learn=False))][-1]
            assert isinstance(saved, SnapshotSaved)
            first.append(saved)
        for other, folder, saved in zip(reversed(workspaces), workspaces, first, strict=True):
            shutil.copy(packed_file(folder, saved), other / "snapshots" / "first.jsonl.gz")
        with ThreadPoolExecutor(3) as pool:
            done = [*pool.map(run, product(SEEDS, LOCALES))]
    assert [each.returncode for each in done] == [0] * 6, "".join(each.stderr for each in done)
    infos = [info for folder in workspaces for info in SnapshotLibrary(folder / "snapshots").list()]
    assert len(infos) == 2 * (2 + len(SEEDS) * len(LOCALES))
    assert {info.digest for info in infos} == {first[0].digest}
    assert {info.model for info in infos} == {"ollama:tiny:1b"}
    printed = [documents(each.stdout) for each in done]
    assert len({decided(answer) for each in printed for answer in each[:2]}) == 1
    assert all(report["rerun"]["identical"] for each in printed for report in each[2:])
    assert [len(each) for each in printed] == [4] * 6


def packed_file(folder: Path, saved: SnapshotSaved) -> Path:
    return folder / "snapshots" / f"{saved.snapshot}.jsonl.gz"


def documents(printed: str) -> list[dict[str, Any]]:
    """Return the JSON documents in what was printed."""
    found, start = [], 0
    while printed[start:].strip():
        document, start = json.JSONDecoder().raw_decode(printed, start)
        found.append(document)
        start += 1
    return found


def decided(told: dict[str, Any]) -> str:
    """Return what ``ask --json`` printed without what may differ: ids, seconds and rates."""
    calls = [
        {name: value for name, value in call.items() if name not in ("seconds", "tokens_per_second")}
        for call in told["calls"]
    ]
    kept = {name: value for name, value in told.items() if name not in ("run_id", "timings", "snapshot")}
    return json.dumps({**kept, "calls": calls, "digest": told["snapshot"]["digest"]}, sort_keys=True)
