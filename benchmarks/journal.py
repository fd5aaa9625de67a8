"""How fast a run is written and read back, beside what msgspec alone needs.

Run: ``python benchmarks/journal.py [EVENTS]``. Prints events a second, best of three, by wall clock
and by processor time: on a machine that does other work too, only the latter means something.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine import events as ev
from engine.snapshots.journal import Journal
from engine.snapshots.reader import open_snapshot


def make_run(count: int) -> list[ev.AnyEvent]:
    """Return a walk of ``count`` events, the last tenth of them tokens, as in a run with a model."""
    run: list[ev.AnyEvent] = []
    for seq in range(count):
        node = f"p:{seq}"
        if seq >= count * 9 // 10:
            run.append(ev.Token(seq=seq, call="c1", text="hello "))
        elif seq % 3 == 0:
            terms = [ev.Term(name="relevance", value=0.25), ev.Term(name="novelty", value=0.125)]
            run.append(
                ev.StepTaken(
                    seq=seq,
                    persona="fact-finder",
                    step=seq,
                    node=node,
                    source="e:alpha",
                    relevance=0.5123,
                    path=0.25,
                    priority=0.123456,
                    terms=terms,
                )
            )
        elif seq % 3 == 1:
            run.append(
                ev.NodeOpened(
                    seq=seq,
                    node=node,
                    kind="passage",
                    label="Guide, Install",
                    parent="q",
                    persona="a",
                    relevance=0.5,
                )
            )
        else:
            run.append(
                ev.EdgeOpened(
                    seq=seq,
                    source="e:alpha",
                    target=node,
                    kind="mention",
                    weight=0.25,
                    phrase="alpha",
                    quote="Alpha is the first letter of the alphabet.",
                    persona="fact-finder",
                )
            )
    return run


def best(name: str, count: int, work: Callable[[], object]) -> None:
    """Run ``work`` three times and print the best rates."""
    wall = cpu = float("inf")
    for _ in range(3):
        gc.collect()
        start, used = time.perf_counter(), time.process_time()
        work()
        wall, cpu = min(wall, time.perf_counter() - start), min(cpu, time.process_time() - used)
    print(f"{name:<46}{count / wall:>12,.0f} events/s {count / cpu:>12,.0f} events/s of processor time")


def write(folder: Path, run: list[ev.AnyEvent], buffer: int) -> None:
    """Append the run to a new journal, up to the bytes being handed to the system."""
    with Journal.create(folder, label="benchmark", buffer=buffer) as journal:
        for event in run:
            journal.append(event, event.seq * 1e-5)
        journal.flush()


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    run = make_run(count)
    encode, decoder = ev.encoder.encode, ev.decoder
    lines = b"\n".join(map(encode, run))
    gc.freeze()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        best("floor: msgspec encode", count, lambda: [encode(event) for event in run])
        best("append, 256 events buffered", count, lambda: write(folder, run, 256))
        best("append, each event written at once", count, lambda: write(folder, run, 0))
        journal = Journal.create(folder, label="benchmark", buffer=256)
        for event in run:
            journal.append(event, event.seq * 1e-5)
        started = time.perf_counter()
        saved = journal.close()
        print(f"close (digest, pack, fsync): {time.perf_counter() - started:.2f} s")
        path = folder / f"{saved.snapshot}.jsonl.gz"
        print(f"{path.stat().st_size / count:.1f} bytes an event at rest, {len(lines) / count:.0f} as JSON")
        best("floor: msgspec decode_lines", count, lambda: decoder.decode_lines(lines))
        best(
            "replay read: open, unseal, unpack, decode",
            count,
            lambda: sum(1 for _ in open_snapshot(path).events()),
        )
        snapshot = open_snapshot(path)
        started = time.perf_counter()
        snapshot.at(count // 2)
        first = time.perf_counter() - started
        started = time.perf_counter()
        snapshot.at(3)
        later = time.perf_counter() - started
        print(f"seek: first {first * 1e3:.1f} ms (builds the index), then {later * 1e6:.0f} µs")


if __name__ == "__main__":
    main()
