"""What runs were given, kept beside them by digest: which documents, which settings.

A record names its corpus and its settings by digests. Each state is kept once, as a table of names and
values in ``inputs/DIGEST.json.gz``, so that a later check can say which document or setting is another one.
Only explanations depend on it: a table that is missing or damaged is as good as none.
"""

import gzip
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from engine.errors import SnapshotError, WorkspaceError
from engine.files import make_folder, read_bounded, write_atomic
from engine.ids import canonical
from engine.log import logger
from engine.snapshots.container import unpack

INPUTS: Final = "inputs"
SUFFIX: Final = ".json.gz"
_DIGEST: Final = re.compile(r"[0-9a-f]{32}\Z")
_LARGEST: Final = 16 << 20
"""The bytes of a table, unpacked: some 200,000 documents."""


class RunInputs:
    """The tables of a library."""

    def __init__(self, snapshots: Path) -> None:
        """Look into the folder of snapshots, which need not exist."""
        self.folder: Final = snapshots / INPUTS

    def keep(self, digest: str, table: Callable[[], Mapping[str, str]]) -> None:
        """Keep the table of this digest, unless it is there; that it cannot be kept is no reason to fail."""
        path = self._path(digest)
        if path is None or path.exists():
            return
        data = canonical(table())
        if len(data) > _LARGEST:
            return
        try:
            make_folder(self.folder)
            write_atomic(path, gzip.compress(data, mtime=0))
        except WorkspaceError as error:
            logger.warning("what the run was given is not kept: %s", error.problem)

    def read(self, digest: str) -> dict[str, str] | None:
        """Return the table of this digest, None if it is not there or cannot be read."""
        path = self._path(digest)
        if path is None:
            return None
        try:
            text = unpack(read_bounded(path, _LARGEST), path.name, limit=_LARGEST)
            return msgspec.json.decode(text, type=dict[str, str])
        except (WorkspaceError, SnapshotError, ValueError, RecursionError):
            return None

    def paths(self) -> list[Path]:
        """Return the files of all tables."""
        return sorted(self.folder.glob("*" + SUFFIX)) if self.folder.is_dir() else []

    def _path(self, digest: str) -> Path | None:
        # Digests come from records, and those from elsewhere.
        return self.folder / (digest + SUFFIX) if _DIGEST.match(digest) else None
