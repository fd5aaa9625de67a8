"""How fast Markdown is indexed on one core, beside a bare FTS5 insert of the same text.

python benchmarks/index_speed.py [FOLDER]

Without a FOLDER of Markdown files made-up text is indexed: paragraphs of random words, no stop words.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import apsw
from _harness import cpu, line, passages, write_markdown
from markdown_it import MarkdownIt
from pyromark import Options, events_with_range

from engine.pipeline import Engine
from engine.workspace import Workspace

PASSAGES = 4000


def copied(source: Path, folder: Path) -> None:
    """Copy the Markdown files below ``source`` into ``folder``, numbered."""
    folder.mkdir()
    for number, file in enumerate(sorted(source.rglob("*.md"))):
        shutil.copyfile(file, folder / f"{number:05}.md")


def blocks_by_pyromark(texts: Sequence[str]) -> None:
    """Find the blocks as the product does."""
    for text in texts:
        for _ in events_with_range(text, options=Options.ENABLE_TABLES):
            pass


def blocks_by_markdown_it(texts: Sequence[str]) -> None:
    """Find them with the block rules of a parser in Python, inline rules left out."""
    parser = MarkdownIt("commonmark").enable("table")
    for text in texts:
        parser.block.parse(text, parser, {}, [])


def main() -> None:
    """Print CPU seconds, MB/s and ratios; the goal is 1 MB/s."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if len(sys.argv) > 1:
            copied(Path(sys.argv[1]), root / "documents")
        else:
            write_markdown(root / "documents", passages(PASSAGES))
        files = [file.read_text("utf-8", "replace") for file in sorted((root / "documents").iterdir())]
        texts = [part for text in files for part in text.split("\n\n")]
        size = sum(len(text.encode()) for text in files) / 1e6

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
        ours = cpu(lambda: blocks_by_pyromark(files))
        line("its blocks alone, pyromark", ours, "s cpu")
        line("its blocks alone, markdown-it-py", cpu(lambda: blocks_by_markdown_it(files)), "s cpu", ours)


if __name__ == "__main__":
    main()
