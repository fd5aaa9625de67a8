"""What every ``--json`` prints, as one JSON Schema that is made from types.

``python -m tui.json_schema`` writes it to ``tui/command-line.schema.json``; the tests hold the file to the
types, and what the commands print to the file.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.events import AnyEvent, ModelRef, Tier
from engine.models.base import ModelInfo
from engine.personas.bundle import Difference
from engine.personas.comparison import Overlap
from engine.personas.comparison import Row as ComparedRow
from engine.personas.document import Persona
from engine.personas.federation_priors import Change, Prior
from engine.personas.moves import Move as TierMove
from engine.personas.overview import Outlook, RosterLine
from engine.personas.policy import PolicyExplanation
from engine.personas.templates import Template
from engine.personas.track_record import Duel, Question, TopicRecord, TrackRecord
from engine.preview import Preview
from engine.snapshots.diff import SnapshotDiff
from engine.snapshots.import_ import Imported
from engine.snapshots.library import SnapshotInfo
from engine.snapshots.verify import ChainReport, Comparison
from tui.result import AskResult, SearchResult


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What one command prints."""


class Verdict(Shape, frozen=True, kw_only=True):
    """``chain`` tells of the lines, ``rerun`` of running it again, null where that was not done."""

    chain: ChainReport
    rerun: Comparison | None


class BadFile(Shape, frozen=True, kw_only=True):
    """A file that takes no part, and why."""

    path: str
    reason: str


class PersonaList(Shape, frozen=True, kw_only=True):
    """``counts`` are of all personas, by tier; ``personas`` are those that were asked for, in order."""

    counts: dict[Tier, int]
    personas: list[RosterLine]
    problems: list[BadFile]


class PersonaOrigin(Shape, frozen=True, kw_only=True):
    """Where a persona came from, as its metadata say, and which came from it."""

    come_from: dict[str, Any] = msgspec.field(name="from")
    children: list[str]


class PersonaCard(Shape, frozen=True, kw_only=True):
    """All that is known of a persona. ``scores`` are its totals, oldest first, each in [0, 1]."""

    tier: Tier
    path: str
    digest: str
    persona: Persona
    policy: PolicyExplanation
    policy_in_words: list[str]
    record: TrackRecord
    outlook: Outlook
    topics: list[TopicRecord]
    lineage: PersonaOrigin
    moves: list[TierMove]
    questions: list[Question]
    scores: list[float]
    elsewhere: Prior


class PersonaMade(Shape, frozen=True, kw_only=True):
    """A persona as it is after it was made or changed."""

    persona_id: str
    tier: Tier
    name: str
    activation_cost: float
    traits: dict[str, int]
    expertise: list[str]
    pinned: bool
    digest: str


class PersonaDone(PersonaMade, frozen=True, kw_only=True):
    """The same, with what was done in words."""

    said: str


class PersonasDone(Shape, frozen=True, kw_only=True):
    """The same for several personas."""

    personas: list[PersonaDone]


class PersonaUndone(PersonaDone, frozen=True, kw_only=True):
    """The same after a change was taken back; ``undone`` says which."""

    undone: str


class PersonasUndone(Shape, frozen=True, kw_only=True):
    """The same for several personas."""

    personas: list[PersonaUndone]


class PersonaProposed(Shape, frozen=True, kw_only=True):
    """What a model proposes; ``notes`` name what of its reply was left out."""

    proposed: Persona
    model: ModelRef
    differences: list[Difference]
    notes: list[str]
    made: bool
    tier: str


class ModelList(Shape, frozen=True, kw_only=True):
    """The models of all servers that answer, in the order the first one lists them."""

    models: list[ModelInfo]


class Templates(Shape, frozen=True, kw_only=True):
    """What a persona can begin with."""

    templates: list[Template]


class PersonaHistory(Shape, frozen=True, kw_only=True):
    """The moves of a persona, oldest first."""

    persona_id: str
    moves: list[TierMove]


class PersonaResolved(Shape, frozen=True, kw_only=True):
    """Which of several files was kept, and where the others lie now."""

    persona_id: str
    tier: Tier
    set_aside: list[str]


class PersonasChecked(Shape, frozen=True, kw_only=True):
    """How many files were looked at, and what is wrong with each bad one."""

    checked: int
    problems: list[BadFile]


class PersonaImported(Shape, frozen=True, kw_only=True):
    """What became of one persona, or would: ``status`` in one word, ``what`` in many."""

    path: str
    persona_id: str
    status: str
    what: str
    notes: list[str]
    differences: list[Difference]


class PersonasImported(Shape, frozen=True, kw_only=True):
    """What became of each persona in the files, in their order."""

    dry_run: bool
    imported: list[PersonaImported]


class PersonasWritten(Shape, frozen=True, kw_only=True):
    """The files that were written."""

    written: list[str]


class BundleWritten(Shape, frozen=True, kw_only=True):
    """The file that was written, and who is in it."""

    written: list[str]
    personas: list[str]


class PersonaTried(Shape, frozen=True, kw_only=True):
    """The saved persona alone on the question, and the draft; null where none was given."""

    question: str
    saved: Preview
    draft: Preview | None


class Compared(Shape, frozen=True, kw_only=True):
    """One of the personas that are compared."""

    persona_id: str
    tier: Tier


class FoundAlone(Shape, frozen=True, kw_only=True):
    """The passages that each persona finds by itself, by its id."""

    question: str
    found: dict[str, list[str]]


class PersonasCompared(Shape, frozen=True, kw_only=True):
    """Personas side by side; the values of a row stand in the order of ``personas``."""

    personas: list[Compared]
    traits: list[ComparedRow]
    policy: list[ComparedRow]
    shared_expertise: list[str]
    duels: list[Duel]
    questions: list[FoundAlone]
    overlap: list[Overlap]


class FederationExported(Shape, frozen=True, kw_only=True):
    """What a bundle tells; ``withheld`` cells have fewer than ten new answers."""

    node: str
    cards: int
    cells: int
    questions: float
    grown: int
    withheld: int
    epsilon: float | None
    signed: bool
    written: str


class FederationCard(Shape, frozen=True, kw_only=True):
    """What becomes of a persona in a bundle."""

    persona_id: str
    status: str


class FederationImported(Shape, frozen=True, kw_only=True):
    """What bundles change, or would: ``applied`` says which."""

    applied: bool
    nodes: list[str]
    new_cells: int
    changes: list[Change]
    personas: list[FederationCard]


class FederationHeard(Shape, frozen=True, kw_only=True):
    """What others said so far, and what it counts for, by persona."""

    nodes: list[str]
    cells: int
    priors: dict[str, Prior]


COMMANDS: Final[Mapping[str, Any]] = {
    "search": SearchResult,
    "ask": AskResult,
    "ask --events": AnyEvent,
    "models list": ModelList,
    "models show": ModelInfo,
    "snapshots list": list[SnapshotInfo],
    "snapshots show": SnapshotInfo,
    "snapshots replay": AnyEvent,
    "snapshots verify": Verdict,
    "snapshots diff": SnapshotDiff,
    "snapshots import": Imported,
    "snapshots tag": SnapshotInfo,
    "snapshots pin": SnapshotInfo,
    "snapshots unpin": SnapshotInfo,
    "snapshots prune": list[SnapshotInfo],
    "personas list": PersonaList,
    "personas show": PersonaCard,
    "personas new": PersonaMade,
    "personas new --describe": PersonaProposed,
    "personas new --templates": Templates,
    "personas edit": PersonaMade,
    "personas clone": PersonaMade,
    "personas preview": PersonaTried,
    "personas compare": PersonasCompared,
    "personas move": [PersonaDone, PersonasDone],
    "personas prune": [PersonaDone, PersonasDone],
    "personas retire": [PersonaDone, PersonasDone],
    "personas pin": [PersonaDone, PersonasDone],
    "personas unpin": [PersonaDone, PersonasDone],
    "personas restore": [PersonaDone, PersonasDone],
    "personas undo": [PersonaUndone, PersonasUndone],
    "personas history": PersonaHistory,
    "personas resolve": PersonaResolved,
    "personas validate": PersonasChecked,
    "personas import": PersonasImported,
    "personas export": Persona,
    "personas export --to": PersonasWritten,
    "personas export --bundle": BundleWritten,
    "federate export": FederationExported,
    "federate import": FederationImported,
    "federate show": FederationHeard,
}
"""The type of what each command prints; a list means one of these. A stream has one such value a line."""


def command_schema() -> bytes:
    """Return the JSON Schema (draft 2020-12) of all commands' output, as it is checked in.

    What ``persona-moe COMMAND --json`` prints satisfies ``#/$defs/commands/$defs/COMMAND``. No key is
    unknown, and every key is required but those that a type leaves out where they have no value.
    """
    types = {name: each if isinstance(each, list) else [each] for name, each in COMMANDS.items()}
    flat = [each for members in types.values() for each in members]
    schemas, components = msgspec.json.schema_components(flat, ref_template="#/$defs/{name}")
    found = iter(schemas)
    commands = {}
    for name, members in types.items():
        one_of = [next(found) for _ in members]
        commands[name] = one_of[0] if len(one_of) == 1 else {"anyOf": one_of}
    for part in components.values():
        if "properties" in part:
            always = {*part.get("required", ()), *_with_a_default(part["properties"])}
            part["required"] = [name for name in part["properties"] if name in always]
            part["additionalProperties"] = False
            for value in part["properties"].values():
                value.pop("default", None)
    body = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What the commands of persona-moe print with --json",
        "$defs": {"commands": {"$defs": commands}, **components},
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n"


def _with_a_default(properties: Mapping[str, Any]) -> list[str]:
    return [name for name, value in properties.items() if "default" in value]


if __name__ == "__main__":
    from pathlib import Path

    from engine.files import write_atomic

    write_atomic(Path(__file__).with_name("command-line.schema.json"), command_schema(), mode=0o644)
