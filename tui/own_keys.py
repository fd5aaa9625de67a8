"""The user's own keys, from ``configs/keys.toml``: read, checked, and made ready for Textual."""

import re
import string
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.config_file import nearest, nearest_key, parse_toml
from engine.errors import ConfigError, WorkspaceError
from engine.files import is_missing, read_bounded
from tui.keymap import ACTIONS, BY_ID, Scope, shown

FILE: Final = "keys.toml"
MOST_BYTES: Final = 64 * 1024

_MODIFIERS: Final = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_TOGETHER: Final[tuple[frozenset[Scope], ...]] = (
    frozenset({"main", "replay"}),
    *(
        frozenset[Scope]({"list", place})
        for place in ("main", "replay", "personas", "roster", "runs", "models", "import")
    ),
)
"""Places whose keys work at the same time: one key means one thing there. Those of "app" always work."""


def key_names() -> frozenset[str]:
    """Return the names of the keys that are no character, such as ``pageup`` or ``f5``."""
    from textual.keys import Keys

    return frozenset({each.value for each in Keys if each.value.isidentifier()} | {"space"})


def normal_key(text: str) -> str:
    """Return the key as Textual names it. Raises ValueError for one that no terminal sends.

    >>> normal_key("?"), normal_key("ctrl+t"), normal_key("Q")
    ('question_mark', 'ctrl+t', 'Q')
    """
    *modifiers, base = text.split("+") if text != "+" else ["+"]
    if not set(modifiers) <= _MODIFIERS or len(set(modifiers)) < len(modifiers) or not base:
        raise ValueError(text)
    if len(base) == 1:
        if not base.isprintable():
            raise ValueError(text)
        base = base if base.isalnum() else _named(base)
    elif base not in key_names() and not _is_character(base):
        raise ValueError(text)
    return "+".join([*sorted(modifiers), base])


def _named(char: str) -> str:
    from textual.keys import KEY_NAME_REPLACEMENTS

    name = unicodedata.name(char, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _is_character(name: str) -> bool:
    """Return whether ``name`` is that of a character which no letter is, as ``question_mark`` is."""
    return name in map(_named, string.punctuation)


def checked(keys: Mapping[str, object], where: Mapping[str, str] | str) -> dict[str, str]:
    """Return a keymap, action -> keys, as a settings file gives it.

    ``where`` says where each action stands, for the message. Raises ConfigError for an action there
    is not, with the nearest, for keys that no terminal sends, and for a key that would mean two
    things in one place.

    >>> checked({"main.quit": "Q"}, "keys.toml")
    {'main.quit': 'Q'}
    """

    def at(name: str) -> str:
        return where if isinstance(where, str) else where.get(name, FILE)

    found: dict[str, str] = {}
    for name, value in keys.items():
        if name not in BY_ID:
            guess = nearest_key(name, BY_ID)
            mend = f"did you mean {guess}?" if guess else "press ? in the app for all actions"
            raise ConfigError(f"{at(name)}: there is no action {name[:60]!r}", mend)
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(
                f"{at(name)}: the keys of {name} are not text", 'write for example "ctrl+t" or "t,f5"'
            )
        found[name] = _normal(name, value, at(name))
    for name in found:
        _refuse_clash(name, found, at(name))
    return found


def _normal(name: str, value: str, where: str) -> str:
    made = []
    for key in value.split(","):
        try:
            made.append(normal_key(key.strip()))
        except ValueError:
            guess = nearest(key.strip().lower(), sorted(key_names()))
            mend = f"did you mean {guess}?" if guess else 'such as "Q", "ctrl+t", "f5" or "question_mark"'
            raise ConfigError(f"{where}: {key.strip()[:40]!r} is no key ({name})", mend) from None
    return ",".join(dict.fromkeys(made))


def _work_together(one: Scope, other: Scope) -> bool:
    return one == other or "app" in (one, other) or any({one, other} <= group for group in _TOGETHER)


def _refuse_clash(name: str, found: Mapping[str, str], where: str) -> None:
    """Raise ConfigError if a key that the user gave to an action means another thing there too."""
    for other in ACTIONS:
        if other.id == name or not _work_together(BY_ID[name].scope, other.scope):
            continue
        both = set(found[name].split(",")) & set(found.get(other.id, other.keys).split(","))
        both -= set(BY_ID[name].keys.split(",")) & set(other.keys.split(","))
        if both:
            raise ConfigError(
                f"{where}: {shown(min(both))} is the key of both {name} and {other.id}",
                f"give {other.id} another one too, or choose one that is free",
            )


def load(configs: Path) -> dict[str, str]:
    """Return the user's keymap from ``configs/keys.toml``; empty without one. Raises ConfigError.

    ``main.quit = "Q"`` or a table ``[main]`` with ``quit = "Q"`` both name the action ``main.quit``.
    """
    try:
        data = read_bounded(configs / FILE, MOST_BYTES)
    except WorkspaceError as error:
        if is_missing(error):
            return {}
        raise ConfigError(error.problem, error.mend) from error
    flat: dict[str, object] = {}
    for name, value in parse_toml(data, FILE).items():
        if isinstance(value, dict):
            flat.update({f"{name}.{key}": each for key, each in value.items()})
        else:
            flat[name] = value
    return checked(flat, _lines(data.decode("utf-8-sig"), flat))


def _lines(text: str, names: Mapping[str, object]) -> dict[str, str]:
    """Return where each action stands, as ``keys.toml line 3``; nothing where no line names it."""
    found = {}
    for name in names:
        scope, _, short = name.partition(".")
        whole = re.compile(rf"[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*=")
        part = re.compile(rf"[ \t]*[\"']?{re.escape(short)}[\"']?[ \t]*=")
        table = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if head := re.match(r"[ \t]*\[[ \t]*([A-Za-z_]+)[ \t]*\]", line):
                table = head[1]
            elif whole.match(line) or (table == scope and part.match(line)):
                found[name] = f"{FILE} line {number}"
                break
    return found


def for_textual(keys: Mapping[str, str]) -> dict[str, str]:
    """Return ``keys`` with what Textual would lose by them.

    Giving an action other keys takes its old ones from every action of the same widget, so those that
    share a key with a changed one are named with the keys they have.
    """
    full = dict(keys)
    for name in keys:
        old = set(BY_ID[name].keys.split(","))
        for other in ACTIONS:
            shares = old & set(other.keys.split(","))
            if shares and other.id not in full and _work_together(BY_ID[name].scope, other.scope):
                full[other.id] = other.keys
    return full
