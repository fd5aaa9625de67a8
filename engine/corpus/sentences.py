"""Where sentences begin and end, in prose, lists, chats and code alike."""

import re

# One set of characters in front: the search skips all others sooner than alternatives.
_BREAK = re.compile(
    r"[.!?\n](?:(?<!\n)[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9À-Þ])|(?<=\n)(?:[ \t]*\n\s*)?)", re.UNICODE
)
_ABBREVIATION = re.compile(
    r"(?:\b[A-Z]|\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|No|vs|Inc|Ltd|Co|Mt|ca|Lt|Col|Gen|Capt|Sgt|Prof|Rev|Hon|Fig|cf|approx"
    r"|e\.g|i\.e|al))\.\Z"
)
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
        if at < start:
            continue
        end = at
        if text[at] != "\n":
            end += len(match.group().rstrip())
            if text[at] == "." and _ABBREVIATION.search(text[max(start, end - _LOOK_BACK) : end]):
                continue
        elif stop == at + 1 and _carries_on(text, at, stop):
            continue
        _add(spans, text, start, end)
        start = stop
    _add(spans, text, start, len(text))
    return spans


def _carries_on(text: str, line_end: int, next_line: int) -> bool:
    line_start = text.rfind("\n", 0, line_end) + 1
    if line_end - line_start < _WRAPPED_LINE:
        return False
    line = text[line_start:line_end].rstrip()
    if len(line) < _WRAPPED_LINE or line[-1] in ".!?:;|{}" or line.startswith(("#", "|")):
        return False
    return not _OPENS_LINE.match(text, next_line)


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end].lstrip()
    start = end - len(piece)
    piece = piece.rstrip()
    if piece:
        spans.append((start, start + len(piece)))
