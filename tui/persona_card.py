"""A persona in words and numbers, for the terminal and for ``--json``."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.config import TraitRow
    from engine.personas.moves import Move
    from engine.personas.registry import StoredPersona


def _name(stored: "StoredPersona") -> str:
    name = stored.persona.metadata.get("name")
    return name if isinstance(name, str) and name else stored.persona.persona_id


def summary(stored: "StoredPersona") -> dict[str, Any]:
    """Return what a list says of a persona, as JSON values."""
    persona = stored.persona
    return {
        "persona_id": persona.persona_id,
        "tier": stored.tier,
        "name": _name(stored),
        "activation_cost": persona.activation_cost,
        "traits": persona.traits,
        "expertise": persona.expertise,
        "pinned": persona.metadata.get("pinned") is True,
        "digest": stored.digest,
    }


def table(personas: Sequence["StoredPersona"]) -> list[str]:
    """Return one line for each persona: tier, id, cost and expertise."""
    width = max((len(stored.persona.persona_id) for stored in personas), default=0)
    return [
        f"{stored.tier:<12}  {stored.persona.persona_id:<{width}}  {stored.persona.activation_cost:>6g}  "
        f"{', '.join(stored.persona.expertise[:6])}"
        for stored in personas
    ]


def details(stored: "StoredPersona", rows: Sequence["TraitRow"], moves: Iterable["Move"]) -> dict[str, Any]:
    """Return everything about one persona, as JSON values."""
    from engine.personas.policy import explain

    return {
        "tier": stored.tier,
        "path": str(stored.path),
        "digest": stored.digest,
        "persona": stored.persona,
        "policy": explain(stored.persona.traits, rows),
        "moves": list(moves),
    }


def lines(stored: "StoredPersona", rows: Sequence["TraitRow"], moves: Sequence["Move"]) -> list[str]:
    """Return the card of one persona, line by line."""
    from engine.personas.policy import explain

    persona, explained = stored.persona, explain(stored.persona.traits, rows)
    pinned = ", pinned" if persona.metadata.get("pinned") is True else ""
    card = [
        f"{persona.persona_id}  {_name(stored)}  ({stored.tier}{pinned}, cost {persona.activation_cost:g})"
    ]
    for key in ("description", "voice"):
        if isinstance(persona.metadata.get(key), str):
            card.append(f"{key}: {persona.metadata[key]}")
    card += ["", "traits"]
    for trait, value in sorted(persona.traits.items()):
        only = "  voice only" if trait in explained.voice_only else ""
        card.append(f"  {trait:<14} {'#' * value}{'.' * (9 - value)} {value}{only}")
    card += ["", "policy"]
    for knob in explained.knobs:
        guess = "" if knob.given or not knob.trait else f"  (no {knob.trait}, so 5)"
        card.append(f"  {knob.knob:<17} {knob.formula}{guess}")
    card += ["", "expertise", f"  {', '.join(persona.expertise) or 'none'}"]
    card += ["", "moves", *(f"  {line}" for line in history(moves) or ["none yet"])]
    return card


def history(moves: Iterable["Move"]) -> list[str]:
    """Return one line for each move, oldest first."""
    return [
        f"{move.at}  {move.from_tier} -> {move.to_tier}"
        f"{'' if move.state == 'done' else f'  [{move.state}]'}  {move.reason}"
        for move in moves
    ]
