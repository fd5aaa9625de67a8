"""All events as one tagged union, in the order of the flow, and how they are written and read."""

from typing import TypeAlias, get_args

import msgspec

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
    Event,
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
from engine.events.walking import (
    EdgeOpened,
    EvidenceRanked,
    NodeOpened,
    StepTaken,
    WalkStopped,
)

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
    | FaultSeen
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
DISPLAY_ONLY: tuple[type[Event], ...] = (Token, FaultSeen, ModelTimed, SnapshotSaved, *AFTERMATH)
"""Events the snapshot's digest leaves out: how text arrived and how fast, the aftermath, the digest."""

encoder = msgspec.json.Encoder(order="sorted")
decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
