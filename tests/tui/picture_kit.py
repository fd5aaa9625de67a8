"""What the pictures of the app are made from: a run made by hand, and the app without an engine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.command import CommandPalette
from tui_samples import QUESTION, still, wait_until

from engine import events as ev
from engine.events import Event
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE, Glyphs
from tui.notices import ModelState, Opened, PersonaRow, RunEnded
from tui.screens.main import MainScreen

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x50": (200, 50)}
sized = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
"""Every screen and state in the three sizes; the themes are looked at in the middle one."""
Before = Callable[[Any], Awaitable[None]]

PERSONAS = (
    ("fact-finder", "active", 0.5),
    ("sceptic", "active", 1.0),
    ("historian", "stable", 1.2),
    ("scout", "experimental", 0.8),
)
OPENED = Opened(
    passages=5,
    documents=("lamps.md", "notes.txt", "people/mara.md"),
    file_count=3,
    personas=tuple(
        PersonaRow(persona_id=name, tier=tier, name=name, cost=cost, expertise=("lamps",), pinned=False)  # type: ignore[arg-type]
        for name, tier, cost in PERSONAS
    ),
    problems=(),
)


def position(document: str, start: int, end: int, section: str) -> ev.Position:
    return ev.Position(document=document, section=section, start=start, end=end)


TEXT = (
    "A solar lamp stores the light of the day in a battery. The battery of the Helio lamp lasts nine hours.\n"
    "The Helio lamp was designed by Mara Voss in 1994."
)
SCORES = ev.Scores(relevance=1.0, consistency=0.5, novelty=0.25, grounding=1.0, total=0.6875)


def recorded() -> list[Event]:
    """A run made by hand, so that no picture changes because the engine became better."""
    terms = [ev.Term(name="helio", value=0.75), ev.Term(name="design", value=0.5)]
    lamps = position("lamps.md", 5, 6, "Lamps › Solar lamps")
    made: list[Event] = [
        ev.QueryStarted(
            question=QUESTION,
            schema=1,
            corpus="c",
            settings="s",
            personas=[ev.PersonaRef(persona_id=n, tier=t, digest="d") for n, t, _ in PERSONAS],  # type: ignore[arg-type]
            model=ev.ModelRef(provider="extractive", name="", why="no model server is listening"),
            budget=4.0,
            only=[],
            learn=True,
        ),
        ev.FacetsFound(
            facets=[ev.Facet(facet_id="f", kind="entity", text="Helio lamp", weight=1.0, terms=["helio"])],
            answer_type="person",
            comparison=[],
        ),
        ev.SeedsFound(seeds=[ev.Seed(node="p:1", label="Solar lamps", score=1.25, terms=terms)]),
        *(
            ev.GateScored(persona=n, tier=t, value=0.5, affinity=0.25, cost=c, terms=terms)  # type: ignore[arg-type]
            for n, t, c in PERSONAS
        ),
        ev.ExpertChosen(persona="fact-finder", order=0, gain=0.5, cost=0.5, reason="picked first"),
        ev.ExpertChosen(persona="historian", order=1, gain=0.25, cost=1.2, reason="picked second"),
        ev.ExpertSkipped(persona="sceptic", gain=0.01, cost=1.0, reason="skipped: over budget"),
        ev.ExpertSkipped(persona="scout", gain=0.01, cost=0.8, reason="skipped: no audition"),
    ]

    def node(name: str, kind: ev.NodeKind, label: str, parent: str, persona: str = "fact-finder") -> None:
        made.append(
            ev.NodeOpened(node=name, kind=kind, label=label, parent=parent, persona=persona, relevance=0.75)
        )

    def edge(source: str, target: str, kind: str, quote: str = "") -> None:
        made.append(
            ev.EdgeOpened(
                source=source,
                target=target,
                kind=kind,
                weight=1.0,
                phrase="",
                quote=quote,
                persona="fact-finder",
            )
        )

    node("q", "question", QUESTION, "", "")
    node("e:helio lamp", "entity", "helio lamp", "q", "")
    edge("q", "e:helio lamp", "asks about", QUESTION)
    node("p:1", "passage", "Solar lamps", "q")
    node("d:lamps.md", "document", "lamps.md", "p:1")
    node("s:1", "section", "Lamps › Solar lamps", "p:1")
    edge("e:helio lamp", "p:1", "home", "The Helio lamp was designed by Mara Voss in 1994.")
    made.append(
        ev.StepTaken(
            persona="fact-finder",
            step=0,
            node="p:1",
            source="q",
            relevance=0.75,
            path=1.0,
            priority=0.75,
            terms=terms,
        )
    )
    node("e:mara voss", "entity", "mara voss", "p:1")
    node("p:2", "passage", "Mara Voss", "p:1", "historian")
    edge("e:mara voss", "p:2", "home (title)", "Mara Voss is an engineer from Tromsø.")
    left = ev.Unopened(node="p:9", label="Oil lamps", priority=0.125, reason="step budget used up")
    made += [
        ev.WalkStopped(persona="fact-finder", reason="nothing left to visit", steps=4, unopened=[left]),
        ev.WalkStopped(persona="historian", reason="the rest is below the floor", steps=2, unopened=[]),
        ev.EvidenceRanked(
            evidence=[
                ev.Evidence(
                    rank=1,
                    evidence_id="1",
                    passage="1",
                    position=lamps,
                    text=TEXT,
                    score=1.25,
                    personas=["fact-finder", "historian"],
                    trail=[ev.TrailStep(node="p:1", label="Solar lamps", kind="matches", quote=TEXT[-49:])],
                    terms=terms,
                )
            ]
        ),
        ev.ScoresReady(
            persona="fact-finder",
            output="The Helio lamp was designed by Mara Voss in 1994.",
            scores=SCORES,
            terms={"relevance": terms},
            notes=["citation recall 1.00"],
        ),
        ev.ScoresReady(persona="historian", output="In 1994.", scores=SCORES, terms={}, notes=[]),
        ev.SynthesisStarted(clusters=1, supported=1),
        ev.SentenceChecked(
            index=0,
            text="The Helio lamp was designed by Mara Voss in 1994.",
            markers=["[1]"],
            personas=["fact-finder"],
            support=1.0,
            kept=True,
        ),
        ev.AnswerReady(
            answer="The Helio lamp was designed by **Mara Voss** in 1994. [1]",
            citations=[ev.Citation(marker="[1]", evidence_id="1", passage="1", position=lamps, text=TEXT)],
            flags=["extracts only: no model"],
        ),
        ev.ControlScored(
            persona="fact-finder", answer="In 1994.", evidence=["1"], scores=SCORES, lift=0.0625
        ),
        ev.PersonaMoved(
            persona="historian",
            source="stable",
            target="active",
            rule="promotion",
            reason="gauge full",
            inputs=terms,
        ),
        ev.QueryFinished(outcome="answered"),
        ev.SnapshotSaved(snapshot="20300101-000000-abcdef", digest="0" * 32),
    ]
    import msgspec

    return [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(made)]


BEATS = 3
"""Without another picture: lists that grow are drawn at every second beat only."""
NO_MODEL = ModelState(status="off", instead="answers quote your documents")


class Filmed(PersonaMoeApp):
    """The app, which counts the pictures it makes."""

    frames = 0

    def _display(self, screen: Any, renderable: Any) -> None:
        self.frames += 1
        super()._display(screen, renderable)


class Quiet(Filmed):
    """The app without an engine: what it shows is put there by the test."""

    def start_session(self) -> None:
        self.desk.session.queue.put(0, OPENED)
        if self.desk.model is None:
            self.desk.session.queue.put(0, NO_MODEL)


async def nothing(work: object) -> str:
    """Stand in for the engine's thread: it has nothing to say."""
    return ""


def app(
    workspace: Workspace,
    *,
    glyphs: Glyphs = UNICODE,
    events: int | None = None,
    ended: RunEnded | None = None,
    **options: Any,
) -> Quiet:
    """Return the app after so many ``events`` of the run, all with None; ``ended`` says how it ended then."""
    made = Quiet(workspace, glyphs=glyphs, clock=still, **options)
    made.desk.session.look = lambda: None  # type: ignore[method-assign]
    made.desk.session.call = nothing  # type: ignore[method-assign, assignment]
    if events != 0:
        made.desk.number, made.desk.running = 1, True
        for event in recorded()[:events]:
            made.desk.session.queue.put(1, event)
        if events is None or ended is not None:
            made.desk.session.queue.put(1, ended or RunEnded())
    return made


async def settled(pilot: Any) -> None:
    """Wait until the picture is whole and stays: beat after beat of the app's timer makes no other."""
    moe: Filmed = pilot.app
    main: MainScreen = moe.screen_stack[0]  # type: ignore[assignment]
    main.ticking.pause()
    hurried = main.set_interval(1 / 40, main.tick)
    frames = beat = -1
    await pilot.pause()
    for _ in range(4_000):
        await asyncio.sleep(0.01)
        screen = moe.screen
        # The footer is drawn a little after the keys; the palette and a screen too small have none.
        bare = isinstance(screen, CommandPalette) or screen.has_class("-tiny")
        whole = bare or any(key.size.width for key in screen.query("FooterKey"))
        if not whole or moe.frames != frames:
            frames, beat = moe.frames, main._ticks
        elif main._ticks >= beat + BEATS:
            hurried.stop()
            main.ticking.resume()
            return
    raise AssertionError("the picture never came to rest")


def after(*keys: str, replay: int | None = None, on: type[object] = MainScreen) -> Before:
    async def before(pilot: Any) -> None:
        moe = pilot.app
        await wait_until(pilot, lambda: moe.desk.opened is not None)
        if replay is not None:
            events = recorded()
            moe.desk.replay("20300101-000000-abcdef", events, [0.0] * len(events))
            moe.desk.player.playing = False
            moe.desk.player.seek(replay)
        main = moe.screen_stack[0]
        await wait_until(pilot, lambda: main.is_drawn(moe.desk.view()) and isinstance(moe.screen, on))
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)

    return before


Snap = Callable[..., bool]
