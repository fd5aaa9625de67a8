"""The expert that needs no model: it answers with sentences of its own evidence, word for word.

Every claim is a sentence of a passage and cites it, so nothing is made up; what makes experts
differ is the evidence they walked to and the expertise that tilts which sentences they pick.
"""

import math
import re
from collections.abc import Mapping, Sequence

import msgspec

from engine.corpus.store import Lexicon
from engine.evaluation.outputs import Context, ExpertOutput
from engine.evaluation.relevance import asked_type, facet_share, holds_type, question_facets
from engine.events import Claim, Evidence, Facet
from engine.experts.claims import check_claims, compose
from engine.experts.defining import Definition
from engine.experts.quotable import pieces
from engine.experts.topic import HEADING_CREDIT, LEAST_COVERAGE, covered, names_nothing_known
from engine.ids import q6
from engine.personas.policy import Policy


class ExtractWeights(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers by which a sentence is picked; shares of the score sum to 1."""

    coverage: float = 0.45
    evidence: float = 0.25
    answer_type: float = 0.12
    definition: float = 0.3
    """What a sentence gains that opens with all that was asked and says what it is or does."""
    expertise: float = 0.10
    value: float = 0.12
    """What a value counts that stands by itself, below a heading that names what was asked."""
    heading_credit: float = HEADING_CREDIT
    bridge: float = 0.25
    """Credit for a passage whose heading an earlier claim names: the second hop of a question."""
    repetition: float = 0.6
    """How much of its coverage a sentence loses for facets that earlier claims cover."""
    overlap: float = 0.7
    """Token F1 with an earlier claim from which a sentence says nothing new."""
    floor: float = 0.5
    """Least score relative to the best sentence, from the second claim on."""
    least_coverage: float = LEAST_COVERAGE
    """Of the first claim: below it the answer is a refusal."""


class _Option(msgspec.Struct, frozen=True):
    text: str
    passage: str
    order: tuple[int, int]
    coverage: tuple[float, ...]
    fixed: float
    heading: frozenset[str]
    terms: frozenset[str]


_MOST_OPTIONS = 200
_NAMED = 0.6
"""Share of a heading's words that earlier claims must hold to have named it."""

_CODE_QUESTION = re.compile(
    r"\b(?:code|function|method|class|signature|parameters?|arguments?|implement\w*|returns?|snippet|syntax"
    r"|command|flag|option)\b|`|\w\(\)|\w_\w",
    re.I,
)


def extract_answer(
    persona_id: str,
    question: str,
    evidence: Sequence[Evidence],
    *,
    lexicon: Lexicon,
    policy: Policy,
    facets: Sequence[Facet] = (),
    answer_type: str = "",
    expertise: Sequence[str] = (),
    context: Context | None = None,
    weights: ExtractWeights | None = None,
) -> ExpertOutput:
    """Return up to ``policy.max_claims`` sentences of ``evidence`` that answer ``question``.

    The first is the best one; each further one is worth less for facets that are covered already,
    so that claims speak of different things. A claim cites the passage it stands in and, where
    ``policy.sources_per_claim`` asks for it, further passages that bear it out too. Without a
    sentence that speaks of the question, or where no passage holds any of the names in it, the
    output is a refusal.
    """
    weights = weights or ExtractWeights()
    context = context or Context(lexicon, evidence)
    facets = list(facets) or question_facets(question, context)
    ranked = sorted(evidence, key=lambda each: (each.rank, each.passage))
    if names_nothing_known(question, ranked, context):
        return compose(persona_id, [])
    options = _options(ranked, question, facets, answer_type, expertise, context, weights)
    picked = _pick(options, facets, policy.max_claims, context, weights)
    claims = [
        Claim(text=option.text, cites=_cites(option, ranked, policy.sources_per_claim, context))
        for option in picked
    ]
    return check_claims(compose(persona_id, claims), context)


def asks_for_code(question: str, facets: Sequence[Facet]) -> bool:
    """Return whether lines of code are wanted as an answer."""
    return bool(_CODE_QUESTION.search(question)) or any(facet.kind == "identifier" for facet in facets)


def _options(
    ranked: Sequence[Evidence],
    question: str,
    facets: Sequence[Facet],
    answer_type: str,
    expertise: Sequence[str],
    context: Context,
    weights: ExtractWeights,
) -> list[_Option]:
    kind = asked_type(question, answer_type)
    definition = Definition(question, facets, context)
    with_code = asks_for_code(question, facets)
    known = context.checker.weights(context.lexicon.terms("\n".join(expertise)))
    best = max((each.score for each in ranked), default=0.0)
    asked = context.checker.terms(question)
    options: list[_Option] = []
    for number, each in enumerate(ranked):
        heading = context.checker.terms(each.position.section)
        strength = each.score / best if best > 0 else 1 / (1 + number)
        found = pieces(
            each.text,
            each.position.document,
            context.lexicon,
            with_code=with_code,
            heading=each.position.section,
        )
        under = max((facet_share(facet, heading, context) for facet in facets), default=0.0)
        # What a section says first says what its heading is.
        opening = next((piece.place for piece in found if piece.kind == "prose"), -1)
        own_heading = each.position.section.rpartition("›")[2]
        for piece in found:
            terms = context.checker.terms(piece.text)
            if not terms:
                continue
            if piece.kind == "fragment" and not under:
                continue  # a value that stands under nothing that was asked
            fixed = weights.evidence * strength + weights.expertise * _tilt(terms, known, context)
            if kind and piece.kind == "prose" and holds_type(piece.text, kind, question, context):
                fixed += weights.answer_type
            if piece.kind == "fragment":
                fixed += weights.value * under
            if piece.kind == "prose":
                opened = own_heading if piece.place == opening else ""
                fixed += weights.definition * definition.share(piece.text, opened)
            options.append(
                _Option(
                    text=piece.text,
                    passage=each.passage,
                    order=(number, piece.place),
                    coverage=tuple(
                        covered(facet, terms, heading, context, weights.heading_credit) for facet in facets
                    ),
                    fixed=fixed,
                    heading=heading - asked,
                    terms=terms,
                )
            )
    return options


def _tilt(terms: frozenset[str], known: Mapping[str, float], context: Context) -> float:
    """Return the share of the sentence's weight that lies in the persona's expertise, in [0, 1]."""
    own = context.checker.weights(sorted(terms))
    return math.fsum(w for term, w in own.items() if term in known) / math.fsum(own.values())


def _pick(
    options: Sequence[_Option],
    facets: Sequence[Facet],
    most: int,
    context: Context,
    weights: ExtractWeights,
) -> list[_Option]:
    """Return the picked options in order of worth: marginal facet gain plus what is fixed."""
    covered = [0.0] * len(facets)
    named: set[str] = set()
    whole = math.fsum(facet.weight for facet in facets) or 1.0

    def reach(option: _Option, repetition: float) -> float:
        parts = zip(facets, option.coverage, covered, strict=True)
        return math.fsum(f.weight * (own - repetition * min(own, had)) for f, own, had in parts) / whole

    def rank(option: _Option) -> tuple[float, tuple[int, int]]:
        bridged = bool(option.heading) and len(option.heading & named) >= _NAMED * len(option.heading)
        worth = weights.coverage * reach(option, weights.repetition) + weights.bridge * bridged
        return -q6(worth + option.fixed), option.order

    left = sorted(options, key=rank)[:_MOST_OPTIONS]
    first = next((option for option in left if reach(option, 0.0) >= weights.least_coverage), None)
    if first is None:
        return []
    bar = weights.floor * rank(first)[0]
    picked: list[_Option] = []
    best: _Option | None = first
    while best is not None and len(picked) < most and rank(best)[0] <= bar:
        left.remove(best)
        if all(context.matcher.token_f1(best.text, other.text) < weights.overlap for other in picked):
            picked.append(best)
            named |= best.terms - best.heading
            covered = [max(had, own) for had, own in zip(covered, best.coverage, strict=True)]
        best = min(left, key=rank, default=None)
    return picked


def _cites(option: _Option, ranked: Sequence[Evidence], sources: int, context: Context) -> list[str]:
    cites = [option.passage]
    for each in ranked:
        if len(cites) >= sources:
            break
        if each.passage in cites:
            continue
        if context.support(Claim(text=option.text, cites=[each.passage])).value >= context.threshold:
            cites.append(each.passage)
    return cites
