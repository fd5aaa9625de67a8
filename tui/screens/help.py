"""All keys, by where they work; made from the registry of actions and the user's own keys."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui import keymap
from tui.panes.rows import Row, View, row
from tui.widgets.keys_line import KeysLine
from tui.widgets.parts_line import PartsLine
from tui.widgets.row_list import RowList


def help_rows(keys: Mapping[str, str], first: str, width: int) -> list[Row]:
    """Return a line for each action, those of the scope ``first`` on top."""
    rows: list[Row] = []
    scopes = sorted(keymap.SCOPES, key=lambda scope: scope != first)
    for scope in scopes:
        rows.append(row(f"scope:{scope}", (keymap.SCOPES[scope], "strong")))
        for action in keymap.ACTIONS:
            if action.scope == scope:
                named = keymap.shown(keys.get(action.id, action.keys))
                rows.append(
                    row(
                        action.id,
                        (f"{named:<20} ", "accent"),
                        action.help,
                        (f"  {action.id}" if width >= 90 else "", "dim"),
                        depth=1,
                    )
                )
    rows.append(row("gap", ""))
    rows.append(row("own", ('Own keys: configs/keys.toml in the workspace, such as main.quit = "Q"', "dim")))
    return rows


class HelpScreen(ModalScreen[None]):
    """Shows all keys."""

    BINDINGS = keymap.bindings("dialog")

    def __init__(self, view: View, keys: Mapping[str, str], first: str) -> None:
        """Show ``keys``, those of the scope ``first`` on top."""
        super().__init__()
        self._view, self._keys, self._first = view, keys, first

    def compose(self) -> ComposeResult:
        """Yield the parts."""
        with Vertical(id="reader"):
            yield PartsLine(id="reader-title")
            yield RowList(
                lambda view, toggled, width: help_rows(self._keys, self._first, width), id="help-rows"
            )
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the keys."""
        self.query_one(PartsLine).show([("Keys", "strong"), ("  esc closes", "dim")])
        self.query_one(RowList).show(self._view)
        self.query_one(RowList).focus()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
