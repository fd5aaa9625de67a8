"""How fast Markdown is indexed on one core, beside a bare FTS5 insert of the same text."""

import tempfile
from pathlib import Path

import apsw
from _harness import cpu, line, passages, write_markdown

from engine.pipeline import Engine
from engine.workspace import Workspace

PASSAGES = 4000


def main() -> None:
    """Print CPU seconds, MB/s and the ratio; the goal is 1 MB/s."""
    texts = passages(PASSAGES)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        size = write_markdown(root / "documents", texts) / 1e6

        def bare() -> None:
            database = apsw.Connection(str(root / "floor.sqlite3"))
            database.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61')")
            with database:
                database.executemany("INSERT INTO t VALUES (?)", ((text,) for text in texts))
            database.close()

        floor = cpu(bare)
        line("bare FTS5 insert", floor, "s cpu")
        with Engine.open(Workspace.open(root / "workspace")) as engine:
            first = cpu(lambda: engine.index([root / "documents"]))
            line(f"index {size:.1f} MB of Markdown", first, "s cpu", floor)
            line("speed", size / first, "MB/s")
            line(
                "index again, nothing changed",
                cpu(lambda: engine.index([root / "documents"])),
                "s cpu",
                floor,
            )


if __name__ == "__main__":
    main()
