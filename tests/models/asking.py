"""A question asked from the command line of a small workspace, with a server on loopback that writes."""

import json
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback

from tui.cli import main

QUESTION = "Who designed the Helio lamp?"
DOCUMENTS = {
    "lamps.md": "# Lamps\n\n## Solar lamps\n\nThe Helio lamp was designed by Mara Voss in 1994. "
    "Its battery lasts nine hours.\n\n## Oil lamps\n\nAn oil lamp burns oil through a wick.\n",
    "mara.md": "# Mara Voss\n\nMara Voss is an engineer from Bergen. She founded the company Nordlys.\n",
}
Captured = pytest.CaptureFixture[str]


def served_by(workspace: Path, server: Loopback, **more: Any) -> None:
    settings = {
        "api_endpoint": server.url,
        "first_token_seconds": 0.6 if server.fault == "silent" else 8.0,
        "stall_seconds": 0.8 if server.fault == "stall" else 8.0,
        "connect_seconds": 2.0,
        **more,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (workspace / "configs" / "ollama.toml").write_text("\n".join(lines) + "\n")


def ask(workspace: Path, capsys: Captured, *more: str, code: int = 0) -> dict[str, Any]:
    assert main(["--workspace", str(workspace), "ask", QUESTION, "--json", "--no-learn", *more]) == code
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def events(workspace: Path, capsys: Captured, *more: str) -> list[dict[str, Any]]:
    assert main(["--workspace", str(workspace), "ask", QUESTION, "--events", *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def of(kind: str, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in told if event["type"] == kind]
