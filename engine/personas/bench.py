"""The bench of a question: who may still be asked once it is known what the first answers lack."""

import math
from collections.abc import Mapping

import msgspec

from engine.events import ExpertChosen, Facet
from engine.ids import q6


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """A persona that was not asked at first: its price, and what it would add to each facet, in [0, 1]."""

    persona_id: str
    cost: float
    reach: tuple[float, ...]


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Personas that can be asked in later rounds, and what may still be spent on them.

    ``asked`` experts of ``most`` have been chosen; ``left`` is what remains of the budget, ``price``
    the least gain per cost.
    """

    facets: tuple[Facet, ...] = ()
    reserves: tuple[Reserve, ...] = ()
    asked: int = 0
    most: int = 0
    left: float = 0.0
    price: float = 0.0

    def pick(self, lacking: Mapping[str, float], number: int) -> "tuple[ExpertChosen, Bench] | None":
        """Return whoever adds most to what is ``lacking`` per cost, and the bench without it.

        None if nobody fits or is worth it. ``lacking`` maps facet ids to the weight that is still
        open. If it is empty, something was read and not told: then all facets count.

        >>> director = Facet(facet_id="d", kind="term", text="director", weight=0.6, terms=["director"])
        >>> bench = Bench(facets=(director,), asked=1, most=2, left=1.0, price=0.02,
        ...               reserves=(Reserve(persona_id="scout", cost=0.5, reach=(0.4,)),))
        >>> chosen, rest = bench.pick({"d": 0.5}, 2)
        >>> chosen.reason
        "asked in round 2 for 'director': +0.20 for 0.5"
        >>> rest.left, rest.pick({"d": 0.5}, 3) is None
        (0.5, True)
        """
        fitting = [each for each in self.reserves if each.cost <= self.left]
        if not fitting or self.asked >= self.most:
            return None
        weights = [lacking.get(f.facet_id, 0.0) if lacking else f.weight for f in self.facets]

        def gains(each: Reserve) -> list[float]:
            return [weight * reach for weight, reach in zip(weights, each.reach, strict=True)]

        def gain(each: Reserve) -> float:
            return q6(math.fsum(gains(each)))

        best = min(fitting, key=lambda each: (-q6(gain(each) / each.cost), each.persona_id))
        if gain(best) / best.cost < self.price:
            return None
        parts = gains(best)
        facet = self.facets[max(range(len(parts)), key=lambda i: (parts[i], -i))]
        chosen = ExpertChosen(
            persona=best.persona_id,
            order=self.asked,
            gain=gain(best),
            cost=best.cost,
            reason=f"asked in round {number} for '{facet.text}': +{gain(best):.2f} for {best.cost:g}",
        )
        rest = msgspec.structs.replace(
            self,
            reserves=tuple(each for each in self.reserves if each != best),
            asked=self.asked + 1,
            left=q6(self.left - best.cost),
        )
        return chosen, rest
