"""What the engine's thread tells the screen besides the events of a run."""

from typing import Literal

import msgspec

from engine.errors import NothingIndexedError, PersonaMoeError
from engine.events import Tier


def problem_in_app(error: PersonaMoeError) -> str:
    """Return what went wrong and its mend, which is a key where the error names a command."""
    if isinstance(error, NothingIndexedError):
        return f"{error.problem}; a in any pane adds documents"
    return str(error)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all notices."""


class PersonaRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A persona as the roster shows it when no run says more; its words are cleaned when they are drawn."""

    persona_id: str
    tier: Tier
    name: str
    cost: float
    expertise: tuple[str, ...]
    pinned: bool


class Opened(Notice, frozen=True, kw_only=True):
    """The workspace is open, or was looked at again: what is in it.

    ``documents`` are names to complete, not all of a large corpus; ``file_count`` counts every indexed file.
    """

    passages: int
    documents: tuple[str, ...]
    file_count: int
    personas: tuple[PersonaRow, ...]
    problems: tuple[str, ...]


class Working(Notice, frozen=True, kw_only=True):
    """How far a long job is; ``total`` is 0 while it is not known."""

    what: str
    done: int
    total: int


class Indexed(Notice, frozen=True, kw_only=True):
    """Indexing is over: what came of it in words, and each file left out with its reason.

    ``problem`` is empty unless it failed.
    """

    text: str = ""
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


class Said(Notice, frozen=True, kw_only=True):
    """Something worth a line: a job that is done, or a problem with its mend."""

    text: str
    level: Literal["information", "warning", "error"] = "information"


class RunEnded(Notice, frozen=True, kw_only=True):
    """A run is over and its journal is closed. ``problem`` is empty unless it failed."""

    cancelled: bool = False
    problem: str = ""


class ModelState(Notice, frozen=True, kw_only=True):
    """Who would write if a question were asked now; ``instead`` says what happens without a model.

    ``memory`` says whether the model is loaded, as far as that is known; where it ``failed`` to load ahead,
    ``problem`` says why.
    """

    status: Literal["ready", "missing", "off"]
    where: str = ""
    name: str = ""
    why: str = ""
    window: int = 0
    memory: Literal["", "loading", "loaded", "failed"] = ""
    problem: str = ""
    mend: str = ""
    instead: str = ""


class Pulling(Notice, frozen=True, kw_only=True):
    """How far the fetching of a model is, in bytes; ``total`` is 0 while the server does not say."""

    name: str
    what: str
    done: int = 0
    total: int = 0
    state: Literal["running", "done", "cancelled", "failed"] = "running"
    problem: str = ""
