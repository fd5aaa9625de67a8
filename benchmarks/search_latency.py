"""How long a search takes on 10,000 passages in a warm process, beside a bare FTS5 query."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw
from _harness import line, passages, questions, write_markdown

from engine.pipeline import Engine
from engine.workspace import Workspace

PASSAGES = 10_000
QUESTIONS = 60
WARM_UP = 5


def milliseconds(work: Callable[[str], object], asked: list[str]) -> list[float]:
    """Return the CPU milliseconds of each question after a few to warm up."""
    for question in asked[:WARM_UP]:
        work(question)
    taken = []
    for question in asked[WARM_UP:]:
        before = time.process_time()
        work(question)
        taken.append((time.process_time() - before) * 1000)
    return sorted(taken)


def main() -> None:
    """Print median and 95th percentile; the goal is 30 ms."""
    texts = passages(PASSAGES)
    asked = questions(texts, QUESTIONS + WARM_UP)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_markdown(root / "documents", texts)
        database = apsw.Connection(str(root / "floor.sqlite3"))
        database.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61')")
        with database:
            database.executemany("INSERT INTO t VALUES (?)", ((text,) for text in texts))
        query = "SELECT text FROM t WHERE t MATCH ? ORDER BY rank LIMIT 10"
        bare = milliseconds(lambda q: database.execute(query, (" OR ".join(q.split()),)).fetchall(), asked)
        with Engine.open(Workspace.open(root / "workspace")) as engine:
            engine.index([root / "documents"])
            ours = milliseconds(engine.search, asked)
    for name, share in (("median", 0.5), ("p95", 0.95)):
        floor = bare[int(share * (len(bare) - 1))]
        line(f"bare FTS5 query, {name}", floor, "ms cpu")
        line(f"search, {name}", ours[int(share * (len(ours) - 1))], "ms cpu", floor)
    line("search, mean", statistics.fmean(ours), "ms cpu")


if __name__ == "__main__":
    main()
