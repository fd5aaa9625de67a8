"""What an import would do, persona by persona, before it does it; each conflict resolved by a key."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from engine.cleaning import counted
from engine.personas.bundle import Planned, Resolution, plan_import
from engine.personas.workbench import Act
from tui import keymap
from tui.panes.rows import Row, Style, is_open, row, text_rows
from tui.screens.personas_base import PersonaScreen
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList

_STYLES: dict[str, Style] = {
    "add": "good", "replace": "warn", "conflict": "bad", "refused": "bad", "same": "dim", "skip": "dim"
}  # fmt: skip


def plan_rows(
    plan: Sequence[Planned], refused: Sequence[str], toggled: frozenset[str], width: int
) -> list[Row]:
    """Return a line for each persona of the import; a conflict is open and shows what differs."""
    rows: list[Row] = []
    for place, each in enumerate(plan):
        key = f"planned:{place}"
        below = bool(each.differences or each.notes)
        opened = is_open(key, toggled, each.status in ("conflict", "replace"))
        rows.append(
            row(
                key,
                (f"{each.status:<9}", _STYLES[each.status]),
                each.what.partition("; '--as")[0],
                (f"  {each.origin}", "dim"),
                folded=(not opened) if below else None,
            )
        )
        if below and opened:
            for number, difference in enumerate(each.differences):
                here, there = (_short(value) for value in (difference.here, difference.there))
                rows.append(
                    row(
                        f"{key}/{number}",
                        (f"{difference.field}: ", "dim"),
                        f"here {here}, there {there}",
                        depth=2,
                    )
                )
            for number, note in enumerate(each.notes):
                rows += text_rows(f"{key}/note{number}", note, width, 2, "warn")
    for place, problem in enumerate(refused):
        rows += text_rows(f"refused:{place}", f"refused: {problem}", width, 0, "bad")
    return rows or [row("none", ("there is nothing to import", "dim"))]


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


class ImportScreen(PersonaScreen[Act | None]):
    """Returns what was taken in, None if nothing was."""

    scope = "import"
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings("import")

    def __init__(self, documents: Sequence[tuple[str, bytes]], refused: Sequence[str]) -> None:
        """``documents`` are origins and bytes; ``refused`` says which files could not even be read."""
        super().__init__()
        self._documents, self._refused = documents, list(refused)
        self._resolutions: dict[str, Resolution] = {}
        self._plan: list[Planned] = []
        self._ids: list[str] = []

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        yield PartsLine(id="bench-title")
        yield RowList(
            lambda view, toggled, width: plan_rows(self._plan, self._refused, toggled, width), id="plan"
        )
        yield PartsLine(id="bench-notice")
        yield KeysLine()

    def on_mount(self) -> None:
        """Plan the import."""
        self.query_one("#bench-notice").display = False
        self.query_one(RowList).focus()
        self.show_title([("Import", "strong"), ("  reading…", "dim")])
        self.plan()

    @work(exclusive=True, group="plan")
    async def plan(self) -> None:
        """Say what would be done with the conflicts resolved as they are now."""
        resolutions = dict(self._resolutions)
        plan = await self.called(lambda: plan_import(self.bench.registry, self._documents, resolutions))
        if plan is None:
            return
        if not self._ids:
            self._ids = [each.persona_id for each in plan]
        self._plan = plan
        conflicts = sum(each.status == "conflict" for each in plan)
        todo = sum(each.status in ("add", "replace") for each in plan)
        unresolved = f" {counted(conflicts, 'conflict')}: s skip, r replace, n rename " if conflicts else ""
        self.show_title(
            [
                ("Import ", "strong"),
                (f" {todo} to take in ", "good" if todo else "dim"),
                (unresolved, "bad"),
            ]
        )
        self.query_one(RowList).show(self.view)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open or close what differs."""
        event.rows.action_fold()

    def _resolve(self, how: Resolution) -> None:
        line = self.query_one(RowList).current
        kind, _, rest = (line.key if line else "").partition(":")
        if kind != "planned":
            return
        place = int(rest.partition("/")[0])
        if self._plan[place].differences or self._plan[place].status == "conflict":
            self._resolutions[self._ids[place]] = how
            self.plan()
        else:
            self.say("there is no conflict here")

    def action_skip(self) -> None:
        """Leave the one here as it is."""
        self._resolve("skip")

    def action_replace(self) -> None:
        """Replace the one here."""
        self._resolve("replace")

    def action_rename(self) -> None:
        """Take it in under another id."""
        self._resolve("rename")

    @work(exclusive=True, group="act")
    async def action_carry_out(self) -> None:
        """Carry out what is shown; conflicts that are left are left alone, and named."""
        plan = list(self._plan)
        if not any(each.status in ("add", "replace") for each in plan):
            self.say("nothing here would be taken in", "warn")
            return
        act = await self.called(lambda: self.bench.work.take_in(plan))
        if act is not None:
            self.dismiss(act)

    def action_close(self) -> None:
        """Take nothing in."""
        self.dismiss(None)
