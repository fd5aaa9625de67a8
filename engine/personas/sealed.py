"""Files that machines hand to each other: JSON with a ``format``, a ``version`` and a ``digest`` of the rest.

There are two kinds, each named for what it holds, and whoever is given the wrong one says so.
"""

from typing import Any, Final

import msgspec

from engine.errors import InputError

PERSONAS: Final = "persona-moe/personas"
LEARNT: Final = "persona-moe/federation"
MAX_BUNDLE: Final = 64 * 1024 * 1024
"""Bytes of the largest file that is read."""

_AGAIN: Final = "ask for it again"
_TAKEN_IN_BY: Final = {
    PERSONAS: "it holds personas: 'persona-moe personas import' takes it in",
    LEARNT: "it holds what personas learnt: 'persona-moe federate import' takes it in",
}


class _Kind(msgspec.Struct):
    format: str = ""


def refuse_learnt(data: bytes, where: str) -> None:
    """Raise InputError if the bytes are a file of what personas learnt, where personas are wanted."""
    try:
        found = msgspec.json.decode(data, type=_Kind).format
    except (ValueError, RecursionError):  # not whole, or no object: whoever reads it says so
        return
    if found == LEARNT:
        raise InputError(
            f"{where} holds what personas learnt, not personas", "'persona-moe federate import' takes it in"
        )


def decode_sealed(data: bytes, where: str, kind: str, version: int) -> dict[str, Any]:
    """Return the JSON object of a file of this ``kind``; its digest is still to be compared.

    Raises InputError if it is too large, cut off, of another kind or from a newer version.
    """
    if len(data) > MAX_BUNDLE:
        raise InputError(f"{where} is larger than {MAX_BUNDLE} bytes, the most allowed for a bundle")
    try:
        raw = msgspec.json.decode(data)
    except (ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{where} is not whole: {error}", _AGAIN) from error
    if not isinstance(raw, dict) or raw.get("format") != kind:
        other = raw.get("format") if isinstance(raw, dict) else None
        raise InputError(f"{where} is no bundle of the kind {kind}", _TAKEN_IN_BY.get(str(other), ""))
    found = raw.get("version")
    if type(found) is not int or found < 1:
        raise InputError(f"{where} does not say of which version it is")
    if found > version:
        raise InputError(f"{where} was written by a newer version (format {found})", "upgrade persona-moe")
    return raw


def require_seal(raw: dict[str, Any], seal: str, where: str) -> None:
    """Raise InputError unless the object's digest is ``seal``."""
    if raw.get("digest") != seal:
        raise InputError(f"{where} was changed after it was written: its digest does not fit", _AGAIN)
