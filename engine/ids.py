"""Canonical bytes, tagged digests, counter-based randomness and quantised scores.

These four are what makes a run repeatable to the byte: equal inputs give equal bytes in any
process, whatever the hash seed, the locale or the order in which workers finished.
"""

import hashlib
import math
import re
from typing import Any

import msgspec

from engine.errors import InputError

SAFE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_PORTS = (f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))
_RESERVED_IDS = frozenset({"con", "prn", "aux", "nul", *_PORTS})
_PLAIN = 1e5
_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """Return the one JSON encoding of ``value``: sorted keys, no spaces, UTF-8.

    >>> canonical({"b": 1, "a": [1.5, "x"]})
    b'{"a":[1.5,"x"],"b":1}'
    """
    return _encoder.encode(value)


def digest(tag: str, *parts: bytes | str) -> str:
    """Return 32 hex digits: BLAKE2b-128 of ``parts``, each length-prefixed, under ``tag``.

    The tag keeps digests of different kinds apart; the prefixes keep ``("ab", "c")`` and
    ``("a", "bc")`` apart.

    >>> digest("doc.v1", "a", "bc") == digest("doc.v1", "ab", "c")
    False
    >>> len(digest("doc.v1"))
    32
    """
    h = hashlib.blake2b(digest_size=16, person=hashlib.blake2b(tag.encode(), digest_size=16).digest())
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        h.update(len(raw).to_bytes(8, "big"))
        h.update(raw)
    return h.hexdigest()


def uniform(seed: int, *labels: str) -> float:
    """Return a number in [0, 1) that depends on ``seed`` and ``labels`` alone.

    Stateless, so the order in which callers ask cannot matter.

    >>> uniform(7, "gate", "q1") == uniform(7, "gate", "q1")
    True
    >>> 0 <= uniform(7, "gate", "q2") < 1
    True
    """
    return int(digest(f"uniform.{seed}", *labels)[:13], 16) / 16**13


def q6(value: float) -> float:
    """Return ``value`` rounded to six decimals, so that platform noise below 1e-6 vanishes.

    A float rounded to six decimals prints the same on every platform, which is what hashing needs,
    and stays readable in ``--json`` output, which integers of 1e-6 would not.

    Raises ValueError for NaN and infinities: no score may be either.

    >>> q6(0.1 + 0.2), q6(-1e-9)
    (0.3, 0.0)
    """
    if not -_PLAIN < value < _PLAIN:
        if not math.isfinite(value):
            raise ValueError(f"a score must be a finite number, not {value!r}")
        return round(value, 6) + 0.0
    # Rounding to a whole number costs a third of rounding to decimals, and comes to the same but
    # close to a tie: the quotient of two exact numbers is the float nearest to the decimal.
    scaled = value * 1e6
    whole = round(scaled)
    if -0.4999 < scaled - whole < 0.4999:
        return whole / 1e6
    return round(value, 6) + 0.0


def require_safe_id(value: str, kind: str) -> str:
    """Return ``value`` if it can name a file on every system, else raise InputError.

    Allowed: 1 to 64 characters of ``a-z 0-9 _ -``, not starting with a mark, and not a name that
    Windows reserves.

    >>> require_safe_id("fact-finder", "persona")
    'fact-finder'
    >>> require_safe_id("../etc", "persona")
    Traceback (most recent call last):
    ...
    engine.errors.InputError: persona id '../etc' is not allowed; use 1 to 64 of a-z, 0-9, '-' and '_'
    """
    if SAFE_ID.match(value) and value not in _RESERVED_IDS:
        return value
    shown = value if len(value) <= 64 else value[:61] + "..."
    if value in _RESERVED_IDS:
        raise InputError(f"{kind} id {shown!r} is not allowed: Windows keeps that name", "add a letter to it")
    raise InputError(
        f"{kind} id {shown!r} is not allowed",
        "use 1 to 64 of a-z, 0-9, '-' and '_'",
    )
