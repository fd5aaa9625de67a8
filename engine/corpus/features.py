"""What analysis finds in a passage: tokens with positions, sentences, names mentioned, names at home."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from struct import Struct
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec

from engine.corpus.records import NameKind

STOPPED = ""
"""Stands in a token list where a stop word stood, so that distances between words stay true."""
STOP_WORD = 0
"""The id that stands for it in arrays of words."""
_BYTES = array("i").itemsize
T = TypeVar("T")


class Whole(NamedTuple):
    """An identifier or hyphenated word kept whole beside its parts, at the position of the first."""

    position: int
    term: str


class Sentence(NamedTuple):
    """Character offsets of a sentence in the passage, and the offset of its first token."""

    start: int
    end: int
    token: int


class Mention(NamedTuple):
    """A name as it stands in a passage: its key, the sentence, and the tokens it covers.

    ``sentence`` is -1 and the token offsets count within the title where the title mentions it.
    """

    key: str
    sentence: int
    first: int
    last: int


# What the classes make, without the call of a function in Python for each of a text's many.
as_sentence = cast("Callable[[tuple[int, int, int]], Sentence]", partial(tuple.__new__, Sentence))
as_mention = cast("Callable[[tuple[str, int, int, int]], Mention]", partial(tuple.__new__, Mention))


class Home(NamedTuple):
    """A name whose home is this passage, and what makes it so."""

    key: str
    kind: NameKind


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the store keeps of a passage beside its text.

    *Marks* are terms that stand at no position: a date the title carries (``@2026-5-14``), a symbol
    the body defines (``#run_target``), an identifier in the title kept whole. ``family`` names the
    passages that belong together: those of one document, or rows of one title.
    """

    family: str

    title_tokens: list[str]
    title_marks: list[str]
    tokens: list[str]
    wholes: list[Whole]
    marks: list[str]
    sentences: list[Sentence]
    mentions: list[Mention]
    homes: list[Home]


class _Once(Generic[T]):
    """``functools.cached_property`` without the lock it takes before Python 3.12: questions read many."""

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> T:
        made = instance.__dict__[self._name] = self._work(instance)
        return made


class Postings(NamedTuple):
    """Where a term stands, in columns: passages by row, ascending, times in title and body, their lengths."""

    rows: Sequence[int]
    in_title: Sequence[int]
    in_body: Sequence[int]
    title_lengths: Sequence[int]
    body_lengths: Sequence[int]


class Features:
    """A passage's analysis as kept: word and name ids in place of strings; word 0 is a stop word.

    Decoded where it is asked for: of the many passages that a question looks at, few are walked from.
    """

    def __init__(self, passage_id: str, family: int, blobs: Sequence[bytes]) -> None:
        self.passage_id, self.family = passage_id, family
        self._blobs = blobs

    @_Once
    def title_tokens(self) -> list[int]:
        """The words of the title, in order."""
        return unpack(self._blobs[0]).tolist()

    @_Once
    def title_marks(self) -> list[int]:
        """The marks of the title."""
        return unpack(self._blobs[1]).tolist()

    @_Once
    def body_words(self) -> "array[int]":
        """The words of the text, each once, ascending."""
        return unpack(self._blobs[2])

    @_Once
    def _ends(self) -> "array[int]":
        return unpack(self._blobs[3])

    @_Once
    def _places(self) -> "array[int]":
        return unpack(self._blobs[4])

    @property
    def length(self) -> int:
        """How many words the text has, stop words included."""
        return len(self._blobs[4]) // _BYTES

    def places(self, word: int) -> "array[int]":
        """Return where a word stands in the text, ascending; empty if it does not."""
        words = self.body_words
        at = bisect_left(words, word)
        if at == len(words) or words[at] != word:
            return array("i")
        return self._places[self._ends[at - 1] if at else 0 : self._ends[at]]

    @_Once
    def tokens(self) -> list[int]:
        """The words of the text, in order."""
        ordered = [0] * self.length
        for word in self.body_words:
            for place in self.places(word):
                ordered[place] = word
        return ordered

    @_Once
    def wholes(self) -> list[tuple[int, int]]:
        """(position, word) of identifiers kept whole."""
        numbers = unpack(self._blobs[5])
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def wholes_among(self, words: Mapping[int, object]) -> list[tuple[int, int]]:
        """Return those of :attr:`wholes` whose word is one of ``words``."""
        numbers = unpack(self._blobs[5])
        if words.keys().isdisjoint(numbers[1::2]):
            return []
        return [whole for whole in self.wholes if whole[1] in words]

    @_Once
    def marks(self) -> list[int]:
        """The marks of the text."""
        return unpack(self._blobs[6]).tolist()

    @_Once
    def sentences(self) -> list[Sentence]:
        """Where the sentences are."""
        numbers = unpack(self._blobs[7])
        return [*map(as_sentence, zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))]

    @_Once
    def mentions(self) -> list[tuple[int, ...]]:
        """(name, sentence, first token, token after the last) of each mention, in order."""
        return _rows(self._blobs[8], 4)

    @_Once
    def words(self) -> frozenset[int]:
        """The words of title and text, each once."""
        return frozenset((*self.body_words, *self.title_tokens))


def pack(numbers: Sequence[int]) -> bytes:
    """Return ``numbers`` as 32-bit integers."""
    # An array would parse each as an argument; a layout costs half of that.
    return _layout(len(numbers)).pack(*numbers) if numbers else b""


@lru_cache(maxsize=1 << 12)
def _layout(numbers: int) -> Struct:
    return Struct(f"={numbers}i")


def unpack(blob: bytes) -> "array[int]":
    """Return the numbers that :func:`pack` packed."""
    return array("i", blob)


def pack_places(
    tokens: Sequence[int], words: Sequence[int], counts: Sequence[int]
) -> tuple[bytes, bytes, bytes]:
    """Return the three arrays in which :class:`Features` looks up where a word stands.

    ``words`` are those among the ``tokens``, ascending, ``counts`` how often each stands there.
    """
    places = sorted(range(len(tokens)), key=tokens.__getitem__)
    return pack(words), pack([*accumulate(counts)]), pack(places)


def _rows(blob: bytes, width: int) -> list[tuple[int, ...]]:
    numbers = unpack(blob)
    return list(zip(*(numbers[i::width] for i in range(width)), strict=True))


class CorpusSize(NamedTuple):
    """Number of passages, and mean length of title and body in tokens (1.0 for none)."""

    passages: int
    title_length: float
    body_length: float
