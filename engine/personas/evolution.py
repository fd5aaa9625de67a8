"""Siblings: copies of the best personas with one small difference, which must beat their parent.

A persona is never changed by what it earned. Instead a copy with one trait a step up or down, or
with a word of expertise from what it answered well, begins as experimental; it rises only by
scoring better than its parent on the questions that both answered, and is pruned like any other.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from engine.config import Settings
from engine.errors import PersonaError
from engine.ids import q6, uniform
from engine.personas.document import MAX_EXPERTISE, Persona
from engine.personas.ledger import Ledger
from engine.personas.lineage import is_sibling, parent_of

if TYPE_CHECKING:
    from engine.personas.registry import PersonaRegistry, StoredPersona

MOST_AT_ONCE: Final = 2
"""How many siblings may be on trial at the same time."""
MOST_LIVING: Final = 6
"""How many siblings there may be in all, those in the archive aside."""
_WIRED_FIRST: Final = (
    "depth",
    "breadth",
    "exploration",
    "rigour",
    "novelty",
    "scepticism",
    "recency",
    "brevity",
)


def lead_over_parent(
    registry: "PersonaRegistry", persona_id: str, totals: Mapping[str, float]
) -> float | None:
    """Return by how much a sibling beat its parent on this question; None if there is nothing to compare.

    That is so for a persona that is no sibling, and where the parent was not asked too.
    """
    if not is_sibling(persona_id):  # saves reading the file of everyone else
        return None
    try:
        parent = parent_of(registry.get(persona_id).persona)
    except PersonaError:
        return None
    if parent not in totals:
        return None
    return q6(min(max(totals[persona_id] - totals[parent], -0.5), 0.5))


def propose_sibling(
    registry: "PersonaRegistry", ledger: Ledger, settings: Settings
) -> "StoredPersona | None":
    """Add a sibling of the persona that leads the others most, if there is room for one; return it."""
    roster = registry.load()
    siblings = [each for each in roster.personas if is_sibling(each.persona.persona_id)]
    trials = sum(each.tier == "experimental" for each in siblings)
    living = sum(each.tier != "pruned" for each in siblings)
    if trials >= MOST_AT_ONCE or living >= MOST_LIVING:
        return None
    ranked = sorted(
        (-record.mean_advantage, stored.persona.persona_id, stored)
        for stored in roster.in_tier("active", "stable")
        if (record := ledger.summary(stored.persona.persona_id)).n >= settings.thresholds.min_questions
        and len(stored.persona.persona_id) <= 56
    )
    taken = {each.persona.persona_id for each in roster.personas}
    for _, parent_id, stored in ranked:
        child = sibling(
            stored.persona, stored.digest, _answered_well(ledger, parent_id), settings.system.seed, taken
        )
        if child is not None:
            return registry.create(child)
    return None


def sibling(
    parent: Persona, parent_digest: str, topics: list[str], seed: int, taken: set[str]
) -> Persona | None:
    """Return the next sibling of ``parent`` that is not ``taken``; None when all have been tried.

    Each change of a trait that turns a knob, one step up or down, and one that adds the words of
    ``topics`` the persona answered well on, in an order that the seed fixes. The id names the
    change: ``historian--depth-6``.
    """
    changes: list[tuple[str, dict[str, int], list[str]]] = []
    for trait in _WIRED_FIRST:
        value = parent.traits.get(trait, 5)
        changes += [
            (f"{trait}-{value + step}", {trait: value + step}, [])
            for step in (1, -1)
            if 1 <= value + step <= 9
        ]
    fresh_words = [topic for topic in topics if topic not in parent.expertise]
    if fresh_words and len(parent.expertise) < MAX_EXPERTISE:
        changes.append(("expertise", {}, fresh_words[:1]))
    changes.sort(key=lambda change: (uniform(seed, "sibling", parent.persona_id, change[0]), change[0]))
    for name, traits, words in changes:
        persona_id = f"{parent.persona_id.partition('--')[0]}--{name}"
        if persona_id in taken or len(persona_id) > 64:
            continue
        said = f"knows '{words[0]}'" if words else f"{name.rpartition('-')[0]} {name.rpartition('-')[2]}"
        return msgspec.structs.replace(
            parent,
            persona_id=persona_id,
            traits={**parent.traits, **traits},
            expertise=[*parent.expertise, *words],
            historical_performance={},
            metadata={
                **{key: value for key, value in parent.metadata.items() if key not in ("pinned", "control")},
                "lineage": {"parent": parent.persona_id, "parent_digest": parent_digest, "change": said},
            },
        )
    return None


def _answered_well(ledger: Ledger, persona_id: str) -> list[str]:
    """Return topics of *other* personas on which this one, asked too, led; best first."""
    rows = ledger.rows(
        "SELECT other.topic, avg(mine.advantage) AS lead FROM outcome AS mine "
        "JOIN outcome AS other ON other.run_id = mine.run_id AND other.persona_id != mine.persona_id "
        "WHERE mine.persona_id = ? AND other.topic != '' GROUP BY other.topic "
        "HAVING count(*) >= 8 AND lead > 0.05 ORDER BY lead DESC, other.topic LIMIT 5",
        (persona_id,),
    )
    return [topic for topic, _ in rows]
