"""The seam to embedders: what makes vectors, and the form in which they are kept and compared."""

import struct
from collections.abc import Sequence
from typing import Protocol

from engine.corpus.vectors import EmbedderRef

GRAIN = 2048
"""A component is kept as a whole number of these parts.

Such a number is exact as a float16, and every product and partial sum of two vectors of length 1 stays
below 2^24, where float32 counts without error. So a dot product is the same to the last bit on every
machine, in whatever order it is summed.
"""


class Embedder(Protocol):
    """Whatever turns text into vectors of length 1."""

    @property
    def ref(self) -> EmbedderRef:
        """Return who it is; vectors of embedders with different digests are never compared."""
        ...

    reusable: bool
    """Whether it can serve further questions after :meth:`aclose`, in another event loop."""

    async def embed(self, texts: Sequence[str], *, question: bool = False) -> list[list[float]]:
        """Return a vector for each text. Raises PersonaMoeError if it cannot."""
        ...

    async def aclose(self) -> None:
        """Release what it holds."""
        ...


def pack(vector: Sequence[float]) -> bytes:
    """Return the vector's bytes: float16, little-endian, each a multiple of 1/2048.

    >>> unpack(pack([0.6, -0.8]))
    (0.60009765625, -0.7998046875)
    """
    return struct.pack(f"<{len(vector)}e", *(round(value * GRAIN) / GRAIN for value in vector))


def unpack(data: bytes) -> tuple[float, ...]:
    """Return the components of a packed vector."""
    return struct.unpack(f"<{len(data) // 2}e", data)
