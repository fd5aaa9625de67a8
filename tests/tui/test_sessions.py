"""Sessions: questions that follow one another, gone back to after a restart, and taken up after a drop."""

from typing import Any

import msgspec
from picture_kit import Snap, after, app, sized
from test_journeys import ask, go, shown
from textual.widgets import Static
from tui_samples import QUESTION, wait_until

from engine import events as ev
from engine.pipeline import AskOptions, Engine
from engine.snapshots.library import SnapshotInfo, SnapshotLibrary
from engine.snapshots.sessions import SessionInfo
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.conversation import Conversation, Turn
from tui.screens.sessions import SessionsScreen
from tui.widgets.parts_line import PartsLine

FOLLOW_UP = "and who founded it?"


def text_of(moe: PersonaMoeApp, selector: str) -> str:
    return str(moe.screen_stack[0].query_one(selector, Static).content)


def test_a_follow_up_is_read_with_the_question_before_and_says_so(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await ask(moe, pilot)
        assert text_of(moe, "#reading") == ""
        await ask(moe, pilot, "where is she from?")
        assert moe.desk.run.follow_up is not None
        assert "read as: where is Mara Voss from?" in text_of(moe, "#reading")
        assert "'she' is 'Mara Voss'" in text_of(moe, "#reading")
        assert text_of(moe, "#earlier") == f"1 {QUESTION}"
        assert "Tromsø" in moe.desk.run.answer_text
        follower = moe.desk.run.follow_up
        await pilot.press("escape", "R")
        await wait_until(pilot, lambda: not moe.desk.running and moe.desk.run.saved is not None)
        assert moe.desk.run.follow_up == follower
        assert [turn.question for turn in moe.desk.conversation.turns] == [QUESTION, "where is she from?"]
        await pilot.press("N")
        assert "stands alone" in moe.screen.query_one("#notice", PartsLine).text
        await ask(moe, pilot, "where is she from?")
        assert moe.desk.run.follow_up is None

    go(workspace, journey, (120, 40))


def test_a_session_is_gone_back_to_after_a_restart(workspace: Workspace) -> None:
    with Engine.open(workspace) as engine:
        list(engine.ask_sync(QUESTION))
        first = SnapshotLibrary(workspace.snapshots).find("last")
        list(engine.ask_sync("where is she from?", AskOptions(after=first)))
        list(engine.ask_sync("What is an oil lamp?"))

    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape", "o")
        await wait_until(pilot, lambda: isinstance(moe.screen, SessionsScreen))
        lines = shown(moe.screen, "RowList")
        assert f"{QUESTION}  and 1 more" in lines
        rows = moe.screen.query_one("#sessions-rows")
        rows.go_to(f"session:{first}")  # type: ignore[attr-defined]
        await pilot.press("space")
        assert "where is she from?" in shown(moe.screen, "RowList")
        await pilot.press("enter")
        await wait_until(pilot, lambda: moe.desk.run.question == "where is she from?")
        assert [turn.question for turn in moe.desk.conversation.turns] == [QUESTION, "where is she from?"]
        await ask(moe, pilot, "and which company did she found?")
        assert moe.desk.run.follow_up is not None
        assert "Mara Voss" in moe.desk.run.follow_up.reading
        await pilot.press("escape", "o")
        await wait_until(pilot, lambda: isinstance(moe.screen, SessionsScreen))
        assert "and which company did she found?" in shown(moe.screen, "RowList")
        await pilot.press("escape")

    go(workspace, journey)


def test_a_run_that_was_cut_off_is_offered_and_asked_again_with_its_context(workspace: Workspace) -> None:
    with Engine.open(workspace) as engine:
        list(engine.ask_sync(QUESTION))
        first = SnapshotLibrary(workspace.snapshots).find("last")
        broken = engine.ask_sync("where is she from?", AskOptions(after=first))
        for event in broken:
            if isinstance(event, ev.SeedsFound):
                break
        broken.close()  # type: ignore[attr-defined]

    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        notice = moe.screen.query_one("#notice", PartsLine)
        await wait_until(pilot, lambda: "the last run was cut off" in notice.text)
        assert "R asks it again" in notice.text
        await pilot.press("escape", "R")
        await wait_until(pilot, lambda: not moe.desk.running and moe.desk.run.saved is not None)
        assert moe.desk.run.follow_up is not None
        assert moe.desk.run.follow_up.reading == "where is Mara Voss from?"
        assert [turn.snapshot for turn in moe.desk.conversation.before] == [first]

    go(workspace, journey)


def test_repeating_a_question_goes_back_to_where_it_was_asked() -> None:
    talk = Conversation()
    assert talk.begin() == ""
    talk.end("a", "one")
    assert talk.begin() == "a"
    talk.end("b", "two")
    assert talk.begin(again=True) == "a"
    talk.end("c", "two")
    assert talk.turns == (Turn("a", "one"), Turn("c", "two"))
    talk.begin()
    assert talk.before == talk.turns  # a run that is stopped leaves the session as it was
    talk.clear()
    assert talk.begin() == ""


def info(name: str, question: str, session: str, state: str = "complete") -> SnapshotInfo:
    return SnapshotInfo(
        id=name,
        question=question,
        created=f"2030-01-0{name[-1]}T00:00:00Z",
        state=state,  # type: ignore[arg-type]
        complete=state == "complete",
        digest="0" * 32,
        events=40,
        bytes=1_000,
        personas=[],
        model="",
        tags=[],
        note="",
        pinned=False,
        session=session,
    )


@sized
def test_picture_of_the_list(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    made = app(empty_workspace)
    found = [
        SessionInfo(id="r1", runs=[info("r1", QUESTION, "r1"), info("r3", "who is she?", "r1", "cut off")]),
        SessionInfo(id="r2", runs=[info("r2", "What is an oil lamp?", "r2")]),
    ]

    async def before(pilot: Any) -> None:
        await after("escape")(pilot)
        await made.push_screen(SessionsScreen(made.desk.view(), found, "r1"))
        await after(on=SessionsScreen)(pilot)

    assert snap_compare(made, terminal_size=size, run_before=before)


@sized
def test_picture_of_a_follow_up(
    snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]
) -> None:
    read = ev.FollowUpRead(
        seq=0,
        reading="and where was Mara Voss born?",
        previous="",
        earlier_question=QUESTION,
        earlier_answer="",
        earlier_type="person",
        carried=[
            ev.Carried(
                phrase="she",
                text="Mara Voss",
                source="answer",
                reason="the person that was named",
            )
        ],
    )
    made = app(empty_workspace)
    made.desk.conversation.resume((Turn("r1", "What is a lamp?"), Turn("r2", QUESTION), Turn("r3", "")))

    async def before(pilot: Any) -> None:
        await after("escape")(pilot)
        made.desk.run = msgspec.structs.replace(made.desk.run, follow_up=read)
        await after()(pilot)

    assert snap_compare(made, terminal_size=size, run_before=before)
