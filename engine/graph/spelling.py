"""Words of a question that no document holds, read as the words they were meant to be."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import ascii_lowercase

import msgspec

from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.tokens import QUESTION_WORDS, Word, stem, word_of

_SHORTEST = 5
_SHORTEST_FOUND = 4
# Letters from which on a word may be off by two.
_SHORTEST_TWICE = 8
_LONGEST_NAME = 6
# More unknown words than these are no slips: the question is in another language, or no prose.
_MOST_UNKNOWN = 10


class Respelt(msgspec.Struct, frozen=True):
    """A word of the question that no document holds, and the stem, or the word of a name, it was read as."""

    typed: str
    read: str


def respell(words: Sequence[Word], store: SqliteStore) -> tuple[list[Word], tuple[Respelt, ...]]:
    """Return the words, those that no document holds replaced by the likeliest that one does.

    A word of at least five letters may be off by one, of at least eight by two: a letter too many, too
    few or another one, or two in the wrong order (Damerau 1964). The first letter and digits are taken
    to be right. A longer name at home that the other words around are part of comes first, then what
    is nearer, then what stands in more passages. Words that are like nothing stay as they are, and all do
    where more than ten are unknown. A word that is spelt well stands for other forms of it alone, and for
    names: *spoilt* for *spoil*, *banking* not for *backing*.
    """
    checked = {term for word in words for term in _checked(word)}
    unknown = checked - store.counts(checked).keys()
    read = list(words)
    respelt: dict[Respelt, None] = {}
    if 0 < len(unknown) <= _MOST_UNKNOWN:
        speller = _Speller(store, unknown)
        for at, word in enumerate(words):
            if not unknown.isdisjoint(_checked(word)):
                read[at] = speller.read(read, at)
                respelt.update(dict.fromkeys(speller.changes(word, read[at])))
    return read, tuple(respelt)


def _checked(word: Word) -> Iterator[str]:
    """Yield the terms that may be misspelt: of a word, of a compound's parts, of an identifier's whole."""
    if word.whole is None:
        # A word that only asks is spelt well, though no document may hold it.
        if word.key not in QUESTION_WORDS and _is_long(word.key):
            yield from filter(None, word.terms)
        return
    yield from filter(_is_long, word.terms)
    if word.is_code and _is_long(word.whole):
        yield word.whole


def _is_long(word: str) -> bool:
    # Short words with a digit are codes: IFIT1 and IFIH1 are two things.
    return len(word) >= _SHORTEST if word.isalpha() else sum(map(str.isalpha, word)) > _SHORTEST


class _Speller:
    def __init__(self, store: SqliteStore, unknown: set[str]) -> None:
        self._store, self._unknown = store, unknown

    def read(self, words: Sequence[Word], at: int) -> Word:
        """Return the word at ``at`` as it was meant, or as it is."""
        word = words[at]
        if word.whole is not None:
            terms = tuple(self._term(term) or term for term in word.terms)
            return word._replace(terms=terms, whole=self._term(word.whole) or word.whole)
        name = self._in_a_name(words, at)
        if name is None:
            term = self._term(word.terms[0], word.key)
            if term is None or (not _is_form_of(word.terms[0], term) and word.key in _english()):
                return word
            name = self._alone(word, term)
            if name is None:
                return word._replace(terms=(term,))
        return word_of(name)._replace(opens_name=word.opens_name)

    def changes(self, typed: Word, read: Word) -> Iterator[Respelt]:
        """Yield what of a word is read as something else."""
        if typed.whole is None:
            if read != typed:
                yield Respelt(typed.key, read.terms[0] if read.key == typed.key else read.key)
            return
        parts = [Respelt(*pair) for pair in zip(typed.terms, read.terms, strict=True) if pair[0] != pair[1]]
        if not parts and read.whole is not None and read.whole != typed.whole:
            parts.append(Respelt(typed.whole, read.whole))
        yield from parts

    def _term(self, term: str, key: str = "") -> str | None:
        """Return the known term that an unknown one is nearest to.

        Stems of words one slip away come first: a slip in its ending hides what the stem is.
        """
        if term not in self._unknown:
            return None
        counted = self._store.counts(map(stem, _slips(key))) if key.isalpha() else {}
        if counted:
            return min(counted, key=lambda other: (-counted[other], other))
        if key and len(term) < _SHORTEST_TWICE:
            return None
        most = _most(term)
        return _nearest(term, self._store.words_from(term[0], len(term) - most, len(term) + most), most)

    def _in_a_name(self, words: Sequence[Word], at: int) -> str | None:
        """Return what the word is in the longest name at home that it and the words around it may be."""
        typed = words[at].key
        behind = [piece for word in words[at + 1 : at + _LONGEST_NAME] for piece in word.name]
        found: dict[int, dict[str, int]] = {}
        for before in _before(words[max(0, at - _LONGEST_NAME + 1) : at]):
            # What stands neither before nor behind another word of its name is looked for alone.
            if not before and not behind:
                continue
            within = "" if before else f" {behind[0]}"
            for key, passages in self._store.names_from(" ".join([*before, typed[0]]), within).items():
                piece, *others = pieces = key.split(" ")[len(before) :]
                if others == behind[: len(others)]:
                    spelt = found.setdefault(len(before) + len(pieces), {})
                    spelt[piece] = max(passages, spelt.get(piece, 0))
        nearest = (_nearest(typed, found[size], _most(typed)) for size in sorted(found, reverse=True))
        return next((near for near in nearest if near is not None), None)

    def _alone(self, word: Word, term: str) -> str | None:
        """Return the name of one word, at home somewhere, that has this stem; of several the commonest."""
        names = self._store.names_from(word.key[0]) if word.opens_name else {}
        alike = [name for name in names if name.isalpha() and stem(name) == term]
        return min(alike, key=lambda name: (-names[name], name), default=None)


@cache
def _english() -> Mapping[str, int]:
    """English words, with how common they are: what is spelt like one is no slip, however near another is.

    Only the list of pyspellchecker is used; to make its checker takes three times as long as to read it.
    """
    packed = files("spellchecker").joinpath("resources", "en.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(packed), type=dict[str, int])


def _is_form_of(term: str, other: str) -> bool:
    """Whether two stems differ in what they end with at most."""
    alike = max(_SHORTEST_FOUND, min(len(term), len(other)) - 1)
    return term[:alike] == other[:alike]


def _most(word: str) -> int:
    return 2 if len(word) >= _SHORTEST_TWICE and word.isalpha() else 1


def _nearest(word: str, counted: Mapping[str, int], most: int) -> str | None:
    """Return the nearest of these words, of the equally near the commonest; None if all are too far."""
    from rapidfuzz.distance import OSA  # takes 20 ms, and most questions are spelt well
    from rapidfuzz.process import extract

    digits = _digits(word)
    fits = [other for other in counted if len(other) >= _SHORTEST_FOUND and _digits(other) == digits]
    found = extract(word, fits, scorer=OSA.distance, score_cutoff=most, limit=None)
    return min(((distance, -counted[near], near) for near, distance, _ in found), default=(None,))[-1]


def _slips(word: str) -> Iterator[str]:
    """Yield the words one slip away that keep the first letter, some of them twice."""
    for at in range(1, len(word) + 1):
        head, tail = word[:at], word[at:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in ascii_lowercase:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]


def _digits(word: str) -> str:
    return "" if word.isalpha() else "".join(filter(str.isdigit, word))


def _before(words: Sequence[Word]) -> Iterator[list[str]]:
    """Yield what may stand before a word in its name: nothing, the last word, the last two ..."""
    for length in range(len(words) + 1):
        yield [piece for word in words[len(words) - length :] for piece in word.name]
