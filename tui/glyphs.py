"""The marks that carry meaning, so that colour never has to carry it alone."""

import os
from typing import Final

import msgspec


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """One set of marks."""

    folded: str
    unfolded: str
    leaf: str
    more: str
    live: str
    idle: str
    stopped: str
    playing: str
    paused: str
    tiers: dict[str, str]
    status: dict[str, str]
    kinds: dict[str, str]
    full: str
    empty: str
    up: str
    down: str
    ellipsis: str
    bullet: str
    left: str
    arrow: str


_STATUS: Final = {
    "idle": " ", "considered": "?", "skipped": "-", "chosen": "+", "walking": ">", "walked": "=",
    "reading": "r", "writing": "w", "claimed": "c", "scored": "*", "stood down": "z",
}  # fmt: skip

UNICODE: Final = Glyphs(
    folded="▸",
    unfolded="▾",
    leaf=" ",
    more="…",
    live="●",
    idle="○",
    stopped="■",
    playing="▶",
    paused="‖",
    tiers={"active": "●", "stable": "○", "experimental": "◌", "pruned": "×"},
    status={
        **_STATUS, "skipped": "–", "chosen": "✓", "walking": "→", "walked": "→", "reading": "≡",
        "writing": "✎", "claimed": "≡", "scored": "★", "stood down": "–", "considered": "·",
    },
    kinds={"question": "?", "entity": "◆", "passage": "¶", "section": "§", "document": "▤"},
    full="█",
    empty="·",
    up="▲",
    down="▼",
    ellipsis="…",
    bullet="·",
    left="│",
    arrow="→",
)  # fmt: skip

ASCII: Final = Glyphs(
    folded=">",
    unfolded="v",
    leaf=" ",
    more="...",
    live="*",
    idle="o",
    stopped="#",
    playing=">",
    paused="=",
    tiers={"active": "*", "stable": "+", "experimental": "~", "pruned": "x"},
    status=_STATUS,
    kinds={"question": "?", "entity": "@", "passage": "-", "section": "$", "document": "#"},
    full="#",
    empty=".",
    up="^",
    down="v",
    ellipsis="...",
    bullet="-",
    left="|",
    arrow="->",
)


def fitting(environment: "os._Environ[str] | dict[str, str]" = os.environ) -> Glyphs:
    """Return the marks that this terminal can show: plain ASCII on the Linux console or without UTF-8.

    >>> fitting({"TERM": "linux", "LANG": "C.UTF-8"}) is ASCII
    True
    """
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    utf8 = "utf-8" in locale.lower() or "utf8" in locale.lower()
    if environment.get("TERM") in {"linux", "vt100", "vt220"} or not utf8:
        return ASCII
    return UNICODE
