"""Labels for what is indexed: the first part of every document name, one label for one path."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.corpus.discover import OWN, Root, Skipped, reason_of, storable, visible_name
from engine.corpus.records import SourceState
from engine.errors import InputError
from engine.ids import digest

MISSING = (FileNotFoundError, NotADirectoryError)
"""What the system raises where nothing is at a path; all else only says that it cannot be looked at."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The paths that indexing was given.

    ``roots`` are those to walk. ``places`` are all of them, as given and with links followed, as sources
    record paths: what was indexed there may be gone. ``missing`` are the places where nothing is any more.
    ``skipped`` are paths that belong to the workspace, ``own`` its folders.
    """

    roots: list[Root]
    places: tuple[str, ...]
    missing: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    own: frozenset[str]

    def is_own(self, path: str) -> bool:
        """Return whether a source recorded at ``path`` belongs to the workspace."""
        return any(inside(path, storable(folder)) for folder in self.own)


def label_roots(paths: Sequence[Path], known: dict[str, SourceState], own: Sequence[Path] = ()) -> Given:
    """Return ``paths`` as roots with labels that no other root has, those inside another left out.

    The label is the last part of the path. If a different path has that label already, in ``known``
    or in ``paths``, four hex digits of its digest are added. A path where nothing is any more is no
    root, nor is one in the folders ``own`` of the workspace. Raises InputError if nothing was indexed
    there either, for one that cannot be looked at, and if all there is belongs to the workspace.
    """
    folders = frozenset(os.path.realpath(folder) for folder in own)
    skipped: dict[Skipped, None] = {}
    absolute: dict[str, None] = {}
    places: dict[str, None] = {}
    missing: list[str] = []
    for given in paths:
        here: tuple[str, ...] = ()
        try:
            here = (storable(os.path.realpath(given)), storable(str(given.absolute())))
            real = os.path.realpath(given, strict=True)
        except (OSError, ValueError) as error:
            gone = [place for place in here if any(inside(state.path, place) for state in known.values())]
            if gone and isinstance(error, MISSING):
                missing.append(gone[0])
                places |= dict.fromkeys(gone)
                continue
            reason = reason_of(error) if isinstance(error, OSError) else "not a path"
            raise InputError(
                f"cannot index {visible_name(str(given))}: {reason}", "check the path"
            ) from error
        places |= dict.fromkeys(here)
        if any(inside(real, folder) for folder in folders):
            skipped[Skipped(visible_name(str(given)), OWN)] = None
        else:
            absolute[real] = None
    if skipped and not absolute and not missing:
        raise InputError(
            f"cannot index {', '.join(each.name for each in skipped)}: {OWN}", "name documents of your own"
        )
    return Given(
        roots=_labelled(list(absolute), known),
        places=tuple(places),
        missing=tuple(missing),
        skipped=tuple(skipped),
        own=folders,
    )


def inside(path: str, place: str) -> bool:
    """Return whether ``path`` is ``place`` or lies in it.

    >>> inside("/docs/a.md", "/docs"), inside("/docs-too/a.md", "/docs"), inside("/docs", "/")
    (True, False, True)
    """
    return path == place or path.startswith(place.rstrip(os.sep) + os.sep)


def _labelled(absolute: Sequence[str], known: dict[str, SourceState]) -> list[Root]:
    outer = [
        path for path in absolute if not any(path != other and inside(path, other) for other in absolute)
    ]
    taken = {state.name.split("/", 1)[0]: _root_of(state) for state in known.values()}
    roots: list[Root] = []
    for path in outer:
        stored = storable(path)
        plain = visible_name(os.path.basename(path)) or "root"
        identity = digest("root.v1", stored)
        labels = [plain, *(f"{plain}~{identity[:count]}" for count in range(4, len(identity) + 1))]
        own = next((label for label in labels if taken.get(label) == stored), None)
        label = own or next(label for label in labels if label not in taken)
        taken[label] = stored
        roots.append(Root(label, path))
    return roots


def _root_of(state: SourceState) -> str:
    path = state.path
    for _ in range(state.name.count("/")):
        path = os.path.dirname(path)
    return path
