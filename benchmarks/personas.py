"""How fast a roster of many personas opens and is searched, beside what msgspec alone needs.

Run: ``python benchmarks/personas.py [PERSONAS]``. The goal for 10,000: open in under a second.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from _harness import line

from engine.events import Scores, Tier
from engine.personas.document import Persona, encode_persona
from engine.personas.ledger import Ledger, Outcome
from engine.personas.overview import Finder, roster_lines, sorted_lines
from engine.personas.registry import PersonaRegistry
from engine.personas.track_record import track_records
from engine.workspace import TIERS, Workspace, create_workspace

SETTLED = 2.1
"""Seconds after which a file's times tell whether it changed, so that it need not be read again."""
WORDS = "graph theory index search lamp river bridge town budget contract security test".split()


def make_persona(number: int) -> Persona:
    """Return a persona of the usual size."""
    return Persona(
        persona_id=f"persona-{number:05}",
        traits={
            name: 1 + (number + i) % 9 for i, name in enumerate(("depth", "breadth", "rigour", "novelty"))
        },
        expertise=[f"{WORDS[(number + i) % 12]} {WORDS[(number * i) % 12]}" for i in range(1, 13)],
        activation_cost=1.0,
        historical_performance={},
        metadata={
            "name": f"Persona {number}",
            "description": "Looks where others do not. " * 4,
            "voice": "Plain.",
        },
    )


def fill(workspace: Workspace, count: int) -> list[tuple[str, Tier]]:
    """Write ``count`` personas over the four tiers; return each id with its tier."""
    placed = []
    for number in range(count):
        tier = TIERS[number % 4]
        persona = make_persona(number)
        path = workspace.personas / tier / f"{persona.persona_id}.json"
        path.write_bytes(encode_persona(persona))
        placed.append((persona.persona_id, tier))
    return placed


def play(workspace: Workspace, placed: list[tuple[str, Tier]], runs: int) -> None:
    """Record ``runs`` questions with four experts each."""
    with Ledger.open(workspace.ledger_path) as ledger, ledger.transaction():
        for run in range(runs):
            chosen = [placed[(run * 7 + i * 131) % len(placed)] for i in range(4)]
            scores = Scores(relevance=0.5, consistency=0.5, novelty=0.5, grounding=1.0, total=(run % 10) / 10)
            ledger.record(
                f"run-{run}",
                [
                    Outcome(
                        persona_id=name,
                        persona_digest="0" * 32,
                        topic="graph theory",
                        tier=tier,
                        chosen=True,
                        cost=1.0,
                        scores=scores,
                        advantage=0.0,
                        survival=0.0,
                    )
                    for name, tier in dict(chosen).items()
                ],
            )


def best(work: Callable[[], object], times: int = 3) -> float:
    """Return the least milliseconds of processor time of a few runs: other work does not count."""
    spent = []
    for _ in range(times):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent) * 1000


@contextmanager
def crowd() -> Iterator[tuple[Workspace, int, float]]:
    """Yield a workspace of as many personas as the command line says, their number, and the floor in ms."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        workspace = create_workspace(Path(name) / "w")
        for path in workspace.personas.rglob("*.json"):
            path.unlink()
        placed = fill(workspace, count)
        play(workspace, placed, 2_000)
        paths = [workspace.personas / tier / f"{persona}.json" for persona, tier in placed]
        decoder = msgspec.json.Decoder(Persona)
        print(f"{count} personas, 2000 questions in the ledger")
        floor = best(lambda: [decoder.decode(path.read_bytes()) for path in paths])
        line("floor: read and msgspec decode", floor, "ms CPU")
        yield workspace, count, floor


def main() -> None:
    """Print milliseconds and ratios to the floor."""
    with crowd() as (workspace, _, floor):
        line("load and validate", best(lambda: PersonaRegistry.of(workspace).load()), "ms CPU", floor)
        registry = PersonaRegistry.of(workspace)
        time.sleep(SETTLED)
        roster = registry.load()
        line("load again, no file changed", best(registry.load), "ms CPU", floor)
        with Ledger.open(workspace.ledger_path) as ledger:
            line("records from the ledger", best(lambda: track_records(ledger)), "ms CPU", floor)
            records = track_records(ledger)
        line("lines of the roster", best(lambda: roster_lines(roster, records)), "ms CPU", floor)
        lines = roster_lines(roster, records)
        line("make ready to filter", best(lambda: Finder(lines)), "ms CPU", floor)
        finder = Finder(lines)
        line(
            "filter, one keystroke (worst of 4)",
            max(best(lambda t=t: finder.find(t)) for t in ("g", "gr", "graph t", "zzz")),
            "ms CPU",
        )
        line("sort by mean score", best(lambda: sorted_lines(lines, "mean")), "ms CPU")


if __name__ == "__main__":
    main()
