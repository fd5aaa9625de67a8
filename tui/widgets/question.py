"""The question: several lines if need be, the questions before it, completion of personas and documents."""

import re
from collections.abc import Sequence
from typing import Final

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from tui import keymap

MOST_OFFERED: Final = 5
_WORD: Final = re.compile(r"[^\s,;!?\"'()]+\Z")


def completions(before: str, personas: Sequence[str], documents: Sequence[str]) -> list[str]:
    """Return what the word that ``before`` ends with could become, best first, at most five.

    A word beginning with @ means a persona; any other of two letters or more, a document.

    >>> completions("what of @sc", ["sceptic", "scout"], [])
    ['@sceptic', '@scout']
    >>> completions("see bri", [], ["docs/bridge.md"])
    ['docs/bridge.md']
    """
    match = _WORD.search(before)
    if match is None:
        return []
    word = match[0].lower()
    if word.startswith("@"):
        found = [f"@{name}" for name in sorted(personas) if f"@{name}".startswith(word)]
        return [each for each in found if each != word][:MOST_OFFERED]
    if len(word) < 2:
        return []
    starts = [name for name in documents if name.lower().startswith(word)]
    inside = [name for name in documents if word in name.lower().rpartition("/")[2] and name not in starts]
    return [each for each in (*starts, *inside) if each.lower() != word][:MOST_OFFERED]


def split_personas(question: str, personas: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the question without the @names of personas, and those personas.

    >>> split_personas("@sceptic is it so?", ["sceptic"])
    ('is it so?', ('sceptic',))
    """
    named: list[str] = []
    words = []
    for word in question.split(" "):
        if word.startswith("@") and word[1:] in personas:
            named.append(word[1:])
        else:
            words.append(word)
    return " ".join(words).strip(), tuple(dict.fromkeys(named))


class Question(TextArea):
    """Where a question is written."""

    BINDINGS = keymap.bindings("ask")
    DEFAULT_CSS = """
    Question { height: auto; min-height: 1; max-height: 6; border: none; padding: 0; background: $surface; }
    Question:focus { border: none; background: $surface; }
    """

    class Asked(Message):
        """A question was sent."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Escape was pressed."""

    class Offered(Message):
        """What the word before the cursor could become."""

        def __init__(self, offers: list[str]) -> None:
            super().__init__()
            self.offers = offers

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(
            "",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            compact=True,
            highlight_cursor_line=False,
            placeholder="Ask a question about your documents",
            id=id,
        )
        self.asked: list[str] = []
        self.personas: Sequence[str] = ()
        self.documents: Sequence[str] = ()
        self._at = 0
        self._draft = ""

    def _before(self) -> str:
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    def on_text_area_changed(self) -> None:
        """Tell what could complete the word before the cursor."""
        self.post_message(self.Offered(completions(self._before(), self.personas, self.documents)))

    def action_send(self) -> None:
        """Send the question, unless there is none.

        Its key is looked at before the widget's own: what was typed in the same burst (a slow link
        sends whole words at once) still waits in the queue and must be taken in first.
        """
        self.call_later(self._send)

    def _send(self) -> None:
        text = self.text.strip()
        if not text:
            return
        if not self.asked or self.asked[-1] != text:
            self.asked.append(text)
        self._at = len(self.asked)
        self.text = ""
        self.post_message(self.Asked(text))

    def action_newline(self) -> None:
        """Start a new line, after what was typed before it in the same burst."""
        self.call_later(self.insert, "\n")

    def action_complete(self) -> None:
        """Complete the word before the cursor; without anything to complete, go to the next pane."""
        offers = completions(self._before(), self.personas, self.documents)
        match = _WORD.search(self._before())
        if not offers or match is None:
            self.screen.focus_next()
            return
        row, column = self.cursor_location
        self.replace(f"{offers[0]} ", (row, column - len(match[0])), (row, column))

    def action_earlier(self) -> None:
        """Go a line up, or from the first to the question before."""
        if self.cursor_location[0] > 0 or not self.asked or self._at == 0:
            self.action_cursor_up()
            return
        if self._at >= len(self.asked):
            self._at, self._draft = len(self.asked), self.text
        self._at -= 1
        self._recall(self.asked[self._at])

    def action_later(self) -> None:
        """Go a line down, or from the last to the question after."""
        if self.cursor_location[0] < self.document.line_count - 1 or self._at >= len(self.asked):
            self.action_cursor_down()
            return
        self._at += 1
        self._recall(self.asked[self._at] if self._at < len(self.asked) else self._draft)

    def _recall(self, text: str) -> None:
        self.text = text
        self.move_cursor(self.document.end)

    def action_leave(self) -> None:
        """Leave the question."""
        self.post_message(self.Left())

    async def _on_paste(self, event: events.Paste) -> None:
        """Take pasted text without anything that could act; a question has no use for control characters."""
        from engine.cleaning import clean

        event.text = clean(event.text)
        await super()._on_paste(event)
