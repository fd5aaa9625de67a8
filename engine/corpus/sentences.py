"""Where sentences begin and end, in prose, lists, chats and code alike."""

import re

# One set of characters in front: the search skips all others sooner than alternatives.
_BREAK = re.compile(
    r"[.!?\n](?:(?<!\n)[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9À-Þ])|(?<=\n)(?:[ \t]*\n\s*)?)", re.UNICODE
)
_ABBREVIATED = (
    "Mr Mrs Ms Dr St Jr Sr No vs Inc Ltd Co Mt ca Lt Col Gen Capt Sgt Prof Rev Hon Fig cf approx e.g i.e al"
).split()
_ABBREVIATION = re.compile(rf"\b(?:[A-Z]|{'|'.join(map(re.escape, _ABBREVIATED))})\.\Z")
# A look at the last two letters spares most sentences the search.
_LAST_LETTERS = frozenset(word[-2:] for word in _ABBREVIATED)
_OPENS_LINE = re.compile(r"[ \t]|[-*+•]\s|[>#|=~]|```|\d+[.)] |\w{1,40}: ")
_WRAPPED_LINE = 50
_LOOK_BACK = 12


def sentence_spans(text: str) -> list[tuple[int, int]]:
    r"""Return the (start, end) offsets of the sentences of ``text``, in order, blank ones left out.

    A line break ends a sentence, unless the line is long enough to have been wrapped and the next
    one carries on.

    >>> [("A b. C d."[s:e]) for s, e in sentence_spans("A b. C d.")]
    ['A b.', 'C d.']
    >>> len(sentence_spans("Mr. Smith arrived.\nAnn: hello"))
    2
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        at, stop = match.span()
        mark = text[at]
        if mark == "\n":
            end = at
            long_line = at - text.rfind("\n", 0, at) > _WRAPPED_LINE
            if long_line and stop == at + 1 and _carries_on(text, at, stop):
                continue
        else:
            end = at + (1 if stop == at + 2 else len(match[0].rstrip()))
            if mark == "." and end == at + 1 and _is_abbreviated(text, start, at):
                continue
        _add(spans, text, start, end)
        start = stop
    _add(spans, text, start, len(text))
    return spans


def _is_abbreviated(text: str, start: int, at: int) -> bool:
    """Whether the full stop ``at`` belongs to the word in front of it."""
    if text[at - 1 : at].isupper() or text[max(at - 2, 0) : at] in _LAST_LETTERS:
        return _ABBREVIATION.search(text[max(start, at + 1 - _LOOK_BACK) : at + 1]) is not None
    return False


def _carries_on(text: str, line_end: int, next_line: int) -> bool:
    line = text[text.rfind("\n", 0, line_end) + 1 : line_end].rstrip()
    if len(line) < _WRAPPED_LINE or line[-1] in ".!?:;|{}" or line.startswith(("#", "|")):
        return False
    return not _OPENS_LINE.match(text, next_line)


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        # Nearly always there is nothing to strip.
        start += 0 if len(bare) == len(piece) else len(piece) - len(piece.lstrip())
        spans.append((start, start + len(bare)))
