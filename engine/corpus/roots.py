"""Labels for what is indexed: the first part of every document name, one label for one path."""

import os
from collections.abc import Sequence
from pathlib import Path

from engine.corpus.discover import Root, reason_of, storable, visible_name
from engine.corpus.records import SourceState
from engine.errors import InputError
from engine.ids import digest


def label_roots(paths: Sequence[Path], known: dict[str, SourceState]) -> list[Root]:
    """Return ``paths`` as roots with labels that no other root has, those inside another left out.

    The label is the last part of the path. If a different path has that label already, in ``known``
    or in ``paths``, four hex digits of its digest are added.
    """
    absolute: dict[str, None] = {}
    for given in paths:
        try:
            absolute.setdefault(os.path.realpath(str(given), strict=True))
        except (OSError, ValueError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else "not a path"
            raise InputError(
                f"cannot index {visible_name(str(given))}: {reason}", "check the path"
            ) from error
    outer = [path for path in absolute if not any(_inside(path, other) for other in absolute)]
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


def _inside(path: str, other: str) -> bool:
    return path != other and path.startswith(other.rstrip(os.sep) + os.sep)


def _root_of(state: SourceState) -> str:
    path = state.path
    for _ in range(state.name.count("/")):
        path = os.path.dirname(path)
    return path
