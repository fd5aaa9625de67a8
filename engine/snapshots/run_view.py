"""A recorded run folded into what comparisons and exports speak of."""

from collections.abc import Iterable

import msgspec

from engine.events import (
    AnswerReady,
    Citation,
    ControlScored,
    Event,
    Evidence,
    EvidenceRanked,
    ExpertChosen,
    ExpertSkipped,
    FacetsFound,
    FollowUpRead,
    PersonaMoved,
    QueryFinished,
    QueryStarted,
    ScoresReady,
    SynthesisStarted,
    Warned,
)


class RunView(msgspec.Struct, kw_only=True):
    """The outcome of a run, by subject; dicts are keyed by persona in the order of the events."""

    started: QueryStarted | None = None
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    chosen: dict[str, ExpertChosen] = msgspec.field(default_factory=dict)
    skipped: dict[str, ExpertSkipped] = msgspec.field(default_factory=dict)
    scores: dict[str, ScoresReady] = msgspec.field(default_factory=dict)
    answer: str = ""
    citations: list[Citation] = msgspec.field(default_factory=list)
    flags: list[str] = msgspec.field(default_factory=list)
    control: ControlScored | None = None
    synthesis: SynthesisStarted | None = None
    moves: list[PersonaMoved] = msgspec.field(default_factory=list)
    warnings: list[Warned] = msgspec.field(default_factory=list)
    outcome: str = ""
    follow_up: FollowUpRead | None = None
    answer_type: str = "other"

    @property
    def question(self) -> str:
        """The question asked, empty if the run was cut off before it."""
        return self.started.question if self.started else ""

    @property
    def reading(self) -> str:
        """The question as it was answered: a follow-up with the names it stands for."""
        return self.follow_up.reading if self.follow_up else self.question


def view_run(events: Iterable[Event]) -> RunView:
    """Return the outcome of a run; of what was said several times, the last word counts.

    >>> view_run([QueryFinished(outcome="answered")]).outcome
    'answered'
    """
    view = RunView()
    for event in events:
        match event:
            case QueryStarted():
                view.started = event
            case FollowUpRead():
                view.follow_up = event
            case FacetsFound():
                view.answer_type = event.answer_type
            case EvidenceRanked():
                view.evidence = event.evidence
            case ExpertChosen():
                view.chosen[event.persona] = event
                view.skipped.pop(event.persona, None)
            case ExpertSkipped():
                view.skipped[event.persona] = event
            case ScoresReady():
                view.scores[event.persona] = event
            case AnswerReady():
                view.answer, view.citations, view.flags = event.answer, event.citations, event.flags
            case ControlScored():
                view.control = event
            case SynthesisStarted():
                view.synthesis = event
            case PersonaMoved():
                view.moves.append(event)
            case Warned():
                view.warnings.append(event)
            case QueryFinished():
                view.outcome = event.outcome
            case _:
                continue
    return view
