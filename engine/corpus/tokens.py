"""Text to index terms: stems of words, identifiers both whole and in parts, no stop words.

``runTarget``, ``run_target`` and ``run-target`` all give the parts ``run`` and ``target`` at their
positions, and the whole ``runtarget`` beside them, so that each spelling finds the others.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

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

_SURFACE = re.compile(r"[^\W_]+(?:['’][a-zA-Z]{1,3}(?![^\W_]))?(?:[_\-]+[^\W_]+)*")
_JOINS = re.compile(r"[_\-]+")
_APOSTROPHE = re.compile("['’]")
_HUMPS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_LONGEST_WORD = 64
_stemmer = Stemmer.Stemmer("english", 0)


class Word(NamedTuple):
    """A surface word taken apart: terms of its parts, its whole if there are several, its name form.

    ``name`` are the pieces a name key is made of; ``opens_name`` tells a capital or digit in front,
    ``is_code`` an underscore or hump inside.
    """

    terms: tuple[str, ...]
    whole: str | None
    name: tuple[str, ...]
    opens_name: bool
    is_code: bool


class Tokens(NamedTuple):
    """Terms in order with stop words as placeholders, the wholes beside them, the surface words.

    ``spans`` are the words' offsets in the folded text, ``firsts`` the position of each one's first
    term.
    """

    terms: list[str]
    wholes: list[Whole]
    words: list[Word]
    spans: list[tuple[int, int]]
    firsts: list[int]


def fold(text: str) -> str:
    """Return ``text`` without accents and compatibility forms.

    >>> fold("Kraków")
    'Krakow'
    """
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Return the English Snowball stem of a lower-case word.

    >>> stem("retrieval"), stem("retrieved")
    ('retriev', 'retriev')
    """
    stemmed: str = _stemmer.stemWord(word)
    return stemmed


@lru_cache(maxsize=1 << 16)
def take_apart(surface: str) -> Word:
    """Return the parts of a surface word.

    >>> take_apart("runTarget").terms, take_apart("runTarget").whole
    (('run', 'target'), 'runtarget')
    >>> take_apart("Kim's").terms
    ('kim',)
    """
    raw: list[str] = []
    name: list[str] = []
    humped = False
    for segment in _JOINS.split(surface[:_LONGEST_WORD]):
        plain = _APOSTROPHE.split(segment, maxsplit=1)[0]
        if not plain:
            continue
        name.append(plain.lower())
        if plain.islower() or plain.isupper() or plain[1:].islower() or plain.isdigit():
            raw.append(plain.lower())
            continue
        humps = _join_short_humps(_HUMPS.findall(plain))
        humped = humped or len(humps) > 1
        raw.extend(hump.lower() for hump in humps)
    return Word(
        terms=tuple(STOPPED if part in STOP_WORDS else stem(part) for part in raw),
        whole=stem("".join(raw)) if len(raw) > 1 else None,
        name=tuple(name),
        opens_name=surface[0].isupper() or surface[0].isdigit(),
        is_code=len(raw) > 1 and (humped or "_" in surface),
    )


def _join_short_humps(humps: list[str]) -> list[str]:
    """Keep digits and single letters with what stands before them: ``HTTP2`` and ``mp3`` stay whole."""
    joined: list[str] = []
    for hump in humps:
        if joined and (hump.isdigit() or len(hump) < 2 or len(joined[-1]) < 2):
            joined[-1] += hump
        else:
            joined.append(hump)
    return joined


def tokenise(text: str, offset: int = 0) -> Tokens:
    """Return the tokens of ``text``, which should be folded; positions count from ``offset``.

    >>> tokenise("The DiffExecutor runs.").terms
    ['', 'diff', 'executor', 'run']
    """
    terms: list[str] = []
    wholes: list[Whole] = []
    words: list[Word] = []
    spans: list[tuple[int, int]] = []
    firsts: list[int] = []
    for match in _SURFACE.finditer(text):
        word = take_apart(match.group())
        position = offset + len(terms)
        if word.whole is not None:
            wholes.append(Whole(position, word.whole))
        words.append(word)
        spans.append(match.span())
        firsts.append(position)
        terms.extend(word.terms)
    return Tokens(terms, wholes, words, spans, firsts)
