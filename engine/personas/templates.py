"""Where a new persona can begin: blank, a template by what it is for, or a persona that ships."""

from pathlib import Path
from typing import Final

import msgspec

from engine.config_file import nearest
from engine.errors import PersonaError
from engine.personas.document import Persona, load_persona_from_file
from engine.workspace import TIERS, data_folder

TRAIT_MEANINGS: Final = {
    "depth": "how far it follows links",
    "breadth": "how many places it keeps open",
    "exploration": "how much it likes ground nobody has walked",
    "rigour": "how strict it is about what counts",
    "novelty": "how strongly it avoids what was seen already",
    "scepticism": "how much it looks for the opposite",
    "recency": "how much recent documents weigh",
    "brevity": "how short it is",
}
"""What the traits of the shipped table are for, in the order in which a person is asked for them."""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A beginning: traits, how to speak, cost; the expertise is for its owner to say."""

    name: str
    purpose: str
    traits: dict[str, int]
    voice: str = ""
    expertise: tuple[str, ...] = ()
    cost: float = 1.0


_OURS: Final = (
    Template(name="blank", purpose="every trait in the middle, nothing said", traits={}),
    Template(
        name="pinpointer",
        purpose="one exact fact, near the words of the question",
        traits={"depth": 2, "breadth": 4, "exploration": 2, "rigour": 8, "brevity": 8},
        voice="State the fact in one sentence with its source. Add nothing.",
        cost=0.6,
    ),
    Template(
        name="specialist",
        purpose="one subject, in depth; give it the words of that subject",
        traits={"depth": 7, "breadth": 5, "exploration": 4, "rigour": 7, "novelty": 4},
        voice="Answer as one who works with this subject every day; use its terms and define the rare ones.",
        cost=1.2,
    ),
    Template(
        name="explorer",
        purpose="far links and ground nobody has walked",
        traits={"depth": 8, "breadth": 8, "exploration": 9, "rigour": 3, "novelty": 9},
        voice="Say what is unexpected and how it hangs together with the question.",
        cost=1.5,
    ),
    Template(
        name="checker",
        purpose="what speaks against the likely answer; every claim from two sources",
        traits={"depth": 5, "breadth": 6, "rigour": 9, "scepticism": 9, "novelty": 5},
        voice="Say first what contradicts or limits the claim. If nothing does, say so plainly.",
        cost=1.2,
    ),
    Template(
        name="newswatcher",
        purpose="the latest state of things, where documents carry dates",
        traits={"depth": 3, "breadth": 6, "recency": 9, "rigour": 5, "brevity": 6},
        voice="Begin with the most recent state and its date; then what it replaced.",
    ),
    Template(
        name="surveyor",
        purpose="what many documents say together",
        traits={"depth": 5, "breadth": 9, "rigour": 5, "novelty": 7, "brevity": 2},
        voice="Group what the sources say; where they differ, say which says what.",
        cost=1.5,
    ),
)


def templates() -> tuple[Template, ...]:
    """Return every template: our own, then the personas that ship, each by its id."""
    return (*_OURS, *(_of_file(path) for path in _shipped()))


def template(name: str) -> Template:
    """Return the template of this name. Raises PersonaError naming the nearest."""
    for each in templates():
        if each.name == name:
            return each
    known = [each.name for each in templates()]
    guess = nearest(name, known)
    mend = f"did you mean {guess}?" if guess else "'persona-moe personas new --templates' lists them"
    raise PersonaError(f"there is no template {name[:64]}", mend)


def _shipped() -> list[Path]:
    folder = data_folder("personas")
    return [path for tier in TIERS for path in sorted((folder / tier).glob("*.json"))]


def _of_file(path: Path) -> Template:
    persona: Persona = load_persona_from_file(path)
    return Template(
        name=persona.persona_id,
        purpose=str(persona.metadata.get("description", "")),
        traits=persona.traits,
        voice=str(persona.metadata.get("voice", "")),
        expertise=tuple(persona.expertise),
        cost=persona.activation_cost,
    )
