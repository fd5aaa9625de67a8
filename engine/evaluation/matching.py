"""Do two claims say the same, or do they contradict each other?

Both answers are cautious. A contradiction that is not one costs trust at once, while one that is
missed leaves two cited claims side by side for the reader to see.
"""

import math

import msgspec

from engine.evaluation.plain import fold_case
from engine.evaluation.quantities import Quantity, agrees, quantities
from engine.evaluation.support import SupportChecker
from engine.ids import q6

SAME_F1 = 0.6
"""Least weighted token F1 at which two claims count as one."""
SAME_RELATION = 0.75
"""Least weighted Jaccard of the words that remain when names and numbers are set aside."""
FUNCTIONAL_RELATION = 0.3
"""The same where the relation can have one value only, such as a birth or a default."""

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


def token_f1(left: str, right: str, checker: SupportChecker) -> float:
    """Return the weighted F1 (Dice) of the distinct terms of two texts, in [0, 1].

    >>> from engine.evaluation.plain import PlainLexicon
    >>> token_f1("red fox runs", "red fox sleeps", SupportChecker(PlainLexicon()))
    0.666667
    """
    ours, theirs = (checker.weights(checker.lexicon.terms(text)) for text in (left, right))
    whole = math.fsum(ours.values()) + math.fsum(theirs.values())
    return q6(2 * math.fsum(w for term, w in ours.items() if term in theirs) / whole) if whole else 0.0


def says_the_same(left: str, right: str, checker: SupportChecker, threshold: float) -> bool:
    """Return whether either text bears out the other, or they share most of their words.

    Texts that contradict each other never say the same.
    """
    if contradiction(left, right, checker) is not None:
        return False
    if max(checker.check(left, [right]).value, checker.check(right, [left]).value) >= threshold:
        return True
    alike = token_f1(left, right, checker) >= SAME_F1
    return alike and not (checker.absent(left, [right]) and checker.absent(right, [left]))


def contradiction(left: str, right: str, checker: SupportChecker) -> Contradiction | None:
    """Return why two claims cannot both be true, None unless that is plain.

    Plain is: the same subject and relation, and either opposite polarity, or exactly one number,
    date or name on each side that the other side does not have.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> checker = SupportChecker(PlainLexicon())
    >>> found = contradiction("The timeout is 5 seconds.", "The timeout is 10 seconds.", checker)
    >>> found.left, found.right
    ('5 seconds', '10 seconds')
    >>> contradiction("Ana played for Arsenal.", "Ana played for Chelsea.", checker) is None
    True
    """
    ours, theirs = _Parts.of(left, checker), _Parts.of(right, checker)
    shared_names = [name for name in ours.names if _named(name, theirs.names)]
    if not shared_names and (ours.names or theirs.names):
        return None
    relation = _relation(ours, theirs, checker)
    functional = _functional(ours, theirs, checker)
    bar = FUNCTIONAL_RELATION if functional and shared_names else SAME_RELATION
    if relation < bar:
        return None
    subject = shared_names[0] if shared_names else " ".join(sorted(ours.words & theirs.words)[:3])
    left_amounts = [q for q in ours.amounts if not _borne_out(q, theirs.amounts)]
    right_amounts = [q for q in theirs.amounts if not _borne_out(q, ours.amounts)]
    left_names = [name for name in ours.names if not _named(name, theirs.names)]
    right_names = [name for name in theirs.names if not _named(name, ours.names)]
    if not (left_amounts or right_amounts or left_names or right_names):
        if relation >= SAME_RELATION and checker.opposed(left, right):
            return Contradiction(subject=subject, kind="polarity", left=left, right=right)
        return None
    if len(left_amounts) == len(right_amounts) == 1 and not (left_names or right_names):
        a, b = left_amounts[0], right_amounts[0]
        if _dimension(a) == _dimension(b) and (functional or _dimension(a) != "date"):
            return Contradiction(subject=subject, kind=_dimension(a) or "number", left=a.shown, right=b.shown)
    if len(left_names) == len(right_names) == 1 and not (left_amounts or right_amounts) and functional:
        return Contradiction(subject=subject, kind="name", left=left_names[0], right=right_names[0])
    return None


class _Parts(msgspec.Struct, frozen=True):
    names: list[str]
    amounts: list[Quantity]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, checker: SupportChecker) -> "_Parts":
        amounts = [amount for amount in quantities(text) if not amount.weak]
        shown = {amount.shown for amount in amounts}
        names = [anchor for anchor in checker.anchors(text) if anchor not in shown]
        set_aside = frozenset(checker.lexicon.terms(" ".join([*names, *sorted(shown)])))
        return cls(_longest(names), amounts, frozenset(checker.lexicon.terms(text)) - set_aside)


def _longest(names: list[str]) -> list[str]:
    """Drop the names that are part of a longer one: "bank" beside "bank of england"."""
    return [n for n in names if not any(n != other and f" {n} " in f" {other} " for other in names)]


def _named(name: str, others: list[str]) -> bool:
    own = fold_case(name).split()
    return any(
        set(own) <= set(fold_case(other).split()) or set(fold_case(other).split()) <= set(own)
        for other in others
    )


def _relation(ours: _Parts, theirs: _Parts, checker: SupportChecker) -> float:
    both = checker.weights(sorted(ours.words & theirs.words))
    either = checker.weights(sorted(ours.words | theirs.words))
    return math.fsum(both.values()) / math.fsum(either.values()) if either else 0.0


def _functional(ours: _Parts, theirs: _Parts, checker: SupportChecker) -> bool:
    single = frozenset(checker.lexicon.terms(_FUNCTIONAL_WORDS))
    return bool(ours.words & theirs.words & single)


def _dimension(quantity: Quantity) -> str:
    looks_like_year = quantity.kind == "number" and quantity.value.isdigit() and len(quantity.value) == 4
    return "date" if quantity.kind == "date" or looks_like_year else quantity.unit


def _borne_out(quantity: Quantity, others: list[Quantity]) -> bool:
    return any(agrees(quantity, other) or agrees(other, quantity) for other in others)
