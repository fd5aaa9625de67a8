"""How a persona's card looks, and what it does when another program changes the file below it."""

import os
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from engine.errors import PersonaMoeError
from engine.personas.draft import Draft
from engine.personas.overview import display_name
from tui import keymap
from tui.panes.card import card_rows
from tui.panes.rows import Part, Row, View
from tui.persona_bench import Opened
from tui.screens.personas_base import PersonaScreen
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.persona_lists import CardList
from tui.widgets.prompt import Prompt


class CardView(PersonaScreen[list[str]]):
    """One persona on the screen. Returns the ids of those that were changed here."""

    scope = "card"
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("card")

    def __init__(
        self,
        persona_id: str = "",
        *,
        new: Draft | None = None,
        guided: bool = False,
        said: str = "",
        order: Sequence[str] = (),
    ) -> None:
        """Show a persona, or ``new``, which is not saved yet; ``guided`` asks for field after field."""
        super().__init__()
        self._persona, self._new, self._guided, self._said = persona_id, new, guided, said
        self._order = list(order)
        self._opened: Opened | None = None
        self._draft: Draft | None = new
        self._discarded: Draft | None = None
        self._unusable = False
        self._text: bytes | None = None
        self._seen: tuple[int, int, int] | None = None
        self.touched: list[str] = []

    @property
    def draft(self) -> Draft | None:
        """What is on the screen, saved or not."""
        return self._draft

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield PartsLine(id="bench-title")
        yield CardList(self._rows, id="card")
        yield PartsLine(id="bench-notice")
        yield Prompt(id="bench-prompt")
        yield KeysLine()

    def on_mount(self) -> None:
        """Read the card."""
        self.query_one("#bench-notice").display = False
        self.query_one(CardList).focus()
        self.show_title([(self._persona or "a new persona", "strong")])
        self.set_interval(1.0, self._watch)
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """Read the card anew; what is unsaved of this persona comes back with it."""
        new = self._new
        if new is not None:
            opened = await self.called(lambda: self.bench.new_card(new))
        else:
            opened = await self.called(lambda: self.bench.open(self._persona))
        if opened is None:
            return
        self._take(opened)
        if opened.said or self._said:
            self.say(opened.said or self._said, "warn" if opened.said else "dim")
        if self._guided:
            self._guided = False
            self.guide(0)

    def _take(self, opened: Opened) -> None:
        self._opened, self._draft, self._discarded = opened, opened.draft, None
        self._unusable, self._text = opened.unusable, None
        self._seen = self._look()
        self.draw()

    # -- drawing ---------------------------------------------------------------------------------
    def _rows(self, view: View, toggled: frozenset[str], width: int) -> Sequence[Row]:
        if self._opened is None or self._draft is None:
            return []
        return card_rows(
            self._opened.card,
            self._draft,
            asked=self._opened.asked,
            is_new=self._new is not None,
            glyphs=view.glyphs,
            toggled=toggled,
            width=width,
        )

    def draw(self) -> None:
        """Show the draft as it is now."""
        if self._opened is None or self._draft is None:
            return
        stored, draft = self._opened.card.stored, self._draft
        parts: list[Part] = [(f"{display_name(stored)} ", "strong")]
        if self._new is not None:
            parts.append((" not saved yet: w saves it ", "warn"))
        else:
            pinned = ", pinned" if stored.persona.metadata.get("pinned") is True else ""
            glyph = self.moe.desk.glyphs.tiers[stored.tier]
            parts.append((f" {stored.persona.persona_id}  {glyph} {stored.tier}{pinned} ", "dim"))
            changes = len(draft.differences)
            if changes:
                parts.append(
                    (f" {changes} change{'s' * (changes != 1)} not saved: w saves, z discards ", "warn")
                )
            else:
                parts.append((" enter edits a line, left and right turn a trait ", "dim"))
        self.show_title(parts)
        self.query_one(CardList).show(self.view)

    def guide(self, step: int) -> None:
        """Ask for one field after the other."""

    # -- what other programs do ------------------------------------------------------------------
    def _look(self) -> tuple[int, int, int] | None:
        if self._opened is None or self._new is not None:
            return None
        try:
            status = os.stat(self._opened.card.stored.path)
        except OSError:
            return (0, 0, 0)
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def _watch(self) -> None:
        """Notice that another program wrote, moved or removed the file."""
        if self._opened is None or self._new is not None or self._seen is None:
            return
        now = self._look()
        if now != self._seen:
            self._seen = now
            self._changed_outside()

    @work(exclusive=True, group="outside")
    async def _changed_outside(self) -> None:
        opened, draft = self._opened, self._draft
        if opened is None or draft is None:
            return
        name = opened.card.stored.persona.persona_id
        try:
            now = await self.moe.desk.session.call(lambda _: self.bench.open(name))
        except PersonaMoeError as error:
            self.say(f"its file was changed by another program: {error}; what you see is kept here", "bad")
            return
        same = now.card.stored.content == opened.card.stored.content
        if same and now.card.stored.tier == opened.card.stored.tier:
            return
        self.touched.append(name)
        self._take(now)
        what = f"is {now.card.stored.tier} now" if same else "was changed by another program"
        if draft.changed:
            self._draft = draft.rebased(now.card.stored.persona)
            self.say(f"{name} {what}; your changes stand over that, w saves them", "warn")
        else:
            self.say(f"{name} {what} and is shown as it is", "warn")
        self.draw()
