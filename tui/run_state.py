"""The parts of what is shown of a run; :mod:`tui.state` makes them from events."""

from typing import Final, Literal, TypeAlias

import msgspec

from engine import events as ev

Status: TypeAlias = Literal[
    "idle", "considered", "skipped", "chosen", "walking", "walked", "reading", "writing", "claimed",
    "scored", "stood down",
]  # fmt: skip


class NodeView(msgspec.Struct, frozen=True):
    """A node of the graph: where it hangs in the tree, who opened it and at what relevance."""

    node: str
    kind: ev.NodeKind
    label: str
    parent: str
    relevance: float
    openers: tuple[str, ...] = ()
    visits: tuple[ev.StepTaken, ...] = ()


class PersonaView(msgspec.Struct, frozen=True):
    """What a persona did in this run so far."""

    persona_id: str
    tier: ev.Tier
    status: Status = "idle"
    reason: str = ""
    gate: ev.GateScored | None = None
    order: int = -1
    cost: float = 0.0
    steps: int = 0
    node: str = ""
    said: str = ""
    packed: ev.ContextPacked | None = None
    claims: tuple[ev.Claim, ...] = ()
    scored: ev.ScoresReady | None = None
    credit: ev.CreditAssigned | None = None
    gauges: tuple[ev.GaugeMoved, ...] = ()
    moved: ev.PersonaMoved | None = None


class Moment(msgspec.Struct, frozen=True):
    """A line of the timeline."""

    seq: int
    text: str
    decision: bool


class RunState(msgspec.Struct, frozen=True):
    """All that a face shows of one run; ``seq`` is that of the last event taken, -1 before the first."""

    seq: int = -1
    phase: str = ""
    outcome: str = ""
    started: ev.QueryStarted | None = None
    follow_up: ev.FollowUpRead | None = None
    facets: tuple[ev.Facet, ...] = ()
    seeds: tuple[ev.Seed, ...] = ()
    nodes: dict[str, NodeView] = {}
    children: dict[str, tuple[str, ...]] = {}
    edges: dict[str, tuple[ev.EdgeOpened, ...]] = {}
    edge_count: int = 0
    unopened: dict[str, tuple[str, ev.Unopened]] = {}
    personas: dict[str, PersonaView] = {}
    evidence: tuple[ev.Evidence, ...] = ()
    conflicts: tuple[ev.ConflictFound, ...] = ()
    sentences: tuple[ev.SentenceChecked, ...] = ()
    calls: dict[str, str] = {}
    writing: str = ""
    text: str = ""
    answer: ev.AnswerReady | None = None
    control: ev.ControlScored | None = None
    tokens: int = 0
    context_used: int = 0
    context_window: int = 0
    seconds: float = 0.0
    warnings: tuple[ev.Warned, ...] = ()
    faults: tuple[ev.ModelFailed | ev.FaultSeen, ...] = ()
    timeline: tuple[Moment, ...] = ()
    saved: ev.SnapshotSaved | None = None

    @property
    def question(self) -> str:
        """The question asked, empty before the run began."""
        return self.started.question if self.started else ""

    @property
    def answer_text(self) -> str:
        """The answer, or as much of it as has arrived."""
        return self.answer.answer if self.answer else self.text

    @property
    def citations(self) -> list[ev.Citation]:
        """The citations of the answer, in its order."""
        return self.answer.citations if self.answer else []


EMPTY: Final = RunState()
