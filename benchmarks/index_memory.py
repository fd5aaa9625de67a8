"""Peak memory of indexing once its caches are full, and of twice as much: it should not grow."""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from _harness import line, passages, write_markdown

SIZES = (48_000, 96_000)


def peak(root: Path) -> float:
    """Return the peak memory in MB of a process that indexes ``root``."""
    done = subprocess.run(
        [sys.executable, __file__, str(root)], check=True, capture_output=True, text=True, timeout=1200
    )
    return float(done.stdout)


def index_here(root: Path) -> None:
    """Index ``root`` in this process and print its peak memory in MB."""
    from engine.pipeline import Engine
    from engine.workspace import Workspace

    with Engine.open(Workspace.open(root / "workspace")) as engine:
        engine.index([root / "documents"])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Print the peaks and the growth for each MB of documents."""
    found = []
    for count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            size = write_markdown(root / "documents", passages(count)) / 1e6
            found.append((size, peak(root)))
            line(f"index {size:.1f} MB", found[-1][1], "MB peak", found[0][1])
    (small, low), (large, high) = found
    line("growth for each MB of documents", (high - low) / (large - small), "MB")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        index_here(Path(sys.argv[1]))
    else:
        main()
