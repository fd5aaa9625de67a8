"""How long the command line takes to start, beside a bare interpreter."""

import compileall
import sys
from pathlib import Path

from _harness import best_wall, line


def main() -> None:
    """Print seconds and ratios; the goal is 3 x the floor for --help."""
    root = Path(__file__).resolve().parent.parent
    for package in ("engine", "tui"):
        compileall.compile_dir(root / package, quiet=1)
    script = Path(sys.executable).parent / "persona-moe"
    floor = best_wall([sys.executable, "-c", "pass"])
    line("python -c pass", floor * 1000, "ms")
    for arguments in (["--help"], ["search", "--help"], ["--version"]):
        line(
            f"persona-moe {' '.join(arguments)}",
            best_wall([str(script), *arguments]) * 1000,
            "ms",
            floor * 1000,
        )


if __name__ == "__main__":
    main()
