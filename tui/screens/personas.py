"""All personas of the workspace: moved, made, compared and shared by keyboard, one or many at once."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.widgets import Input

from engine.cleaning import one_line
from engine.errors import PersonaMoeError
from engine.personas.workbench import Act
from tui.notices import problem_in_app
from tui.panes.rows import Row, View, text_rows
from tui.panes.side_by_side import side_rows
from tui.screens.personas_card import CardScreen
from tui.screens.personas_import import ImportScreen
from tui.screens.personas_new import NewPersonaScreen
from tui.screens.personas_view import RosterView
from tui.screens.reader import Page, ReaderScreen
from tui.widgets.persona_lists import RosterList
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.pipeline import Engine
    from engine.preview import SideBySide


class PersonasScreen(RosterView):
    """The roster with all that can be done from it."""

    # -- acting ----------------------------------------------------------------------------------
    @work(group="act")
    async def _act(self, act: Callable[[], Act]) -> None:
        async with self.turn:
            self.busy = True
            done = await self.called(act)
            self.busy = False
            if done is not None:
                self.say(done.told, "warn" if done.refused else "dim")
                await self._look_again(done.ids)

    async def _look_again(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        self.personas_changed()
        lines = await self.called(lambda: self.bench.again(ids))
        self.order.replace(lines or {})
        self.draw()

    def _on_targets(self, act: Callable[[list[str]], Act]) -> None:
        targets = self.targets
        if targets:
            self._act(lambda: act(targets))

    def action_promote(self) -> None:
        """One tier up."""
        self._on_targets(lambda ids: self.bench.work.move(ids, "up"))

    def action_demote(self) -> None:
        """One tier down."""
        self._on_targets(lambda ids: self.bench.work.move(ids, "down"))

    def action_prune(self) -> None:
        """Into the archive."""
        self._on_targets(lambda ids: self.bench.work.move(ids, "pruned"))

    def action_retire(self) -> None:
        """Into the archive, and pinned there."""
        self._on_targets(self.bench.work.retire)

    def action_restore(self) -> None:
        """Undo the last move in each one's history."""
        self._on_targets(self.bench.work.restore)

    def action_pin(self) -> None:
        """Pin, unless all are pinned: then unpin."""
        lines = [self.order.lines[name] for name in self.targets if name in self.order.lines]
        pinned = not all(line.pinned for line in lines)
        self._on_targets(lambda ids: self.bench.work.pin(ids, pinned))

    def action_undo(self) -> None:
        """Take back what was last done."""
        self._act(self.bench.work.undo)

    # -- looking closer --------------------------------------------------------------------------
    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open the card; fold a tier; choose between two files of one id."""
        kind, _, rest = event.row.key.partition(":")
        if kind == "persona":
            shown = [line.persona_id for line in self.order.shown]
            self.app.push_screen(CardScreen(rest, order=shown), self._card_closed)
        elif kind == "tier":
            event.rows.toggle(event.row.key)
        elif kind == "conflict":
            tiers = next(each.tiers for each in self.everyone.conflicts if each.persona_id == rest)
            self._ask_which(rest, tiers)

    def _ask_which(self, persona_id: str, tiers: Sequence[str]) -> None:
        def take(said: str) -> str:
            chosen = said.strip().casefold()
            if chosen not in tiers:
                return f"write {' or '.join(tiers)}"
            self._resolve(persona_id, chosen)
            return ""

        label = f"keep {persona_id} in which tier: {' or '.join(tiers)}? the other file is set aside"
        self.ask(label, "", take)

    @work
    async def _resolve(self, persona_id: str, tier: str) -> None:
        from engine.workspace import TIERS

        kept = next(each for each in TIERS if each == tier)
        done = await self.called(lambda: self.bench.work.resolve(persona_id, kept))
        if done is not None:
            self.say(done.told)
            self.personas_changed()
            self.read()

    async def _card_closed(self, touched: list[str] | None) -> None:
        if touched:
            await self._look_again(touched)
            self.query_one(RosterList).go_to(f"persona:{touched[-1]}")
            self.tell_detail()

    def action_compare(self) -> None:
        """Show the marked ones side by side."""
        ids = self.targets
        if len(ids) < 2:
            self.say("mark two or more with space, then compare", "warn")
            return
        self.app.push_screen(ReaderScreen(self.view, [self._comparison(ids)], self.main.copy))

    def _comparison(self, ids: list[str]) -> Page:
        async def load() -> object:
            from tui.persona_compare import compared

            def work_(engine: "Engine") -> "SideBySide":
                stored = [self.bench.registry.get(name) for name in ids]
                return compared(engine, stored, tell=self.bench.notes.append)

            try:
                return await self.moe.desk.session.call(work_)
            except PersonaMoeError as error:
                return problem_in_app(error)

        def make(view: View, loaded: object, width: int) -> list[Row]:
            if loaded is None:
                return list(text_rows("wait", "each looks for evidence on the last questions…", width))
            if isinstance(loaded, str):
                return list(text_rows("bad", loaded, width, 0, "bad"))
            return side_rows(loaded, view.glyphs, width)  # type: ignore[arg-type]

        return Page(f"{len(ids)} personas side by side", make, load)

    # -- making and sharing ----------------------------------------------------------------------
    @work
    async def action_new(self) -> None:
        """Make a persona."""
        unfinished = await self.called(self.bench.unfinished) or []
        start = await self.app.push_screen_wait(
            NewPersonaScreen(self.view, self.persona, [each.persona_id for each in unfinished])
        )
        if start is None:
            return
        draft = start.draft
        if draft is None:
            draft = await self.called(lambda: self.bench.begin(start.kind, start.value))
        if draft is not None:
            card = CardScreen(new=draft, guided=start.kind == "guided", said=start.said)
            self.app.push_screen(card, self._card_closed)

    def action_take_in(self) -> None:
        """Import files, folders and bundles."""

        def take(said: str) -> str:
            path = Path(said.strip()).expanduser()
            if not said.strip() or not path.exists():
                return f"there is nothing at {one_line(said, 120)}; give a file or a folder"
            self._take_in(path)
            return ""

        self.ask("import which file, folder or bundle?", "", take)

    @work
    async def _take_in(self, path: Path) -> None:
        from tui.persona_files import documents_of, files_of

        found = await self.called(lambda: documents_of(files_of([str(path)])))
        if found is None:
            return
        documents, refused = found
        act = await self.app.push_screen_wait(
            ImportScreen(documents, [str(each["what"]) for each in refused])
        )
        if act is not None:
            self.say(act.told, "warn" if act.refused else "dim")
            self.personas_changed()
            self.read()

    def action_give_out(self) -> None:
        """Export the marked personas, else all but the pruned."""
        ids = list(self.order.marked)
        many = len(ids) or sum(line.tier != "pruned" for line in self.order.lines.values())

        def take(said: str) -> str:
            if not said.strip():
                return "give a folder, or a file whose name ends in .json"
            self._give_out(ids, Path(said.strip()).expanduser())
            return ""

        self.ask(f"write {many} personas to: a folder, or one file NAME.json", "personas.json", take)

    @work
    async def _give_out(self, ids: list[str], path: Path) -> None:
        from tui.persona_files import write_bundle, write_each

        def write() -> str:
            registry = self.bench.registry
            chosen = [registry.get(each) for each in ids] if ids else list(registry.load().usable)
            if path.suffix == ".json":
                write_bundle(chosen, path)
            else:
                write_each(chosen, path)
            return f"{len(chosen)} personas written to {path}"

        said = await self.called(write)
        if said is not None:
            self.say(one_line(said, 300))

    def action_close(self) -> None:
        """End the filter, then the marks, then go back."""
        line = self.query_one("#bench-filter", Input)
        if line.value or line.has_focus:
            line.value = ""
            line.display = False
            self.query_one(RosterList).focus()
        elif self.order.marked:
            self.order.unmark()
            self.draw()
        else:
            self.moe.desk.session.look()
            self.dismiss(None)
