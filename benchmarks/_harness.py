"""What the benchmarks share: text to index, a best-of clock, and lines with a ratio to a floor."""

import random
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WORDS = 20_000


def vocabulary(seed: int = 7) -> tuple[list[str], list[float]]:
    """Return made-up words and their Zipf weights."""
    rng = random.Random(seed)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(rng.choices(letters, k=rng.randint(3, 10))) for _ in range(WORDS)]
    return words, [1 / (rank + 2) for rank in range(WORDS)]


def passages(count: int, seed: int = 7) -> list[str]:
    """Return ``count`` passages of about 100 words, each with a name of its own."""
    rng = random.Random(seed)
    words, weights = vocabulary()
    texts = []
    for number in range(count):
        drawn = rng.choices(words, weights, k=100)
        sentences = [" ".join(drawn[i : i + 12]).capitalize() + "." for i in range(0, 100, 12)]
        texts.append(f"Item Q{number} follows Item Q{rng.randrange(count)}. " + " ".join(sentences))
    return texts


def questions(texts: Sequence[str], count: int, seed: int = 11) -> list[str]:
    """Return ``count`` questions of six words that some passage holds."""
    rng = random.Random(seed)
    return [" ".join(rng.sample(rng.choice(texts).replace(".", "").split(), 6)) for _ in range(count)]


def write_markdown(folder: Path, texts: Sequence[str], per_file: int = 20) -> int:
    """Write the passages as Markdown files with headings; return their size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    for start in range(0, len(texts), per_file):
        parts = [f"# File {start // per_file}\n"]
        parts += [
            f"## Part {start + i}\n\n{text}\n" for i, text in enumerate(texts[start : start + per_file])
        ]
        raw = "\n".join(parts).encode()
        (folder / f"{start // per_file:05}.md").write_bytes(raw)
        size += len(raw)
    return size


def best_wall(command: Sequence[str], times: int = 15) -> float:
    """Return the least seconds that ``command`` took in ``times`` runs."""
    return min(_wall(command) for _ in range(times))


def _wall(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds that ``work`` took, those of its child processes included."""
    import resource

    def spent() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    before = spent()
    work()
    return spent() - before


def line(name: str, value: float, unit: str, floor: float | None = None) -> None:
    """Print one figure, and its ratio to the floor of the same run."""
    ratio = f"  {value / floor:6.2f} x floor" if floor else ""
    print(f"{name:<34} {value:10.3f} {unit:<10}{ratio}")
