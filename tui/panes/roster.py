"""The roster of all personas as lines: grouped by tier or sorted by a column, drawn when looked at."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size

from engine.cleaning import counted, one_line
from engine.events import Tier
from engine.personas.overview import RosterLine
from engine.workspace import TIERS
from tui.glyphs import Glyphs
from tui.panes.plot import spark
from tui.panes.rows import LazyRows, Part, Row, bar, row
from tui.persona_bench import Conflict

WIDE: Final = 110
_BAR: Final = 4


class Widths(NamedTuple):
    """The cells of each column; ``persona`` is 0 where ids have no column of their own."""

    name: int
    persona: int
    trend: int
    expertise: int

    @classmethod
    def of(cls, width: int) -> "Widths":
        """Return the columns of a list ``width`` cells wide."""
        name, persona, trend = (22, 22, 16) if width >= WIDE else (18, 0, 8)
        taken = 4 + name + 1 + (persona + 1 if persona else 0) + 5 + 1 + trend + 1 + 10 + 1 + 10 + 1
        return cls(name, persona, trend, max(8, width - taken))


def head(width: int, column: str, reverse: bool, glyphs: Glyphs) -> str:
    """Return the line above the columns; the one that sorts is marked."""
    sizes = Widths.of(width)

    def title(text: str, names: Collection[str], size: int) -> str:
        mark = (glyphs.down if reverse else glyphs.up) if column in names else ""
        return f"{text}{mark}"[:size].ljust(size)

    parts = ["  ", title("name", ("name",) if sizes.persona else ("name", "id"), sizes.name), " "]
    if sizes.persona:
        parts += [title("id", ("id",), sizes.persona), " "]
    parts += [
        title(" cost", ("cost",), 5), " ",
        title("scores", ("n", "mean", "trend"), sizes.trend), " ",
        title("to rise", ("promotion",), 10), " ",
        title("to fall", ("demotion",), 10), " ",
        title("expertise", ("expertise",), sizes.expertise),
    ]  # fmt: skip
    return "".join(parts)


def roster_rows(
    lines: Sequence[RosterLine],
    conflicts: Sequence[Conflict],
    problems: Sequence[str],
    *,
    by_tier: bool,
    toggled: frozenset[str],
    marked: Collection[str],
    width: int,
    glyphs: Glyphs,
) -> LazyRows:
    """Return a line for each persona in the order given; by tier they stand below its name and count."""
    entries: list[_Entry] = [*conflicts, *(_Problem(place, each) for place, each in enumerate(problems))]
    if by_tier:
        members: dict[Tier, list[RosterLine]] = {tier: [] for tier in TIERS}
        for line in lines:
            members[line.tier].append(line)
        for tier in TIERS:
            is_open = f"tier:{tier}" not in toggled
            entries.append(_Head(tier, len(members[tier]), is_open))
            entries += members[tier] if is_open else []
    else:
        entries += lines
    sizes = Widths.of(width)

    def draw(place: int) -> Row:
        entry = entries[place]
        if isinstance(entry, RosterLine):
            return _line(entry, sizes, entry.persona_id in marked, glyphs, by_tier)
        if isinstance(entry, _Head):
            return _tier(entry, glyphs)
        return _conflict(entry) if isinstance(entry, Conflict) else _problem(entry)

    return LazyRows([_key(entry) for entry in entries], draw)


class _Head(NamedTuple):
    tier: Tier
    many: int
    is_open: bool


class _Problem(NamedTuple):
    place: int
    reason: str


_Entry: TypeAlias = RosterLine | Conflict | _Head | _Problem


def _key(entry: _Entry) -> str:
    if isinstance(entry, RosterLine):
        return f"persona:{entry.persona_id}"
    if isinstance(entry, _Head):
        return f"tier:{entry.tier}"
    return f"conflict:{entry.persona_id}" if isinstance(entry, Conflict) else f"problem:{entry.place}"


def _problem(problem: _Problem) -> Row:
    return row(_key(problem), (f"! {problem.reason}", "warn"))


def _tier(head: _Head, glyphs: Glyphs) -> Row:
    return row(
        _key(head),
        (f"{glyphs.tiers[head.tier]} {head.tier}", "strong"),
        (f" ({head.many})", "dim"),
        folded=not head.is_open if head.many else None,
    )


def _conflict(conflict: Conflict) -> Row:
    tiers = " and ".join(conflict.tiers)
    return row(
        f"conflict:{conflict.persona_id}",
        (f"! {conflict.persona_id} is in {tiers}; both files are kept", "bad"),
        ("  enter: choose one", "dim"),
    )


def _line(line: RosterLine, sizes: Widths, marked: bool, glyphs: Glyphs, by_tier: bool) -> Row:
    mark = glyphs.status["chosen"] if marked else " " if by_tier else glyphs.tiers[line.tier]
    pin = "*" if line.pinned else " "
    parts: list[Part] = [
        (mark, "accent" if marked else "dim"),
        (pin, "warn"),
        (f"{_cut(line.name, sizes.name, glyphs)} ", "strong" if marked else ""),
    ]
    if sizes.persona:
        parts.append((f"{_cut(line.persona_id, sizes.persona, glyphs)} ", "dim"))
    parts += [
        (f"{line.activation_cost:>5g} ", "dim"),
        (f"{spark(line.trend, sizes.trend, glyphs):<{sizes.trend}} ", "accent"),
        (f"{_distance(line.outlook.promotion, glyphs.up, glyphs)} ", "good"),
        (f"{_distance(line.outlook.demotion, glyphs.down, glyphs)} ", "warn"),
        (_cut(", ".join(line.expertise[:8]), sizes.expertise, glyphs), "dim"),
    ]
    return row(f"persona:{line.persona_id}", *parts)


def _cut(text: str, size: int, glyphs: Glyphs) -> str:
    flat = one_line(text, 400)
    if cell_len(flat) <= size:
        return set_cell_size(flat, size)
    return set_cell_size(flat, size - len(glyphs.ellipsis)) + glyphs.ellipsis


def _distance(left: float | None, mark: str, glyphs: Glyphs) -> str:
    """Return what is left to a move as mark, bar and number: full at rest, empty when it is due."""
    if left is None:
        return f"{mark}{'-':>{_BAR}}     "
    return f"{mark}{bar(left, _BAR, glyphs)} {left:>4.0%}"


def detail(line: RosterLine | None, width: int) -> list[Part]:
    """Return the line below the list: what the columns have no room for, in as many words as fit."""
    if line is None:
        return [("space marks all of a tier, enter opens or closes it", "dim")]
    tier = f"{line.tier}{', pinned' if line.pinned else ''}  "
    answers = f"{counted(line.n, 'answer')}, mean {line.mean:.2f}" if line.n else "no answers yet"
    lead = f"{line.advantage:+.3f}" if line.n else ""
    against = f", {lead} against the others" if lead else ""
    wait = f", {line.outlook.wait} before a move" if line.outlook.wait else ""
    ways = (
        f"{tier}{answers}{against}  {line.outlook.said}",
        f"{tier}{answers}{against}{wait}",  # how far the moves are is in the columns
        f"{answers}{against}{wait}",
        f"{answers}{f' ({lead})' if lead else ''}{wait}",
    )
    room = width - cell_len(line.persona_id) - 2
    told = next((each for each in ways if cell_len(each) <= room), ways[-1])
    return [(line.persona_id, "strong"), (f"  {told}", "dim")]
