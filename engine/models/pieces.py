"""Text that arrives in pieces, cleaned as if it had arrived whole."""

from engine.cleaning import MAX_COMBINING_MARKS, clean


class PieceCleaner:
    r"""Cleans each piece at once, except what can only be judged with the piece after it.

    A high surrogate waits for its other half, a carriage return for its line feed; a row of
    combining marks is counted over the border between two pieces.

    >>> cleaner = PieceCleaner()
    >>> [cleaner.add("a\ud83d"), cleaner.add("\ude00 b\r"), cleaner.add("\nc"), cleaner.end()]
    ['a', '😀 b', '\nc', '']
    """

    def __init__(self) -> None:
        self._waiting = ""
        self._tail = ""
        self._said: list[str] = []

    @property
    def text(self) -> str:
        """Return all that was given out so far."""
        return "".join(self._said)

    def add(self, piece: str) -> str:
        """Return what can be shown now that ``piece`` has come."""
        text = self._waiting + piece
        self._waiting = ""
        if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            text, self._waiting = text[:-1], text[-1]
        return self._give(text)

    def end(self) -> str:
        """Return what was still waiting."""
        text, self._waiting = self._waiting, ""
        return self._give(text)

    def _give(self, text: str) -> str:
        if not text:
            return ""
        joined = text
        if not text.isascii():
            joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        shown = clean(self._tail + joined)[len(self._tail) :]
        self._tail = (self._tail + shown)[-MAX_COMBINING_MARKS:]
        self._said.append(shown)
        return shown
