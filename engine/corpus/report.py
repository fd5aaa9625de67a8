"""What indexing is asked for, tells on the way, and reports at the end."""

import msgspec

from engine.corpus.discover import Skipped


class IndexOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to index. ``titles=False`` hides the titles of dataset rows; sizes are characters or bytes."""

    titles: bool = True
    passage_chars: int = 1200
    row_chars: int = 6000
    max_file_bytes: int = 20 * 1024 * 1024
    max_dataset_bytes: int = 512 * 1024 * 1024
    batch_size: int = 4096
    file_seconds: float = 20.0
    memory_bytes: int = 1024**3


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far indexing has come; ``name`` is the file just done."""

    done_bytes: int
    total_bytes: int
    done_files: int
    total_files: int
    name: str


class IndexReport(msgspec.Struct, frozen=True, kw_only=True):
    """What indexing did: counts of documents, then what was left out and why.

    ``passages`` and ``bytes`` are those of the documents written and of all files read.
    """

    added: int
    changed: int
    removed: int
    unchanged: int
    skipped: list[Skipped]
    notes: list[str]
    passages: int
    bytes: int
    seconds: float
