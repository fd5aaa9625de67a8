"""What the commands print with ``--json`` is what the checked-in schema promises."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import QUESTION, asked_before
from tests.models.loopback import Loopback
from tui.cli import main
from tui.json_schema import COMMANDS, command_schema

FILE = Path(__file__).resolve().parents[2] / "tui" / "command-line.schema.json"
PROMISED: dict[str, Any] = json.loads(FILE.read_bytes())

Printed = Callable[..., str]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which eleven questions were asked, so that there is something to tell others."""
    return asked_before(tmp_path_factory.mktemp("recorded"), [f"{QUESTION} {number}" for number in range(11)])


@pytest.fixture
def printed(recorded: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Printed:
    place = Path(shutil.copytree(recorded, tmp_path / "place"))

    def run(*words: str, code: int = 0) -> str:
        got = main(["--workspace", str(place), *words])
        captured = capfd.readouterr()
        assert got == code, captured.err
        return captured.out

    return run


def satisfies(command: str, text: str) -> Any:
    validator = Draft202012Validator({**PROMISED, "$ref": f"#/$defs/commands/$defs/{command}"})
    value = json.loads(text)
    validator.validate(value)
    return value


def test_the_checked_in_schema_is_the_one_the_types_give() -> None:
    assert FILE.read_bytes() == command_schema()
    Draft202012Validator.check_schema(PROMISED)


def test_a_value_with_a_key_too_many_or_too_few_is_refused() -> None:
    assert satisfies("personas export --to", '{"written": []}') == {"written": []}
    for wrong in ("{}", '{"written": [], "more": 1}', '{"written": [1]}'):
        with pytest.raises(Exception, match=r"is a required property|Additional|is not of type"):
            satisfies("personas export --to", wrong)


def test_what_every_command_prints_is_what_the_schema_promises(printed: Printed, tmp_path: Path) -> None:
    seen: set[str] = set()

    def check(command: str, *words: str, code: int = 0) -> Any:
        seen.add(command)
        return satisfies(command, printed(*words, "--json", code=code))

    check("search", "search", QUESTION)
    check("ask", "ask", QUESTION, "--no-model")
    for line in printed("ask", f"{QUESTION} Say more.", "--no-model", "--events").splitlines():
        satisfies("ask --events", line)
    seen.add("ask --events")
    runs = check("snapshots list", "snapshots", "list")
    assert len(runs) == 13
    check("snapshots show", "snapshots", "show", "last")
    for line in printed("snapshots", "replay", "last", "--json").splitlines():
        satisfies("snapshots replay", line)
    seen.add("snapshots replay")
    assert check("snapshots verify", "snapshots", "verify", "last")["rerun"]["identical"]
    assert check("snapshots verify", "snapshots", "verify", "last", "--chain")["rerun"] is None
    check("snapshots diff", "snapshots", "diff", runs[0]["id"], runs[-1]["id"])
    assert check("snapshots tag", "snapshots", "tag", "last", "fine", "--note", "Of note.")["tags"] == [
        "fine"
    ]
    assert check("snapshots pin", "snapshots", "pin", "last")["pinned"]
    assert not check("snapshots unpin", "snapshots", "unpin", "last")["pinned"]
    file = tmp_path / "place" / "snapshots" / f"{runs[0]['id']}.jsonl.gz"
    elsewhere = Path(shutil.copy(file, tmp_path))
    assert check("snapshots prune", "snapshots", "prune", "--keep", "3")
    assert check("snapshots import", "snapshots", "import", str(elsewhere))["already_there"]

    assert check("personas list", "personas", "list")["personas"]
    check("personas show", "personas", "show", "sceptic")
    check("personas new --templates", "personas", "new", "--templates")
    check("personas new", "personas", "new", "fresh", "--template", "specialist", "--trait", "depth=9")
    check("personas clone", "personas", "clone", "sceptic", "doubter")
    check("personas show", "personas", "show", "doubter")
    exported = check("personas export", "personas", "export", "doubter")
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps({**exported, "activation_cost": 2.5}), encoding="utf-8")
    check("personas edit", "personas", "edit", "doubter", "--from", str(changed))
    check("personas undo", "personas", "undo")
    for verb in ("pin", "unpin", "prune", "restore", "retire"):
        check(f"personas {verb}", "personas", verb, "doubter")
        check(f"personas {verb}", "personas", verb, "fresh", "scout") if verb == "pin" else None
    check("personas undo", "personas", "undo", "doubter", "fresh")
    check("personas move", "personas", "move", "sceptic", "stable")
    check("personas history", "personas", "history", "sceptic")
    check("personas preview", "personas", "preview", "sceptic")
    check("personas preview", "personas", "preview", "sceptic", "--trait", "depth=9")
    check("personas compare", "personas", "compare", "sceptic", "scout", "fact-finder")
    check("personas export --to", "personas", "export", "scout", "--to", str(tmp_path / "out"))
    bundle = str(tmp_path / "bundle.json")
    check("personas export --bundle", "personas", "export", "--bundle", bundle)
    check("personas import", "personas", "import", bundle)
    told = check("personas import", "personas", "import", str(changed), "--dry-run", code=2)
    assert told["imported"][0]["status"] == "conflict"
    check("personas validate", "personas", "validate")
    shutil.copy(
        tmp_path / "place" / "personas" / "stable" / "sceptic.json",
        tmp_path / "place" / "personas" / "pruned",
    )
    assert check("personas validate", "personas", "validate", code=2)["problems"]
    assert check("personas list", "personas", "list")["problems"]
    check("personas resolve", "personas", "resolve", "sceptic", "stable")

    shared = str(tmp_path / "shared.json")
    assert check("federate export", "federate", "export", "-o", shared)["written"] == shared
    assert "personas learnt, not personas" in printed("personas", "import", shared, code=2)
    assert not check("federate import", "federate", "import", shared)["applied"]
    check("federate import", "federate", "import", shared, "--yes", "--personas")
    check("federate show", "federate", "show")

    proposed = json.dumps({"name": "Notice Reader", "traits": {"rigour": 9}, "expertise": "notice period"})
    with Loopback(reply=lambda body: proposed) as server:
        printed("config", "set", "ollama.api_endpoint", server.url)
        assert len(check("models list", "models", "list")["models"]) == 2
        assert check("models show", "models", "show", "tiny:1b")["window"] == 8192
        describe = ("personas", "new", "--describe", "Somebody who reads contracts.")
        assert check("personas new --describe", *describe)["differences"]
        assert check("personas new --describe", *describe, "--yes")["made"]
    assert seen == set(COMMANDS)
