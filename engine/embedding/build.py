"""Making the vectors that an index lacks: a few at a time, so that it can be stopped and gone on with."""

from collections.abc import Callable

from engine.config import Settings
from engine.corpus.vectors import VectorTable
from engine.embedding.base import Embedder, pack
from engine.embedding.choose import open_embedder
from engine.embedding.windows import windows
from engine.errors import CorpusError

BATCH = 16
"""Passages between two writes: a second or two, which is all that a kill can cost."""


async def build_vectors(
    table: VectorTable, settings: Settings, progress: Callable[[int, int], None] | None = None
) -> int:
    """Make a vector for every passage that has none; return how many were made.

    ``progress`` is told (done, in all). Stopped at any point, the next call goes on from there.
    Raises CorpusError if the index holds vectors of another embedder, ModelUnavailableError if there
    is none.
    """
    embedder = await open_embedder(settings)
    try:
        _begin(table, embedder)
        return await _build(table, embedder, progress)
    finally:
        await embedder.aclose()


def _begin(table: VectorTable, embedder: Embedder) -> None:
    held = table.embedder()
    if held is not None and held.digest != embedder.ref.digest:
        raise CorpusError(
            f"the index holds vectors of {held.name!r}; those of {embedder.ref.name!r} do not mix with them",
            "run 'persona-moe index --no-embed' to drop them first, or set embedding.embedder back",
        )
    if held is None:
        table.begin(embedder.ref)


async def _build(table: VectorTable, embedder: Embedder, progress: Callable[[int, int], None] | None) -> int:
    total = table.missing()
    done = 0
    while batch := table.unembedded(BATCH):
        pieces = [windows(each.title, each.text) for each in batch]
        vectors = iter(await embedder.embed([text for texts in pieces for text in texts]))
        table.put(
            [
                (each.row, [pack(next(vectors)) for _ in texts])
                for each, texts in zip(batch, pieces, strict=True)
            ]
        )
        done += len(batch)
        if progress is not None:
            progress(done, total)
    return done
