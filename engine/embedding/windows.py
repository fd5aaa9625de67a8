"""What of a passage is embedded: an embedder reads some 250 tokens, so longer texts go in pieces."""

WINDOW = 900
"""Characters of a piece, some 200 tokens with its title."""
_SPARE = 1.25
"""A text this many times as long is left whole: a short rest says little by itself."""


def windows(title: str, text: str) -> list[str]:
    """Return the pieces of a passage, each under its title, cut where a line or a sentence ends.

    >>> windows("Lamps", "A lamp burns.")
    ['Lamps\\nA lamp burns.']
    >>> [len(piece) for piece in windows("", "word " * 400)]
    [899, 1099]
    """
    pieces = []
    rest = text.strip()
    while len(rest) > WINDOW * _SPARE:
        head = rest[:WINDOW]
        at = max(head.rfind("\n"), head.rfind(". ") + 1)
        if at < WINDOW // 2:
            at = head.rfind(" ")
        if at < WINDOW // 2:
            at = WINDOW
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    pieces.append(rest)
    return [f"{title}\n{piece}" if title else piece for piece in pieces if piece or title]
