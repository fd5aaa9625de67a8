"""What other machines' statistics may do here: lend a persona a little credit before it has its own.

Foreign evidence acts on the gate's expectation only, never on a gauge, a tier or an audition, and
counts for at most twenty questions however much of it there is. It is discounted and trimmed when it
is read; the stored sums stay as they came (``state/federation/foreign.json``, beside the ledger).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from engine.errors import WorkspaceError
from engine.files import make_folder, write_atomic
from engine.ids import canonical, digest, q6
from engine.personas.federation import Bundle, Cell, card_of, mean_standing, merge
from engine.personas.federation_release import Node, decoded, folder_of, own_node, read_if_there
from engine.personas.gate import Record
from engine.personas.registry import Roster, StoredPersona
from engine.workspace import Workspace

K0: Final = 20.0
"""Foreign evidence counts for at most this many questions."""
TRIM_FROM: Final = 5
"""From this many nodes on, the one that says the best and the one that says the worst are left out."""
OTHER_MODEL: Final = 0.5
"""What a question answered by another model family counts."""


class Prior(msgspec.Struct, frozen=True, kw_only=True):
    """What foreign evidence is worth: ``n`` pseudo-questions, at most 20, with this mean standing.

    0.5 is as good as the experts it was asked with. ``nodes`` is how many were heard.
    """

    n: float = 0.0
    mean: float = 0.5
    nodes: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do to what the gate expects of a persona."""

    persona_id: str
    before: Prior
    after: Prior


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """The merged state of all that was imported."""

    cells: tuple[Cell, ...] = ()


def read_foreign_cells(workspace: Workspace) -> tuple[Cell, ...]:
    """Return every imported cell, none if nothing was imported. Raises WorkspaceError."""
    path = folder_of(workspace) / "foreign.json"
    data = read_if_there(path)
    return () if data is None else decoded(data, Foreign, path).cells


def with_bundle(cells: Iterable[Cell], bundle: Bundle, own: Node) -> tuple[Cell, ...]:
    """Return the cells merged with a bundle's; what claims to be this node's own is left out."""
    theirs = (cell for cell in bundle.cells if cell.node != own.node)
    return tuple(merge(cells, theirs).values())


def keep_bundle(workspace: Workspace, bundles: Sequence[Bundle]) -> tuple[Cell, ...]:
    """Merge the bundles into what is kept, and return that. Raises WorkspaceError."""
    own = own_node(workspace)
    with workspace.lock():
        cells = read_foreign_cells(workspace)
        for bundle in bundles:
            cells = with_bundle(cells, bundle, own)
        make_folder(folder_of(workspace))
        write_atomic(folder_of(workspace) / "foreign.json", canonical(Foreign(cells=cells)))
        return cells


def prior(cells: Iterable[Cell], persona: str, *, model: str = "", topic: str | None = None) -> Prior:
    """Return what the cells say of a persona (its card's digest), on one topic if given.

    Each node counts for its questions, but for 20 at the most, so that none speaks alone; another
    model family than ``model`` counts half (no model: all count whole). From five nodes on the
    highest and the lowest mean are left out. Together they count for 20 at the most.
    """
    nodes: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.persona == persona and topic in (None, cell.topic) and cell.n:
            nodes.setdefault(cell.node, []).append(cell)
    heard = []
    for node, said in sorted(nodes.items()):
        weights = [each.n * (1.0 if model in ("", each.model) else OTHER_MODEL) for each in said]
        whole = math.fsum(weights)
        mean = math.fsum(w * mean_standing(each) for w, each in zip(weights, said, strict=True)) / whole
        heard.append((q6(mean), node, min(whole, K0)))
    if len(heard) >= TRIM_FROM:
        heard = sorted(heard)[1:-1]
    n = math.fsum(weight for _, _, weight in heard)
    if not n:
        return Prior()
    pooled = math.fsum(weight * mean for mean, _, weight in heard) / n
    return Prior(n=q6(min(n, K0)), mean=q6(pooled), nodes=len(heard))


def changes(before: Sequence[Cell], after: Sequence[Cell], roster: Roster) -> list[Change]:
    """Return whose expectation differs between two states of foreign evidence, by id."""
    found = []
    for stored in sorted(roster.personas, key=lambda each: each.persona.persona_id):
        name = card_of(stored.persona, "0" * 32).digest
        old, new = prior(before, name), prior(after, name)
        if old != new:
            found.append(Change(persona_id=stored.persona.persona_id, before=old, after=new))
    return found


class Priors(msgspec.Struct, frozen=True, kw_only=True):
    """Foreign evidence as the gate reads it, by persona id; ``digest`` is empty if there is none.

    ``digest`` belongs into what a run depends on, as the digest of what was learned here does.
    """

    digest: str = ""
    cells: dict[str, tuple[Cell, ...]] = msgspec.field(default_factory=dict)
    model: str = ""

    def of(self, persona_id: str, topic: str | None = None) -> Prior:
        """Return the prior of a persona, on one topic if given."""
        cells = self.cells.get(persona_id, ())
        return prior(cells, cells[0].persona, model=self.model, topic=topic) if cells else Prior()


def read_priors(workspace: Workspace, personas: Sequence[StoredPersona], *, model: str = "") -> Priors:
    """Return the foreign evidence on ``personas``, for answers by this model family.

    Foreign evidence that cannot be read is none: it is never needed.
    """
    try:
        cells = read_foreign_cells(workspace)
    except WorkspaceError:
        return Priors()
    if not cells:
        return Priors()
    by_persona: dict[str, list[Cell]] = {}
    for cell in cells:
        by_persona.setdefault(cell.persona, []).append(cell)
    found = {}
    for stored in sorted(personas, key=lambda each: each.persona.persona_id):
        about = by_persona.get(card_of(stored.persona, "0" * 32).digest)
        if about:
            found[stored.persona.persona_id] = tuple(about)
    if not found:
        return Priors()
    return Priors(digest=digest("priors.v1", model, canonical(found)), cells=found, model=model)


def with_priors(
    records: Mapping[str, Record], priors: Priors, topics: Mapping[str, str]
) -> dict[str, Record]:
    """Return the gate's records with foreign evidence added to what is expected; see docs/federation.md.

    They are ``expected`` of ``choose_experts``. ``topics`` gives the topic of the question for each
    persona (``topic_of``). Counts of answers and turns stay those of this machine.

    >>> with_priors({"ada": Record(n=20, mean=0.6, tried=20)}, Priors(), {})["ada"].mean
    0.6
    """
    found = dict(records)
    for persona in sorted(priors.cells):
        mine = records.get(persona, Record())
        whole, there = priors.of(persona), priors.of(persona, topics.get(persona) or None)
        n, mean = _pooled(mine.n, mine.mean, whole)
        topic_n, topic_mean = mine.topic_n, mine.topic_mean
        if topics.get(persona):
            topic_n, topic_mean = _pooled(topic_n, topic_mean, there)
        found[persona] = msgspec.structs.replace(mine, n=n, mean=mean, topic_n=topic_n, topic_mean=topic_mean)
    return found


def _pooled(n: float, mean: float, foreign: Prior) -> tuple[float, float]:
    together = q6(n + round(foreign.n))
    if not together or not foreign.n:
        return n, mean
    return together, q6((n * mean + round(foreign.n) * foreign.mean) / together)
