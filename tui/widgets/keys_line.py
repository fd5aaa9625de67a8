"""The keys that are possible here, in the last line."""

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey


class KeysLine(Footer):
    """Textual's footer; the key to the help keeps its place at the right end, however many there are."""

    DEFAULT_CSS = """
    KeysLine FooterKey.-help { dock: right; margin: 0; padding-left: 1; }
    """

    def __init__(self) -> None:
        """Small, and without the key to the palette."""
        super().__init__(compact=True, show_command_palette=False)

    def compose(self) -> ComposeResult:
        """Yield the keys."""
        for key in super().compose():
            if isinstance(key, FooterKey) and key.action == "help":
                key.add_class("-help")
            yield key
