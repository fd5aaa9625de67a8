"""What each expert earned on one question: advantage over the others, and what of it survived."""

import math
from collections.abc import Mapping, Sequence

from engine.corpus.store import Lexicon
from engine.evaluation.metrics import require_score
from engine.evaluation.support import SupportChecker
from engine.events import CreditAssigned, SentenceChecked
from engine.ids import q6

CLIP = 0.5


def advantages(totals: Mapping[str, float], control: float | None = None) -> dict[str, float]:
    """Return persona -> its total minus the mean of the *other* totals, clipped to [-0.5, 0.5].

    Comparing on the same question takes the question's difficulty out. A persona that answered
    alone is compared with the ``control`` arm; without one its advantage is 0. Raises ValueError
    for a total outside [0, 1].

    >>> advantages({"a": 0.75, "b": 0.25, "c": 0.25})
    {'a': 0.5, 'b': -0.25, 'c': -0.25}
    >>> advantages({"a": 0.75}, control=0.5)
    {'a': 0.25}
    """
    checked = {name: require_score(value, f"total of {name}") for name, value in sorted(totals.items())}
    found: dict[str, float] = {}
    for name, value in checked.items():
        others = [other for key, other in checked.items() if key != name]
        if not others and control is not None:
            others = [require_score(control, "total of the control arm")]
        gap = value - math.fsum(others) / len(others) if others else 0.0
        found[name] = q6(min(max(gap, -CLIP), CLIP))
    return found


def survival(sentences: Sequence[SentenceChecked], lexicon: Lexicon) -> dict[str, float]:
    """Return persona -> its share of the final answer, each in [0, 1], summing to 1 (or to nothing).

    A kept sentence is worth the weight of its distinct terms, split evenly among the personas whose
    claims it came from.

    >>> from engine.evaluation.plain import PlainLexicon
    >>> def said(text, *who):
    ...     return SentenceChecked(
    ...         index=0, text=text, markers=[], personas=list(who), support=1.0, kept=True)
    >>> survival([said("red fox", "a", "b"), said("hen", "b")], PlainLexicon())
    {'a': 0.333333, 'b': 0.666667}
    """
    checker = SupportChecker(lexicon)
    earned: dict[str, list[float]] = {}
    for sentence in sentences:
        if not sentence.kept:
            continue
        mass = math.fsum(checker.weights(lexicon.terms(sentence.text)).values())
        supporters = sorted(dict.fromkeys(sentence.personas))
        for persona in supporters:
            earned.setdefault(persona, []).append(mass / len(supporters))
    whole = math.fsum(value for values in earned.values() for value in values)
    return {name: q6(math.fsum(earned[name]) / whole) for name in sorted(earned)} if whole else {}


def lift(final: float, control: float) -> float:
    """Return how much better the committee's answer scored than the control arm's, in [-1, 1].

    >>> lift(0.7, 0.6)
    0.1
    """
    return q6(
        require_score(final, "total of the answer") - require_score(control, "total of the control arm")
    )


def credit_events(
    totals: Mapping[str, float],
    sentences: Sequence[SentenceChecked],
    lexicon: Lexicon,
    control: float | None = None,
    later: Sequence[str] = (),
) -> list[CreditAssigned]:
    """Return one event per persona of ``totals`` and ``later``, in order of their ids.

    Those of ``later`` were asked for what the others had left open. That is another task than
    theirs, so their advantage is 0.
    """
    kept = survival(sentences, lexicon)
    gaps = dict.fromkeys(later, 0.0) | advantages(totals, control)
    return [
        CreditAssigned(persona=name, advantage=gaps[name], survival=kept.get(name, 0.0))
        for name in sorted(gaps)
    ]
