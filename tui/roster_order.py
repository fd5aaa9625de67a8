"""Which personas are shown in which order, and which are marked. Holds no widget."""

from collections.abc import Mapping, Sequence

from engine.events import Tier
from engine.personas.overview import COLUMNS, Finder, RosterLine, sorted_lines
from engine.workspace import TIERS


class RosterOrder:
    """The lines of the roster, filtered by words and sorted by a column; marks outlive both."""

    def __init__(self) -> None:
        self.lines: dict[str, RosterLine] = {}
        self.column = "tier"
        self.reverse = False
        self.text = ""
        self.marked: dict[str, None] = {}
        self.shown: Sequence[RosterLine] = ()
        self.counts: dict[Tier, int] = dict.fromkeys(TIERS, 0)
        self._finder = Finder([])
        self._stay: set[str] = set()

    def take(self, lines: Sequence[RosterLine]) -> None:
        """Take a roster that was read anew; marks of personas that are gone go too."""
        self.lines = {line.persona_id: line for line in lines}
        self.marked = {name: None for name in self.marked if name in self.lines}
        self._sort()

    def replace(self, lines: Mapping[str, RosterLine | None]) -> None:
        """Take some lines that changed; None is a persona that is gone.

        What is shown stays until the next filter: a key held down must not meet the next line.
        """
        self._stay.update(line.persona_id for line in self.shown if self.text and line.persona_id in lines)
        for name, line in lines.items():
            if line is None:
                self.lines.pop(name, None)
                self.marked.pop(name, None)
            else:
                self.lines[name] = line
        if lines:
            self._sort()

    def filter(self, text: str) -> None:
        """Show only lines that hold every word of ``text``."""
        self.text = text.strip()
        self._stay.clear()
        self._find()

    def next_column(self) -> None:
        """Sort by the next column."""
        self.column = COLUMNS[(COLUMNS.index(self.column) + 1) % len(COLUMNS)]
        self.reverse = self.column in ("n", "mean", "trend")
        self._sort()

    def turn_round(self) -> None:
        """Sort the other way round."""
        self.reverse = not self.reverse
        self._sort()

    def _sort(self) -> None:
        counts = dict.fromkeys(TIERS, 0)
        for line in self.lines.values():
            counts[line.tier] += 1
        self.counts = counts
        self._finder = Finder(sorted_lines(self.lines.values(), self.column, reverse=self.reverse))
        self._find()

    def _find(self) -> None:
        self.shown = self._finder.find(self.text)
        if self._stay:
            found = self._stay.union(line.persona_id for line in self.shown)
            self.shown = [line for line in self._finder.find("") if line.persona_id in found]

    # -- marks -----------------------------------------------------------------------------------
    @property
    def marked_and_shown(self) -> list[str]:
        """The marked personas that the filter lets through."""
        return [line.persona_id for line in self.shown if line.persona_id in self.marked]

    def mark(self, name: str) -> None:
        """Mark a persona, or no longer."""
        if name in self.marked:
            del self.marked[name]
        elif name in self.lines:
            self.marked[name] = None

    def mark_all(self, lines: Sequence[RosterLine]) -> None:
        """Mark all of these; if they all are marked, none of them."""
        names = [line.persona_id for line in lines]
        if all(name in self.marked for name in names):
            for name in names:
                self.marked.pop(name, None)
        else:
            self.marked.update(dict.fromkeys(names))

    def unmark(self) -> None:
        """Mark none."""
        self.marked = {}
