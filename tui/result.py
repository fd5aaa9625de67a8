"""The events of a run folded into the one object that ``ask --json`` prints.

The same fold serves the readable form of an answer, so the two cannot say different things.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from engine import events as ev
from engine.ids import digest


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the printed object; its keys are promised in docs/command-line.md."""


class CitationLine(Part, frozen=True, kw_only=True):
    """What a marker of the answer stands for: a sentence and where it is."""

    marker: str
    document: str
    start: int
    end: int
    text: str


class EvidenceLine(Part, frozen=True, kw_only=True):
    """One ranked passage. ``id`` is the passage's id, or the corpus id for a dataset."""

    rank: int
    id: str
    document: str
    section: str
    start: int
    end: int
    text: str
    score: float
    personas: list[str]
    trail: list[ev.TrailStep]


class SearchResult(Part, frozen=True, kw_only=True):
    """What ``search --json`` prints."""

    query: str
    evidence: list[EvidenceLine]


class Expert(Part, frozen=True, kw_only=True):
    """A persona that took part: the gate's value of it in [0, 1], its price, what it said."""

    persona_id: str
    gate: float
    cost: float
    output: str
    scores: ev.Scores | None


class Skipped(Part, frozen=True, kw_only=True):
    """A persona that did not take part, and why."""

    persona_id: str
    reason: str


class Move(Part, frozen=True, kw_only=True):
    """A persona that changed its tier, and why."""

    persona_id: str
    source: ev.Tier = msgspec.field(name="from")
    target: ev.Tier = msgspec.field(name="to")
    reason: str


class Model(Part, frozen=True, kw_only=True):
    """The model that wrote; ``transcript`` is the digest of its answers, empty when it gave none."""

    provider: str
    name: str
    transcript: str


class Call(Part, frozen=True, kw_only=True):
    """One call of the model: for whom ('' for the answer), what it took, and how it ended.

    ``tokens_per_second`` counts the answer's tokens from the first one on, 0 where it is not known.
    """

    persona_id: str
    prompt_tokens: int
    answer_tokens: int
    seconds: float
    tokens_per_second: float
    outcome: str


class Control(Part, frozen=True, kw_only=True):
    """The control arm: what one plain walk at the same budget would have answered."""

    persona_id: str
    answer: str
    evidence: list[str]
    scores: ev.Scores


class SnapshotRef(Part, frozen=True, kw_only=True):
    """Where the run is kept."""

    id: str
    digest: str
    path: str


class AskResult(Part, frozen=True, kw_only=True):
    """What ``ask --json`` prints. ``timings`` are seconds by the clock of the face, not of the run."""

    run_id: str
    query: str
    reading: str
    carried: list[ev.Carried]
    answer: str
    citations: list[CitationLine]
    evidence: list[EvidenceLine]
    experts: list[Expert]
    skipped: list[Skipped]
    moves: list[Move]
    model: Model
    calls: list[Call]
    control: Control | None
    lift: float | None
    timings: dict[str, float]
    snapshot: SnapshotRef | None
    outcome: str
    flags: list[str]
    warnings: list[str]


def evidence_line(evidence: ev.Evidence) -> EvidenceLine:
    """Return ``evidence`` as it is printed."""
    where = evidence.position
    return EvidenceLine(
        rank=evidence.rank,
        id=evidence.evidence_id,
        document=where.document,
        section=where.section,
        start=where.start,
        end=where.end,
        text=evidence.text,
        score=evidence.score,
        personas=evidence.personas,
        trail=evidence.trail,
    )


class Fold:
    """Takes the events of a run one by one; ``result`` may be asked for at any time.

    A run that is cut off leaves a shorter but valid result, with the outcome ``running``.

    >>> fold = Fold()
    >>> fold.add(ev.AnswerReady(seq=0, answer="Yes. [1]", citations=[], flags=[]))
    >>> fold.result().answer, fold.result().outcome
    ('Yes. [1]', 'running')
    """

    def __init__(self) -> None:
        self.question = ""
        self.follow_up: ev.FollowUpRead | None = None
        self.model: ev.ModelRef | None = None
        self.evidence: list[ev.Evidence] = []
        self.answer: ev.AnswerReady | None = None
        self.control: ev.ControlScored | None = None
        self.saved: ev.SnapshotSaved | None = None
        self.outcome = "running"
        self.warnings: list[str] = []
        self._gate: dict[str, ev.GateScored] = {}
        self._chosen: dict[str, ev.ExpertChosen] = {}
        self._skipped: dict[str, ev.ExpertSkipped] = {}
        self._scored: dict[str, ev.ScoresReady] = {}
        self._moves: list[ev.PersonaMoved] = []
        self._model_answers: list[ev.ModelAnswered] = []
        self._asked: dict[str, ev.ModelAsked] = {}
        self._failed: dict[str, ev.ModelFailed] = {}
        self._timed: dict[str, ev.ModelTimed] = {}
        self._pieces: Counter[str] = Counter()

    def add(self, event: ev.Event) -> None:
        """Take the next event of the run."""
        match event:
            case ev.QueryStarted():
                self.question, self.model = event.question, event.model
                if event.model.problem:
                    self.warnings.append(f"no model writes: {event.model.problem}")
            case ev.FollowUpRead():
                self.follow_up = event
            case ev.GateScored():
                self._gate[event.persona] = event
            case ev.ExpertChosen():
                self._chosen[event.persona] = event
                self._skipped.pop(event.persona, None)
            case ev.ExpertSkipped():
                self._skipped[event.persona] = event
            case ev.EvidenceRanked():
                self.evidence = event.evidence
            case ev.ModelAnswered():
                self._model_answers.append(event)
            case ev.ModelAsked():
                self._asked[event.call] = event
            case ev.ModelTimed():
                self._timed[event.call] = event
            case ev.Token():
                self._pieces[event.call] += 1
            case ev.ModelFailed():
                self._failed[event.call] = event
                self.warnings.append(f"the model failed: {event.problem}")
            case ev.ScoresReady():
                self._scored[event.persona] = event
            case ev.ControlScored():
                self.control = event
            case ev.AnswerReady():
                self.answer = event
            case ev.PersonaMoved():
                self._moves.append(event)
            case ev.Warned():
                self.warnings.append(f"{event.problem}; {event.mend}" if event.mend else event.problem)
            case ev.QueryFinished():
                self.outcome = event.outcome
            case ev.SnapshotSaved():
                self.saved = event
            case _:
                pass  # the steps of the walk are for the app, the journal and --events

    def experts(self) -> list[Expert]:
        """Return the experts in the order in which the gate chose them."""
        return [self._expert(c) for c in sorted(self._chosen.values(), key=lambda c: (c.order, c.persona))]

    def _expert(self, chosen: ev.ExpertChosen) -> Expert:
        scored, gate = self._scored.get(chosen.persona), self._gate.get(chosen.persona)
        return Expert(
            persona_id=chosen.persona,
            gate=gate.value if gate else chosen.gain,
            cost=chosen.cost,
            output=scored.output if scored else "",
            scores=scored.scores if scored else None,
        )

    def _model(self) -> Model:
        said = [part for call in self._model_answers for part in (call.call, call.text)]
        return Model(
            provider=self.model.provider if self.model else "",
            name=self.model.name if self.model else "",
            transcript=digest("transcript.v1", *said) if said else "",
        )

    def calls(self) -> list[Call]:
        """Return the calls of the model, in the order they were made."""
        answers = {answer.call: answer for answer in self._model_answers}
        return [self._call(asked, answers.get(asked.call)) for asked in self._asked.values()]

    def _call(self, asked: ev.ModelAsked, answer: ev.ModelAnswered | None) -> Call:
        failed, timed = self._failed.get(asked.call), self._timed.get(asked.call)
        # Of a call that broke off nobody says how much it wrote; a server sends a token at a time.
        tokens = answer.answer_tokens if answer else self._pieces[asked.call]
        writing = timed.seconds - timed.first_token if timed else 0.0
        return Call(
            persona_id=asked.persona,
            prompt_tokens=answer.prompt_tokens if answer else 0,
            answer_tokens=tokens,
            seconds=round(timed.seconds, 3) if timed else 0.0,
            tokens_per_second=round((tokens - 1) / writing, 1) if writing > 0 and tokens > 1 else 0.0,
            outcome=failed.problem if failed else (answer.done_reason if answer else "running"),
        )

    def result(self, timings: dict[str, float] | None = None, snapshot_path: str = "") -> AskResult:
        """Return what is known so far."""
        answer, control, saved = self.answer, self.control, self.saved
        return AskResult(
            run_id=saved.snapshot if saved else "",
            query=self.question,
            reading=self.follow_up.reading if self.follow_up else self.question,
            carried=self.follow_up.carried if self.follow_up else [],
            answer=answer.answer if answer else "",
            citations=[
                CitationLine(
                    marker=c.marker,
                    document=c.position.document,
                    start=c.position.start,
                    end=c.position.end,
                    text=c.text,
                )
                for c in (answer.citations if answer else [])
            ],
            evidence=[evidence_line(e) for e in self.evidence],
            experts=self.experts(),
            skipped=[
                Skipped(persona_id=s.persona, reason=s.reason)
                for s in self._skipped.values()
                if s.persona not in self._chosen
            ],
            moves=[
                Move(persona_id=m.persona, source=m.source, target=m.target, reason=m.reason)
                for m in self._moves
            ],
            model=self._model(),
            calls=self.calls(),
            control=Control(
                persona_id=control.persona,
                answer=control.answer,
                evidence=control.evidence,
                scores=control.scores,
            )
            if control
            else None,
            lift=control.lift if control else None,
            timings=timings or {},
            snapshot=SnapshotRef(id=saved.snapshot, digest=saved.digest, path=snapshot_path)
            if saved
            else None,
            outcome=self.outcome,
            flags=list(answer.flags) if answer else [],
            warnings=list(self.warnings),
        )


def fold(events: Iterable[ev.Event]) -> Fold:
    """Return the fold of all of ``events``."""
    folded = Fold()
    for event in events:
        folded.add(event)
    return folded
