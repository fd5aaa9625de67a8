"""How like a question the passages of an index are, by the vectors that the index holds.

Vectors are whole numbers of 1/2048 (:mod:`engine.embedding.base`), so a likeness is exact, and the
same on every machine. What it is worth is added to what a passage scores by its words.
"""

import asyncio
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

import msgspec

from engine.config import EmbeddingSettings, Settings
from engine.corpus.marks import asked
from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.vectors import EmbedderRef
from engine.embedding.base import Embedder, pack
from engine.embedding.choose import open_embedder
from engine.errors import CorpusError, ModelUnavailableError, PersonaMoeError
from engine.events import Event, FacetsFound, QuestionEmbedded, Warned
from engine.graph.question import names_in
from engine.ids import q6

BY_WORDS = "questions are compared by words only"
LONGEST_WAIT = 30.0
"""Seconds for a question's vector, after which words have to do: an answer is waiting for it."""
_LEAST = 1e-9
_BESIDE = 10
"""What stands out is ahead of the passage in this place."""
_TITLES = frozenset(("title", "heading", "symbol"))
# run_target, runTarget, HttpRequestHandler; PlayStation, McKenzie and tRNAs are words of a language, too.
_IDENTIFIER = re.compile(r"[^\W\d_]\w*_\w|\b[a-z]+[A-Z][a-z]|[a-z][A-Z]\w*[a-z][A-Z]")
UPDATE = "run 'persona-moe index --embed' with your documents"


class Meaning(msgspec.Struct, frozen=True):
    """What likeness adds to each row, the row that stands out by it, and what a run has to tell of it."""

    adds: dict[int, float] = {}
    likest: int | None = None
    events: tuple[Event, ...] = ()


class _Matrix(msgspec.Struct, frozen=True):
    """The vectors of one state of an index: one line each, ``starts`` where a passage's begin."""

    state: tuple[str, str]
    rows: Any
    lines: Any
    starts: Any
    digest: str


class Likeness:
    """Compares questions with one index. An index without vectors costs one look-up a question."""

    def __init__(self, store: SqliteStore, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._table = store.vectors
        self._matrix: _Matrix | None = None
        self._kept: Embedder | None = None

    async def of(self, question: str) -> Meaning:
        """Return what likeness adds to each passage of the index for ``question``.

        Where the index holds vectors that cannot be used (some are missing, their embedder is not
        there), nothing is added and the reason is told. Nothing is added either to a question that says
        exactly what it is about: where a name leads, likeness only leads away from what it leads on to, and
        the parts of an identifier are noise to an embedder.
        """
        held = self._table.embedder()
        if held is None or self._says_exactly(question):
            return Meaning()
        try:
            self._require_whole()
            async with asyncio.timeout(min(LONGEST_WAIT, self._settings.ollama.first_token_seconds)):
                vector = await self._embed(question, held)
            return self._compared(held, pack(vector))
        except TimeoutError:
            problem = f"{BY_WORDS}: {held.name!r} made no vector in time"
            return Meaning(events=(Warned(problem=problem, mend="see what the model server is doing"),))
        except PersonaMoeError as error:
            return Meaning(events=(Warned(problem=f"{BY_WORDS}: {error.problem}", mend=error.mend),))

    def now(self, question: str) -> Meaning:
        """Return what :meth:`of` does, for callers without an event loop."""
        return asyncio.run(self.of(question)) if self._table.embedder() is not None else Meaning()

    def recorded(self, events: Iterable[Event]) -> Meaning:
        """Return what :meth:`of` gave in a recorded run, with the vector of the record.

        Nothing if the run compared no vectors, or the index has none of that embedder by now.
        """
        opening = list(takewhile(lambda each: not isinstance(each, FacetsFound), events))
        event = next((each for each in opening if isinstance(each, QuestionEmbedded)), None)
        for each in opening:
            if isinstance(each, Warned) and each.problem.startswith(BY_WORDS):
                return Meaning(events=(msgspec.structs.replace(each, seq=0),))
        held = self._table.embedder()
        if event is None or held is None or held.digest != event.made_by or self._table.missing():
            return Meaning()
        try:
            data = b64decode(event.vector, validate=True)
        except ValueError:
            data = b""
        return self._compared(held, data) if len(data) == 2 * held.dims else Meaning()

    def _says_exactly(self, question: str) -> bool:
        """Whether a question holds an identifier, a symbol of the index, or a name that is a title in it."""
        if _IDENTIFIER.search(question):
            return True
        symbols, _ = asked(question)
        if self._store.word_ids(symbols):
            return True
        names = self._store.name_ids([name.key for name in names_in(question, self._store)])
        homes = self._store.homes(list(names.values())).values()
        return any(kind in _TITLES for found in homes for _, kind in found)

    def _require_whole(self) -> None:
        missing = self._table.missing()
        if missing:
            raise CorpusError(f"{missing:,} passages have no vector yet", UPDATE)

    async def _embed(self, question: str, held: EmbedderRef) -> list[float]:
        embedder = self._kept or await open_embedder(self._settings)
        try:
            if embedder.ref.digest != held.digest:
                raise CorpusError(
                    f"the index holds vectors of {held.name!r}, the settings name {embedder.ref.name!r}",
                    "set embedding.embedder and embedding.model_name back, or make the vectors anew: "
                    "'persona-moe index --no-embed', then 'index --embed'",
                )
            (vector,) = await embedder.embed([question], question=True)
        finally:
            await embedder.aclose()
        if embedder.reusable:
            self._kept = embedder
        return vector

    def _compared(self, held: EmbedderRef, vector: bytes) -> Meaning:
        wanted = self._settings.embedding
        matrix = self._loaded(held)
        event = QuestionEmbedded(
            embedder=held.name,
            made_by=held.digest,
            vectors=matrix.digest,
            vector=b64encode(vector).decode(),
            weight=wanted.weight,
            nearest=wanted.nearest,
            lead=wanted.lead,
        )
        return _meaning(matrix, vector, wanted, event)

    def _loaded(self, held: EmbedderRef) -> _Matrix:
        """Return the vectors as one matrix, read again when the index has changed."""
        state = (self._store.digest(), held.digest)
        if self._matrix is None or self._matrix.state != state:
            np = _numpy()
            found = self._table.all()
            lines = _as_array(found.packed, held.dims)
            rows = np.array(found.rows, dtype=np.int64)
            first = np.ones(len(rows), dtype=bool)
            first[1:] = rows[1:] != rows[:-1]
            starts = np.flatnonzero(first)
            self._matrix = _Matrix(state, rows[starts], lines, starts, found.digest)
        return self._matrix


def _meaning(matrix: _Matrix, vector: bytes, wanted: EmbeddingSettings, event: Event) -> Meaning:
    """Return what likeness is worth to each row: ``weight`` times its square, so that the likest stand out.

    Likeness counts as far as it lies above that of the ``nearest``-th passage, as a share of what the
    likest has there.
    """
    np = _numpy()
    if not len(matrix.rows):
        return Meaning(events=(event,))
    question = _as_array([vector], len(vector) // 2)[0]
    # einsum keeps to one thread; a product by BLAS wakes several, which cost more than they save here.
    products = np.einsum("ij,j->i", matrix.lines, question)
    likeness = np.maximum.reduceat(products, matrix.starts)
    floor = max(0.0, _in_place(likeness, wanted.nearest + 1, 0.0))
    # Strictly above, so that no order of arrival decides among equals.
    above = np.flatnonzero(likeness > floor)
    pairs = zip(matrix.rows[above].tolist(), likeness[above].tolist(), strict=True)
    best = int(likeness.argmax())
    top = float(likeness[best])
    most = max(top - floor, _LEAST)
    adds = {row: q6(wanted.weight * (like - floor) ** 2 / most) for row, like in pairs}
    leads = q6(top - _in_place(likeness, _BESIDE, top)) >= wanted.lead > 0
    return Meaning(adds, int(matrix.rows[best]) if leads else None, (event,))


def _in_place(likeness: Any, place: int, otherwise: float) -> float:
    """Return the likeness of the passage in ``place``, counted from 1, ``otherwise`` if there are fewer."""
    if len(likeness) < place:
        return otherwise
    return float(_numpy().partition(likeness, -place)[-place])


def _as_array(packed: Sequence[bytes], dims: int) -> Any:
    np = _numpy()
    if any(len(each) != 2 * dims for each in packed):
        raise CorpusError("the index holds vectors of another length", "run 'persona-moe index --no-embed'")
    halves = np.frombuffer(b"".join(packed), dtype="<f2").reshape(len(packed), dims)
    return halves.astype(np.float32)


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        raise ModelUnavailableError("comparing vectors needs numpy", "pip install numpy") from None
    return numpy
