"""The answer: lines as they stream, and once as Markdown at the end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine import events as ev
from engine.cleaning import clean, counted, one_line
from engine.snapshots.describe import carried_words, move_words
from tui import keymap
from tui.markdown_text import fit, parser
from tui.panes.rows import View, place
from tui.run_state import PersonaView
from tui.widgets.draft import DraftText

if TYPE_CHECKING:
    from textual.widgets import Markdown

EARLIER_SHOWN: Final = 4
"""Questions of the session shown above the present one."""

WELCOME: Final = """\
**Ask a question about your documents.**

The answer cites the passages it rests on; `c` opens them where they stand. \
Beside it you see which personas were chosen and why, the graph they walked, and every score down to \
its terms. Each run is recorded; `r` lists the runs and plays them again.

`?` shows all keys. `@name` in a question asks that persona alone.
"""


class Answer(VerticalScroll, can_focus=True):
    """The question, the answer and what stands below it."""

    DEFAULT_CSS = """
    Answer { padding: 0 1; scrollbar-size-vertical: 1; }
    Answer > #earlier { height: auto; color: $text-muted; }
    Answer > #question { text-style: bold; height: auto; }
    Answer > #reading { height: auto; color: $text-accent; }
    Answer > #below { height: auto; color: $text-muted; }
    Answer > Markdown { padding: 0; margin: 0; height: auto; background: transparent; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._shown = ""
        self._final = False
        self._markdown: Markdown | None = None

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield Static("", id="earlier", markup=False)
        yield Static("", id="question", markup=False)
        yield Static("", id="reading", markup=False)
        yield DraftText(id="draft")
        yield Static("", id="below", markup=False)

    async def show(self, view: View, ending: str) -> None:
        """Show the answer of ``view``; ``ending`` says in a word how the run ended, if it did."""
        run = view.run
        question = one_line(run.question or view.asked, 400)
        self._put("#earlier", "\n".join(earlier_lines(view)))
        self._put("#question", question)
        self._put("#reading", reading_words(view))
        self._put("#below", below(view, ending))
        final = run.answer is not None or bool(ending)
        text = run.answer_text
        if not text:
            if not question and not view.replaying:
                text = WELCOME
            final = True
        if (text, final) == (self._shown, self._final):
            return
        draft = self.query_one(DraftText)
        draft.show("" if final else text, view.glyphs)
        draft.display = not final
        if final:
            await self._put_markdown(fit(text))
        elif self._markdown is not None:
            self._markdown.display = False
        if final:
            self.anchor(False)
            if not self.has_focus:
                (self.scroll_end if ending else self.scroll_home)(animate=False)
        else:
            self.call_after_refresh(self._follow)
        self._shown, self._final = text, final

    def _follow(self) -> None:
        """Keep what is written in sight from when it fills the pane until the user scrolls."""
        if not self._final and not self.is_anchored and self.virtual_size.height > self.size.height:
            self.anchor()

    async def _put_markdown(self, text: str) -> None:
        """Show ``text`` as Markdown; the widget, slow to import, is made after the first picture."""
        if self._markdown is None:
            from textual.widgets import Markdown

            self._markdown = Markdown("", parser_factory=parser, open_links=False)
            await self.mount(self._markdown, after=self.query_one(DraftText))
        await self._markdown.update(text)
        self._markdown.display = True

    def _put(self, selector: str, text: str) -> None:
        widget = self.query_one(selector, Static)
        if getattr(widget, "persona_moe_text", None) != text:
            widget.persona_moe_text = text  # type: ignore[attr-defined]
            widget.update(Content(text))
            widget.display = bool(text)


def earlier_lines(view: View) -> list[str]:
    """Return the questions before in this session, the last few of them."""
    asked = view.earlier if view.run.question else ()
    lines = [f"{number} {one_line(each, 200)}" for number, each in enumerate(asked, start=1)]
    left = len(lines) - EARLIER_SHOWN
    return [f"{view.glyphs.more} {left} before", *lines[left:]] if left > 0 else lines


def reading_words(view: View) -> str:
    """Return how a follow-up question was read, and by which rule; empty for one that stands alone."""
    read = view.run.follow_up
    if read is None:
        return ""
    why = "; ".join(carried_words(each) for each in read.carried)
    return f"read as: {one_line(read.reading, 400)}\n({why})"


def below(view: View, ending: str) -> str:
    """Return what stands below the answer: its sources by place, remarks, warnings, how it ended."""
    run = view.run
    lines = doing(view)
    if run.citations:
        lines.append(f"Sources ({keymap.shown(keymap.BY_ID['main.cite'].keys)} opens them)")
        lines += [f"  {one_line(each.marker, 12)} {place(each.position)}" for each in run.citations]
    if run.answer is not None:
        lines += [one_line(f"Note: {flag}") for flag in run.answer.flags]
    lines += fault_lines(view)
    lines += [
        one_line(f"Warning: {each.problem}{f'; {each.mend}' if each.mend else ''}") for each in run.warnings
    ]
    moves = (each.moved for each in run.personas.values() if each.moved)
    lines += [move_words(m.persona, m.source, m.target, m.reason) for m in moves]
    if run.outcome == "no-evidence":
        lines.append(too_dear(view) or NO_EVIDENCE)
    if ending:
        lines.append(ending)
    return "\n".join(lines)


NO_EVIDENCE: Final = "Nothing in the documents supports an answer. Ask in other words, or add documents (a)."


def too_dear(view: View) -> str:
    """Return that the budget pays for no persona and what mends it, '' where any could be asked."""
    personas = view.run.personas.values()
    costs = [each.cost for each in personas if each.status == "skipped" and each.tier in ("active", "stable")]
    budget = view.run.started.budget if view.run.started else 0.0
    if any(each.order >= 0 for each in personas) or not costs or budget >= min(costs):
        return ""
    least = f"{min(costs):g}"
    return (
        f"Nobody was asked: the budget of {budget:g} pays for no persona, the cheapest costs {least}. Set "
        f"thresholds.budget to that or more, as by: persona-moe config set thresholds.budget {least}"
    )


def fault_lines(view: View) -> list[str]:
    """Return which calls of the model failed, and what one had written of an answer that another replaced."""
    where = f", asked at {view.servers}" if view.servers else ""
    lines = []
    for each in view.run.faults:
        mend = f"; {each.mend}" if each.mend else ""
        lines.append(one_line(f"Warning: {each.call.removeprefix('claims.')}{where}: {each.problem}{mend}"))
        partial = each.partial if isinstance(each, ev.ModelFailed) else ""
        if each.call == view.run.writing and partial.strip() and view.run.answer is not None:
            lines.append(f"  it had written: {one_line(partial, 400)}")
    return lines


WAITS: Final = "waits until the documents are indexed; esc gives it up, and once more stops the indexing"
_DOING: Final = {
    "chosen": "is chosen",
    "walking": "walks the graph, {steps}",
    "walked": "walked the graph, {steps}",
    "reading": "reads {passages}",
    "writing": "writes what it found, {words} so far",
    "claimed": "made {claims}",
    "scored": "made {claims}",
}


def doing(view: View) -> list[str]:
    """Return what the chosen personas do, a line each, as long as no word of the answer has arrived."""
    run = view.run
    if run.answer_text or not (view.live or (view.replaying and run.phase)):
        return []
    if view.waits:
        return [WAITS]
    chosen = sorted(
        (each for each in run.personas.values() if each.order >= 0 and each.status in _DOING),
        key=lambda each: (each.order, each.persona_id),
    )
    return [f"{each.persona_id} {_doing(each)}" for each in chosen] or [run.phase or "starting"]


def _doing(persona: PersonaView) -> str:
    return _DOING[persona.status].format(
        steps=counted(persona.steps, "step"),
        passages=counted(len(persona.packed.passages) if persona.packed else 0, "passage"),
        words=counted(len(persona.said.split()), "word"),
        claims=counted(len(persona.claims), "claim"),
    )


def answer_as_text(view: View, endings: Sequence[str] = ()) -> str:
    """Return question, answer and sources as Markdown, for a file or the clipboard."""
    run = view.run
    lines = [f"# {one_line(run.question, 2_000)}", "", clean(run.answer_text).strip(), ""]
    for each in run.citations:
        lines.append(f"- {one_line(each.marker, 12)} {place(each.position)}")
    lines += endings
    return "\n".join(lines).rstrip() + "\n"
