"""How a model is best asked for claims: learnt from whether its replies could be read, and how soon."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.errors import WorkspaceError
from engine.experts.prompts import Form
from engine.files import read_bounded, write_atomic
from engine.ids import q6
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


READ_SECONDS = 20.0
"""What an expert may take to read its passages, so that an answer comes soon on a slow machine, too."""
STEPS = (400, 700, 1000, 1500, 2000, 3000)
"""Tokens of evidence for one call. Steps, as one that follows every measurement would change every prompt."""
FIRST_STEP = 1500
"""Of a model that was never asked."""
_BETTER = 1.3
"""How much faster than the next step needs a model must have been before it is given more to read."""


class Pace(msgspec.Struct, frozen=True):
    """Tokens of a prompt read in a second, 0 while unknown, and the tokens of evidence that it allows."""

    speed: float = 0.0
    reads: int = FIRST_STEP

    def after(self, speed: float) -> "Pace":
        """Return the pace with one more run: a step up at most, but as far down as it takes.

        >>> Pace().after(1000.0).reads, Pace().after(30.0).reads
        (2000, 400)
        """
        known = q6((self.speed + speed) / 2 if self.speed else speed)
        able = known * READ_SECONDS
        higher = next((step for step in STEPS if step > self.reads), self.reads)
        if able < self.reads:
            return Pace(known, max((step for step in STEPS if step <= able), default=STEPS[0]))
        return Pace(known, higher if able >= _BETTER * higher else self.reads)

    def within(self, seconds: float, tokens: int, calls: int) -> int:
        """Return the tokens of evidence for each of ``calls``, if half of a budget may go into reading.

        ``seconds`` and ``tokens`` are 0 where there is no such budget.

        >>> Pace(speed=100.0, reads=2000).within(60.0, 0, 3), Pace(reads=2000).within(0.0, 6000, 3)
        (1000, 1000)
        """
        by_time = self.speed * seconds / (2 * calls) if self.speed and seconds else float(self.reads)
        able = min(by_time, tokens / (2 * calls) if tokens else by_time)
        return min(self.reads, max((step for step in STEPS if step <= able), default=STEPS[0]))


class _File(msgspec.Struct):
    models: dict[str, dict[Form, Tally]] = {}
    paces: dict[str, Pace] = {}


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

    def pace(self, info: ModelInfo) -> Pace:
        """Return how fast the model was found to read."""
        return self._load().paces.get(_key(info), Pace())

    def learn(self, info: ModelInfo, form: Form, results: Sequence[bool], speeds: Sequence[float]) -> None:
        """Add what became of replies, and the tokens a second at which prompts were read in a run.

        Of the speeds the least counts: a prompt that was read before is read in no time. Raises
        WorkspaceError if it cannot be written.
        """
        if not results and not speeds:
            return
        file = self._load()
        if speeds:
            file.paces[_key(info)] = file.paces.get(_key(info), Pace()).after(min(speeds))
            while len(file.paces) > MOST_MODELS:
                del file.paces[next(iter(file.paces))]
        tallies = file.models.setdefault(_key(info), {})
        for read in results:
            tallies[form] = tallies.get(form, Tally()).after(read)
        while len(file.models) > MOST_MODELS:
            del file.models[next(iter(file.models))]
        write_atomic(self._path, msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")


def _key(info: ModelInfo) -> str:
    return f"{info.name}@{info.digest[:12]}" if info.digest else info.name
