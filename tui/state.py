"""What the screen shows of a run: a pure fold of its events, the same for live and for replay.

:func:`fold` takes a state and events and returns the next state; the one it was given stays as it
was, so any state of the past can be kept and gone back to. It copies each part of the state once
a batch, not once an event, which keeps ten thousand nodes cheap.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from engine import events as ev
from engine.snapshots.describe import describe
from tui.run_state import EMPTY, Moment, NodeView, PersonaView, RunState, Status

__all__ = ["DECISIONS", "EMPTY", "Moment", "NodeView", "PersonaView", "RunState", "Status", "apply", "fold"]

PHASES: Final[tuple[tuple[type[ev.Event], str], ...]] = (
    (ev.QueryStarted, "reading the question"),
    (ev.GateScored, "choosing personas"),
    (ev.StepTaken, "walking the graph"),
    (ev.EvidenceRanked, "ranking evidence"),
    (ev.ContextPacked, "experts read"),
    (ev.ModelAsked, "the model writes"),
    (ev.ScoresReady, "scoring"),
    (ev.SynthesisStarted, "writing the answer"),
    (ev.AnswerReady, "closing"),
    (ev.RoundPlanned, "another round"),
)
_PHASE: Final = dict(PHASES)

DECISIONS: Final = (
    ev.ExpertChosen,
    ev.ExpertStoodDown,
    ev.RoundPlanned,
    ev.EvidenceRanked,
    ev.ScoresReady,
    ev.ConflictFound,
    ev.AnswerReady,
    ev.ControlScored,
    ev.PersonaMoved,
    ev.ThresholdMoved,
    ev.ModelFailed,
    ev.QueryFinished,
)
"""Events that decide something: a replay can jump from one to the next."""

_TOO_MANY_FOR_A_LINE: Final = (
    ev.NodeOpened,
    ev.EdgeOpened,
    ev.StepTaken,
    ev.Token,
    ev.GateScored,
    ev.ExpertSkipped,
    ev.ClaimChecked,
    ev.SentenceChecked,
    ev.GaugeMoved,
    ev.CreditAssigned,
)


_T = TypeVar("_T")


def apply(state: RunState, event: ev.Event) -> RunState:
    """Return the state after ``event``.

    >>> apply(EMPTY, ev.QueryFinished(seq=4, outcome="answered")).outcome
    'answered'
    """
    return fold(state, (event,))


def fold(state: RunState, events: Iterable[ev.Event]) -> RunState:
    """Return the state after all ``events``; ``state`` itself is not changed.

    >>> fold(EMPTY, [ev.QueryFinished(seq=0, outcome="failed")]) == apply(
    ...     EMPTY, ev.QueryFinished(seq=0, outcome="failed"))
    True
    """
    draft = _Draft(state)
    for event in events:
        draft.take(event)
    return draft.finished()


def _with(was: dict[str, tuple[_T, ...]], grown: Mapping[str, Iterable[_T]]) -> dict[str, tuple[_T, ...]]:
    return {**was, **{key: tuple(items) for key, items in grown.items()}} if grown else was


class _Draft:
    """A state being changed: each part of the original is copied before it is first written to."""

    def __init__(self, state: RunState) -> None:
        self._was = state
        self._new: dict[str, object] = {}
        self._nodes = state.nodes
        self._children: dict[str, dict[str, None]] = {}
        self._edges: dict[str, list[ev.EdgeOpened]] = {}
        self._unopened = state.unopened
        self._personas = state.personas
        self._calls = state.calls
        self._edge_count = state.edge_count
        self._timeline: list[Moment] = []
        self._sentences: list[ev.SentenceChecked] = []
        self._text: list[str] = [state.text]
        self._said: dict[str, list[str]] = {}

    def finished(self) -> RunState:
        was = self._was
        for persona, parts in self._said.items():
            view = self._personas[persona]
            self._persona(persona, said=view.said + "".join(parts))
        return msgspec.structs.replace(
            was,
            nodes=self._nodes,
            children=_with(was.children, self._children),
            edges=_with(was.edges, self._edges),
            unopened=self._unopened,
            personas=self._personas,
            calls=self._calls,
            edge_count=self._edge_count,
            timeline=was.timeline + tuple(self._timeline),
            sentences=was.sentences + tuple(self._sentences),
            text="".join(self._text),
            **self._new,
        )

    def take(self, event: ev.Event) -> None:
        self._new["seq"] = event.seq
        if (phase := _PHASE.get(type(event))) is not None:
            self._new["phase"] = phase
        if not isinstance(event, _TOO_MANY_FOR_A_LINE):
            self._timeline.append(Moment(event.seq, describe(event), isinstance(event, DECISIONS)))  # type: ignore[arg-type]
        self._of_the_graph(event)

    # -- the graph -------------------------------------------------------------------------------
    def _of_the_graph(self, event: ev.Event) -> None:
        match event:
            case ev.NodeOpened():
                self._open_node(event)
            case ev.EdgeOpened():
                self._open_edge(event)
            case ev.StepTaken():
                self._persona(event.persona, status="walking", steps=event.step + 1, node=event.node)
                if (node := self._nodes.get(event.node)) is not None:
                    self._put_node(msgspec.structs.replace(node, visits=(*node.visits, event)))
            case ev.WalkStopped():
                self._persona(event.persona, status="walked", steps=event.steps, reason=event.reason)
                if self._unopened is self._was.unopened:
                    self._unopened = dict(self._unopened)
                for left in event.unopened:
                    if left.node not in self._unopened:
                        self._unopened[left.node] = (event.persona, left)
            case ev.QueryStarted():
                self._new["started"] = event
                self._personas = {
                    each.persona_id: PersonaView(each.persona_id, each.tier) for each in event.personas
                }
            case ev.FollowUpRead():
                self._new["follow_up"] = event
            case ev.FacetsFound():
                self._new["facets"] = tuple(event.facets)
            case ev.SeedsFound():
                self._new["seeds"] = tuple(event.seeds)
            case ev.EvidenceRanked():
                self._new["evidence"] = tuple(event.evidence)
            case _:
                self._of_the_personas(event)

    def _put_node(self, node: NodeView) -> None:
        if self._nodes is self._was.nodes:
            self._nodes = dict(self._nodes)
        self._nodes[node.node] = node

    def _open_node(self, event: ev.NodeOpened) -> None:
        known = self._nodes.get(event.node)
        if known is not None:
            openers = known.openers
            if event.persona and event.persona not in openers:
                openers = (*openers, event.persona)
            relevance = max(known.relevance, event.relevance)
            self._put_node(msgspec.structs.replace(known, openers=openers, relevance=relevance))
            return
        openers = (event.persona,) if event.persona else ()
        self._put_node(NodeView(event.node, event.kind, event.label, event.parent, event.relevance, openers))
        if event.parent:
            self._children_of(event.parent)[event.node] = None

    def _children_of(self, parent: str) -> dict[str, None]:
        if parent not in self._children:
            self._children[parent] = dict.fromkeys(self._was.children.get(parent, ()))
        return self._children[parent]

    def _open_edge(self, event: ev.EdgeOpened) -> None:
        self._edge_count += 1
        for end in {event.source: 1, event.target: 1}:
            if end not in self._edges:
                self._edges[end] = [*self._was.edges.get(end, ())]
            self._edges[end].append(event)
        if event.source.startswith("e:") and event.target.startswith("p:"):
            self._hang_under_entity(event.target, event.source)

    def _hang_under_entity(self, passage: str, entity: str) -> None:
        """Show a passage below the name that led to it, unless that would tie the tree into a ring."""
        node = self._nodes.get(passage)
        if node is None or entity not in self._nodes or node.parent.startswith("e:"):
            return
        above, seen = entity, {passage}
        while above:  # a record made by hand may hold a ring already
            if above in seen:
                return
            seen.add(above)
            above = self._nodes[above].parent if above in self._nodes else ""
        self._children_of(node.parent).pop(passage, None)
        self._put_node(msgspec.structs.replace(node, parent=entity))
        self._children_of(entity)[passage] = None

    # -- the personas ----------------------------------------------------------------------------
    def _persona(self, persona_id: str, **changes: object) -> None:
        if self._personas is self._was.personas:
            self._personas = dict(self._personas)
        view = self._personas.get(persona_id) or PersonaView(persona_id, "experimental")
        self._personas[persona_id] = msgspec.structs.replace(view, **changes)

    def _of_the_personas(self, event: ev.Event) -> None:
        match event:
            case ev.GateScored():
                self._persona(event.persona, status="considered", gate=event, tier=event.tier)
            case ev.ExpertChosen():
                self._persona(
                    event.persona, status="chosen", reason=event.reason, order=event.order, cost=event.cost
                )
            case ev.ExpertSkipped():
                self._persona(event.persona, status="skipped", reason=event.reason, cost=event.cost)
            case ev.ExpertStoodDown():
                self._persona(event.persona, status="stood down", reason=event.reason)
            case ev.ContextPacked():
                self._persona(event.persona, status="reading", packed=event)
            case ev.ClaimsParsed():
                self._persona(event.persona, status="claimed", claims=tuple(event.claims))
            case ev.ClaimChecked():
                self._check_claim(event)
            case ev.ScoresReady():
                self._persona(event.persona, status="scored", scored=event)
            case ev.CreditAssigned():
                self._persona(event.persona, credit=event)
            case ev.GaugeMoved():
                gauges = self._personas[event.persona].gauges if event.persona in self._personas else ()
                self._persona(event.persona, gauges=(*gauges, event))
            case ev.PersonaMoved():
                self._persona(event.persona, moved=event, tier=event.target)
            case _:
                self._of_the_answer(event)

    def _check_claim(self, event: ev.ClaimChecked) -> None:
        view = self._personas.get(event.persona)
        if view is None or not 0 <= event.index < len(view.claims):
            return
        claims = list(view.claims)
        claims[event.index] = msgspec.structs.replace(
            claims[event.index], support=event.support, missing=event.missing
        )
        self._persona(event.persona, claims=tuple(claims))

    # -- the answer ------------------------------------------------------------------------------
    def _get(self, name: str) -> object:
        return self._new.get(name, getattr(self._was, name))

    def _of_the_answer(self, event: ev.Event) -> None:
        match event:
            case ev.ModelAsked():
                self._calls = {**self._calls, event.call: event.persona}
                if event.persona:
                    self._persona(event.persona, status="writing")
                else:
                    self._new["writing"] = event.call
                    self._text = []
            case ev.Token():
                persona = self._calls.get(event.call)
                if event.thinking or persona is None:
                    return
                if persona:
                    self._said.setdefault(persona, []).append(event.text)
                elif self._get("writing") == event.call:
                    self._text.append(event.text)
            case ev.ModelAnswered():
                self._new["tokens"] = int(str(self._get("tokens"))) + event.answer_tokens
                self._new["context_used"] = event.prompt_tokens + event.answer_tokens
                self._new["context_window"] = event.window
            case ev.ModelFailed() | ev.FaultSeen():
                # Seen ahead, it is told again in its turn, with what had been written.
                known = {each.call: each for each in self._faults()}
                self._new["faults"] = tuple({**known, event.call: event}.values())
            case ev.ModelTimed() if all(each.call != event.call for each in self._faults()):
                # Of a call that failed no tokens are told, so its seconds would belie the pace.
                self._new["seconds"] = float(str(self._get("seconds"))) + event.seconds
            case ev.ConflictFound():
                self._new["conflicts"] = (*self._tuple("conflicts"), event)
            case ev.SentenceChecked():
                self._sentences.append(event)
            case ev.AnswerReady():
                self._new["answer"] = event
            case ev.ControlScored():
                self._new["control"] = event
            case ev.Warned():
                self._new["warnings"] = (*self._tuple("warnings"), event)
            case ev.QueryFinished():
                self._new.update(outcome=event.outcome, phase="done")
            case ev.SnapshotSaved():
                self._new["saved"] = event
            case _:
                pass  # told in the timeline alone

    def _faults(self) -> "tuple[ev.ModelFailed | ev.FaultSeen, ...]":
        faults = self._get("faults")
        return faults if isinstance(faults, tuple) else ()

    def _tuple(self, name: str) -> tuple[object, ...]:
        value = self._get(name)
        return value if isinstance(value, tuple) else ()
