"""Two runs side by side: what the rows say, and the way there by key."""

from typing import Any

from picture_kit import Snap, after, app, recorded, sized
from test_journeys import go, shown
from tui_samples import QUESTION, wait_until

from engine.events import Event, SnapshotSaved
from engine.pipeline import AskOptions, Engine
from engine.snapshots.diff import EvidenceChange, ExpertChange, InputChange, ScoreChange, SnapshotDiff
from engine.workspace import Workspace
from tui.app import PersonaMoeApp
from tui.glyphs import ASCII, UNICODE
from tui.library import compare_runs
from tui.panes.compare import Comparison, Side, as_text, columns, compare_rows
from tui.panes.rows import View
from tui.screens.compare import CompareScreen
from tui.screens.runs import RunsScreen
from tui.state import EMPTY
from tui.widgets.parts_line import PartsLine

VIEW = View(run=EMPTY, glyphs=UNICODE)


def change(kind: str, left: int | None, right: int | None) -> EvidenceChange:
    return EvidenceChange(
        evidence_id=f"{kind}{left}{right}",
        document=f"{kind}.md",
        section="Lamps › Solar lamps",
        change=kind,  # type: ignore[arg-type]
        left_rank=left,
        right_rank=right,
        left_score=None if left is None else 1.25,
        right_score=None if right is None else 0.5,
    )


COMPARISON = Comparison(
    left=Side(snapshot="20300101-000000-aaaaaa", created="2030-01-01T00:00:00Z", question=QUESTION),
    right=Side(snapshot="20300102-000000-bbbbbb", created="2030-01-02T00:00:00Z", question="Who made it?"),
    diff=SnapshotDiff(
        left="20300101-000000-aaaaaa",
        right="20300102-000000-bbbbbb",
        identical=False,
        inputs=[
            InputChange(name="question", left=QUESTION, right="Who made it?"),
            InputChange(name="persona scout", left=f"active {'0123456789abcdef' * 2}", right=""),
        ],
        evidence=[change("gained", None, 1), change("lost", 2, None), change("moved", 3, 2)],
        experts=[ExpertChange(persona="scout", left="chosen as 1: picked second", right="skipped: dear")],
        scores=[ScoreChange(persona="sceptic", score="relevance", left=0.5, right=0.75, moved=0.25)],
        left_answer="The Helio lamp was designed by Mara Voss in 1994. [1]",
        right_answer="Nordlys makes the Helio lamp. [1]\n\nThat is a company of Mara Voss. [2]",
        left_outcome="answered",
        right_outcome="answered",
    ),
)


def said(width: int, toggled: frozenset[str] = frozenset()) -> list[str]:
    return [row.text for row in compare_rows(VIEW, COMPARISON, toggled, width)]


def test_the_rows_say_what_was_gained_lost_and_moved_and_who_was_chosen_on_one_side() -> None:
    lines = said(110)
    assert any("+ gained" in line and "gained.md" in line for line in lines)
    assert any("- lost" in line and "lost.md" in line for line in lines)
    assert any("~ moved" in line and "3 → 2" in line for line in lines)
    assert any("sceptic" in line and "0.500 → 0.750" in line and "+0.250" in line for line in lines)
    assert "scout" in lines
    assert any("picked second" in line and "skipped: dear" in line for line in lines)
    assert any("active 0123456789ab" in line for line in lines)
    folded = said(110, frozenset({"#evidence"}))
    assert not any("gained.md" in line for line in folded)


def test_no_line_is_wider_than_its_pane_and_every_word_of_both_answers_is_there() -> None:
    for width in (60, 78, 118):
        rows = compare_rows(VIEW, COMPARISON, frozenset(), width)
        answers = [row for row in rows if row.key.startswith("answer/")]
        assert all(len(row.text) + 2 * row.depth + 2 <= width for row in answers)
        left = " ".join(" ".join(row.parts[0][0] for row in answers).split())
        right = " ".join(" ".join(row.parts[2][0] for row in answers).split())
        assert left == COMPARISON.diff.left_answer
        assert right == " ".join(COMPARISON.diff.right_answer.split())


def test_columns_count_cells_and_let_nothing_act() -> None:
    rows = list(columns("k", "日本語" * 10, "a\x1b[2Jb", 40, View(run=EMPTY, glyphs=ASCII)))
    from rich.cells import cell_len

    assert len({cell_len(row.parts[0][0]) for row in rows}) == 1
    assert "\x1b" not in "".join(row.text for row in rows)
    assert "|" in rows[0].text


def test_the_same_run_twice_says_so(workspace: Workspace, run_events: list[Event]) -> None:
    with Engine.open(workspace) as engine:
        saved = [
            event.snapshot
            for _ in range(2)
            for event in engine.ask_sync(QUESTION, AskOptions(learn=False))
            if isinstance(event, SnapshotSaved)
        ]
        found = compare_runs(engine, *saved)
    lines = [row.text for row in compare_rows(VIEW, found, frozenset(), 100)]
    assert "the same in every event: their digests are equal" in lines
    assert "Answers, the same" in lines
    assert "Given differently 0" in lines


def test_as_text_names_both_runs_and_all_changes() -> None:
    text = as_text(COMPARISON)
    assert text.startswith("# 20300101-000000-aaaaaa and 20300102-000000-bbbbbb\n")
    assert "\n- + gained" in text
    assert "Nordlys makes the Helio lamp." in text


def test_two_runs_are_marked_compared_and_one_of_them_replayed(workspace: Workspace) -> None:
    with Engine.open(workspace) as engine:
        list(engine.ask_sync(QUESTION))
        list(engine.ask_sync("Where is the warehouse?"))

    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await pilot.press("escape", "r")
        await wait_until(pilot, lambda: isinstance(moe.screen, RunsScreen))
        await pilot.press("c")
        assert "two runs are needed" in moe.screen.query_one("#reader-title", PartsLine).text
        await pilot.press("m", "j", "c")
        await wait_until(pilot, lambda: isinstance(moe.screen, CompareScreen))
        lines = shown(moe.screen, "RowList")
        assert "Evidence:" in lines
        assert QUESTION in lines
        await pilot.press("less_than_sign")
        await wait_until(pilot, lambda: moe.desk.player is not None)
        assert moe.desk.player is not None
        await pilot.press("dollar_sign")
        assert moe.desk.player.state.question in {QUESTION, "Where is the warehouse?"}
        await pilot.press("r")
        await wait_until(pilot, lambda: isinstance(moe.screen, RunsScreen))
        await pilot.press("c")
        await wait_until(pilot, lambda: isinstance(moe.screen, CompareScreen))
        await pilot.press("escape")

    go(workspace, journey)


@sized
def test_picture(snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]) -> None:
    made = app(empty_workspace)

    async def before(pilot: Any) -> None:
        await after("escape")(pilot)
        await made.push_screen(CompareScreen(made.desk.view(), COMPARISON, lambda text: None))
        await after(on=CompareScreen)(pilot)

    assert snap_compare(made, terminal_size=size, run_before=before)


@sized
def test_picture_of_the_list_with_marks(
    snap_compare: Snap, empty_workspace: Workspace, size: tuple[int, int]
) -> None:
    from engine.snapshots.library import SnapshotInfo

    made = app(empty_workspace)
    infos = [
        SnapshotInfo(
            id=side.snapshot,
            question=side.question,
            created=side.created,
            state="complete",
            complete=True,
            digest="0" * 32,
            events=len(recorded()),
            bytes=1_000,
            personas=["fact-finder"],
            model="extractive",
            tags=["good"],
            note="",
            pinned=False,
        )
        for side in (COMPARISON.right, COMPARISON.left)
    ]

    async def before(pilot: Any) -> None:
        await after("escape")(pilot)
        await made.push_screen(RunsScreen(made.desk.view(), infos))
        await after("m", "j", on=RunsScreen)(pilot)

    assert snap_compare(made, terminal_size=size, run_before=before)
