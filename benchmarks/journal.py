"""How fast a run is written, read back and sought in, beside what msgspec alone needs.

Run: ``python benchmarks/journal.py [EVENTS] [ROUNDS]``. Every row is measured once a round and its best
round counts, in events a second of processor time, so that whatever else the machine does hits all rows
alike. The last column is how many times the floor's time a row takes.
"""

import gc
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine import events as ev
from engine.snapshots.journal import Journal
from engine.snapshots.reader import Snapshot, open_snapshot
from tui.player import Player, keyframes


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


Work = Callable[[], object]


def rounds(rows: dict[str, tuple[Work, str]], count: int, times: int) -> None:
    """Measure all rows ``times`` times in turn and print the best of each, beside the floor it names."""
    best = dict.fromkeys(rows, float("inf"))
    for _ in range(times):
        for name, (work, _) in rows.items():
            gc.collect()
            started = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - started)
    for name, (_, floor) in rows.items():
        ratio = f"{best[name] / best[floor]:8.2f} x floor" if floor else ""
        print(f"{name:<46}{count / best[name]:>12,.0f} events/s{ratio}")


def write(folder: Path, run: list[ev.AnyEvent], buffer: int) -> None:
    """Append the run to a new journal, up to the bytes being handed to the system."""
    with Journal.create(folder, label="benchmark", buffer=buffer) as journal:
        for event in run:
            journal.append(event, event.seq * 1e-5)
        journal.flush()


def blocks(lines: bytes, size: int = 64 << 10) -> list[bytes]:
    """Return the lines in pieces of about ``size`` bytes, which is how the reader decodes them."""
    found, start = [], 0
    while start < len(lines):
        end = lines.find(b"\n", start + size) + 1 or len(lines)
        found.append(lines[start:end])
        start = end
    return found


def milliseconds(work: Work) -> float:
    """Return the processor time that ``work`` takes."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e3


def seeks(run: list[ev.AnyEvent], snapshot: Snapshot) -> None:
    """Print what a jump takes: to an event in the file, and to the app's state at that moment."""
    first = milliseconds(lambda: snapshot.at(len(run) // 2))
    chance = random.Random(1)
    places = [chance.randrange(len(run)) for _ in range(200)]
    jumps = [milliseconds(lambda place=place: snapshot.at(place)) for place in places]  # type: ignore[misc]
    print(f"seek in the file: first {first:.1f} ms (builds the index), then at most {max(jumps):.2f} ms")
    kept = {}
    made = milliseconds(lambda: kept.update(keyframes(run)))
    player = Player(run, [event.seq * 1e-5 for event in run], kept)
    forward, back = [0.0], [0.0]
    for place in places:
        side = forward if place >= player.position else back
        side.append(milliseconds(lambda place=place: player.seek(place)))  # type: ignore[misc]
    print(f"seek in the app: {len(kept)} keyframes made in {made:.0f} ms when the run is opened,")
    print(f"  then at most {max(forward):.1f} ms forwards and {max(back):.1f} ms backwards (200 jumps)")


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    run = make_run(count)
    encode, decode = ev.encoder.encode, ev.decoder.decode_lines
    lines = b"\n".join(map(encode, run))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Journal.create(folder, label="benchmark", buffer=256) as journal:
            for event in run:
                journal.append(event, event.seq * 1e-5)
            closing = milliseconds(journal.close)
        path = folder / f"{journal.snapshot_id}.jsonl.gz"
        snapshot = open_snapshot(path)
        parts = blocks(lines)
        encoding, decoding = (
            "floor: msgspec encode, event by event",
            "floor: msgspec decode_lines, 64 KiB a call",
        )
        gc.freeze()
        rows: dict[str, tuple[Work, str]] = {
            encoding: (lambda: [encode(event) for event in run], ""),
            "append, 256 events buffered": (lambda: write(folder, run, 256), encoding),
            "append, each event written at once": (lambda: write(folder, run, 0), encoding),
            decoding: (lambda: [len(decode(part)) for part in parts], ""),
            "replay read of an open snapshot": (lambda: sum(1 for _ in snapshot.events()), decoding),
            "  with opening it: unseal, unpack": (
                lambda: sum(1 for _ in open_snapshot(path).events()),
                decoding,
            ),
        }
        rounds(rows, count, times)
        print(f"close (digest, pack, fsync): {closing:.0f} ms")
        print(f"{path.stat().st_size / count:.1f} bytes an event at rest, {len(lines) / count:.0f} as JSON")
        seeks(run, snapshot)


if __name__ == "__main__":
    main()
