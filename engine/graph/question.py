"""What a question asks for: weighted terms with their variants, names it mentions, answer type."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from engine.corpus.features import STOPPED
from engine.corpus.marks import asked
from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.tokens import QUESTION_WORDS, STOP_WORDS, Word, as_key, fold, stem, tokenise
from engine.errors import InputError
from engine.graph.spelling import Respelt, respell

LONGEST_QUESTION = 8_000
_LONGEST_NAME = 12
_SHORTEST_AFFIX = 8
_SHORTEST_CODE = 5
_SHORTEST_UNHELD = 3
_AFFIX_SHARE = 0.55
_ANSWER_TYPES = (
    (re.compile(r"\bhow (?:many|much|long|old|often|large|big|far|tall|fast)\b", re.I), "number"),
    (
        re.compile(r"\b(?:when|what (?:year|date|day|month|time)|which (?:year|date|day|month))\b", re.I),
        "date",
    ),
    (re.compile(r"\b(?:who|whom|whose)\b", re.I), "person"),
    (
        re.compile(
            r"\b(?:where|what (?:city|country|place|town|state)|which (?:city|country|place))\b", re.I
        ),
        "place",
    ),
    (re.compile(r"\bhow (?:do|does|can|to|is|are|should)\b", re.I), "procedure"),
    (re.compile(r"\bwhy\b", re.I), "reason"),
    (re.compile(r"\A\s*(?:is|are|was|were|do|does|did|has|have|had|can|could|will)\b", re.I), "yes-no"),
)
_ASKS_MEANING = re.compile(r"\bwhat (?:do|does|did) .+ mean\b\W*\Z", re.I | re.S)
_COMPARES = re.compile(
    r"\b(?:both|same|either|differ\w*|compar\w*|versus|vs|than|older|younger|earlier|later|first|more|less|larger"
    r"|smaller|longer|shorter|higher|lower|common)\b",
    re.I,
)


class QuestionTerm(msgspec.Struct, frozen=True):
    """A term of the question: its weight before idf, and the words of the index that count as it."""

    term: str
    weight: float
    words: tuple[int, ...]


class QuestionName(msgspec.Struct, frozen=True):
    """A name in the question that is at home somewhere: its key, id, and terms.

    ``capitalised`` tells that it is written with a capital or digit, as names are.
    """

    key: str
    name: int
    terms: tuple[str, ...]
    capitalised: bool


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question read against a corpus; ``pairs`` are content terms that stand close, in order.

    ``asked`` are the ids of all names in it, at home or not; ``respelt`` tells which words were read as
    others, ``unheld`` which stand in no document and were read as nothing else.
    """

    text: str
    terms: tuple[QuestionTerm, ...]
    pairs: tuple[tuple[str, str, int], ...]
    names: tuple[QuestionName, ...]
    asked: frozenset[int]
    answer_type: str
    comparison: bool
    respelt: tuple[Respelt, ...] = ()
    unheld: tuple[str, ...] = ()


def require_question(text: str) -> str:
    """Return ``text`` stripped, or raise InputError if it is empty, too long or holds control characters."""
    if len(text) > LONGEST_QUESTION:
        raise InputError(
            f"the question has {len(text):,} characters, {LONGEST_QUESTION:,} are allowed",
            "put long text into a file, index it, and ask about it",
        )
    if any((ord(char) < 32 and char not in "\t\n\r") or 127 <= ord(char) < 160 for char in text):
        raise InputError("the question holds control characters", "type it again without them")
    stripped = text.strip()
    if not any(char.isalnum() for char in stripped):
        raise InputError(
            "the question is empty", "ask with at least one word, for example 'what is a persona?'"
        )
    return stripped


def read_question(
    text: str, store: SqliteStore, *, part_weight: float, mark_weight: float, pair_gap: int
) -> Question:
    """Return what ``text`` asks for in this corpus.

    Identifiers count whole and in parts (``part_weight`` each); a word the corpus does not hold is read
    as its nearest spelling, or as the longest of its ends that is a word; ``mark_weight`` goes to symbols
    and dates asked for.
    """
    folded = fold(text)
    tokens = tokenise(folded)
    words, respelt = respell(tokens.words, store)
    asking = QUESTION_WORDS | {"mean"} if _ASKS_MEANING.search(folded) else QUESTION_WORDS
    weights: dict[str, float] = {}
    variants: dict[str, dict[str, None]] = {}
    sequence: list[tuple[int, str]] = []
    for word, first in zip(words, tokens.firsts, strict=True):
        if word.is_code and word.whole is not None:
            weights[word.whole] = max(weights.get(word.whole, 0.0), part_weight)
        for offset, term in enumerate(word.terms):
            if term == STOPPED or (len(word.name) == 1 and word.name[0] in asking):
                continue
            weights[term] = max(weights.get(term, 0.0), part_weight if word.is_code else 1.0)
            sequence.append((first + offset, term))
            if word.whole is not None:
                variants.setdefault(term, {})[word.whole] = None
    symbols, dates = asked(text)
    for mark in (*symbols, *dates):
        weights[mark] = mark_weight
    known = store.word_ids([*weights, *(v for vs in variants.values() for v in vs)])
    for term in weights:
        if term not in known and term not in variants and term[0] not in "#@":
            variants[term] = dict.fromkeys(_ends(term, store))
    known |= store.word_ids({v for vs in variants.values() for v in vs} - known.keys())
    terms = [
        QuestionTerm(
            term,
            weight,
            tuple(known[w] for w in dict.fromkeys((term, *variants.get(term, {}))) if w in known),
        )
        for term, weight in sorted(weights.items())
    ]
    pairs = [(a, b, j - i) for (i, a), (j, b) in pairwise(sequence) if j - i <= pair_gap and a != b]
    held = {term.term for term in terms if term.words}
    unheld = [
        word.key
        for word in words
        if len(word.key) >= _SHORTEST_UNHELD
        and (asks := {*word.terms} & weights.keys())
        and asks.isdisjoint(held)
    ]
    names, asked_names = _names(words, store)
    return Question(
        text=text,
        terms=tuple(terms),
        pairs=tuple(dict.fromkeys(pairs)),
        names=names,
        asked=asked_names,
        answer_type=next((kind for pattern, kind in _ANSWER_TYPES if pattern.search(text)), "other"),
        comparison=bool(_COMPARES.search(text)),
        respelt=respelt,
        unheld=tuple(dict.fromkeys(unheld)),
    )


class NameInText(msgspec.Struct, frozen=True):
    """A name as it is written in a text, from ``start`` to ``end`` of its characters."""

    surface: str
    key: str
    start: int
    end: int


def names_in(text: str, store: SqliteStore) -> list[NameInText]:
    """Return the names in ``text`` that are at home in the corpus, in order, the longest at each place."""
    folded = fold(text)
    tokens = tokenise(folded)
    kept, _ = _at_home(tokens.words, store)
    spans = tokens.spans(len(folded))
    # Folding may lengthen a text ("ß"); then the folded writing has to do.
    written = text if len(text) == len(folded) else folded
    return [
        NameInText(written[(at := spans[a][0]) : (to := spans[b - 1][1])], key, at, to)
        for (a, b), key in kept
    ]


def _at_home(
    words: Sequence[Word], store: SqliteStore
) -> tuple[list[tuple[tuple[int, int], str]], dict[str, int]]:
    """Return the names at home by their span of words, and the ids of all that could be names."""
    spans: dict[tuple[int, int], str] = {}
    for start in range(len(words)):
        pieces: list[str] = []
        for end in range(start, min(len(words), start + _LONGEST_NAME)):
            pieces.extend(words[end].name)
            single = end == start
            if single and (words[start].name[:1] and words[start].name[0] in STOP_WORDS):
                continue
            if single and not (words[start].opens_name or words[start].is_code):
                continue
            spans[start, end + 1] = as_key(pieces)
    ids = store.name_ids(set(spans.values()))
    homes = store.homes(list(ids.values()))
    at_home = {span: key for span, key in spans.items() if ids.get(key) in homes}
    kept = [
        (span, key)
        for span, key in sorted(at_home.items())
        if not any(a <= span[0] and span[1] <= b and (a, b) != span for a, b in at_home)
    ]
    return kept, ids


def _names(words: Sequence[Word], store: SqliteStore) -> tuple[tuple[QuestionName, ...], frozenset[int]]:
    """Return the names of the question that are at home somewhere, and the ids of all its names."""
    kept, ids = _at_home(words, store)
    written: dict[str, bool] = {}
    for (start, end), key in kept:
        written[key] = written.get(key, False) or any(word.opens_name for word in words[start:end])
    found = tuple(
        QuestionName(key, ids[key], tuple(dict.fromkeys(stem(piece) for piece in key.split())), capitalised)
        for key, capitalised in written.items()
    )
    return found, frozenset(ids.values())


def _ends(term: str, store: SqliteStore) -> list[str]:
    """Return the longest known beginning and end of a long word; of a word with digits the beginning."""
    coded = not term.isalpha()
    if len(term) < (_SHORTEST_CODE if coded else _SHORTEST_AFFIX):
        return []
    least = _SHORTEST_CODE - 1 if coded else max(6, math.floor(len(term) * _AFFIX_SHARE) + 1)
    for length in range(len(term) - 1, least - 1, -1):
        known = store.counts({term[:length]} if coded else {term[:length], term[-length:]})
        if known:
            return sorted(known)
    return []
