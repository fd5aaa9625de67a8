"""Sizes that are no longer true are left alone.

A screen of textual 8.2 that is laid out sends itself the size it got. When the terminal changes its
size twice in one moment, two such messages are under way, each undoes what the other did and sends
itself again, and the app draws for ever and answers no key. :func:`install` has a screen take only the
size that the app has; the storm of sizes in ``tests/tui/test_real_terminal.py`` found the endless case.
"""

from textual.geometry import Size
from textual.screen import Screen


def install() -> None:
    """Have all screens of this process ignore sizes of the past; a second call changes nothing."""
    if getattr(Screen, "persona_moe_sizes", False):
        return
    resized = Screen._screen_resized

    def _screen_resized(self: Screen[object], size: Size) -> None:
        if size == self.app.size:
            resized(self, size)

    Screen._screen_resized = _screen_resized  # type: ignore[method-assign, assignment]
    Screen.persona_moe_sizes = True  # type: ignore[attr-defined]
