"""The last gate before the terminal: no cell of any widget can carry a control character.

Everything foreign is cleaned on its way in (:func:`engine.cleaning.clean`), so nothing should be
left to stop here. But a widget added next year may forget, and Textual itself strips five control
characters of some sixty-five. All text of all widgets passes ``Strip.render`` and
``Strip.render_style`` of textual 8.2, which :func:`install` replaces; ``tests/tui/test_guard.py``
fails when a newer Textual renders another way.
"""

from typing import TYPE_CHECKING, Any

from engine.cleaning import clean

if TYPE_CHECKING:
    from rich.color import ColorSystem
    from rich.style import Style


class _Dropped(dict[int, "str | None"]):
    """``str.translate`` table that drops what acts or deceives; such a character has no width on screen."""

    def __missing__(self, code: int) -> "str | None":
        char = chr(code)
        self[code] = char if char not in "\t\n" and clean(char) == char else None
        return self[code]


_DROPPED = _Dropped()


def inert(text: str) -> str:
    r"""Return ``text`` without any character that could act on a terminal, or hide.

    >>> inert("a\x1b]0;x\x07b\u202e")
    'a]0;xb'
    """
    return text if text.isascii() and text.isprintable() else text.translate(_DROPPED)


def install() -> None:
    """Put the gate in place, for all apps of this process; a second call changes nothing."""
    from textual.strip import Strip

    if getattr(Strip, "persona_moe_guard", False):
        return
    render_style = Strip.render_style

    def guarded_style(cls: type[Strip], style: "Style", text: str, color_system: "ColorSystem") -> str:
        text = inert(text)
        if style._link and not (style._link.isascii() and style._link.isprintable()):
            style = style.update_link(None)
        return render_style(style, text, color_system)

    def guarded_render(self: Strip, console: Any) -> str:
        if self._render_cache is None:
            colors = console._color_system or _truecolor()
            self._render_cache = "".join(
                inert(text) if style is None else guarded_style(type(self), style, text, colors)
                for text, style, _ in self._segments
            )
        return self._render_cache

    Strip.render_style = classmethod(guarded_style)  # type: ignore[method-assign, assignment]
    Strip.render = guarded_render  # type: ignore[method-assign]
    Strip.persona_moe_guard = True  # type: ignore[attr-defined]


def _truecolor() -> "ColorSystem":
    from rich.color import ColorSystem

    return ColorSystem.TRUECOLOR
