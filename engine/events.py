"""The event records: one tagged union, the contract of the whole product.

Everything a face shows, a snapshot keeps or a replay repeats is one of these. ``seq`` is the
logical time: it counts from 0 within a run, without gaps. Numbers that express a score, a weight
or a price are quantised to 1e-6 (:func:`engine.ids.q6`). No event carries a date, a host name or an
absolute path, and durations stand only in :class:`ModelTimed`, which no digest holds.

Node ids: ``q`` the question, ``e:KEY`` an entity, ``p:ID`` a passage, ``s:ID`` a section,
``d:NAME`` a document.
"""

from typing import Literal, TypeAlias, get_args

import msgspec

SCHEMA_VERSION = 1

NodeKind: TypeAlias = Literal["question", "entity", "passage", "section", "document"]
Tier: TypeAlias = Literal["pruned", "experimental", "stable", "active"]
FacetKind: TypeAlias = Literal["term", "entity", "phrase", "number", "identifier"]
ClaimKind: TypeAlias = Literal["fact", "inference", "counter", "unknown"]


# Records and events are frozen trees, made from the leaves up: none can be part of a cycle, so the garbage
# collector need not look at them. A snapshot of 100,000 events is read a tenth faster for it.
class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A part of an event."""


class PersonaRef(Record, frozen=True, kw_only=True):
    persona_id: str
    tier: Tier
    digest: str


class ModelRef(Record, frozen=True, kw_only=True):
    """The model that writes: ``provider`` is ``extractive`` when there is none.

    ``context`` is the window in tokens that every call asks for, ``form`` how claims are asked for.
    """

    provider: str
    name: str
    digest: str = ""
    why: str = ""
    context: int = 0
    form: str = ""


class ModelMessage(Record, frozen=True, kw_only=True):
    """One message of what a model is sent."""

    role: Literal["system", "user", "assistant"]
    content: str


class Facet(Record, frozen=True, kw_only=True):
    """One thing the question asks about; ``weight`` in [0, 1], all facets of a question sum to 1."""

    facet_id: str
    kind: FacetKind
    text: str
    weight: float
    terms: list[str]


class Term(Record, frozen=True, kw_only=True):
    """One addend of a number: ``value`` is the part it contributed, so the terms sum to the number."""

    name: str
    value: float


class TrailStep(Record, frozen=True, kw_only=True):
    """One step of a trail: over an edge of ``kind``, through ``phrase``, quoted by ``quote``."""

    node: str
    label: str
    kind: str
    phrase: str = ""
    quote: str = ""
    weight: float = 1.0


class Position(Record, frozen=True, kw_only=True):
    """Where text stands: lines ``start``..``end`` counted from 1, pages for PDF, rows for a dataset."""

    document: str
    section: str
    start: int
    end: int
    unit: Literal["line", "page", "row"] = "line"


class Seed(Record, frozen=True, kw_only=True):
    """A node where walks may start, with the terms of its score."""

    node: str
    label: str
    score: float
    terms: list[Term]


class Unopened(Record, frozen=True, kw_only=True):
    """A node that a walk saw and left, and why."""

    node: str
    label: str
    priority: float
    reason: str


class Evidence(Record, frozen=True, kw_only=True):
    """One ranked passage. ``evidence_id`` is the passage's id, or the corpus id for a dataset."""

    rank: int
    evidence_id: str
    passage: str
    position: Position
    text: str
    score: float
    personas: list[str]
    trail: list[TrailStep]
    terms: list[Term]


class Citation(Record, frozen=True, kw_only=True):
    marker: str
    evidence_id: str
    passage: str
    position: Position
    text: str


class Claim(Record, frozen=True, kw_only=True):
    """One statement of an expert with the passages it cites."""

    text: str
    cites: list[str]
    kind: ClaimKind = "fact"
    support: float = 0.0
    missing: list[str] = msgspec.field(default_factory=list)


class Carried(Record, frozen=True, kw_only=True):
    """What a follow-up question takes over: ``phrase`` in it stands for ``text``, and by which rule."""

    phrase: str
    text: str
    source: Literal["question", "answer"]
    reason: str


class Scores(Record, frozen=True, kw_only=True):
    """The four scores and their total, each in [0, 1]."""

    relevance: float
    consistency: float
    novelty: float
    grounding: float
    total: float


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True, gc=False
):
    """The base of all events; ``seq`` is stamped when the event is emitted."""

    seq: int = 0


class QueryStarted(Event, frozen=True, kw_only=True):
    """What the run depends on: equal values here promise equal decisions after.

    ``learned`` is the digest of what earlier questions taught the gate, as of run
    ``learned_runs``, and of what others' machines say of the personas; empty and 0 as long as
    that acts on nothing.
    """

    question: str
    schema: int
    corpus: str
    settings: str
    personas: list[PersonaRef]
    model: ModelRef
    budget: float
    only: list[str]
    learn: bool
    learned: str = ""
    learned_runs: int = 0


class QuestionEmbedded(Event, frozen=True, kw_only=True):
    """The question was compared by meaning, too; a run without vectors has no such event.

    ``vector`` is the question's, base64 of float16; ``vectors`` the digest of all that it was compared
    with, ``weight`` and ``nearest`` the settings of what likeness counts.
    """

    embedder: str
    made_by: str
    vectors: str
    vector: str
    weight: float
    nearest: int


class FollowUpRead(Event, frozen=True, kw_only=True):
    """How a follow-up question was read: ``reading`` is what was answered, and why it reads so.

    ``previous`` is the digest of the run before; what was said there stands here too, so that the
    run can be repeated without it.
    """

    reading: str
    previous: str
    earlier_question: str
    earlier_answer: str
    earlier_type: str
    carried: list[Carried]


class FacetsFound(Event, frozen=True, kw_only=True):
    facets: list[Facet]
    answer_type: str
    comparison: list[str]


class SeedsFound(Event, frozen=True, kw_only=True):
    """Where walks may start, best first."""

    seeds: list[Seed]


class NodeOpened(Event, frozen=True, kw_only=True):
    node: str
    kind: NodeKind
    label: str
    parent: str
    persona: str
    relevance: float


class EdgeOpened(Event, frozen=True, kw_only=True):
    source: str
    target: str
    kind: str
    weight: float
    phrase: str
    quote: str
    persona: str


class GateScored(Event, frozen=True, kw_only=True):
    """What the gate thinks of a persona before choosing: ``value``, ``affinity`` in [0, 1]."""

    persona: str
    tier: Tier
    value: float
    affinity: float
    cost: float
    terms: list[Term]


class ExpertChosen(Event, frozen=True, kw_only=True):
    persona: str
    order: int
    gain: float
    cost: float
    reason: str


ONE_EXPERT = "one expert answers"
"""What the reason of a skip begins with where a committee does not pay and one expert is asked."""


class ExpertSkipped(Event, frozen=True, kw_only=True):
    persona: str
    gain: float
    cost: float
    reason: str


class StepTaken(Event, frozen=True, kw_only=True):
    """A persona visits ``node``: ``path`` strength and ``priority`` with the terms of the latter."""

    persona: str
    step: int
    node: str
    source: str
    relevance: float
    path: float
    priority: float
    terms: list[Term]


class WalkStopped(Event, frozen=True, kw_only=True):
    """A walk ended; ``unopened`` are the best nodes it saw but left, with the reason."""

    persona: str
    reason: str
    steps: int
    unopened: list[Unopened]


class EvidenceRanked(Event, frozen=True, kw_only=True):
    evidence: list[Evidence]


class ContextPacked(Event, frozen=True, kw_only=True):
    """What an expert may read: passages kept, passages dropped, tokens used of the budget."""

    persona: str
    passages: list[str]
    dropped: list[str]
    tokens: int
    budget: int


class ModelAsked(Event, frozen=True, kw_only=True):
    """A call of the model, with all that decides its answer; ``key`` is the digest of just that."""

    call: str
    purpose: str
    persona: str
    model: ModelRef
    key: str = ""
    messages: list[ModelMessage] = msgspec.field(default_factory=list)
    options: list[Term] = msgspec.field(default_factory=list)
    reply_schema: str = ""
    think: bool = False


class Token(Event, frozen=True, kw_only=True):
    """A piece of text as it arrives; for display only, left out of the snapshot's digest."""

    call: str
    text: str
    thinking: bool = False


class ModelAnswered(Event, frozen=True, kw_only=True):
    """The model's whole answer; ``window`` is the context the server really gave it, 0 if unknown."""

    call: str
    text: str
    done_reason: str
    prompt_tokens: int
    answer_tokens: int
    thinking: str = ""
    window: int = 0


class ModelFailed(Event, frozen=True, kw_only=True):
    """A call that failed; ``partial`` is what had arrived until then."""

    call: str
    problem: str
    partial: str
    kind: str = ""
    mend: str = ""


class ModelTimed(Event, frozen=True, kw_only=True):
    """How long a call took in seconds, of which until the first token; beside the digest, not in it."""

    call: str
    seconds: float
    first_token: float


class ClaimsParsed(Event, frozen=True, kw_only=True):
    """An expert's claims, how they were read from what it wrote, and what could not be used."""

    persona: str
    mode: str
    claims: list[Claim]
    notes: list[str] = msgspec.field(default_factory=list)


class ClaimChecked(Event, frozen=True, kw_only=True):
    persona: str
    index: int
    support: float
    supported: bool
    missing: list[str]


class ConflictFound(Event, frozen=True, kw_only=True):
    """Two claims that cannot both be true, each with its source."""

    subject: str
    left_persona: str
    left: Claim
    right_persona: str
    right: Claim


class ScoresReady(Event, frozen=True, kw_only=True):
    """An expert's output with its scores; ``terms`` maps each score to its addends."""

    persona: str
    output: str
    scores: Scores
    terms: dict[str, list[Term]]
    notes: list[str]


class RoundPlanned(Event, frozen=True, kw_only=True):
    round: int
    reason: str
    facets: list[str]


class ExpertStoodDown(Event, frozen=True, kw_only=True):
    persona: str
    round: int
    gain: float
    reason: str


class ControlScored(Event, frozen=True, kw_only=True):
    """The control arm: one plain walk at the same budget, answered and scored the same way."""

    persona: str
    answer: str
    evidence: list[str]
    scores: Scores
    lift: float


class SynthesisStarted(Event, frozen=True, kw_only=True):
    clusters: int
    supported: int


class SentenceChecked(Event, frozen=True, kw_only=True):
    """A sentence of the answer against its citations."""

    index: int
    text: str
    markers: list[str]
    personas: list[str]
    support: float
    kept: bool


class AnswerReady(Event, frozen=True, kw_only=True):
    answer: str
    citations: list[Citation]
    flags: list[str]


class CreditAssigned(Event, frozen=True, kw_only=True):
    """What a persona earned: ``advantage`` over the other experts in [-0.5, 0.5], ``survival`` in [0, 1]."""

    persona: str
    advantage: float
    survival: float


class GaugeMoved(Event, frozen=True, kw_only=True):
    persona: str
    topic: str
    down: float
    up: float
    limit: float


class PersonaMoved(Event, frozen=True, kw_only=True):
    persona: str
    source: Tier
    target: Tier
    rule: str
    reason: str
    inputs: list[Term]


class ThresholdMoved(Event, frozen=True, kw_only=True):
    name: str
    old: float
    new: float
    inputs: list[Term]


class Warned(Event, frozen=True, kw_only=True):
    problem: str
    mend: str


class QueryFinished(Event, frozen=True, kw_only=True):
    outcome: Literal["answered", "no-evidence", "cancelled", "failed"]


class SnapshotSaved(Event, frozen=True, kw_only=True):
    """The last event of a run: outside the digest it reports."""

    snapshot: str
    digest: str


AnyEvent: TypeAlias = (
    QueryStarted
    | QuestionEmbedded
    | FollowUpRead
    | FacetsFound
    | SeedsFound
    | NodeOpened
    | EdgeOpened
    | GateScored
    | ExpertChosen
    | ExpertSkipped
    | StepTaken
    | WalkStopped
    | EvidenceRanked
    | ContextPacked
    | ModelAsked
    | Token
    | ModelAnswered
    | ModelFailed
    | ModelTimed
    | ClaimsParsed
    | ClaimChecked
    | ConflictFound
    | ScoresReady
    | RoundPlanned
    | ExpertStoodDown
    | ControlScored
    | SynthesisStarted
    | SentenceChecked
    | AnswerReady
    | CreditAssigned
    | GaugeMoved
    | PersonaMoved
    | ThresholdMoved
    | Warned
    | QueryFinished
    | SnapshotSaved
)

EVENT_TYPES: tuple[type[Event], ...] = get_args(AnyEvent)
AFTERMATH: tuple[type[Event], ...] = (GaugeMoved, PersonaMoved, ThresholdMoved)
"""What a run changes for later ones; it depends on all that was asked before, the answer does not."""
DISPLAY_ONLY: tuple[type[Event], ...] = (Token, ModelTimed, SnapshotSaved, *AFTERMATH)
"""Events the snapshot's digest leaves out: how text arrived and how fast, the aftermath, the digest."""

encoder = msgspec.json.Encoder(order="sorted")
decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
