"""Runs to test with: one of every event type, written by hand, and strategies for random ones."""

from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from engine import events as ev
from engine.snapshots.journal import Journal

GUIDE = ev.Position(document="guide.md", section="Install", start=3, end=5)
MANUAL = ev.Position(document="manual.pdf", section="Limits", start=12, end=12, unit="page")
MODEL = ev.ModelRef(provider="ollama", name="llama3.2:3b", digest="ab" * 16, why="it answered")
SCORES = ev.Scores(relevance=0.8, consistency=0.75, novelty=0.5, grounding=1.0, total=0.7625)
CLAIM = ev.Claim(text="Install it with pipx.", cites=["p1"], support=0.9)
COUNTER = ev.Claim(text="Install it with <b>pip</b> & hope.", cites=["p2"], kind="counter", missing=["pip"])


def _term(name: str, value: float) -> ev.Term:
    return ev.Term(name=name, value=value)


def _evidence() -> list[ev.Evidence]:
    trail = [
        ev.TrailStep(node="q", label="the question", kind="seed"),
        ev.TrailStep(
            node="p:p1", label="Install", kind="mention", phrase="pipx", quote="Use pipx.", weight=0.5
        ),
    ]
    return [
        ev.Evidence(
            rank=1,
            evidence_id="p1",
            passage="p1",
            position=GUIDE,
            text="Use pipx to install it.\nIt needs Python 3.11.",
            score=0.91,
            personas=["fact-finder"],
            trail=trail,
            terms=[_term("relevance", 0.91)],
        ),
        ev.Evidence(
            rank=2,
            evidence_id="p2",
            passage="p2",
            position=MANUAL,
            text='A <script>alert("x")</script> in a document stays text.',
            score=0.4,
            personas=["sceptic", "fact-finder"],
            trail=trail[:1],
            terms=[],
        ),
    ]


def sample_run(tokens: int = 3, *, question: str = "How do I install it?") -> list[ev.AnyEvent]:
    """Return a run with every event type that decides, and so many Token events, numbered."""
    personas = [
        ev.PersonaRef(persona_id="fact-finder", tier="active", digest="01" * 16),
        ev.PersonaRef(persona_id="sceptic", tier="stable", digest="02" * 16),
    ]
    answer = "Use pipx [1]. Mind the limits [1, 2]. See [elsewhere] & <i>there</i>."
    pieces = [answer[i * len(answer) // tokens : (i + 1) * len(answer) // tokens] for i in range(tokens)]
    citations = [
        ev.Citation(
            marker="1", evidence_id="p1", passage="p1", position=GUIDE, text="Use pipx to install it."
        ),
        ev.Citation(marker="[2]", evidence_id="p2", passage="p2", position=MANUAL, text="A <script> & text."),
    ]
    run: list[ev.AnyEvent] = [
        ev.QueryStarted(
            question=question,
            schema=ev.SCHEMA_VERSION,
            corpus="c0" * 16,
            settings="5e" * 16,
            personas=personas,
            model=MODEL,
            budget=10.0,
            only=[],
            learn=True,
        ),
        ev.FollowUpRead(
            reading="How do I install persona-moe?",
            previous="0a" * 16,
            earlier_question="What is persona-moe?",
            earlier_answer="persona-moe is a program. [1]",
            earlier_type="definition",
            carried=[ev.Carried(phrase="it", text="persona-moe", source="question", reason="a pronoun")],
        ),
        ev.QuestionEmbedded(
            embedder="minilm", made_by="here", vectors="0b" * 16, vector="ADwAAA==", weight=0.3, nearest=8
        ),
        ev.FacetsFound(
            facets=[ev.Facet(facet_id="f1", kind="term", text="install", weight=1.0, terms=["instal"])],
            answer_type="method",
            comparison=[],
        ),
        ev.SeedsFound(seeds=[ev.Seed(node="p:p1", label="Install", score=0.9, terms=[_term("bm25", 0.9)])]),
        ev.NodeOpened(node="q", kind="question", label=question, parent="", persona="", relevance=1.0),
        ev.NodeOpened(
            node="e:pipx", kind="entity", label="pipx", parent="q", persona="fact-finder", relevance=0.8
        ),
        ev.EdgeOpened(
            source="q",
            target="e:pipx",
            kind="seed",
            weight=0.9,
            phrase="install",
            quote="",
            persona="fact-finder",
        ),
        ev.NodeOpened(
            node="p:p1",
            kind="passage",
            label="Install",
            parent="e:pipx",
            persona="fact-finder",
            relevance=0.9,
        ),
        ev.EdgeOpened(
            source="e:pipx",
            target="p:p1",
            kind="mention",
            weight=0.5,
            phrase="pipx",
            quote='Use "pipx" <now>.',
            persona="fact-finder",
        ),
        ev.EdgeOpened(
            source="e:pipx",
            target="p:p1",
            kind="home",
            weight=0.75,
            phrase="pipx",
            quote="Use pipx.",
            persona="sceptic",
        ),
        ev.GateScored(
            persona="fact-finder", tier="active", value=0.9, affinity=0.5, cost=1.0, terms=[_term("a", 0.9)]
        ),
        ev.ExpertChosen(persona="fact-finder", order=1, gain=0.5, cost=1.0, reason="best value"),
        ev.ExpertSkipped(persona="sceptic", gain=0.1, cost=2.0, reason="over budget"),
        ev.StepTaken(
            persona="fact-finder",
            step=1,
            node="p:p1",
            source="e:pipx",
            relevance=0.9,
            path=0.5,
            priority=0.45,
            terms=[_term("relevance", 0.45)],
        ),
        ev.WalkStopped(
            persona="fact-finder",
            reason="budget",
            steps=1,
            unopened=[ev.Unopened(node="p:p9", label="Other", priority=0.1, reason="floor")],
        ),
        ev.EvidenceRanked(evidence=_evidence()),
        ev.ContextPacked(persona="fact-finder", passages=["p1"], dropped=["p2"], tokens=120, budget=2000),
        ev.ModelAsked(call="c1", purpose="answer", persona="fact-finder", model=MODEL),
        *(ev.Token(call="c1", text=piece) for piece in pieces),
        ev.ModelAnswered(call="c1", text=answer, done_reason="stop", prompt_tokens=100, answer_tokens=20),
        ev.ModelFailed(call="c2", problem="the connection was lost", partial="Use"),
        ev.ClaimsParsed(persona="fact-finder", mode="lines", claims=[CLAIM]),
        ev.ClaimChecked(persona="fact-finder", index=0, support=0.9, supported=True, missing=[]),
        ev.ConflictFound(
            subject="install", left_persona="fact-finder", left=CLAIM, right_persona="sceptic", right=COUNTER
        ),
        ev.ScoresReady(
            persona="fact-finder",
            output="Install it with pipx.",
            scores=SCORES,
            terms={"relevance": [_term("cover", 0.8)], "seq": [_term("seq", 0.5)]},
            notes=["fine"],
        ),
        ev.RoundPlanned(round=2, reason="a facet is open", facets=["f1"]),
        ev.ExpertStoodDown(persona="fact-finder", round=2, gain=0.01, reason="nothing new"),
        ev.ControlScored(persona="plain", answer="Use pip.", evidence=["p1"], scores=SCORES, lift=0.125),
        ev.SynthesisStarted(clusters=2, supported=1),
        ev.SentenceChecked(
            index=0, text="Use pipx [1].", markers=["1"], personas=["fact-finder"], support=0.9, kept=True
        ),
        ev.AnswerReady(answer=answer, citations=citations, flags=["short"]),
        ev.CreditAssigned(persona="fact-finder", advantage=0.25, survival=0.9),
        ev.GaugeMoved(persona="fact-finder", topic="install", down=0.0, up=0.5, limit=3.0),
        ev.PersonaMoved(
            persona="sceptic", source="stable", target="active", rule="promote", reason="did well", inputs=[]
        ),
        ev.ThresholdMoved(name="promotion", old=0.5, new=0.55, inputs=[_term("runs", 12.0)]),
        ev.Warned(problem="the index is old", mend="run index"),
        ev.QueryFinished(outcome="answered"),
    ]
    return numbered(run)


def numbered(run: list[ev.AnyEvent]) -> list[ev.AnyEvent]:
    """Return the events with ``seq`` counting from 0."""
    return [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(run)]


def record(folder: Path, run: list[ev.AnyEvent], *, pace: float = 0.01, buffer: int = 0) -> ev.SnapshotSaved:
    """Write ``run`` as a complete snapshot in ``folder``."""
    with Journal.create(folder, label="a test", buffer=buffer) as journal:
        for event in run:
            journal.append(event, event.seq * pace)
        return journal.close()


def _of(kind: Any) -> st.SearchStrategy[Any]:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return st.one_of([st.just(msgspec.UNSET) if arg is msgspec.UnsetType else _of(arg) for arg in args])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is list:
        return st.lists(_of(args[0]), max_size=2)
    if origin is dict:
        keys = st.sampled_from(["seq", '"seq":1,', "total"]) | st.text(max_size=3)
        return st.dictionaries(keys, _of(args[1]), max_size=2)
    if kind is str:
        awkward = st.sampled_from(['"seq":0,', '","prev":"', "\n", '"event":', "\\", "\x00\x7f"])
        return awkward | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(0, 2**53)
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    return st.builds(kind, **{f.name: _of(f.type) for f in msgspec.structs.fields(kind) if f.name != "seq"})


EVENT = st.one_of([_of(kind) for kind in ev.EVENT_TYPES if kind is not ev.SnapshotSaved])
RUN = st.lists(EVENT, max_size=8).map(numbered)
