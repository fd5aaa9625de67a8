"""What the library draws, and the few marks of ours that no set of glyphs holds, in plain ASCII."""

import re
from collections.abc import Iterator
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_HORIZONTAL: Final = "─━┄┅┈┉╌╍═╴╶╸╺╼╾▔‾–—"
_VERTICAL: Final = "│┃┆┇┊┋╎╏║╵╷╹╻╽╿▌▍▎▏▐▕‖"


def _marks() -> Iterator[tuple[int, str]]:
    yield from ((each, "+") for each in range(0x2500, 0x2580))
    yield from ((each, "#") for each in range(0x2580, 0x25A0))
    yield from (
        (ord(each), " ") for each in "▁▂▃"
    )  # ends of a scrollbar that fill less than half of their cell
    yield from ((ord(each), "-") for each in _HORIZONTAL)
    yield from ((ord(each), "|") for each in _VERTICAL)
    for kinds, plain in (
        ("…·", "."),
        ("→›▶▸", ">"),
        ("←‹", "<"),
        ("↑▲", "^"),
        ("↓▼▾", "v"),
        ("“”", '"'),
        ("‘’", "'"),
    ):
        yield from ((ord(each), plain) for each in kinds)
    yield from ((ord(each), "*") for each in "•●★")
    yield from ((ord(each), "o") for each in "○◌")


_TABLE: Final = dict(_marks())
_ANY: Final = re.compile(f"[{re.escape(''.join(map(chr, _TABLE)))}]")
_CUT: Final = "..."


class AsciiMarks(LineFilter):
    """Draws borders, scrollbars and marks as ASCII, each in its one cell; other text stays as it is."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return ``segments`` in ASCII; a line that was cut at the edge ends with three dots."""
        if not any(_ANY.search(each.text) for each in segments):
            return segments
        if segments[-1].text.endswith("…"):
            segments = _with_dots(segments)
        return [Segment(text.translate(_TABLE), style, control) for text, style, control in segments]


def _with_dots(segments: list[Segment]) -> list[Segment]:
    whole = "".join(each.text for each in segments)
    if len(whole) <= len(_CUT) or not whole[-len(_CUT) :].rstrip("…").isascii():
        return segments
    kept: list[Segment] = []
    room = len(whole) - len(_CUT)
    for text, style, control in segments:
        kept.append(Segment(text[: max(0, room)], style, control))
        room -= len(text)
    return [*kept, Segment(_CUT, segments[-1].style)]
