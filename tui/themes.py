"""The app's own themes; beside them stands the terminal's, which also sends the fewest bytes."""

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="persona-dark",
    primary="#7aa2d6",
    secondary="#8fb573",
    accent="#d9a757",
    foreground="#d6d9de",
    background="#15181c",
    surface="#1b1f24",
    panel="#252a31",
    success="#8fb573",
    warning="#d9a757",
    error="#e0706c",
    dark=True,
)
LIGHT: Final = Theme(
    name="persona-light",
    primary="#2f5f9e",
    secondary="#3f6b2a",
    accent="#8a5200",
    foreground="#1d2126",
    background="#fafaf7",
    surface="#f1f1ec",
    panel="#e3e3dc",
    success="#3f6b2a",
    warning="#8a5200",
    error="#a8201a",
    dark=False,
)
CONTRAST: Final = Theme(
    name="persona-contrast",
    primary="#ffffff",
    secondary="#00ffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    success="#00ff00",
    warning="#ffff00",
    error="#ff8080",
    dark=True,
)
OWN: Final = (DARK, LIGHT, CONTRAST)
TERMINAL: Final = "ansi-dark"
ORDER: Final = (*(theme.name for theme in OWN), TERMINAL, "ansi-light")
