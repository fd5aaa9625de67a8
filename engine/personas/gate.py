"""The gate: which personas are worth asking, under a budget, with every number it used.

Experts are chosen one by one by gain per cost. The gain of a set S is
``F(S) = sum over facets of weight * (1 - product over S of (1 - value * match))``: it has
diminishing returns (it is submodular), so the greedy choice is near the best one (Nemhauser, Wolsey
and Fisher, Mathematical Programming 14, 1978) and each step can be explained by itself.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from engine.corpus.store import Lexicon
from engine.errors import PersonaError
from engine.events import ExpertChosen, ExpertSkipped, Facet, GateScored, Term, Tier
from engine.ids import q6, uniform
from engine.personas.bench import Bench, Reserve
from engine.personas.document import Persona
from engine.personas.policy import Policy

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ANY_QUESTION = Facet(facet_id="all", kind="term", text="the question", weight=1.0, terms=[])


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A persona that may be asked, the tier it stands in and the policy its traits give."""

    persona: Persona
    tier: Tier
    policy: Policy


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a persona from earlier questions: counts, means in [0, 1], cost, last turn.

    A mean of 0.5 is that of the experts it was asked with. ``cost_factor`` is measured cost over
    the pool's median, at least 1; ``tried`` counts answers, ``last_tried`` is a question's number,
    smaller is longer ago. The defaults say that nothing is known.
    """

    n: int = 0
    mean: float = 0.5
    topic_n: int = 0
    topic_mean: float = 0.5
    cost_factor: float = 1.0
    tried: int = 0
    last_tried: int = -1


class GateWeights(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers in the gate's formulae."""

    prior: float = 0.5
    """Value of a persona of which nothing is known."""
    prior_questions: float = 2.0
    """How many questions the prior counts for."""
    overall_questions: float = 3.0
    """How many questions the overall record counts for beside the record on the topic."""
    affinity_questions: float = 2.0
    """Questions on the topic after which record and expertise weigh the same."""
    base_reach: float = 0.3
    """Match of a facet by a persona whose expertise and policy say nothing for it."""
    expertise_reach: float = 0.5
    breadth_reach: float = 0.1
    depth_reach: float = 0.1
    audition_every: int = 10
    """One question in this many tries an experimental persona."""
    newcomer_answers: int = 8
    """Answers until which a persona is new: with records, new ones are tried twice as often."""


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """Every candidate's numbers, those chosen in order, and those skipped, each with a reason.

    ``bench`` holds who may be asked in later rounds.
    """

    scored: list[GateScored]
    chosen: list[ExpertChosen]
    skipped: list[ExpertSkipped]
    bench: Bench = msgspec.field(default_factory=Bench)


class _Rated(msgspec.Struct, frozen=True):
    candidate: Candidate
    value: float
    affinity: float
    cost: float
    match: tuple[float, ...]
    terms: list[Term]

    @property
    def persona_id(self) -> str:
        return self.candidate.persona.persona_id


def choose_experts(
    candidates: Sequence[Candidate],
    facets: Sequence[Facet],
    lexicon: Lexicon,
    *,
    budget: float,
    max_experts: int,
    price: float,
    seed: int,
    question_digest: str,
    only: Sequence[str] = (),
    records: Mapping[str, Record] | None = None,
    expected: Mapping[str, Record] | None = None,
    weights: GateWeights | None = None,
    alone: str = "",
    first: int | None = None,
) -> GateResult:
    """Return who answers, who does not, and why; the same for the same inputs in any order.

    ``price`` is the least gain per cost worth paying (``activation_threshold``); the first expert
    is asked whatever the price. Pruned personas are never asked; experimental ones only in an
    audition (one question in ``audition_every``), or if there are no others. ``only`` asks exactly
    these personas and looks neither at budget nor price. Without ``records`` every persona counts
    as new. Values are estimated from ``expected``, which is ``records`` unless foreign evidence was
    added to it; auditions look at ``records`` alone. ``alone`` is the reason for asking one expert
    only, if there is one; questions that hold an audition ask the committee all the same, so that it
    can earn its place back. At most ``first`` are chosen, by default ``max_experts``: the others wait
    on the bench until it is known what the first answers lack. Raises PersonaError if ``only`` names
    a persona that is unknown or pruned.
    """
    weights = weights or GateWeights()
    facets = list(facets) or [_ANY_QUESTION]
    records = records or {}
    expected = records if expected is None else expected
    ordered = sorted(candidates, key=lambda each: each.persona.persona_id)
    asked = frozenset(term for facet in facets for term in facet.terms)
    rated = [
        _rate(c, facets, asked, lexicon, expected.get(c.persona.persona_id, Record()), weights)
        for c in ordered
    ]
    events = [
        GateScored(
            persona=each.persona_id,
            tier=each.candidate.tier,
            value=each.value,
            affinity=each.affinity,
            cost=each.cost,
            terms=each.terms,
        )
        for each in rated
    ]
    round_ = _Round(facets, rated, budget)
    if only:
        round_.force(only)
        return GateResult(scored=events, chosen=round_.chosen, skipped=round_.skipped)
    pool = [each for each in rated if each.candidate.tier in ("active", "stable")]
    trying = [each for each in rated if each.candidate.tier == "experimental"]
    if not pool:
        pool, trying = trying, []
    new = any(
        records[e.persona_id].tried < weights.newcomer_answers for e in trying if e.persona_id in records
    )
    due = uniform(seed, "audition", question_digest) < (2 if new else 1) / weights.audition_every
    if alone and not due:
        round_.greedy(pool, 1, price, budget)
        round_.skipped = [
            msgspec.structs.replace(each, reason=f"skipped: {alone}") for each in round_.skipped
        ]
        _skip_the_rest(round_, rated, pool, due)
        return GateResult(scored=events, chosen=round_.chosen, skipped=round_.skipped)
    guest = (
        _next_audition(trying, records, seed, question_digest, weights) if due and max_experts > 1 else None
    )
    reserved = guest.cost if guest is not None and any(e.cost + guest.cost <= budget for e in pool) else 0.0
    if not reserved:
        guest = None
    begin = max_experts if first is None else min(first, max_experts)
    if guest is not None:
        begin = max(begin, 2)
    round_.greedy(pool, begin - (guest is not None), price, budget - reserved, waiting=begin < max_experts)
    if guest is not None:
        round_.take(
            guest, f"audition: one question in {weights.audition_every} tries an experimental persona"
        )
    _skip_the_rest(round_, rated, pool, due)
    bench = round_.bench(pool, max_experts, price)
    return GateResult(scored=events, chosen=round_.chosen, skipped=round_.skipped, bench=bench)


class _Round:
    """One question's choice as it grows: what each facet still lacks, who is in, who is out."""

    def __init__(self, facets: Sequence[Facet], rated: Sequence[_Rated], budget: float) -> None:
        self.facets = facets
        self.rated = rated
        self.budget = budget
        self.lacking = [1.0] * len(facets)
        self.chosen: list[ExpertChosen] = []
        self.skipped: list[ExpertSkipped] = []

    def gains(self, each: _Rated) -> list[float]:
        """Return what ``each`` would add to each facet now."""
        rows = zip(self.facets, self.lacking, each.match, strict=True)
        return [facet.weight * lacking * each.value * match for facet, lacking, match in rows]

    def gain(self, each: _Rated) -> float:
        return q6(math.fsum(self.gains(each)))

    def take(self, each: _Rated, why: str = "") -> None:
        gains = self.gains(each)
        best = max(range(len(gains)), key=lambda i: (gains[i], -i))
        gain = self.gain(each)
        place = _ORDINALS[len(self.chosen)] if len(self.chosen) < len(_ORDINALS) else "next"
        reason = f"picked {place} for '{self.facets[best].text}': +{gain:.2f} for {each.cost:g}"
        self.chosen.append(
            ExpertChosen(
                persona=each.persona_id,
                order=len(self.chosen),
                gain=gain,
                cost=each.cost,
                reason=f"{why}; {reason}" if why else reason,
            )
        )
        rows = zip(self.lacking, each.match, strict=True)
        self.lacking = [lacking * (1 - each.value * match) for lacking, match in rows]

    def skip(self, each: _Rated, reason: str) -> None:
        self.skipped.append(
            ExpertSkipped(persona=each.persona_id, gain=self.gain(each), cost=each.cost, reason=reason)
        )

    def force(self, only: Sequence[str]) -> None:
        by_id = {each.persona_id: each for each in self.rated}
        for persona_id in dict.fromkeys(only):
            each = by_id.get(persona_id)
            if each is None:
                raise PersonaError(
                    f"there is no persona {persona_id!r}", "'persona-moe personas list' names them"
                )
            if each.candidate.tier == "pruned":
                mend = f"bring it back with 'persona-moe personas restore {persona_id}'"
                raise PersonaError(f"persona {persona_id!r} is pruned", mend)
            self.take(each, "asked for by name")
        for each in self.rated:
            if each.persona_id not in only:
                self.skip(each, "skipped: other personas were asked for by name")

    def bench(self, pool: Sequence[_Rated], most: int, price: float) -> Bench:
        """Return who of ``pool`` was not chosen, and what is left of the budget."""
        asked = {each.persona for each in self.chosen}
        return Bench(
            facets=tuple(self.facets),
            reserves=tuple(
                Reserve(
                    persona_id=each.persona_id,
                    cost=each.cost,
                    reach=tuple(q6(each.value * match) for match in each.match),
                )
                for each in sorted(pool, key=lambda each: each.persona_id)
                if each.persona_id not in asked
            ),
            asked=len(asked),
            most=most,
            left=q6(self.budget - math.fsum(each.cost for each in self.chosen)),
            price=price,
        )

    def greedy(
        self, pool: Sequence[_Rated], most: int, price: float, budget: float, *, waiting: bool = False
    ) -> None:
        left = sorted(pool, key=lambda each: each.persona_id)
        spent = 0.0
        while left and len(self.chosen) < most:
            fitting = [each for each in left if q6(spent + each.cost) <= budget]
            if not fitting:
                break
            best = min(fitting, key=lambda each: (-q6(self.gain(each) / each.cost), each.persona_id))
            if self.chosen and self.gain(best) / best.cost < price:
                break
            self.take(best)
            spent = q6(spent + best.cost)
            left.remove(best)
        for each in left:
            self.skip(each, self._refusal(each, most, price, q6(budget - spent), waiting))

    def _refusal(self, each: _Rated, most: int, price: float, rest: float, waiting: bool) -> str:
        gain = self.gain(each)
        if len(self.chosen) >= most and waiting and each.cost <= rest:
            waits = "skipped for now: asked if the first answers lack something"
            return f"{waits}; gain {gain:.2f} for cost {each.cost:g}"
        if len(self.chosen) >= most:
            return f"skipped: {most} chosen already, the most allowed; gain {gain:.2f} for cost {each.cost:g}"
        if each.cost > rest:
            return f"skipped: cost {each.cost:g} does not fit in the {rest:g} left of budget {self.budget:g}"
        return f"skipped: gain {gain:.2f} for cost {each.cost:g} is under the price {price:g} a unit of cost"


def _skip_the_rest(round_: _Round, rated: Sequence[_Rated], pool: Sequence[_Rated], due: bool) -> None:
    known = {each.persona_id for each in pool} | {each.persona for each in round_.chosen}
    for each in rated:
        if each.persona_id in known:
            continue
        if each.candidate.tier == "pruned":
            round_.skip(each, "skipped: pruned personas are not asked")
        elif due:
            round_.skip(each, "skipped: experimental; this question's audition has no place for it")
        else:
            round_.skip(each, "skipped: experimental; no audition on this question")
    round_.skipped.sort(key=lambda skipped: skipped.persona)


def _next_audition(
    trying: Sequence[_Rated],
    records: Mapping[str, Record],
    seed: int,
    question_digest: str,
    weights: GateWeights,
) -> _Rated | None:
    """Return whoever is newest, then tried longest ago; among equals, a draw that the seed fixes."""

    def turn(each: _Rated) -> tuple[bool, int, float, str]:
        record = records.get(each.persona_id, Record())
        seasoned = record.tried >= weights.newcomer_answers
        return (
            seasoned,
            record.last_tried,
            uniform(seed, "audition-turn", question_digest, each.persona_id),
            each.persona_id,
        )

    return min(trying, key=turn, default=None)


def _rate(
    candidate: Candidate,
    facets: Sequence[Facet],
    asked: frozenset[str],
    lexicon: Lexicon,
    record: Record,
    weights: GateWeights,
) -> _Rated:
    persona, policy = candidate.persona, candidate.policy
    known = asked.intersection(lexicon.terms("\n".join(persona.expertise)))
    knows = [_overlap(facet, known, lexicon) for facet in facets] if known else [0.0] * len(facets)
    whole = math.fsum(facet.weight for facet in facets) or 1.0
    affinity = math.fsum(f.weight * share for f, share in zip(facets, knows, strict=True)) / whole
    reach = (
        weights.base_reach
        + weights.breadth_reach * min(policy.beam_width / 16, 1.0)
        + weights.depth_reach * min(policy.max_hops / 4, 1.0)
    )
    unknown = q6(min(reach, 1.0))
    value, terms = _value(affinity, record, weights)
    return _Rated(
        candidate=candidate,
        value=value,
        affinity=q6(affinity),
        cost=q6(persona.activation_cost * max(record.cost_factor, 1.0)),
        match=tuple(
            q6(min(reach + weights.expertise_reach * share, 1.0)) if share else unknown for share in knows
        ),
        terms=terms,
    )


def _value(affinity: float, record: Record, weights: GateWeights) -> tuple[float, list[Term]]:
    """Return the value in [0, 1] with its terms.

    The overall record is shrunk towards the prior, the record on the topic towards the overall one.
    What is expected without a record on the topic is the overall one, lifted by expertise; the two
    are mixed by how often the persona answered on the topic.
    """
    k0, k1 = weights.prior_questions, weights.overall_questions
    overall = (record.n * record.mean + k0 * weights.prior) / (record.n + k0)
    shrunk = (record.topic_n * record.topic_mean + k1 * overall) / (record.topic_n + k1)
    unknown = weights.affinity_questions / (weights.affinity_questions + record.topic_n)
    terms = [
        Term(name="prior", value=q6(unknown * overall)),
        Term(name="expertise", value=q6(unknown * (1 - overall) * affinity)),
    ]
    if record.topic_n:
        terms.append(Term(name="record", value=q6((1 - unknown) * shrunk)))
    return q6(math.fsum(term.value for term in terms)), terms


def _overlap(facet: Facet, known: frozenset[str], lexicon: Lexicon) -> float:
    if known.isdisjoint(facet.terms):
        return 0.0
    weights = {term: max(lexicon.idf(term), 0.05) for term in facet.terms}
    whole = math.fsum(weights.values())
    return math.fsum(weight for term, weight in weights.items() if term in known) / whole if whole else 0.0
