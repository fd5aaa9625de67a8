"""What a persona is expected to be worth on a question: what it says it knows, and what it has shown."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from engine.corpus.store import Lexicon
from engine.events import Facet, Term, Tier
from engine.ids import q6
from engine.personas.document import Persona
from engine.personas.policy import Policy


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A persona that may be asked, the tier it stands in and the policy its traits give."""

    persona: Persona
    tier: Tier
    policy: Policy


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a persona from earlier questions: counts, means in [0, 1], cost, last turn.

    A mean of 0.5 is that of the experts it was asked with. In ``n`` and ``topic_n`` answers count less
    the older they are. ``cost_factor`` is measured cost over the pool's median, at least 1; ``tried``
    counts answers, ``last_tried`` is a question's number, smaller is longer ago. The defaults say that
    nothing is known.
    """

    n: float = 0.0
    mean: float = 0.5
    topic_n: float = 0.0
    topic_mean: float = 0.5
    cost_factor: float = 1.0
    tried: int = 0
    last_tried: int = -1


class GateWeights(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers in the gate's formulae."""

    prior: float = 0.55
    """Value of a persona of which nothing is known: a little above the 0.5 of those it will be asked with,
    so that whoever is new, or was not asked for long, is tried."""
    prior_questions: float = 2.0
    """How many questions the prior counts for beside the overall record."""
    topic_questions: float = 1.5
    """How many questions the overall record and the expertise count for beside the record on the topic."""
    expertise_lift: float = 0.3
    """How far expertise that covers the whole question lifts a value towards 1."""
    base_reach: float = 0.3
    """Match of a facet by a persona whose expertise and policy say nothing for it."""
    expertise_reach: float = 0.5
    usual_share: float = 0.5
    """Share of a question that a persona knows, where its record and not its expertise tells its worth."""
    breadth_reach: float = 0.1
    depth_reach: float = 0.1
    audition_every: int = 10
    """One question in this many tries an experimental persona."""
    newcomer_answers: int = 8
    """Answers until which a persona is new: with records, new ones are tried twice as often."""


class Rated(msgspec.Struct, frozen=True):
    """A candidate with its value and cost, and with its match of each facet, all but cost in [0, 1]."""

    candidate: Candidate
    value: float
    affinity: float
    cost: float
    match: tuple[float, ...]
    terms: list[Term]

    @property
    def persona_id(self) -> str:
        """Return whose they are."""
        return self.candidate.persona.persona_id


class Wanted:
    """What a question asks for, as every persona's expertise is compared with it."""

    def __init__(self, facets: Sequence[Facet], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._facets = [{term: max(lexicon.idf(term), 0.05) for term in facet.terms} for facet in facets]
        self._terms = frozenset(term for terms in self._facets for term in terms)
        self._weights = [facet.weight for facet in facets]
        self._whole = math.fsum(self._weights) or 1.0

    def known_to(self, persona: Persona) -> list[float]:
        """Return the share of each facet that the persona's expertise names, in [0, 1]."""
        known = self._terms.intersection(self._lexicon.terms("\n".join(persona.expertise)))
        return [_share(terms, known) for terms in self._facets] if known else [0.0] * len(self._facets)

    def mean(self, shares: Sequence[float]) -> float:
        """Return the mean of shares of the facets, by their weight."""
        rows = zip(self._weights, shares, strict=True)
        return math.fsum(weight * share for weight, share in rows) / self._whole


def rate(candidate: Candidate, wanted: Wanted, record: Record, weights: GateWeights) -> Rated:
    """Return what the persona is worth for what is wanted, by what it says it knows and by its record."""
    persona, policy = candidate.persona, candidate.policy
    knows = wanted.known_to(persona)
    affinity = wanted.mean(knows)
    reach = (
        weights.base_reach
        + weights.breadth_reach * min(policy.beam_width / 16, 1.0)
        + weights.depth_reach * min(policy.max_hops / 4, 1.0)
    )
    value, terms = _value(affinity, record, weights)
    unknown = _unknown(record, weights)
    # What a record shows, expertise need not promise any more: then it only tells one facet from another.
    usual = (1 - unknown) * weights.usual_share
    # Most facets are known whole or not at all.
    matches = {
        share: q6(
            min(
                reach
                + weights.expertise_reach
                * (unknown * share + usual * (share / affinity if affinity else 1.0)),
                1.0,
            )
        )
        for share in dict.fromkeys(knows)
    }
    return Rated(
        candidate=candidate,
        value=value,
        affinity=q6(affinity),
        cost=q6(persona.activation_cost * max(record.cost_factor, 1.0)),
        match=tuple(map(matches.__getitem__, knows)),
        terms=terms,
    )


def _unknown(record: Record, weights: GateWeights) -> float:
    """Return how much is still to be shown on the topic: 1 without a record, towards 0 with many answers."""
    return weights.topic_questions / (weights.topic_questions + record.topic_n)


def _value(affinity: float, record: Record, weights: GateWeights) -> tuple[float, list[Term]]:
    """Return the value in [0, 1] with its terms.

    The overall record is shrunk towards the prior. Lifted by expertise it is what is expected on a
    topic without a record there; the two are mixed by how often the persona answered on the topic.
    """
    k0 = weights.prior_questions
    overall = (record.n * record.mean + k0 * weights.prior) / (record.n + k0)
    unknown = _unknown(record, weights)
    terms = [
        Term(name="prior", value=q6(unknown * overall)),
        Term(name="expertise", value=q6(unknown * (1 - overall) * weights.expertise_lift * affinity)),
    ]
    if record.topic_n:
        terms.append(Term(name="record", value=q6((1 - unknown) * record.topic_mean)))
    return q6(math.fsum(term.value for term in terms)), terms


def _share(terms: Mapping[str, float], known: frozenset[str]) -> float:
    if known.isdisjoint(terms):
        return 0.0
    return math.fsum(weight for term, weight in terms.items() if term in known) / math.fsum(terms.values())
