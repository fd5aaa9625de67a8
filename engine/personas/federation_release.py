"""What this machine tells others: sums taken from the ledger, released in steps that hide the few.

A cell grows only by a step of ten questions or more, and each step is published once: what two
releases differ by never tells of fewer questions, and noise is added once to every step. Which runs
were released is kept in ``state/federation/released.json``; the ledger is only read.
"""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from engine.errors import InputError, WorkspaceError
from engine.files import is_missing, make_folder, read_bounded, write_atomic
from engine.ids import canonical, q6, uniform
from engine.personas.federation import (
    BINS,
    LEAST_QUESTIONS,
    Bundle,
    Cell,
    bin_of,
    card_of,
    merge,
)
from engine.personas.ledger import Ledger
from engine.personas.policy import Policy, policy_digest
from engine.personas.registry import Roster
from engine.personas.sealed import MAX_BUNDLE
from engine.workspace import Workspace

_T = TypeVar("_T")


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Who this workspace is to others (``node``), and the secret its noise is drawn from."""

    node: str
    secret: str


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """What was told so far. ``through`` is the last run that each cell counts, by its key.

    ``families`` says from which run on which model family answered, ``runs`` up to which run that
    is settled and ``last`` that run's id: another ledger than the one seen before begins anew.
    """

    runs: int = 0
    last: str = ""
    families: tuple[tuple[int, str], ...] = ()
    cells: tuple[Cell, ...] = ()
    through: dict[str, int] = msgspec.field(default_factory=dict)


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle to write, the state to keep once it is written, and how much was withheld."""

    bundle: Bundle
    before: Released
    state: Released
    grown: int
    withheld: int


class _Sums:
    """What a cell would grow by."""

    def __init__(self) -> None:
        self.n = 0
        self.sums = dict.fromkeys(("standing", "squares", "quality", "grounding"), 0.0)
        self.bins = [0] * BINS

    def add(self, advantage: float, total: float, grounding: float) -> None:
        standing = min(max(0.5 + advantage, 0.0), 1.0)
        self.n += 1
        self.bins[bin_of(standing)] += 1
        for name, value in zip(self.sums, (standing, standing**2, total, grounding), strict=True):
            self.sums[name] += value


def folder_of(workspace: Workspace) -> Path:
    """Return where federation keeps its files, beside the ledger."""
    return workspace.state / "federation"


def own_node(workspace: Workspace) -> Node:
    """Return who this workspace is, made up at random the first time."""
    path = folder_of(workspace) / "node.json"
    with workspace.lock():
        data = read_if_there(path)
        if data is None:
            node = Node(node=os.urandom(16).hex(), secret=os.urandom(16).hex())
            make_folder(path.parent)
            write_atomic(path, canonical(node), replace=False)
            return node
        return decoded(data, Node, path)


def prepare_release(
    workspace: Workspace,
    ledger: Ledger,
    roster: Roster,
    policy_of: Callable[[Mapping[str, int]], Policy],
    family_of: Callable[[str], str],
    *,
    epsilon: float | None = None,
) -> Release:
    """Return what may be told now; nothing is written but, the first time, this node's name.

    ``family_of(run_id)`` names the model family of a run. With ``epsilon`` every step carries
    Laplace noise of scale 1 / epsilon on each of its sums. Raises InputError for an epsilon that is
    not above 0.
    """
    if epsilon is not None and not (math.isfinite(epsilon) and epsilon > 0):
        raise InputError(f"epsilon must be a number above 0, not {epsilon}", "1 is usual, less hides more")
    node = own_node(workspace)
    kept = _read_released(workspace)
    before = _same_ledger(kept, ledger)
    families = _families(before, ledger, family_of)
    known = {each.digest: card_of(each.persona, policy_digest(policy_of(each.persona.traits)))
             for each in roster.personas}  # fmt: skip
    topics = {each.digest: frozenset(each.persona.expertise) for each in roster.personas}
    steps: dict[tuple[str, str, str], _Sums] = {}
    for number, content, topic, *scores in ledger.rows(
        "SELECT number, persona_digest, topic, advantage, total, grounding FROM outcome "
        "WHERE chosen ORDER BY number, persona_id"
    ):
        if content not in known:  # edited or gone since: there is no card that says what it was
            continue
        about = topic if topic in topics[content] else ""
        key = (known[content].digest, _family_at(families, number), about)
        if number > before.through.get(_name(key), 0):
            steps.setdefault(key, _Sums()).add(*scores)
    runs = ledger.runs()
    cells = {cell.key: cell for cell in before.cells}
    through = dict(before.through)
    grown = withheld = 0
    for key, step in sorted(steps.items()):
        if step.n < LEAST_QUESTIONS:
            withheld += 1
            continue
        grown += 1
        through[_name(key)] = runs
        cell = _grown(cells.get((*key, node.node)), key, node, step, epsilon)
        cells[cell.key] = cell
    cards = {card.digest: card for card in known.values()}
    told = tuple(merge(cell for cell in cells.values() if cell.persona in cards).values())
    shown = sorted({cell.persona for cell in told})
    state = Released(
        runs=runs,
        last=_run_id(ledger, runs),
        families=families,
        cells=tuple(merge(cells.values()).values()),
        through=through,
    )
    bundle = Bundle(node=node.node, cards=tuple(cards[each] for each in shown), cells=told)
    return Release(bundle=bundle, before=kept, state=state, grown=grown, withheld=withheld)


def keep_release(workspace: Workspace, release: Release) -> None:
    """Remember what was told.

    Raises WorkspaceError if another export came first, for the same step must not be told twice.
    """
    with workspace.lock():
        if _read_released(workspace) != release.before:
            raise WorkspaceError("another export went on at the same time", "run it again")
        make_folder(folder_of(workspace))
        write_atomic(folder_of(workspace) / "released.json", canonical(release.state))


def read_if_there(path: Path) -> bytes | None:
    """Return the bytes of the file, None if there is none."""
    try:
        return read_bounded(path, MAX_BUNDLE)
    except WorkspaceError as error:
        if is_missing(error):
            return None
        raise


def decoded(data: bytes, kind: type[_T], path: Path) -> _T:
    """Return what one of federation's own files holds. Raises WorkspaceError if it is damaged."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (ValueError, RecursionError) as error:
        raise WorkspaceError(f"'{path}' is damaged: {error}", "move it away; what it held is lost") from error


def _read_released(workspace: Workspace) -> Released:
    path = folder_of(workspace) / "released.json"
    data = read_if_there(path)
    return Released() if data is None else decoded(data, Released, path)


def _run_id(ledger: Ledger, number: int) -> str:
    rows = ledger.rows("SELECT run_id FROM run WHERE number = ?", (number,))
    return str(rows[0][0]) if rows else ""


def _same_ledger(before: Released, ledger: Ledger) -> Released:
    if before.runs and _run_id(ledger, before.runs) != before.last:
        return Released(cells=before.cells)
    return before


def _families(
    before: Released, ledger: Ledger, family_of: Callable[[str], str]
) -> tuple[tuple[int, str], ...]:
    found = list(before.families)
    for number, run_id in ledger.rows(
        "SELECT number, run_id FROM run WHERE number > ? ORDER BY number", (before.runs,)
    ):
        family = family_of(run_id)
        if not found or found[-1][1] != family:
            found.append((number, family))
    return tuple(found)


def _family_at(families: tuple[tuple[int, str], ...], number: int) -> str:
    from bisect import bisect_right

    place = bisect_right(families, number, key=lambda each: each[0])
    return families[place - 1][1] if place else "unknown"


def _name(key: tuple[str, str, str]) -> str:
    return "\n".join(key)


def _grown(
    old: Cell | None, key: tuple[str, str, str], node: Node, step: _Sums, epsilon: float | None
) -> Cell:
    version = old.version + 1 if old else 1

    def noisy(name: str, value: float) -> float:
        if epsilon is None:
            return value
        return value + laplace(int(node.secret, 16), 1 / epsilon, *key, str(version), name)

    def count(name: str, value: int) -> int:
        return max(round(noisy(name, value)), 0)

    sums = {
        name: q6(noisy(name, value) + (getattr(old, name) if old else 0.0))
        for name, value in step.sums.items()
    }
    before = old.histogram if old else [0] * BINS
    return Cell(
        persona=key[0],
        model=key[1],
        topic=key[2],
        node=node.node,
        version=version,
        n=count("n", step.n) + (old.n if old else 0),
        histogram=[
            have + count(f"bin {i}", more)
            for i, (have, more) in enumerate(zip(before, step.bins, strict=True))
        ],
        **sums,
    )


_LEAST: Final = 2.0**-53


def laplace(seed: int, scale: float, *labels: str) -> float:
    """Return Laplace noise of this scale that depends on ``seed`` and ``labels`` alone.

    By inversion: ``-scale * sign(u) * ln(1 - 2 |u|)`` for u uniform in (-1/2, 1/2).

    >>> laplace(7, 2.0, "a") == 2 * laplace(7, 1.0, "a") != 0
    True
    """
    u = uniform(seed, "laplace", *labels) - 0.5
    return -scale * math.copysign(math.log(max(1 - 2 * abs(u), _LEAST)), u)
