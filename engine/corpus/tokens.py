"""Text to index terms: stems of words, identifiers both whole and in parts, no stop words.

``runTarget``, ``run_target`` and ``run-target`` all give the parts ``run`` and ``target`` at their
positions, and the whole ``runtarget`` beside them, so that each spelling finds the others.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import accumulate, chain
from typing import Any, NamedTuple, cast

import Stemmer

from engine.corpus.features import STOPPED, Whole

STOP_WORDS = frozenset(
    """
    a about above after again against all also am an and any are aren as at be because been before being
    below between both but by can could couldn d did didn do does doesn doing don down during each few
    for from further had hadn has hasn have haven having he her here hers him his how i if in into is
    isn it its itself just ll m may me might more most must my no nor not o of off on once only or other
    our ours out over own per re s same shall she should shouldn so some such t than that the their
    theirs them then there these they this those through to too under until up upon us ve very via was
    wasn we were weren what when where which while who whom whose why will with within without won would
    wouldn y you your yours ain let
    """.split()
)
QUESTION_WORDS = frozenset(
    """
    describe explain give kind list many much name purpose tell type
    """.split()
)
"""Words that say what is wanted of an answer, not what it is about; dropped from questions only."""

_SURFACE = re.compile(r"([^\W_]++(?:['’][a-zA-Z]{1,3}+(?![^\W_]))?+(?:[_\-]++[^\W_]++)*+)")
# Finds the same in ASCII text, sooner.
_ASCII_SURFACE = re.compile("([0-9A-Za-z]++(?:'[a-zA-Z]{1,3}+(?![0-9A-Za-z]))?+(?:[_-]++[0-9A-Za-z]++)*+)")
_JOINS = re.compile(r"[_\-]+")
_APOSTROPHE = re.compile("['’]")
_HUMPS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_LONGEST_WORD = 64
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau"
    " upsilon phi chi psi omega"
).split()
_SPELT = {ord(letter): name for letter, name in zip("αβγδεζηθικλμνξοπρσςτυφχψω", _GREEK, strict=True)} | {
    ord("Δ"): "delta",
    ord("Ω"): "omega",
    ord("ß"): "ss",
    ord("ø"): "o",
    ord("Ø"): "O",
    ord("ł"): "l",
    ord("Ł"): "L",
    ord("đ"): "d",
    ord("ı"): "i",
    # Letters of other scripts, put into Latin ones: Hawaiʻi, ʿAli, Gogolʹ.
    **dict.fromkeys(map(ord, "ʻʼʾʿʹ"), ""),
}
# British to American, so that both spellings of a word meet in one stem.
_SPELLING = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<=[a-z]{3})our(?=s?$|ed$|ing$|al$|able$|ite$|less$|ful)", "or"),
        (r"ae(?=[a-z]{2})", "e"),
        (r"^oe(?=[a-z]{4})|(?<=f)oe(?=t)|(?<=rh)oe(?=a)", "e"),
        (r"(?<=[a-z]{4})is(?=e$|ed$|es$|ing$|ation$|ations$)", "iz"),
        (r"(?<=al)ys(?=e$|ed$|es$|ing$)", "yz"),
        (r"^ageing", "aging"),
        (r"(?<=[a-z]{3}[tb])re(?=s?$)", "er"),
    )
)
_MAY_BE_BRITISH = re.compile(r"our|ae|oe|is[eia]|ys[ei]|ageing|[tb]res?\Z")
_SHORTEST_SPELLING = 6
_WORDS_REMEMBERED = 1 << 16
_stemmer = Stemmer.Stemmer("english", 0)


class Word(NamedTuple):
    """A surface word taken apart: terms of its parts, its whole if there are several, its name form.

    ``name`` are the pieces a name key is made of, ``key`` that of the word alone; ``opens_name`` tells a
    capital or digit in front, ``is_code`` an underscore or hump inside.
    """

    terms: tuple[str, ...]
    whole: str | None
    name: tuple[str, ...]
    opens_name: bool
    is_code: bool
    key: str


# As the class would, in half the time.
_as_word = cast("Callable[[tuple[Any, ...]], Word]", partial(tuple.__new__, Word))


class Tokens(NamedTuple):
    """Terms in order with stop words as placeholders, the wholes beside them, the surface words.

    ``surfaces`` are the words as they stand, ``gaps`` what stands behind each of them, ``firsts`` the
    position of each one's first term.
    """

    terms: list[str]
    wholes: list[Whole]
    words: list[Word]
    surfaces: list[str]
    gaps: list[str]
    firsts: Sequence[int]

    def spans(self, length: int) -> list[tuple[int, int]]:
        """Return the words' offsets in the folded text, which has ``length`` characters.

        >>> tokenise("(An owl)").spans(8)
        [(1, 3), (4, 7)]
        """
        ends = accumulate(map(len, chain.from_iterable(zip(self.surfaces, self.gaps, strict=True))))
        behind = [0, *ends]
        lead = length - behind[-1]
        return [(lead + behind[i], lead + behind[i + 1]) for i in range(0, len(behind) - 1, 2)]


class _Folding(dict[int, str]):
    """What each character folds to, worked out when it is met first."""

    def __missing__(self, code: int) -> str:
        spelt = _SPELT.get(code)
        if spelt is None:
            parts = unicodedata.normalize("NFKD", chr(code))
            spelt = "".join(_SPELT.get(ord(c), c) for c in parts if not unicodedata.combining(c))
        self[code] = spelt
        return spelt


_FOLDING = _Folding()
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def fold(text: str) -> str:
    """Return ``text`` without accents and compatibility forms, Greek letters spelt out.

    >>> fold("Kraków"), fold("TNF-α"), fold("Hawaiʻi")
    ('Krakow', 'TNF-alpha', 'Hawaii')
    """
    return text if text.isascii() else _BEYOND_ASCII.sub(_folded, text)


def _folded(beyond: re.Match[str]) -> str:
    return beyond[0].translate(_FOLDING)


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """Return the English Snowball stem of a lower-case word, British spellings made American first.

    >>> stem("retrieval"), stem("retrieved"), stem("colouring")
    ('retriev', 'retriev', 'color')
    """
    if len(word) >= _SHORTEST_SPELLING and _MAY_BE_BRITISH.search(word):
        for pattern, replacement in _SPELLING:
            word = pattern.sub(replacement, word)
    stemmed: str = _stemmer.stemWord(word)
    return stemmed


def take_apart(surface: str) -> Word:
    """Return the parts of a surface word.

    >>> take_apart("runTarget").terms, take_apart("runTarget").whole
    (('run', 'target'), 'runtarget')
    >>> take_apart("Kim's").terms
    ('kim',)
    """
    plain = surface.isalpha() and len(surface) <= _LONGEST_WORD
    if plain and (surface.islower() or surface[1:].islower() or surface.isupper()):
        # Nearly every word of prose.
        lower = surface.lower()
        term = STOPPED if lower in STOP_WORDS else stem(lower)
        return _as_word(((term,), None, (lower,), surface[0].isupper(), False, lower))
    raw: list[str] = []
    name: list[str] = []
    humped = False
    for segment in _JOINS.split(surface[:_LONGEST_WORD]):
        part = _APOSTROPHE.split(segment, maxsplit=1)[0]
        if not part:
            continue
        name.append(part.lower())
        if part.islower() or part.isupper() or part[1:].islower() or part.isdigit():
            raw.append(part.lower())
            continue
        humps = _join_short_humps(part)
        humped = humped or len(humps) > 1
        raw.extend(hump.lower() for hump in humps)
    return Word(
        terms=tuple(STOPPED if part in STOP_WORDS else stem(part) for part in raw),
        whole=stem("".join(raw)) if len(raw) > 1 else None,
        name=tuple(name),
        opens_name=surface[0].isupper() or surface[0].isdigit(),
        is_code=len(raw) > 1 and (humped or "_" in surface),
        key=as_key(name),
    )


class _Words(dict[str, Word]):
    """What words are taken apart to, of those met lately: a lookup costs half of what lru_cache takes."""

    def __missing__(self, surface: str) -> Word:
        if len(self) >= _WORDS_REMEMBERED:
            self.clear()
        word = self[surface] = take_apart(surface)
        return word


word_of: Callable[[str], Word] = _Words().__getitem__
"""As :func:`take_apart`, remembered."""


def as_key(pieces: Sequence[str]) -> str:
    """Return the key of a name given as its lower-case pieces.

    >>> as_key(["the", "hague"])
    'hague'
    """
    return " ".join(pieces[1:] if len(pieces) > 1 and pieces[0] in ("the", "a", "an") else pieces)


def _join_short_humps(segment: str) -> list[str]:
    """Return the humps of a word; digits and lone letters stay with what stands before them.

    Short mixed names such as siRNA, HbA1c or HTTP2 are one word, not two.
    """
    joined: list[str] = []
    for hump in _HUMPS.findall(segment):
        after_number = bool(joined) and joined[-1][-1].isdigit() and len(hump) < 2
        if joined and (hump.isdigit() or after_number or len(joined[-1]) < 2):
            joined[-1] += hump
        else:
            joined.append(hump)
    if len(joined) > 1 and len(joined[-1]) < 2:
        last = joined.pop()
        joined[-1] += last
    if len(joined) == 2:
        acronym = len(joined[0]) < 3 and not joined[1][-1].islower()
        if acronym or (len(segment) < 8 and any(c.isdigit() for c in segment)):
            return [segment]
    return joined


def tokenise(text: str) -> Tokens:
    """Return the tokens of ``text``, which should be folded.

    >>> tokenise("The DiffExecutor runs.").terms
    ['', 'diff', 'executor', 'run']
    """
    pieces = (_ASCII_SURFACE if text.isascii() else _SURFACE).split(text)
    surfaces = pieces[1::2]
    words = [*map(word_of, surfaces)]
    parts = [word[0] for word in words]
    terms = [*chain.from_iterable(parts)]
    firsts: Sequence[int] = range(len(words))
    wholes: list[Whole] = []
    if len(terms) != len(words):
        firsts = [*accumulate(map(len, parts), initial=0)][:-1]
        wholes = [
            Whole(first, word.whole)
            for word, first in zip(words, firsts, strict=True)
            if word.whole is not None
        ]
    return Tokens(terms, wholes, words, surfaces, pieces[2::2], firsts)
