"""What the keys of the main screen do."""

import asyncio
from pathlib import Path
from typing import Final

from textual import work

from engine.cleaning import one_line
from engine.errors import PersonaMoeError
from engine.events import Citation, Evidence
from tui import keymap
from tui.clipboard import write_private
from tui.context import Surroundings, surroundings
from tui.library import cut_off_run
from tui.panes.graph import node_rows
from tui.panes.passage import passage_rows
from tui.panes.rows import Row, View, place
from tui.screens.first_run import SAMPLE, FirstRunScreen
from tui.screens.layout_keys import LayoutKeys
from tui.screens.main_view import PANES, MainView
from tui.screens.model_keys import ModelKeys
from tui.screens.persona_keys import PersonaKeys
from tui.screens.reader import Page, ReaderScreen
from tui.widgets.answer import answer_as_text
from tui.widgets.question import Question, split_personas
from tui.widgets.row_list import RowList

SAMPLE_QUESTION: Final = "How does persona-moe find the evidence for an answer?"
_REPLAY_ACTIONS: Final = frozenset(
    action.id.partition(".")[2] for action in keymap.ACTIONS if action.scope == "replay"
)


class MainScreen(LayoutKeys, PersonaKeys, ModelKeys):
    """The main screen with all it can do."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is possible now; the footer and the palette show only those."""
        if action in _REPLAY_ACTIONS:
            return self.desk.player is not None and not isinstance(self.focused, Question)
        if action == "stop":
            return self.desk.busy and self.desk.player is None
        if action == "cite":
            return bool(self.desk.state.citations or self.desk.state.evidence)
        return True

    # -- asking ----------------------------------------------------------------------------------
    def on_question_asked(self, event: Question.Asked) -> None:
        """Ask what was written."""
        personas = [each.persona_id for each in self.desk.opened.personas] if self.desk.opened else []
        question, only = split_personas(event.text, personas)
        if self.has_class("-solo") and not self.zoomed:  # what was asked is what one wants to see
            self.shown_pane = PANES[0]
            self.place_panes()
        self.ask(question or event.text, only)

    def ask(self, question: str, only: tuple[str, ...] = (), *, again: bool = False) -> None:
        """Begin to answer; ``again`` repeats the last question."""
        self.say("")
        self.desk.ask(question, only, again=again)
        self.moe.remember()
        self.redraw()

    def on_question_left(self) -> None:
        """Stop a run or indexing, else go to the panes."""
        if not self.stop_run():
            self.show_pane(self.shown_pane)

    def on_question_offered(self, event: Question.Offered) -> None:
        """Show what tab would complete."""
        self.show_offers(event.offers)

    def stop_run(self) -> bool:
        """Stop the run, else indexing; return whether there was anything to stop."""
        stopped = self.desk.stop() or self.desk.stop_indexing()
        if stopped:
            self.redraw()
        return stopped

    def action_stop(self) -> None:
        """Stop the run, else indexing."""
        self.stop_run()

    def action_again(self) -> None:
        """Ask the last question again, of a model too that could not be reached then."""
        self.desk.session.look_for_model()
        if self.desk.question:
            self.ask(self.desk.question, self.desk.personas, again=True)
        else:
            self.say("nothing was asked yet; the model is looked for again")

    def action_ask(self) -> None:
        """Go to the question."""
        self.query_one(Question).focus()

    # -- panes -----------------------------------------------------------------------------------
    def action_pane_1(self) -> None:
        """Go to the answer."""
        self.show_pane(PANES[0])

    def action_pane_2(self) -> None:
        """Go to the graph."""
        self.show_pane(PANES[1])

    def action_pane_3(self) -> None:
        """Go to the personas."""
        self.show_pane(PANES[2])

    def action_pane_4(self) -> None:
        """Go to evidence and scores."""
        self.show_pane(PANES[3])

    def action_pane_5(self) -> None:
        """Go to the timeline."""
        self.show_pane(PANES[4])

    def action_theme(self) -> None:
        """Take the next theme."""
        self.say(f"theme: {self.moe.next_theme()}")

    def action_quit(self) -> None:
        """Leave."""
        self.moe.leave()

    # -- reading ---------------------------------------------------------------------------------
    def action_cite(self) -> None:
        """Open the first citation, or the best passage while there is no answer."""
        self._open_passages(0, self.desk.state.citations or self.desk.state.evidence)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open what the line is about."""
        pane, key, run = event.rows.id, event.row.key, self.desk.state
        kind, _, rest = key.partition(":")
        if pane == "graph" and key in run.nodes:
            self._open_node(key)
        elif pane == "ego":
            self.follow_edge(key)
        elif kind == "cite":
            self._open_passages(int(rest), run.citations)
        elif kind == "evidence":
            passage = rest.partition("/")[0]
            index = next((i for i, each in enumerate(run.evidence) if each.passage == passage), 0)
            self._open_passages(index, run.evidence)
        elif kind == "persona":
            self.open_card(rest.partition("/")[0])
        elif kind == "at" and self.desk.player is not None:
            self.desk.player.playing = False
            self.desk.player.seek(int(rest) + 1)
            self.redraw()
        else:
            event.rows.action_fold()

    def _open_passages(self, index: int, cited: "tuple[Evidence, ...] | list[Citation]") -> None:
        if cited:
            pages = [self._passage_page(each) for each in cited]
            self.app.push_screen(ReaderScreen(self.desk.view(), pages, self.copy, index))

    def _passage_page(self, cited: Citation | Evidence) -> Page:
        async def load() -> object:
            return await self._around(cited)

        def make(view: View, loaded: object, width: int) -> list[Row]:
            return passage_rows(view, cited, loaded if isinstance(loaded, Surroundings) else None, width)

        mark = f"{cited.marker} " if isinstance(cited, Citation) else f"{cited.rank} "
        return Page(f"{mark}{place(cited.position)}", make, load)

    async def _around(self, cited: Citation | Evidence) -> Surroundings:
        try:
            return await self.desk.session.call(
                lambda engine: surroundings(engine, cited.position, cited.text)
            )
        except PersonaMoeError as error:
            return Surroundings(note=one_line(str(error)))

    def _open_node(self, name: str) -> None:
        node = self.desk.state.nodes[name]
        if node.kind == "passage":
            evidence = [each for each in self.desk.state.evidence if f"p:{each.passage}" == name]
            extra = [self._passage_page(each) for each in evidence]
        else:
            extra = []

        def make(view: View, loaded: object, width: int) -> list[Row]:
            return node_rows(view, name, width)

        title = f"{node.kind} {one_line(node.label, 120)}"
        self.app.push_screen(ReaderScreen(self.desk.view(), [Page(title, make), *extra], self.copy))

    # -- documents -------------------------------------------------------------------------------
    @work
    async def on_main_view_workspace_opened(self, event: MainView.WorkspaceOpened) -> None:
        """Offer three ways on where nothing is indexed, and the last run where it was cut off."""
        if not event.opened.passages:
            await self._choose_documents(True)
        elif cut := await self._called(cut_off_run):
            self.desk.take_up(cut.before, cut.question)
            asked = one_line(cut.question, 60)
            self.say(f"the last run was cut off: “{asked}”; R asks it again, r shows what it found", "warn")

    @work
    async def action_index(self) -> None:
        """Add documents."""
        await self._choose_documents(False)

    async def _choose_documents(self, welcome: bool) -> None:
        choice = await self.app.push_screen_wait(FirstRunScreen(self.desk.view(), welcome, self.desk.indexed))
        question = self.query_one(Question)
        if choice == SAMPLE:
            from engine.workspace import data_folder

            self.desk.index([data_folder("docs")])
            question.text = SAMPLE_QUESTION
            question.move_cursor(question.document.end)
            self.say("enter asks this question; or write your own")
        elif choice:
            self.desk.index([Path(choice)])
        if choice or welcome:
            question.focus()

    # -- copying ---------------------------------------------------------------------------------
    def action_copy(self) -> None:
        """Copy the answer."""
        if self.desk.state.answer_text:
            self.copy(answer_as_text(self.desk.view()))
        else:
            self.say("there is no answer to copy yet")

    def action_copy_line(self) -> None:
        """Copy the line under the cursor."""
        focused = self.focused
        if isinstance(focused, RowList) and focused.current is not None:
            self.copy(focused.current.text)

    @work
    async def action_write(self) -> None:
        """Write the answer to a file."""
        state = self.desk.state
        if not state.answer_text:
            self.say("there is no answer to write yet")
            return
        name = state.saved.snapshot if state.saved else "answer"
        file = Path.cwd() / f"{one_line(name, 60)}.md"
        try:
            await asyncio.to_thread(write_private, file, answer_as_text(self.desk.view()))
        except OSError as error:
            self.say(f"could not write {file}: {error.strerror}", "bad")
            return
        self.say(f"written to {file}")
