"""How a model is best asked for claims, learnt from whether its replies could be read."""

from pathlib import Path

import msgspec

from engine.errors import WorkspaceError
from engine.experts.prompts import Form
from engine.files import read_bounded, write_atomic
from engine.models.base import ModelInfo

SMALL = 6.0
"""Billions of parameters below which a model is asked for lines until JSON is known to work better."""
MOST_MODELS = 200
MOST_BYTES = 256 * 1024
_MEMORY = 40
"""Replies that count: with more, both numbers are halved, so that a new version can change the habit."""


class Tally(msgspec.Struct, frozen=True):
    """Replies asked for in one form, and how many of them could be read in that form."""

    asked: int = 0
    read: int = 0

    def after(self, read: bool) -> "Tally":
        """Return the tally with one more reply."""
        grown = Tally(self.asked + 1, self.read + read)
        return Tally(grown.asked // 2, grown.read // 2) if grown.asked > _MEMORY else grown


class _File(msgspec.Struct):
    models: dict[str, dict[Form, Tally]] = {}


class Habits:
    """The tallies of every model, in one small file; a damaged file counts as none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _load(self) -> _File:
        try:
            return msgspec.json.decode(read_bounded(self._path, MOST_BYTES), type=_File)
        except (WorkspaceError, ValueError):  # absent at first; and what it held can be learnt again
            return _File()

    def form(self, info: ModelInfo) -> Form:
        """Return how to ask: the form with the better record, lines first for small models.

        Starts from 3 of 4 for lines, and for JSON from 4 of 5 for models of 6 billion parameters or
        more, else from 2 of 4.
        """
        tallies = self._load().models.get(_key(info), {})
        priors = {"lines": (3, 4), "schema": (4, 5) if info.billions >= SMALL else (2, 4)}
        shares: dict[Form, float] = {}
        forms: tuple[Form, ...] = ("lines", "schema")
        for form in forms:
            tally, (read, asked) = tallies.get(form, Tally()), priors[form]
            shares[form] = (tally.read + read) / (tally.asked + asked)
        return "schema" if shares["schema"] > shares["lines"] else "lines"

    def learn(self, info: ModelInfo, form: Form, results: list[bool]) -> None:
        """Add what became of replies. Raises WorkspaceError if it cannot be written."""
        if not results:
            return
        file = self._load()
        tallies = file.models.setdefault(_key(info), {})
        for read in results:
            tallies[form] = tallies.get(form, Tally()).after(read)
        while len(file.models) > MOST_MODELS:
            del file.models[next(iter(file.models))]
        write_atomic(self._path, msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")


def _key(info: ModelInfo) -> str:
    return f"{info.name}@{info.digest[:12]}" if info.digest else info.name
