"""The keys that are possible here, in the last line."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from tui import keymap

if TYPE_CHECKING:
    from textual import events

_HELP: Final = "help"
_REPLAY: Final = [
    action.id.partition(".")[2] for action in keymap.ACTIONS if action.scope == "replay" and action.footer
]


class KeysLine(Footer):
    """Textual's footer, in which no key is cut in two and the key to the help always has its place.

    In a replay the keys of the replay come first.
    """

    DEFAULT_CSS = "KeysLine FooterKey.-help { dock: right; margin: 0; }"

    def __init__(self) -> None:
        """Small, and without the key to the palette."""
        super().__init__(compact=True, show_command_palette=False)

    def compose(self) -> ComposeResult:
        """Yield the keys."""
        if not self._bindings_ready:
            return
        keys = list(self._keys())
        # "earlier" is bound to up, which the text area binds before all else.
        replays = {key.action for key in keys}.issuperset(_REPLAY)
        keys.sort(key=lambda key: (replays and key.action not in _REPLAY, key.action == "earlier"))
        for key in keys:
            key.set_class(key.action == _HELP, "-help")
        self._fit(keys)
        yield from keys

    def _keys(self) -> Iterator[FooterKey]:
        """Yield one key for each action; those that Textual makes are bound to the footer and never freed."""
        told: set[str] = set()
        for _, binding, enabled, tooltip in self.screen.active_bindings.values():
            if binding.show and binding.action not in told:
                told.add(binding.action)
                shown = self.app.get_key_display(binding)
                yield FooterKey(
                    binding.key,
                    shown,
                    binding.description,
                    binding.action,
                    disabled=not enabled,
                    tooltip=tooltip or binding.description,
                    classes="-compact",
                )

    def on_resize(self, event: "events.Resize") -> None:
        """Show as many as there is room for now."""
        self._fit(list(self.query(FooterKey)))

    def _fit(self, keys: list[FooterKey]) -> None:
        room = self.app.size.width - sum(_width(key) for key in keys if key.action == _HELP)
        for key in keys:
            if key.action != _HELP:
                room -= _width(key)
                key.display = room >= 0


def _width(key: FooterKey) -> int:
    return cell_len(f"{key.key_display} {key.description} ")
