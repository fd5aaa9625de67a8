"""Changing a persona: traits by key, fields in a line, all of it in an editor; saved when it is wanted."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual import work
from textual.app import SuspendNotSupported

from engine.cleaning import one_line
from engine.errors import PersonaError
from engine.personas.draft import TEXTS, Draft
from tui.persona_bench import Opened
from tui.persona_draft_file import DraftFile, row_of_problem
from tui.screens.personas_card_view import CardView
from tui.widgets.parts_line import PartsLine
from tui.widgets.persona_lists import CardList
from tui.widgets.prompt import Take

_GUIDE: Final = (
    ("id", "id, of a-z, 0-9, - and _"),
    ("name", "name"),
    ("description", "what does it look for?"),
    ("voice", "how does it speak?"),
    ("expertise", "words and phrases of its subjects, with commas between"),
    ("cost", "what asking it costs, 1 for an ordinary expert"),
)


class CardEditing(CardView):
    """A card that can be changed."""

    # -- changing in place -----------------------------------------------------------------------
    def change(self, change: Callable[[Draft], Draft]) -> str:
        """Change the draft; return what is wrong about that, empty if nothing is."""
        if self._draft is None:
            return ""
        try:
            self._draft = change(self._draft)
        except PersonaError as error:
            return str(error)
        self._discarded = None
        self.say("")
        self.draw()
        return ""

    def _changed_or_said(self, change: Callable[[Draft], Draft]) -> None:
        problem = self.change(change)
        if problem:
            self.say(problem, "bad")

    def on_card_list_nudged(self, event: CardList.Nudged) -> None:
        """Turn the trait or the cost under the cursor."""
        self._nudge(event.step)

    def _nudge(self, step: int) -> None:
        rows = self.query_one(CardList)
        if rows.trait:
            self._changed_or_said(lambda draft: draft.nudged(rows.trait, step))
        elif rows.turns:
            self._changed_or_said(lambda draft: draft.cost_nudged(step))

    def action_more(self) -> None:
        """Turn it up."""
        self._nudge(1)

    def action_less(self) -> None:
        """Turn it down."""
        self._nudge(-1)

    def action_set(self) -> None:
        """Set the trait under the cursor to the digit that was typed."""
        rows = self.query_one(CardList)
        if rows.trait and rows.digit:
            self._changed_or_said(lambda draft: draft.with_trait(rows.trait, rows.digit))

    def action_trait(self) -> None:
        """Add a trait."""

        def take(said: str) -> str:
            return self.change(lambda draft: draft.with_pair(said))

        self.ask("a trait and its value, such as depth 7; one that turns no knob colours the voice", "", take)

    def action_remove(self) -> None:
        """Take the trait under the cursor out."""
        trait = self.query_one(CardList).trait
        if trait:
            self._changed_or_said(lambda draft: draft.without_trait(trait))

    def edit_field(self, field: str) -> None:
        """Ask for a field's new value; the id of a saved persona stays."""
        if self._draft is None or (field == "id" and self._new is None):
            return
        label = dict(_GUIDE).get(field, field)
        self.ask(label, _value_of(self._draft, field), self._taker(field))

    def _taker(self, field: str) -> Take:
        return lambda said: self.change(lambda draft: _with_field(draft, field, said))

    def guide(self, step: int) -> None:
        """Ask for one field after the other, then leave the cursor on the traits."""
        if self._draft is None:
            return
        if step == len(_GUIDE):
            rows = self.query_one(CardList)
            rows.go_to("trait:breadth")
            self.say("now the traits: left and right turn them, digits set them; w saves")
            return
        field, label = _GUIDE[step]

        def take(said: str) -> str:
            problem = self._taker(field)(said)
            if not problem:
                self.call_later(self.guide, step + 1)
            return problem

        number = f"{step + 1} of {len(_GUIDE)}: "
        self.ask(number + label, _value_of(self._draft, field), take)

    # -- saving ----------------------------------------------------------------------------------
    @work(group="act")
    async def action_save(self) -> None:
        """Save what was changed."""
        async with self.turn:
            draft = self._draft
            if draft is not None and self._new is None and not draft.changed:
                self.say("nothing was changed")
            elif draft is not None:
                await self._save(draft)

    async def _save(self, draft: Draft) -> None:
        opened = self._opened
        if opened is None:
            return
        if self._new is not None:
            stored = await self.called(lambda: self.bench.make(draft))
        else:
            stored = await self.called(lambda: self.bench.save(opened.card.stored, draft))
        if stored is None:
            return
        word = "saved" if self._new is None else "made"
        self._persona, self._new = stored.persona.persona_id, None
        self.touched.append(self._persona)
        self.personas_changed()
        notes = "".join(f"; {each}" for each in self.bench.notes)
        self.bench.notes.clear()
        await self.open_again(f"{self._persona} is {word}; u takes it back{notes}")

    async def open_again(self, said: str, style: str = "dim") -> None:
        """Show the persona as it is saved now; changes that are not saved yet stand over that."""
        opened = await self.called(lambda: self.bench.open(self._persona))
        if opened is None:
            return
        pending = self._draft
        self._take(opened)
        if pending is not None:
            self._draft = pending.rebased(opened.card.stored.persona)
            self.draw()
        self.say(said, style)

    def action_discard(self) -> None:
        """Discard the text that cannot be used, else the changes; again brings them back."""
        if self._draft is None:
            return
        if self._unusable:
            self._discard_text()
        elif self._text is not None and self._discarded is None and not self._draft.changed:
            self._bring_text_back(self._text)
        elif self._discarded is not None and not self._draft.changed:
            self._draft, self._discarded = self._discarded, None
            self.say("the changes are back")
        elif self._draft.changed:
            self._discarded = self._draft
            self._draft = Draft(self._draft.base, self._draft.base)
            self.say("the changes are discarded; z brings them back")
        self.draw()

    @work(group="act")
    async def _discard_text(self) -> None:
        async with self.turn:
            path = self.kept_at
            text = await self.called(lambda: self.bench.take_text(path)) if path is not None else None
            if text is not None:
                self._unusable, self._text = False, text
                self.say("the unfinished edit is discarded; z brings it back")

    @work(group="act")
    async def _bring_text_back(self, text: bytes) -> None:
        async with self.turn:
            path = self.kept_at
            if path is not None and await self.called(lambda: self.bench.put_text(path, text)):
                self._unusable, self._text = True, None
                self.say("the unfinished edit is back; e goes on with it")

    @property
    def kept_at(self) -> Path | None:
        """Where what is unsaved is kept, None while nothing is shown."""
        draft, opened = self._draft, self._opened
        if draft is None or opened is None:
            return None
        if self._new is not None:
            return self.bench.new_path(draft.now.persona_id)
        return self.bench.draft_path(opened.card.stored)

    @work(group="act")
    async def action_editor(self) -> None:
        """Edit the file in the user's editor; what does not validate is kept, and the field is named."""
        async with self.turn:
            if self._draft is not None and self._opened is not None:
                await self._edit(self._draft, self._opened)

    async def _edit(self, draft: Draft, opened: Opened) -> None:
        stored = opened.card.stored
        file = DraftFile(self.bench, draft, None if self._new is not None else stored)
        if await self.called(file.begin) is None:
            return
        try:
            with self.app.suspend():
                problem = file.run_editor()
        except SuspendNotSupported:
            problem = "this terminal cannot be lent to an editor; use persona-moe personas edit"
        if problem:
            self.say(problem, "bad")
            return
        edited = await self.called(file.read)
        self._unusable, self._text = edited is None, None
        if edited is None:
            self.query_one(CardList).go_to(row_of_problem(self.last_said))
            return
        self._draft = edited
        self.draw()
        if self._new is not None:
            return
        if edited.changed:
            await self._save(edited)
        else:
            await self.called(lambda: self.bench.drop_draft(self.bench.draft_path(stored)))
            self.say("nothing was changed")

    @property
    def last_said(self) -> str:
        """The line that says what was done or is wrong."""
        return self.query_one("#bench-notice", PartsLine).text


def _value_of(draft: Draft, field: str) -> str:
    now = draft.now
    if field in TEXTS:
        return str(now.metadata.get(field, ""))
    if field == "expertise":
        return ", ".join(now.expertise)
    return now.persona_id if field == "id" else f"{now.activation_cost:g}"


def _with_field(draft: Draft, field: str, said: str) -> Draft:
    if field in TEXTS:
        return draft.with_text(field, said.strip())
    if field == "expertise":
        return draft.with_expertise(said)
    if field == "id":
        return draft.with_id(said.strip())
    try:
        return draft.with_cost(float(said))
    except ValueError as error:
        raise PersonaError(f"{one_line(said, 40)!r} is not a number") from error
