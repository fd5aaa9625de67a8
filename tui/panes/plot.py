"""Numbers in [0, 1] as a plot of a few lines, and as one line."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from engine.personas.overview import sparkline
from tui.glyphs import ASCII, Glyphs

_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"


def plot_lines(values: Sequence[float], width: int, height: int, glyphs: Glyphs) -> list[str]:
    """Return ``values``, oldest first, as ``height`` lines of at most ``width`` cells, 1 at the top.

    Where there are more values than columns a column shows the mean of its share.

    >>> from tui.glyphs import UNICODE
    >>> plot_lines([0.0, 0.5, 1.0], 20, 2, UNICODE)
    ['1.0 ┤  █', '0.5 ┤ ██']
    """
    axis = "|" if glyphs is ASCII else "┤"
    columns = _shares(values, max(1, width - 6))
    lines = []
    for row in range(height, 0, -1):
        cells = "".join(_cell(value * height - (row - 1), glyphs) for value in columns)
        lines.append(f"{row / height:.1f} {axis}{cells}")
    return lines


def _shares(values: Sequence[float], most: int) -> list[float]:
    if len(values) <= most:
        return list(values)
    edges = [round(i * len(values) / most) for i in range(most + 1)]
    return [math.fsum(values[a:b]) / (b - a) for a, b in pairwise(edges)]


def _cell(filled: float, glyphs: Glyphs) -> str:
    share = min(max(filled, 0.0), 1.0)
    if glyphs is ASCII:
        return glyphs.full if share >= 0.5 else " "
    return _EIGHTHS[round(share * 8)]


def spark(trend: Sequence[float], width: int, glyphs: Glyphs) -> str:
    """Return the latest ``width`` scores as one mark each: bars, or tenths where only ASCII is shown.

    >>> spark([0.0, 0.51, 1.0], 2, ASCII)
    '59'
    """
    latest = trend[-width:]
    if glyphs is ASCII:
        return "".join(str(min(int(min(max(value, 0.0), 1.0) * 10), 9)) for value in latest)
    return sparkline(latest)
