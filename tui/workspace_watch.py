"""What other programs may change in a workspace while the app is open: persona files and settings."""

import os
import time
from typing import TypeAlias

from engine.workspace import TIERS, Workspace

Seen: TypeAlias = dict[str, tuple[int, int]]


class WorkspaceWatch:
    """Tells whether a file of the personas or the settings came, went or was written since the last look."""

    def __init__(self, workspace: Workspace) -> None:
        self._folders = [workspace.configs, *(workspace.personas / tier for tier in TIERS)]
        self.took = 0.0
        """Seconds of processor time that the last look took."""
        self._seen = self._look()

    def has_changed(self) -> bool:
        """Return whether anything is other than at the last call, or at the making of this watch."""
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> Seen:
        began = time.thread_time()
        seen: Seen = {}
        for folder in self._folders:
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if not entry.name.startswith("."):
                            found = entry.stat(follow_symlinks=False)
                            seen[entry.path] = found.st_mtime_ns, found.st_size
            except OSError:  # a folder or file that went while it was looked at is seen to be gone next time
                continue
        self.took = time.thread_time() - began
        return seen
