"""Does a passage bear out a sentence? A number in [0, 1] with every part of it.

``support = coverage * 0.5 ** missing * polarity``: the share of the sentence's content that the
evidence holds, halved for each name, number or date the evidence does not hold, and halved once if
one side negates what the other states. Anchors are a gate and not an addend, because a single wrong
number makes a sentence wrong however many of its other words are right. Known limits: paraphrase,
pronouns, arithmetic, and two names that change places within one passage.
"""

import math
import re
from collections.abc import Iterable, Sequence

import msgspec

from engine.corpus.store import Lexicon
from engine.evaluation.plain import fold
from engine.evaluation.quantities import Quantity, agrees, quantities
from engine.ids import q6

ANCHOR_PENALTY = 0.5
POLARITY_PENALTY = 0.5
IDF_FLOOR = 0.05
"""Least weight of a term, so that a sentence made of common words still has a content."""
WINDOW_SHARE = 0.5
"""Share of coverage taken from the best window of the passage; the rest from the whole passage."""
WINDOW_SENTENCES = 2
NEGATION_REACH = 4
"""Content terms after a negation that it is taken to govern."""

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_NEGATION_WORDS = """
    no not never none nobody nothing neither nor without cannot unable lack lacks lacked lacking
    fail fails failed absence hardly
"""
_NEGATIONS = frozenset(_NEGATION_WORDS.split())
_NOT_NEGATIONS = re.compile(r"\bnot only\b|\bno less than\b|\bnot just\b|\bno\.? ?\d|\bno doubt\b", re.I)


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """How far evidence bears out a sentence: ``value = coverage * 0.5 ** len(missing) * polarity``."""

    value: float
    coverage: float
    missing: list[str]
    polarity: float
    window: str


class _Reading(msgspec.Struct, frozen=True):
    """What is asked of a text again and again, worked out once."""

    terms: list[str]
    words: frozenset[str]
    flat: str
    amounts: list[Quantity]
    negated: frozenset[str]


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
        self._windows: dict[str, list[str]] = {}

    def check(self, claim: str, evidence: Sequence[str]) -> Support:
        """Return the support of ``claim`` by the passages of ``evidence`` taken together.

        Without evidence, or for a claim without content, the value is 0.
        """
        asked = self._read(claim)
        weights = self.weights(asked.terms)
        if not weights or not evidence:
            missing = [name for name, _ in self._anchors(claim)] if not evidence else []
            return Support(value=0.0, coverage=0.0, missing=missing, polarity=1.0, window="")
        passages = [self._read(text) for text in evidence]
        held = frozenset(term for passage in passages for term in passage.terms)
        windows = [window for text in evidence for window in self._split(text)]
        shares = [self._share(weights, frozenset(self._read(window).terms)) for window in windows]
        best = max(range(len(windows)), key=lambda i: (shares[i], -i)) if windows else -1
        window = windows[best] if windows else ""
        whole = self._share(weights, held)
        coverage = WINDOW_SHARE * (shares[best] if windows else 0.0) + (1 - WINDOW_SHARE) * whole
        missing = [name for name, amount in self._anchors(claim) if not _held(name, amount, passages)]
        polarity = POLARITY_PENALTY if window and self._opposed(asked, self._read(window)) else 1.0
        value = coverage * ANCHOR_PENALTY ** len(missing) * polarity
        return Support(
            value=q6(value), coverage=q6(coverage), missing=missing, polarity=polarity, window=window
        )

    def weights(self, terms: Iterable[str]) -> dict[str, float]:
        """Return term -> weight of the distinct ``terms``, in order of appearance."""
        return {term: max(self.lexicon.idf(term), IDF_FLOOR) for term in terms}

    def anchors(self, text: str) -> list[str]:
        """Return the names, numbers and dates of ``text`` that evidence would have to hold."""
        return [name for name, _ in self._anchors(text)]

    def absent(self, text: str, known: Sequence[str]) -> list[str]:
        """Return the anchors of ``text`` that occur in none of the texts ``known``."""
        readings = [self._read(each) for each in known]
        return [name for name, amount in self._anchors(text) if not _held(name, amount, readings)]

    def opposed(self, left: str, right: str) -> bool:
        """Return whether exactly one of two texts negates something that both speak of."""
        return self._opposed(self._read(left), self._read(right))

    def _opposed(self, left: _Reading, right: _Reading) -> bool:
        shared = frozenset(left.terms) & frozenset(right.terms)
        return bool(left.negated & shared) != bool(right.negated & shared)

    def _share(self, weights: dict[str, float], held: frozenset[str]) -> float:
        whole = math.fsum(weights.values())
        return math.fsum(weight for term, weight in weights.items() if term in held) / whole

    def _anchors(self, text: str) -> list[tuple[str, Quantity | None]]:
        found: list[tuple[str, Quantity | None]] = []
        for anchor in self.lexicon.anchors(text):
            if quantities(anchor) or not self.lexicon.terms(anchor):
                continue
            found.append((anchor, None))
        found += [(amount.shown, amount) for amount in self._read(text).amounts if not amount.weak]
        return found

    def _split(self, text: str) -> list[str]:
        windows = self._windows.get(text)
        if windows is None:
            spans = self.lexicon.sentences(text)
            last = max(len(spans) - WINDOW_SENTENCES + 1, 1)
            windows = [
                text[spans[i][0] : spans[min(i + WINDOW_SENTENCES, len(spans)) - 1][1]]
                for i in range(last if spans else 0)
            ]
            self._windows[text] = windows
        return windows

    def _read(self, text: str) -> _Reading:
        reading = self._readings.get(text)
        if reading is None:
            folded = fold(text)
            tokens = _TOKEN.findall(folded)
            reading = _Reading(
                terms=self.lexicon.terms(text),
                words=frozenset(tokens) | frozenset(part for token in tokens for part in token.split("-")),
                flat=f" {' '.join(tokens)} ",
                amounts=quantities(text),
                negated=self._negated(text),
            )
            self._readings[text] = reading
        return reading

    def _negated(self, text: str) -> frozenset[str]:
        governed: list[str] = []
        for start, end in self.lexicon.sentences(text):
            sentence = _NOT_NEGATIONS.sub(" ", text[start:end])
            tokens = [(m.end(), fold(m.group())) for m in _TOKEN.finditer(sentence)]
            for position, token in tokens:
                if token in _NEGATIONS or token.endswith("n't"):
                    governed += self.lexicon.terms(sentence[position:])[:NEGATION_REACH]
        return frozenset(governed)


def _held(name: str, amount: Quantity | None, passages: Sequence[_Reading]) -> bool:
    if amount is not None:
        return any(agrees(amount, given) for passage in passages for given in passage.amounts)
    tokens = _TOKEN.findall(fold(name))
    phrase = f" {' '.join(tokens)} "
    return any(phrase in passage.flat or all(t in passage.words for t in tokens) for passage in passages)


def support(claim: str, evidence: Sequence[str], lexicon: Lexicon) -> Support:
    """Return the :class:`Support` of ``claim`` by ``evidence``, each part in it.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> support("It is not safe.", ["It is safe."], PlainLexicon()).polarity
    0.5
    """
    return SupportChecker(lexicon).check(claim, evidence)
