"""A persona's card: looked at, changed, moved between tiers, tried, and the way to its relatives."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from textual import work

from engine.errors import PersonaMoeError
from engine.personas.workbench import Act
from tui.notices import problem_in_app
from tui.panes.rows import Row, View, text_rows
from tui.panes.side_by_side import preview_rows
from tui.persona_bench import last_question
from tui.screens.personas_card_edit import CardEditing
from tui.screens.reader import Page, ReaderScreen
from tui.widgets.persona_lists import CardList
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from engine.pipeline import Engine
    from engine.preview import Preview


class CardScreen(CardEditing):
    """The card with all that can be done from it."""

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Edit the field, open the relative, replay the question."""
        kind, _, rest = event.row.key.partition(":")
        if kind == "field":
            self.edit_field(rest.partition("/")[0])
        elif kind == "trait" and self._draft is not None:
            value = str(self._draft.now.traits.get(rest, ""))
            self.ask(
                f"{rest}, 1 to 9", value, lambda said: self.change(lambda d: d.with_pair(f"{rest} {said}"))
            )
        elif kind == "persona":
            self.app.push_screen(CardScreen(rest), self._relative_closed)
        elif kind == "question":
            self.main.replay_over(rest)
        else:
            event.rows.action_fold()

    def _relative_closed(self, touched: list[str] | None) -> None:
        self.touched += touched or []

    # -- moving ----------------------------------------------------------------------------------
    @work(group="act")
    async def _act(self, act: Callable[[], Act]) -> None:
        async with self.turn:
            if self._new is not None:
                self.say("save it first, with w", "warn")
                return
            done = await self.called(act)
            if done is None:
                return
            self.touched += done.ids
            self.personas_changed()
            if not self.bench_has(self._persona):
                self.dismiss(self.touched)
                return
            await self.open_again(done.told, "warn" if done.refused else "dim")

    def bench_has(self, persona_id: str) -> bool:
        """Return whether there is still a file of this persona."""
        return bool(self.bench.registry.places(persona_id))

    def action_promote(self) -> None:
        """One tier up."""
        self._act(lambda: self.bench.work.move([self._persona], "up"))

    def action_demote(self) -> None:
        """One tier down."""
        self._act(lambda: self.bench.work.move([self._persona], "down"))

    def action_prune(self) -> None:
        """Into the archive."""
        self._act(lambda: self.bench.work.move([self._persona], "pruned"))

    def action_retire(self) -> None:
        """Into the archive, and pinned there."""
        self._act(lambda: self.bench.work.retire([self._persona]))

    def action_restore(self) -> None:
        """Undo the last move in its history."""
        self._act(lambda: self.bench.work.restore([self._persona]))

    def action_pin(self) -> None:
        """Pin it, or no longer."""
        if self._opened is not None:
            pinned = self._opened.card.stored.persona.metadata.get("pinned") is True
            self._act(lambda: self.bench.work.pin([self._persona], not pinned))

    def action_undo(self) -> None:
        """Take back what was last done."""
        self._act(self.bench.work.undo)

    # -- trying ----------------------------------------------------------------------------------
    def action_try_out(self) -> None:
        """Run it alone on the last question, the draft beside what is saved; nothing is recorded."""
        draft = self._draft
        if draft is None:
            return
        is_new = self._new is not None

        async def work_(engine: "Engine") -> "tuple[Preview, Preview | None]":
            from engine.preview import previewed

            question = last_question(engine)
            base = draft.now if is_new else draft.base
            saved = await previewed(engine, base, question)
            tried = await previewed(engine, draft.now, question) if base != draft.now else None
            return saved, tried

        page = Page(f"{self._persona or 'the new persona'} alone", _preview, self._loader(work_))
        self.app.push_screen(ReaderScreen(self.view, [page], self.main.copy))

    def _loader(
        self, work_: "Callable[[Engine], Awaitable[tuple[Preview, Preview | None]]]"
    ) -> Callable[[], Awaitable[object]]:
        async def load() -> object:
            try:
                return await self.moe.desk.session.call_async(work_)
            except PersonaMoeError as error:
                return problem_in_app(error)

        return load

    # -- leaving ---------------------------------------------------------------------------------
    def action_next(self) -> None:
        """Go to the next persona of the roster."""
        self._turn(1)

    def action_previous(self) -> None:
        """Go to the persona before."""
        self._turn(-1)

    @work(group="act")
    async def _turn(self, step: int) -> None:
        async with self.turn:
            if self._new is not None or self._persona not in self._order:
                return
            if await self._kept():
                place = (self._order.index(self._persona) + step) % len(self._order)
                self._persona = self._order[place]
                self.say("")
                self.load()

    def action_copy(self) -> None:
        """Copy the card."""
        self.main.copy("\n".join("  " * row.depth + row.text for row in self.query_one(CardList).rows))

    async def _kept(self) -> bool:
        """Keep what is unsaved in a file; return whether that could be done."""
        draft, path = self._draft, self.kept_at
        if draft is None or path is None:
            return True

        def keep() -> bool:
            if draft.changed:
                self.bench.keep_draft(path, draft.now)
            elif self._discarded is not None:
                self.bench.drop_draft(path)
            return True

        return await self.called(keep) is not None

    @work(group="act")
    async def action_close(self) -> None:
        """Go back; unsaved changes are kept for the next time."""
        async with self.turn:
            if await self._kept():
                self.dismiss(self.touched)


def _preview(view: View, loaded: object, width: int) -> list[Row]:
    if loaded is None:
        return list(text_rows("wait", "it walks the last question alone…", width))
    if isinstance(loaded, str):
        return list(text_rows("bad", loaded, width, 0, "bad"))
    return preview_rows(*cast("tuple[Preview, Preview | None]", loaded), view.glyphs, width)
