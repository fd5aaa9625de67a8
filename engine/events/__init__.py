"""The event records: one tagged union, the contract of the whole product.

Everything a face shows, a snapshot keeps or a replay repeats is one of these. ``seq`` is the
logical time: it counts from 0 within a run, without gaps. Numbers that express a score, a weight
or a price are quantised to 1e-6 (:func:`engine.ids.q6`). No event carries a date, a host name or an
absolute path, and durations stand only in :class:`ModelTimed`, which no digest holds.

Node ids: ``q`` the question, ``e:KEY`` an entity, ``p:ID`` a passage, ``s:ID`` a section,
``d:NAME`` a document.

One module for each stage of the flow; whoever uses events imports them from here.
"""

from engine.events.answering import (
    AnswerReady,
    ClaimChecked,
    ClaimsParsed,
    ConflictFound,
    ControlScored,
    ScoresReady,
    SentenceChecked,
    SynthesisStarted,
)
from engine.events.asking import (
    FacetsFound,
    FollowUpRead,
    QueryStarted,
    QuestionEmbedded,
    SeedsFound,
)
from engine.events.base import (
    SCHEMA_VERSION,
    ClaimKind,
    Event,
    FacetKind,
    NodeKind,
    Record,
    Tier,
)
from engine.events.calling import (
    ContextPacked,
    FaultSeen,
    ModelAnswered,
    ModelAsked,
    ModelFailed,
    ModelTimed,
    Token,
)
from engine.events.choosing import (
    ONE_EXPERT,
    ExpertChosen,
    ExpertSkipped,
    ExpertStoodDown,
    GateScored,
    RoundPlanned,
)
from engine.events.ending import (
    CreditAssigned,
    GaugeMoved,
    PersonaMoved,
    QueryFinished,
    SnapshotSaved,
    ThresholdMoved,
    Warned,
)
from engine.events.parts import (
    Carried,
    Citation,
    Claim,
    Evidence,
    Facet,
    ModelMessage,
    ModelRef,
    PersonaRef,
    Position,
    Scores,
    Seed,
    Term,
    TrailStep,
    Unopened,
)
from engine.events.stream import (
    AFTERMATH,
    DISPLAY_ONLY,
    EVENT_TYPES,
    AnyEvent,
    decoder,
    encoder,
)
from engine.events.walking import (
    EdgeOpened,
    EvidenceRanked,
    NodeOpened,
    StepTaken,
    WalkStopped,
)

__all__ = [
    "AFTERMATH",
    "DISPLAY_ONLY",
    "EVENT_TYPES",
    "ONE_EXPERT",
    "SCHEMA_VERSION",
    "AnswerReady",
    "AnyEvent",
    "Carried",
    "Citation",
    "Claim",
    "ClaimChecked",
    "ClaimKind",
    "ClaimsParsed",
    "ConflictFound",
    "ContextPacked",
    "ControlScored",
    "CreditAssigned",
    "EdgeOpened",
    "Event",
    "Evidence",
    "EvidenceRanked",
    "ExpertChosen",
    "ExpertSkipped",
    "ExpertStoodDown",
    "Facet",
    "FacetKind",
    "FacetsFound",
    "FaultSeen",
    "FollowUpRead",
    "GateScored",
    "GaugeMoved",
    "ModelAnswered",
    "ModelAsked",
    "ModelFailed",
    "ModelMessage",
    "ModelRef",
    "ModelTimed",
    "NodeKind",
    "NodeOpened",
    "PersonaMoved",
    "PersonaRef",
    "Position",
    "QueryFinished",
    "QueryStarted",
    "QuestionEmbedded",
    "Record",
    "RoundPlanned",
    "Scores",
    "ScoresReady",
    "Seed",
    "SeedsFound",
    "SentenceChecked",
    "SnapshotSaved",
    "StepTaken",
    "SynthesisStarted",
    "Term",
    "ThresholdMoved",
    "Tier",
    "Token",
    "TrailStep",
    "Unopened",
    "WalkStopped",
    "Warned",
    "decoder",
    "encoder",
]
