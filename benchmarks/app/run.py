"""The acceptance checks of the app, each on the real program in a terminal; prints one table.

python benchmarks/app/run.py            all checks
python benchmarks/app/run.py 4 5        those whose number is named
"""

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import graph_size
import headless
import keyboard
import slow_link
import start
import streaming
import terminals
from stage import Line, load

CHECKS: dict[str, list[Callable[[Path], list[Line]]]] = {
    "1": [start.cold_start],
    "2": [start.no_server],
    "3": [keyboard.by_keys_alone],
    "4": [streaming.bandwidth],
    "5": [streaming.responsiveness],
    "6": [slow_link.slow_reader],
    "7": [slow_link.cancel],
    "8": [graph_size.graph_size],
    "9": [keyboard.replay],
    "10": [terminals.terminals],
    "11": [terminals.sizes, terminals.signals],
    "12": [headless.settings, headless.edited_persona, headless.twin],
}


def main() -> int:
    """Run the checks and print the table; the exit code is the number of lines that failed."""
    wanted = sys.argv[1:] or list(CHECKS)
    lines: list[Line] = []
    for name in os.environ.copy():
        if name.startswith(("XDG_", "PERSONA_MOE_", "TEXTUAL")) or name in {"OLLAMA_HOST", "NO_COLOR"}:
            del os.environ[name]
    print(f"{load()} at the start", flush=True)
    for number in wanted:
        for check in CHECKS[number]:
            with tempfile.TemporaryDirectory() as folder:
                began = time.monotonic()
                try:
                    made = check(Path(folder))
                except Exception as error:
                    traceback.print_exc()
                    made = [Line(f"{number} {check.__name__}", "", f"{type(error).__name__}", False)]
                for each in made:
                    show(each)
                lines += made
                print(f"      ({check.__name__}: {time.monotonic() - began:.0f} s, {load()})", flush=True)
    failed = sum(each.passed is False for each in lines)
    print(f"{sum(each.passed is True for each in lines)} passed, {failed} failed, ", end="")
    print(f"{sum(each.passed is None for each in lines)} not run")
    return failed


def show(line: Line) -> None:
    """Print one line of the table."""
    verdict = {True: "pass", False: "FAIL", None: "----"}[line.passed]
    print(f"{verdict}  {line.check:<44} {line.bar:<26} {line.measured:<40} {line.note}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
