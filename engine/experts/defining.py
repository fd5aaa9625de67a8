"""Questions that ask what something is or does, and how far a sentence explains just that.

A sentence explains what it begins with: "The gate is the part that picks", "**Owl** hunts at night",
"The gate picks experts"; and what a section says first explains its heading.
"""

import math
import re
from collections.abc import Sequence

from engine.evaluation.outputs import Context
from engine.evaluation.relevance import facet_share
from engine.events import Facet

_OPENING = 80
_TERM = re.compile(r"(?:(?:The|A|An) )?(?P<mark>\*\*|__|`)(?P<term>[^*_`]{2,60})(?P=mark)")
_DEFINES = re.compile(r"\b(?:is|are|was|were|means|refers to|stands for|denotes|consists of)\b", re.I)
_SUBJECT_ENDS = re.compile(r"(?<=\w)[,;(]")
_ASKS = re.compile(
    r"^\s*(?:what|who)(?:(?:'s| is| are| was| were)\b(?P<is>.*)| do(?:es)? (?P<does>.+?) (?:mean|do)\b)",
    re.I | re.S,
)
_ASKS_TO_DEFINE = re.compile(r"\bdefin", re.I)
_ARTICLE = re.compile(r"^(?:the|an?) ", re.I)
_CELL_ENDS = " | "
_FIGURE = re.compile(r"\W*\d")


class Definition:
    """Measures how far sentences explain what ``question`` asks about."""

    def __init__(self, question: str, facets: Sequence[Facet], context: Context) -> None:
        asks = _ASKS.match(question)
        self.asked = bool(facets) and (asks is not None or _ASKS_TO_DEFINE.search(question) is not None)
        """Whether the question asks for an explanation at all; no sentence explains anything else."""
        self._facets, self._context = facets, context
        self._opens = _opening_with(asks["is"] or asks["does"]) if asks else None
        self._whole = math.fsum(facet.weight for facet in facets)
        self._terms = frozenset[str]().union(*(context.checker.terms(facet.text) for facet in facets))

    def share(self, sentence: str, heading: str = "") -> float:
        """Return how far ``sentence`` is about what was asked, in [0, 1]; ``heading`` is the one it opens.

        The share of the question that its subject holds, times the share of the subject's own words that were
        asked for: "The gate" is more about the gate than "The gate on made-up personas". The row of a table
        explains its first cell, if most of the others are no figures.
        """
        if not self.asked:
            return 0.0
        subjects = self._subjects(sentence)
        if heading and _CELL_ENDS not in sentence:
            subjects.append(heading)
        return max(map(self._held, subjects), default=0.0)

    def _subjects(self, sentence: str) -> list[str]:
        first, *cells = sentence.split(_CELL_ENDS)
        if cells:
            return [] if sum(map(bool, map(_FIGURE.match, cells))) * 2 > len(cells) else [first]
        term, verb = _TERM.match(sentence), _DEFINES.search(sentence)
        subjects = [term["term"]] if term else []
        asked = self._opens.match(sentence) if self._opens else None
        if asked is not None:
            subjects.append(asked["subject"])
        if verb is not None and verb.start() <= _OPENING:
            subjects.append(_SUBJECT_ENDS.split(sentence[: verb.start()], maxsplit=1)[0])
        return subjects

    def _held(self, subject: str) -> float:
        terms = self._context.checker.terms(subject)
        if not terms or not self._whole:
            return 0.0
        held = math.fsum(f.weight for f in self._facets if facet_share(f, terms, self._context) == 1.0)
        return held / self._whole * len(terms & self._terms) / len(terms)


def _opening_with(asked_about: str) -> re.Pattern[str] | None:
    """Return what a sentence begins with whose subject is what the question is about, if that is said."""
    subject = _ARTICLE.sub("", asked_about.strip("`*_\"'?.! \t\n"))
    if not subject:
        return None
    return re.compile(rf"(?:(?:the|an?) )?[`*_\"']*(?P<subject>{re.escape(subject)})[`*_\"']* [a-z]", re.I)
