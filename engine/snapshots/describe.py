"""An event in one readable line, for replays and timelines."""

from engine import events as ev
from engine.cleaning import counted, one_line

_TEXT = 90


def describe(event: ev.AnyEvent) -> str:
    """Return what ``event`` says, on one clean line.

    >>> describe(ev.ExpertSkipped(persona="historian", gain=0.01, cost=2.0, reason="over budget"))
    'historian is skipped: over budget (gain 0.010, cost 2)'
    """
    return one_line(_words(event), 300)


def _short(text: str) -> str:
    return one_line(text, _TEXT)


def _words(event: ev.AnyEvent) -> str:
    match event:
        case ev.QueryStarted():
            roster = counted(len(event.personas), "persona")
            return f"question: {event.question} ({roster}, budget {event.budget:g})"
        case ev.QuestionEmbedded():
            return f"compares by meaning: {event.embedder}, the nearest {event.nearest} passages"
        case ev.FollowUpRead():
            return f"read as: {event.reading} ({'; '.join(map(carried_words, event.carried))})"
        case ev.FacetsFound():
            return f"looks for: {', '.join(facet.text for facet in event.facets)}"
        case ev.SeedsFound():
            return f"seeds: {', '.join(seed.label for seed in event.seeds)}"
        case ev.NodeOpened():
            return f"opens {event.kind} {_short(event.label)} ({event.relevance:.3f}) {_by(event.persona)}"
        case ev.EdgeOpened():
            told = event.phrase or event.kind
            return f"follows {_short(told)} from {event.source} to {event.target} ({event.weight:.3f})"
        case ev.GateScored():
            return f"gate: {event.persona} is worth {event.value:.3f} at cost {event.cost:g}"
        case ev.ExpertChosen():
            return f"{event.persona} is chosen: {event.reason} (gain {event.gain:.3f}, cost {event.cost:g})"
        case ev.ExpertSkipped():
            return (
                f"{event.persona} is {why_skipped(event.reason)} (gain {event.gain:.3f}, cost {event.cost:g})"
            )
        case ev.StepTaken():
            return f"{event.persona} steps to {event.node} (step {event.step}, priority {event.priority:.3f})"
        case ev.WalkStopped():
            return f"{event.persona} stops after {counted(event.steps, 'step')}: {event.reason}"
        case ev.EvidenceRanked():
            best = f", best {place(event.evidence[0].position)}" if event.evidence else ""
            return f"evidence: {counted(len(event.evidence), 'passage')}{best}"
        case ev.ContextPacked():
            read = counted(len(event.passages), "passage")
            return f"{event.persona} reads {read} ({event.tokens}/{event.budget} tokens)"
        case _:
            return _words_of_answering(event)


def _words_of_answering(event: ev.AnyEvent) -> str:
    match event:
        case ev.ModelAsked():
            asked = (event.model.provider, event.model.name, _by(event.persona))
            return f"asks {' '.join(word for word in asked if word)}: {event.purpose}"
        case ev.Token():
            return f"{'thinks' if event.thinking else 'writes'}: {_short(event.text)}"
        case ev.ModelAnswered():
            return f"answer of {counted(event.answer_tokens, 'token')}: {_short(event.text)}"
        case ev.ModelFailed():
            return f"the model failed: {event.problem}"
        case ev.FaultSeen():
            return f"the model has just failed for {event.call.removeprefix('claims.')}: {event.problem}"
        case ev.ModelTimed():
            return f"that took {event.seconds:.1f} s, {event.first_token:.1f} s to the first token"
        case ev.ClaimsParsed():
            return f"{event.persona} makes {counted(len(event.claims), 'claim')}"
        case ev.ClaimChecked():
            verdict = "borne out" if event.supported else "not borne out"
            return f"{event.persona}: claim {event.index} is {verdict} ({event.support:.3f})"
        case ev.ConflictFound():
            return f"{event.left_persona} and {event.right_persona} disagree on {event.subject}"
        case ev.ScoresReady():
            return f"{event.persona} scores {event.scores.total:.3f}"
        case ev.ControlScored():
            return f"control arm: {event.persona} scores {event.scores.total:.3f}, lift {event.lift:+.3f}"
        case ev.SynthesisStarted():
            findings = counted(event.clusters, "finding")
            return f"writes the answer from {findings}, {event.supported} of them supported"
        case ev.SentenceChecked():
            verdict = "kept" if event.kept else "dropped"
            return f"sentence {event.index} is {verdict} ({event.support:.3f}): {_short(event.text)}"
        case ev.AnswerReady():
            return f"answer with {counted(len(event.citations), 'citation')}: {_short(event.answer)}"
        case _:
            return _words_of_learning(event)


def _words_of_learning(event: ev.AnyEvent) -> str:
    match event:
        case ev.RoundPlanned():
            return f"round {event.round}: {event.reason}"
        case ev.ExpertStoodDown():
            return f"{event.persona} stands down in round {event.round}: {event.reason}"
        case ev.CreditAssigned():
            return f"{event.persona} earns {event.advantage:+.3f}, survival {event.survival:.3f}"
        case ev.GaugeMoved():
            gauges = f"down {event.down:.3f}, up {event.up:.3f} of {event.limit:g}"
            return f"{event.persona} on {event.topic}: {gauges}"
        case ev.PersonaMoved():
            if is_birth(event.source, event.target):
                return f"{event.persona} is born, {event.target}: {event.reason}"
            return f"{event.persona} moves from {event.source} to {event.target}: {event.reason}"
        case ev.ThresholdMoved():
            return f"threshold {event.name} moves from {event.old:g} to {event.new:g}"
        case ev.Warned():
            return f"warning: {event.problem}{f'; {event.mend}' if event.mend else ''}"
        case ev.QueryFinished():
            return f"finished: {event.outcome}"
        case ev.SnapshotSaved():
            return f"saved as {event.snapshot}, digest {event.digest}"
        case _:
            return type(event).__name__


def is_birth(source: ev.Tier, target: ev.Tier) -> bool:
    """Return whether a persona that moved so is a sibling just made: it comes from no other tier."""
    return source == target


def move_words(persona: str, source: ev.Tier, target: ev.Tier, reason: str) -> str:
    """Return what became of a persona after a question, on one line.

    >>> move_words("a", "stable", "active", "gauge full")
    'Moved: a from stable to active: gauge full'
    >>> move_words("a--depth-7", "experimental", "experimental", "a sibling of a: depth 7")
    'Born: a--depth-7, experimental: a sibling of a: depth 7'
    """
    how = (
        f"Born: {persona}, {target}"
        if is_birth(source, target)
        else f"Moved: {persona} from {source} to {target}"
    )
    return one_line(f"{how}: {reason}")


def _by(persona: str) -> str:
    return f"for {persona}" if persona else ""


def carried_words(carried: ev.Carried) -> str:
    """Return what a follow-up question takes over, and why.

    >>> carried_words(ev.Carried(phrase="it", text="pipx", source="question", reason="the first name"))
    "'it' is 'pipx': the first name"
    """
    what = f"{carried.phrase!r} is {carried.text!r}" if carried.phrase else f"it keeps {carried.text!r}"
    return one_line(f"{what}: {carried.reason}", 300)


def why_skipped(reason: str) -> str:
    """Return the reason with the word that says what it is a reason for, once.

    >>> why_skipped("over budget"), why_skipped("skipped: over budget")
    ('skipped: over budget', 'skipped: over budget')
    """
    return reason if reason.startswith("skipped") else f"skipped: {reason}"


def place(position: ev.Position) -> str:
    """Return where text stands, as people write it.

    >>> place(ev.Position(document="guide.md", section="Install", start=3, end=5))
    'guide.md, Install, lines 3-5'
    """
    span = f"{position.start}" if position.start == position.end else f"{position.start}-{position.end}"
    unit = position.unit if position.start == position.end else f"{position.unit}s"
    parts = (position.document, position.section, f"{unit} {span}")
    return one_line(", ".join(part for part in parts if part))
