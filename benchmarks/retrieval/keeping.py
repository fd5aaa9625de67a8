"""Results kept between runs: one file for each arm and set, named by all that could change it.

A run that is stopped goes on where it was, and one after a change measures only what the change touches.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.pipeline import Engine
from engine.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


class Kept:
    """A folder of results. ``fresh`` counts those that were worked out in this run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fresh = 0
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str, parts: Any, kind: type[T], work: Callable[[], T]) -> T:
        """Return what ``work`` returned for these ``parts``, working it out only if it is not here yet."""
        key = hashlib.sha256(json.dumps([name, parts], sort_keys=True).encode()).hexdigest()[:20]
        path = self.folder / f"{key}.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=kind)
        found = work()
        self.fresh += 1
        rest = path.with_suffix(".part")
        rest.write_bytes(msgspec.json.encode(found))
        rest.replace(path)
        return found


def part(queries: Iterable[str]) -> list[str]:
    """Return the ids of a third of the questions, always the same: by the hash of the id."""
    return [query for query in queries if hashlib.sha256(query.encode()).digest()[0] % 3 == 0]


def digest_of(*paths: Path) -> str:
    """Return a digest of the content of files, and of all .py, .toml and .json files of folders."""
    made = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and (path.is_file() or file.suffix in (".py", ".toml", ".json")):
                made.update(file.relative_to(path.parent).as_posix().encode() + b"\0" + file.read_bytes())
    return made.hexdigest()


def workspace(kept: Kept, folder: Path, titles: bool, what: str = "words") -> Path:
    """Return where the index of a set is kept, named by its corpus and by the code that indexes."""
    shown = "shown" if titles else "hidden"
    made_from = digest_of(folder / "corpus.jsonl")[:8] + digest_of(ROOT / "engine/corpus")[:8]
    return kept.folder / "workspaces" / f"{folder.resolve().name}-{what}-{shown}-{made_from}"


def opened(path: Path) -> Engine:
    """Return the engine of a kept index, with the settings and personas as they are shipped now."""
    for old in [*path.glob("*"), *path.glob("state/*")]:
        if old.is_dir() and old.name != "state":
            shutil.rmtree(old)
        elif old.is_file() and not old.name.startswith("corpus"):
            old.unlink()
    return Engine.open(Workspace.open(path))


def product_digest() -> str:
    """Return the digest of all that decides what the product finds: engine, settings, personas."""
    return digest_of(
        *(ROOT / name for name in ("engine", "configs", "personas", "benchmarks/retrieval/arms.py"))
    )
