"""Do two claims say the same, or do they contradict each other?

Both answers are cautious. A contradiction that is not one costs trust at once, while one that is
missed leaves two cited claims side by side for the reader to see.
"""

import math
import re

import msgspec

from engine.evaluation.plain import fold_case
from engine.evaluation.quantities import Quantity, agrees, quantities, tells_when
from engine.evaluation.support import SupportChecker
from engine.ids import q6

SAME_F1 = 0.75
"""Least weighted token F1 at which two claims count as one."""
SAME_SUPPORT = 0.8
"""Least support of one claim by the other's text at which the first says nothing more."""
SAME_RELATION = 0.75
"""Least weighted Jaccard of the words that remain when names and numbers are set aside."""
SAME_LEAST = 0.3
"""Token F1 below which two claims are not compared any further."""
FUNCTIONAL_RELATION = 0.3
"""The same where the relation can have one value only, such as a birth or a default."""

_OPENING = 48
"""Characters within which a sentence names its subject, if it does."""

_FIRST_WORD = re.compile(r"[A-Z][\w-]*")
_FUNCTIONAL_WORDS = """
    born birth birthplace died death buried capital founded founder established released published invented
    directed director wrote written author composed composer headquartered located default
    father mother nationality completed opened premiered signed height population
"""


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """Why two claims cannot both be true: about ``subject``, ``left`` against ``right``."""

    subject: str
    kind: str
    left: str
    right: str


class Said(msgspec.Struct, frozen=True):
    """A claim's text and the heading it was found under, which names its subject if it does not."""

    text: str
    heading: str = ""


class ClaimMatcher:
    """Compares claims with one lexicon, remembering what it has compared.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> matcher = ClaimMatcher(SupportChecker(PlainLexicon()))
    >>> found = matcher.contradiction(Said("The timeout is 5 seconds."), Said("The timeout is 9 seconds."))
    >>> found.left, found.right
    ('5 seconds', '9 seconds')
    >>> matcher.contradiction(Said("Ana played for Arsenal."), Said("Ana played for Chelsea.")) is None
    True
    """

    def __init__(self, checker: SupportChecker) -> None:
        self.checker = checker
        self._parts: dict[str, _Parts] = {}
        self._verdicts: dict[tuple[Said, Said], Contradiction | None] = {}
        self._single = frozenset(checker.lexicon.terms(_FUNCTIONAL_WORDS))

    def token_f1(self, left: str, right: str) -> float:
        """Return the weighted F1 (Dice) of the distinct terms of two texts, in [0, 1].

        >>> from engine.evaluation.plain import PlainLexicon
        >>> ClaimMatcher(SupportChecker(PlainLexicon())).token_f1("red fox runs", "red fox sleeps")
        0.666667
        """
        ours, theirs = self._of(left).weights, self._of(right).weights
        whole = math.fsum(ours.values()) + math.fsum(theirs.values())
        return q6(2 * math.fsum(w for term, w in ours.items() if term in theirs) / whole) if whole else 0.0

    def says_the_same(self, left: Said, right: Said, threshold: float) -> bool:
        """Return whether either text bears out the other, or they share most of their words.

        Texts that contradict each other never say the same.
        """
        alike = self.token_f1(left.text, right.text)
        if alike < SAME_LEAST or self.contradiction(left, right) is not None:
            return False
        checker = self.checker
        if max(
            checker.check(left.text, [right.text]).value, checker.check(right.text, [left.text]).value
        ) >= max(threshold, SAME_SUPPORT):
            return True
        missing = checker.absent(left.text, [right.text]) and checker.absent(right.text, [left.text])
        return alike >= SAME_F1 and not missing

    def contradiction(self, left: Said, right: Said) -> Contradiction | None:
        """Return why two claims cannot both be true, None unless that is plain.

        Plain is: the same subject and relation, and either opposite polarity, or exactly one
        number, date or name on each side that the other side does not have.
        """
        key = (left, right)
        if key not in self._verdicts:
            self._verdicts[key] = self._contradiction(left, right)
        return self._verdicts[key]

    def _contradiction(self, left: Said, right: Said) -> Contradiction | None:
        ours, theirs = self._of(left.text), self._of(right.text)
        both, either = ours.words & theirs.words, ours.words | theirs.words
        relation = self._mass(both) / self._mass(either) if both else 0.0
        functional = bool(both & self._single)
        if relation < (FUNCTIONAL_RELATION if functional else SAME_RELATION):
            return None
        subject = _shared_subject(ours.leading or left.heading, theirs.leading or right.heading)
        if subject is None:
            return None
        subject = subject or "the same matter"
        left_amounts = [q for q in ours.amounts if not _borne_out(q, theirs.amounts)]
        right_amounts = [q for q in theirs.amounts if not _borne_out(q, ours.amounts)]
        left_names = [name for name in ours.names if not _named(name, [*theirs.names, right.heading])]
        right_names = [name for name in theirs.names if not _named(name, [*ours.names, left.heading])]
        if not (left_amounts or right_amounts or left_names or right_names):
            if relation >= SAME_RELATION and self.checker.opposed(left.text, right.text):
                return Contradiction(subject=subject, kind="polarity", left=left.text, right=right.text)
            return None
        if len(left_amounts) == len(right_amounts) == 1 and not (left_names or right_names):
            a, b = left_amounts[0], right_amounts[0]
            if _dimension(a) == _dimension(b) and (functional or _dimension(a) != "date"):
                kind = _dimension(a) or "number"
                return Contradiction(subject=subject, kind=kind, left=a.shown, right=b.shown)
        if len(left_names) == len(right_names) == 1 and not (left_amounts or right_amounts) and functional:
            return Contradiction(subject=subject, kind="name", left=left_names[0], right=right_names[0])
        return None

    def _mass(self, terms: frozenset[str]) -> float:
        return math.fsum(self.checker.weights(sorted(terms)).values())

    def _of(self, text: str) -> "_Parts":
        if text not in self._parts:
            self._parts[text] = _Parts.of(text, self.checker)
        return self._parts[text]


class _Parts(msgspec.Struct, frozen=True):
    names: list[str]
    leading: str
    amounts: list[Quantity]
    words: frozenset[str]
    weights: dict[str, float]

    @classmethod
    def of(cls, text: str, checker: SupportChecker) -> "_Parts":
        amounts = [amount for amount in quantities(text) if not amount.weak]
        shown = {amount.shown for amount in amounts}
        names = _longest([anchor for anchor in checker.anchors(text) if anchor not in shown])
        terms = checker.lexicon.terms(text)
        set_aside = frozenset(checker.lexicon.terms(" ".join([*names, *sorted(shown)])))
        opening = fold_case(text)[:_OPENING]
        first = _FIRST_WORD.match(text)
        leading = next((name for name in names if fold_case(name) in opening), "")
        if first and checker.lexicon.terms(first.group()):
            # A sentence may open with a one-word name, which no capital tells from other words.
            leading = leading if fold_case(first.group()) in leading else fold_case(first.group())
        return cls(names, leading, amounts, frozenset(terms) - set_aside, checker.weights(terms))


def _shared_subject(left: str, right: str) -> str | None:
    """Return the subject that two claims share, '' if neither names one, None if they differ."""
    if not left and not right:
        return ""
    return left if left and right and _named(left, [right]) else None


def _longest(names: list[str]) -> list[str]:
    """Drop the names that are part of a longer one: "bank" beside "bank of england"."""
    return [n for n in names if not any(n != other and f" {n} " in f" {other} " for other in names)]


def _named(name: str, others: list[str]) -> bool:
    own = set(fold_case(name).split())
    return any(
        own <= set(said) or set(said) <= own for said in (fold_case(o).split() for o in others) if said
    )


def _dimension(quantity: Quantity) -> str:
    return "date" if tells_when(quantity) else quantity.unit


def _borne_out(quantity: Quantity, others: list[Quantity]) -> bool:
    return any(agrees(quantity, other) or agrees(other, quantity) for other in others)
