"""What leaves the index: sources that are no longer where they were found."""

import os
import re
import stat
from collections.abc import Iterator, Mapping

import msgspec

from engine.corpus.records import SourceState
from engine.corpus.roots import MISSING, Given, inside

_ESCAPED_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")


class Seen(msgspec.Struct, kw_only=True):
    """What a run came across: ``present`` names are indexed, ``kept`` ones could not be looked at.

    ``unusable`` are the paths of files that can be read and not be indexed.
    """

    present: set[str] = msgspec.field(default_factory=set)
    kept: list[str] = msgspec.field(default_factory=list)
    unusable: set[str] = msgspec.field(default_factory=set)


def leaving(known: Mapping[str, SourceState], given: Given, seen: Seen) -> Iterator[SourceState]:
    """Yield the sources among ``known`` that the run leaves no place for, by name.

    What has a name that a root gives was walked, so it leaves unless it was seen or kept. What lies in a
    place given, and has another name, may be left out there and still be wanted: it leaves if it is gone.
    """
    labels = {root.label for root in given.roots}
    for name, state in sorted(known.items()):
        if name in seen.present:
            continue
        if name.split("/", 1)[0] in labels:
            if not any(name == kept or name.startswith(kept + "/") for kept in seen.kept):
                yield state
        elif any(inside(state.path, place) for place in given.places) and (
            state.path in seen.unusable or given.is_own(state.path) or is_gone(state.path)
        ):
            yield state


def is_gone(path: str) -> bool:
    """Return whether the file recorded at ``path`` is surely not there: False where that cannot be told.

    A link is never followed when indexing, so where one is now, the file is elsewhere.
    """
    spelt = os.fsencode(path)
    as_bytes = _ESCAPED_BYTE.sub(lambda found: bytes.fromhex(found[1].decode()), spelt)
    return all(_is_gone(each) for each in {spelt, as_bytes})


def _is_gone(path: bytes) -> bool:
    try:
        return os.path.realpath(path, strict=True) != path or not stat.S_ISREG(os.lstat(path).st_mode)
    except MISSING:
        return True
    except OSError:
        return False
