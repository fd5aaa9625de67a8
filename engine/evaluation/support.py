"""Does a passage bear out a sentence? A number in [0, 1] with every part of it.

``support = coverage * 0.5 ** missing * apart * polarity``: the share of the sentence's content that
the evidence holds, halved for each name, number or date the evidence does not hold, lowered once if
the evidence holds one only away from the sentence that matches best, and halved once if one side
negates what the other states. Anchors are a gate and not an addend, because a single wrong number
makes a sentence wrong however many of its other words are right. A quote, word for word from where a
sentence or a line begins, is borne out whatever the parts would say. Known limits: paraphrase,
pronouns, arithmetic, and names that change roles within one sentence.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from engine.corpus.sentences import sentence_spans
from engine.corpus.store import Lexicon
from engine.evaluation.plain import fold_case
from engine.evaluation.quantities import Quantity, agrees, quantities
from engine.ids import q6

ANCHOR_PENALTY = 0.5
POLARITY_PENALTY = 0.5
APART_PENALTY = 0.8
"""For an anchor that stands in the passage, but neither in the best window nor in the first line."""
IDF_FLOOR = 0.05
"""Least weight of a term, so that a sentence made of common words still has a content."""
WINDOW_SHARE = 0.5
"""Share of coverage taken from the best sentence of the evidence; the rest from all of it."""
NEGATION_REACH = 4
"""Content terms after a negation, within its clause, that it is taken to govern."""
POLARITY_AGREEMENT = 0.5
"""Two texts negate alike if at least this share of the negated words they share is negated in both."""

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_NEGATION_WORDS = """
    no not never none nobody nothing neither nor without cannot unable lack lacks lacked lacking
    fail fails failed absence hardly
"""
_NEGATIONS = frozenset(_NEGATION_WORDS.split())
_JOINS = re.compile(r"['\u2019-]")
_CLAUSE = re.compile(r"[,;:()]|\bbut\b")
_BETWEEN = r"\s[\s*#>|/-]{0,40}"
"""Between the words of a quote: line breaks, and what lines of comments and lists begin with."""
_OPENING, _LINE_ENDS = " \t*#>|/-([\"'`\u201c\u2018", "\n;{}"
_WHOLE = r"(?=[*_`\"'\u201d\u2019)\] \t]*(?:[.!?:;]+(?!\w)|[|{}\n]|\Z))"
"""What ends a sentence or a line, behind the marks that may close it."""
_NOT_NEGATIONS = re.compile(r"\bnot only\b|\bno less than\b|\bnot just\b|\bno\.? ?\d|\bno doubt\b", re.I)


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """How far evidence bears out a sentence: ``value = coverage * 0.5 ** len(missing) * apart * polarity``.

    ``window`` is the sentence of the evidence that matches best, ``distant`` the anchors that the
    evidence holds elsewhere, for which ``apart`` is 0.8 in place of 1.
    """

    value: float
    coverage: float
    missing: list[str]
    distant: list[str]
    apart: float
    polarity: float
    window: str


class _Reading:
    """What is asked of a text again and again, each part worked out when it is asked for first."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text, self._lexicon = text, lexicon

    @cached_property
    def terms(self) -> list[str]:
        return self._lexicon.terms(self._text)

    @cached_property
    def held(self) -> frozenset[str]:
        return frozenset(self.terms)

    @cached_property
    def tokens(self) -> list[str]:
        return _TOKEN.findall(fold_case(self._text))

    @cached_property
    def words(self) -> frozenset[str]:
        parts = (part for token in self.tokens for part in _JOINS.split(token))
        return frozenset(self.tokens).union(parts)

    @cached_property
    def flat(self) -> str:
        return f" {' '.join(self.tokens)} "

    @cached_property
    def amounts(self) -> list[Quantity]:
        return quantities(self._text)

    @cached_property
    def windows(self) -> list[str]:
        return [self._text[a:b] for a, b in self._lexicon.sentences(self._text)] or [self._text]

    @cached_property
    def negated(self) -> frozenset[str]:
        if not self.words & _NEGATIONS and not any(token.endswith("n't") for token in self.tokens):
            return frozenset()
        governed: Counter[str] = Counter()
        for start, end in self._lexicon.sentences(self._text):
            sentence = _NOT_NEGATIONS.sub(" ", self._text[start:end])
            for match in _TOKEN.finditer(sentence):
                token = fold_case(match.group())
                if token in _NEGATIONS or token.endswith("n't"):
                    governed.update(dict.fromkeys(self._governed(sentence[match.end() :]), 1))
        return frozenset(term for term, times in governed.items() if times % 2)

    def _governed(self, rest: str) -> list[str]:
        terms: list[str] = []
        for clause in _CLAUSE.split(rest):
            terms += self._lexicon.terms(clause)
            if terms:
                break
        return terms[:NEGATION_REACH]


class SupportChecker:
    """Checks sentences against passages with one lexicon, remembering what it has read.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> checker = SupportChecker(PlainLexicon())
    >>> checker.check("Karl was born in 1804.", ["Karl, born 12 September 1804, was a prince."]).value
    1.0
    >>> found = checker.check("Karl was born in 1805.", ["Karl, born 12 September 1804, was a prince."])
    >>> found.value, found.missing
    (0.333333, ['1805'])
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._readings: dict[str, _Reading] = {}
        self._checks: dict[tuple[str, ...], Support] = {}
        self._asked: dict[str, list[tuple[str, Quantity | None]]] = {}

    def check(self, claim: str, evidence: Sequence[str]) -> Support:
        """Return the support of ``claim`` by the passages of ``evidence`` taken together.

        Without evidence, or for a claim without content, the value is 0.
        """
        key = (claim, *evidence)
        if key not in self._checks:
            self._checks[key] = self._check(claim, evidence)
        return self._checks[key]

    def _check(self, claim: str, evidence: Sequence[str]) -> Support:
        asked = self._read(claim)
        weights = self.weights(asked.terms)
        anchors = self._anchors(claim)
        if not weights or not evidence:
            return Support(
                value=0.0,
                coverage=0.0,
                missing=[name for name, _ in anchors],
                distant=[],
                apart=1.0,
                polarity=1.0,
                window="",
            )
        passages = [self._read(text) for text in evidence]
        windows = [window for passage in passages for window in passage.windows]
        shares = [self._share(weights, anchors, [self._read(window)]) for window in windows]
        best = max(range(len(windows)), key=lambda i: (shares[i], -i), default=-1)
        near = [self._read(windows[best]), *(self._read(_heading(text)) for text in evidence)]
        whole = self._share(weights, anchors, passages)
        coverage = (1 - WINDOW_SHARE) * whole + WINDOW_SHARE * shares[best]
        missing = [name for name, amount in anchors if not _held(name, amount, passages)]
        distant = [n for n, amount in anchors if n not in missing and not _held(n, amount, near)]
        apart = APART_PENALTY if distant else 1.0
        polarity = POLARITY_PENALTY if self._opposed(asked, near[0]) else 1.0
        value = q6(coverage * ANCHOR_PENALTY ** len(missing) * apart * polarity)
        if value < 1 and any(quoted(claim, text) for text in evidence):
            return Support(
                value=1.0, coverage=1.0, missing=[], distant=[], apart=1.0, polarity=1.0, window=claim
            )
        return Support(
            value=value,
            coverage=q6(coverage),
            missing=missing,
            distant=distant,
            apart=apart,
            polarity=polarity,
            window=windows[best],
        )

    def terms(self, text: str) -> frozenset[str]:
        """Return the distinct terms of ``text``."""
        return self._read(text).held

    def amounts(self, text: str) -> list[Quantity]:
        """Return the numbers, amounts and dates of ``text``."""
        return self._read(text).amounts

    def weights(self, terms: Iterable[str]) -> dict[str, float]:
        """Return term -> weight of the distinct ``terms``, in order of appearance."""
        return {term: max(self.lexicon.idf(term), IDF_FLOOR) for term in terms}

    def anchors(self, text: str) -> list[str]:
        """Return the names, numbers and dates of ``text`` that evidence would have to hold."""
        return [name for name, _ in self._anchors(text)]

    def absent(self, text: str, known: Iterable[str]) -> list[str]:
        """Return the anchors of ``text`` that occur in none of the texts ``known``.

        These are looked at in turn, and no further than until every anchor was found.
        """
        left = self._anchors(text)
        for each in known:
            if not left:
                break
            readings = [self._read(each)]
            left = [(name, amount) for name, amount in left if not _held(name, amount, readings)]
        return [name for name, _ in left]

    def opposed(self, left: str, right: str) -> bool:
        """Return whether one of two texts negates what the other states, of what both speak of."""
        return self._opposed(self._read(left), self._read(right))

    def _opposed(self, left: _Reading, right: _Reading) -> bool:
        shared = left.held & right.held
        ours, theirs = left.negated & shared, right.negated & shared
        return len(ours & theirs) < POLARITY_AGREEMENT * len(ours | theirs)

    def _share(
        self,
        weights: dict[str, float],
        anchors: Sequence[tuple[str, Quantity | None]],
        readings: Sequence[_Reading],
    ) -> float:
        """Return the share of the weights held: as terms, or as a quantity written in another way."""
        held = set().union(*(reading.held for reading in readings))
        for name, amount in anchors:
            if amount is not None and _held(name, amount, readings):
                held.update(self.lexicon.terms(name))
        found = math.fsum(weight for term, weight in weights.items() if term in held)
        return found / math.fsum(weights.values())

    def _anchors(self, text: str) -> list[tuple[str, Quantity | None]]:
        if text not in self._asked:
            self._asked[text] = self._find_anchors(text)
        return self._asked[text]

    def _find_anchors(self, text: str) -> list[tuple[str, Quantity | None]]:
        amounts = [amount for amount in self._read(text).amounts if not amount.weak]
        counted = {token for amount in amounts for token in _TOKEN.findall(fold_case(amount.shown))}
        found: dict[str, Quantity | None] = {}
        for anchor in self.lexicon.anchors(text):
            tokens = [token for token in _TOKEN.findall(fold_case(anchor)) if token not in counted]
            if any(char.isalpha() for token in tokens for char in token) and self.lexicon.terms(anchor):
                found.setdefault(" ".join(tokens))
        found |= {amount.shown: amount for amount in amounts}
        return list(found.items())

    def _read(self, text: str) -> _Reading:
        reading = self._readings.get(text)
        if reading is None:
            reading = self._readings[text] = _Reading(text, self.lexicon)
        return reading


def quoted(claim: str, passage: str) -> bool:
    """Return whether ``claim`` stands in ``passage`` word for word: whole sentences or lines of it.

    From the middle of a sentence it could be what "nobody says that" came before, and short of its end
    what "only in winter" follows; an ellipsis at the end of ``claim`` says itself that more follows.

    >>> quoted("It is safe.", "Built in 1874.  It\\n * is safe.")
    True
    >>> quoted("it is safe", "Nobody says it is safe."), quoted("It costs 3", "It costs 3.10 euros.")
    (False, False)
    """
    words = claim.rstrip(" .\u2026").split()
    if not words or any(word not in passage for word in words):
        return False
    whole = words[-1][-1].isalnum() and not claim.rstrip().endswith("\u2026")
    end = _WHOLE if whole else r"(?![\w]|[.,]\d)"
    starts: list[int] | None = None
    for match in re.finditer(_BETWEEN.join(map(re.escape, words)) + end, passage):
        before = passage[: match.start()].rstrip(_OPENING)
        if not before or before[-1] in _LINE_ENDS:
            return True
        if starts is None:
            starts = [start for start, _ in sentence_spans(passage)]
        if any(len(before) <= start <= match.start() for start in starts):
            return True
    return False


def _heading(text: str) -> str:
    """Return the first line of several: the headings that a passage stands below."""
    first, line_break, _ = text.partition("\n")
    return first if line_break else ""


def _held(name: str, amount: Quantity | None, passages: Sequence[_Reading]) -> bool:
    if amount is not None:
        return any(agrees(amount, given) for passage in passages for given in passage.amounts)
    tokens = _TOKEN.findall(fold_case(name))
    phrase = f" {' '.join(tokens)} "
    return any(phrase in passage.flat or all(t in passage.words for t in tokens) for passage in passages)


def support(claim: str, evidence: Sequence[str], lexicon: Lexicon) -> Support:
    """Return the :class:`Support` of ``claim`` by ``evidence``, each part in it.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> support("It is not safe.", ["It is safe."], PlainLexicon()).polarity
    0.5
    """
    return SupportChecker(lexicon).check(claim, evidence)
