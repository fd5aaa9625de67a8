"""Which settings can change a decision, as a digest and setting by setting."""

from typing import Any, Final

import msgspec

from engine.config import Settings
from engine.ids import canonical, digest

# What may differ between two runs whose decisions are equal.
_UNDECIDING: Final[dict[str, tuple[str, ...]]] = {
    "system": ("batch_size", "workers", "log_level", "enable_caching"),
    "ollama": (
        "provider", "api_endpoint", "keep_alive", "parallel",
        "connect_seconds", "first_token_seconds", "stall_seconds", "total_seconds",
    ),
}  # fmt: skip


def decision_digest(settings: Settings) -> str:
    """Return 32 hex digits over the settings that can change a decision, and over no others.

    Left out: ``batch_size``, ``workers``, ``log_level``, ``enable_caching``, and of ``ollama.toml``
    where and how patiently a server is asked (the model that was really used, and what it answered,
    are part of the run's own record).

    >>> from engine.config import SystemSettings
    >>> quiet = Settings(system=SystemSettings(log_level="error"))
    >>> decision_digest(quiet) == decision_digest(Settings())
    True
    >>> decision_digest(Settings(system=SystemSettings(seed=1))) == decision_digest(Settings())
    False
    """
    return digest("settings.v1", canonical(_deciding(settings)))


def decision_table(settings: Settings) -> dict[str, str]:
    """Return what :func:`decision_digest` covers, setting by setting, each value as JSON.

    >>> decision_table(Settings())["thresholds.budget"]
    '4.0'
    """
    table = {}
    waiting: list[tuple[str, Any]] = [(part, value) for part, value in _deciding(settings).items()]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [(f"{name}.{key}", each) for key, each in value.items()]
        else:
            table[name] = canonical(value).decode()
    return table


def _deciding(settings: Settings) -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    for part, names in _UNDECIDING.items():
        for name in names:
            del content[part][name]
    return content
