"""The gate: which personas are worth asking, under a budget, with every number it used.

Experts are chosen one by one, by gain per cost and by gain alone, and the better of the two choices
is kept. The gain of a set S is
``F(S) = sum over facets of weight * (1 - product over S of (1 - value * match))``: it has
diminishing returns (it is submodular), so the greedy choice is near the best one (Nemhauser, Wolsey
and Fisher, Mathematical Programming 14, 1978) and each step can be explained by itself.
"""

import math
from collections.abc import Mapping, Sequence
from operator import mul

import msgspec

from engine.corpus.store import Lexicon
from engine.errors import PersonaError
from engine.events import ExpertChosen, ExpertSkipped, Facet, GateScored
from engine.ids import q6, uniform
from engine.personas.bench import Bench, Reserve
from engine.personas.lineage import is_sibling, parent_of
from engine.personas.worth import Candidate, GateWeights, Rated, Record, Wanted, rate

__all__ = ["Candidate", "GateResult", "GateWeights", "Record", "choose_experts"]

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ANY_QUESTION = Facet(facet_id="all", kind="term", text="the question", weight=1.0, terms=[])


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """Every candidate's numbers, those chosen in order, and those skipped, each with a reason.

    ``bench`` holds who may be asked in later rounds.
    """

    scored: list[GateScored]
    chosen: list[ExpertChosen]
    skipped: list[ExpertSkipped]
    bench: Bench = msgspec.field(default_factory=Bench)


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
    wanted = Wanted(facets, lexicon)
    rated = [rate(c, wanted, expected.get(c.persona.persona_id, Record()), weights) for c in ordered]
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
    turn = _turn(trying, records, seed, question_digest, weights)
    due = bool(turn)
    if alone and not due:
        round_.greedy(pool, 1, price, budget, begin=1)
        round_.skipped = [
            msgspec.structs.replace(each, reason=f"skipped: {alone}") for each in round_.skipped
        ]
        _skip_the_rest(round_, rated, pool, due)
        return GateResult(scored=events, chosen=round_.chosen, skipped=round_.skipped)
    guest = _next_audition(turn, records, seed, question_digest, weights) if max_experts > 1 else None
    reserved = guest.cost if guest is not None and any(e.cost + guest.cost <= budget for e in pool) else 0.0
    if not reserved:
        guest = None
    begin = max_experts if first is None else min(first, max_experts)
    if guest is not None:
        begin = max(begin, 2)
    parent = _parent(guest, pool, budget)
    if guest is not None and parent is not None:
        round_.take(parent, f"asked beside {guest.persona_id}, which has to beat it")
    others = [each for each in pool if each is not parent]
    kept = guest is not None
    round_.greedy(others, max_experts - kept, price, budget - reserved, begin=begin - kept)
    if guest is not None:
        whom = "a sibling on trial" if turn is not trying else "an experimental persona"
        round_.take(guest, f"audition: one question in {weights.audition_every} tries {whom}")
    _skip_the_rest(round_, rated, pool, due)
    bench = round_.bench(pool, max_experts, price)
    return GateResult(scored=events, chosen=round_.chosen, skipped=round_.skipped, bench=bench)


class _Round:
    """One question's choice as it grows: what each facet still lacks, who is in, who is out."""

    def __init__(self, facets: Sequence[Facet], rated: Sequence[Rated], budget: float) -> None:
        self.facets = facets
        self.rated = rated
        self.budget = budget
        self.lacking = [1.0] * len(facets)
        self._reaches: dict[str, tuple[list[float], list[float]]] = {}
        self._gains: dict[tuple[float, ...], dict[str, float]] = {}
        self.chosen: list[ExpertChosen] = []
        self.skipped: list[ExpertSkipped] = []

    def gains(self, each: Rated, lacking: Sequence[float] | None = None) -> list[float]:
        """Return what ``each`` would add to each facet now, or where ``lacking`` is left."""
        return [*map(mul, self.lacking if lacking is None else lacking, self._reach(each)[0])]

    def gain(self, each: Rated, lacking: Sequence[float] | None = None) -> float:
        # Plans begin alike, and what they find is said again of those who are skipped.
        known = self._gains.setdefault(tuple(self.lacking if lacking is None else lacking), {})
        gain = known.get(each.persona_id)
        if gain is None:
            gain = known[each.persona_id] = q6(math.fsum(self.gains(each, lacking)))
        return gain

    def _reach(self, each: Rated) -> tuple[list[float], list[float]]:
        """What ``each`` would add to every facet if all of it were lacking, and the share it would leave."""
        known = self._reaches.get(each.persona_id)
        if known is None:
            shares = [each.value * match for match in each.match]
            weighed = [facet.weight * share for facet, share in zip(self.facets, shares, strict=True)]
            known = self._reaches[each.persona_id] = weighed, [1 - share for share in shares]
        return known

    def _after(self, each: Rated, lacking: Sequence[float]) -> list[float]:
        return [*map(mul, lacking, self._reach(each)[1])]

    def take(self, each: Rated, why: str = "") -> None:
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
        self.lacking = self._after(each, self.lacking)

    def skip(self, each: Rated, reason: str) -> None:
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

    def bench(self, pool: Sequence[Rated], most: int, price: float) -> Bench:
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

    def greedy(self, pool: Sequence[Rated], most: int, price: float, budget: float, *, begin: int) -> None:
        """Plan for ``most``, take of them who gain most per cost until ``begin`` are asked; the others wait.

        The plan is whoever is worth most together: of two ways to fill the budget, the better one.

        By gain per cost alone the cheap ones would always be asked and the budget left over; by gain
        alone one dear persona could keep out two who are worth more together (Lin and Bilmes, 2010).
        """
        ordered = sorted(pool, key=lambda each: each.persona_id)
        plans = [self._plan(ordered, most, price, budget, per_cost=each) for each in (True, False)]
        best = max(plans, key=lambda plan: self._worth(plan, price))
        for each in self._plan(best, most, 0.0, budget, per_cost=True)[: begin - len(self.chosen)]:
            self.take(each)
            ordered.remove(each)
        rest = q6(budget - math.fsum(each.cost for each in self.chosen))
        for each in ordered:
            self.skip(each, self._refusal(each, begin, price, rest, begin < most))

    def _plan(
        self, pool: Sequence[Rated], most: int, price: float, budget: float, *, per_cost: bool
    ) -> list[Rated]:
        """Return the next ones by gain per cost, or by gain, as long as they fit and are worth the price."""
        left, lacking = list(pool), self.lacking
        plan: list[Rated] = []
        spent = q6(math.fsum(each.cost for each in self.chosen))
        while len(self.chosen) + len(plan) < most:
            fitting: list[tuple[float, str, Rated]] = []
            for each in left:
                if q6(spent + each.cost) > budget:
                    continue
                gain = self.gain(each, lacking)
                if not (self.chosen or plan) or gain / each.cost >= price:
                    fitting.append((-q6(gain / each.cost) if per_cost else -gain, each.persona_id, each))
            if not fitting:
                break
            *_, best = min(fitting)
            plan.append(best)
            left.remove(best)
            spent = q6(spent + best.cost)
            lacking = self._after(best, lacking)
        return plan

    def _worth(self, plan: Sequence[Rated], price: float) -> float:
        """Return what the plan covers less what it costs at ``price``."""
        lacking = self.lacking
        for each in plan:
            lacking = self._after(each, lacking)
        rows = zip(self.facets, self.lacking, lacking, strict=True)
        covered = math.fsum(facet.weight * (before - after) for facet, before, after in rows)
        return q6(covered - price * math.fsum(each.cost for each in plan))

    def _refusal(self, each: Rated, most: int, price: float, rest: float, waiting: bool) -> str:
        gain = self.gain(each)
        if len(self.chosen) >= most and waiting and each.cost <= rest:
            waits = "skipped for now: asked if the first answers lack something"
            return f"{waits}; gain {gain:.2f} for cost {each.cost:g}"
        if len(self.chosen) >= most:
            return f"skipped: {most} chosen already, the most allowed; gain {gain:.2f} for cost {each.cost:g}"
        if each.cost > rest:
            return f"skipped: cost {each.cost:g} does not fit in the {rest:g} left of budget {self.budget:g}"
        return f"skipped: gain {gain:.2f} for cost {each.cost:g} is under the price {price:g} a unit of cost"


def _skip_the_rest(round_: _Round, rated: Sequence[Rated], pool: Sequence[Rated], due: bool) -> None:
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


def _parent(guest: Rated | None, pool: Sequence[Rated], budget: float) -> Rated | None:
    """Return the parent of a sibling on trial, if it is among those asked and the budget holds both."""
    name = "" if guest is None else parent_of(guest.candidate.persona)
    cost = 0.0 if guest is None else guest.cost
    return next((e for e in pool if e.persona_id == name and q6(e.cost + cost) <= budget), None)


def _turn(
    trying: Sequence[Rated],
    records: Mapping[str, Record],
    seed: int,
    question_digest: str,
    weights: GateWeights,
) -> Sequence[Rated]:
    """Return which experimental personas may be tried on this question; nobody on most questions.

    One question in ``audition_every`` is anybody's. One more is for siblings on trial, whose trial
    has to end within a bound, or else for everybody while one of them is new.
    """
    drawn = uniform(seed, "audition", question_digest) * weights.audition_every
    if drawn < 1:
        return trying
    if drawn >= 2:
        return ()
    siblings = [each for each in trying if is_sibling(each.persona_id)]
    new = any(
        records[e.persona_id].tried < weights.newcomer_answers for e in trying if e.persona_id in records
    )
    return siblings or (trying if new else ())


def _next_audition(
    trying: Sequence[Rated],
    records: Mapping[str, Record],
    seed: int,
    question_digest: str,
    weights: GateWeights,
) -> Rated | None:
    """Return whoever is newest, then tried longest ago; among equals, a draw that the seed fixes."""

    def turn(each: Rated) -> tuple[bool, int, float, str]:
        record = records.get(each.persona_id, Record())
        seasoned = record.tried >= weights.newcomer_answers
        return (
            seasoned,
            record.last_tried,
            uniform(seed, "audition-turn", question_digest, each.persona_id),
            each.persona_id,
        )

    return min(trying, key=turn, default=None)
