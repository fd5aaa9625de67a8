"""Federation as a user types it, over a ledger that real questions on real documents made."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.personas.federation import model_family
from engine.pipeline import AskOptions, Engine
from engine.workspace import create_workspace
from tests.cli.conftest import DOCUMENTS
from tui.cli import main
from tui.commands.federate import without_provider

Say = Callable[..., tuple[int, str, str]]
QUESTIONS = [
    "Who designed the Helio lamp?",
    "How long does the battery of the Helio lamp last?",
    "When did Nordlys move to Bergen?",
    "Where does Mara Voss come from?",
    "How many lamps are in the warehouse?",
    "What does hours_left return?",
    "Who founded Nordlys?",
    "What burns oil through a wick?",
    "When is the warehouse open?",
    "Which company makes the Helio lamp?",
    "What does a solar lamp store?",
]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def run(place: Path, *words: str) -> tuple[int, str, str]:
        code = main(["--workspace", str(place), *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose ledger real questions on real documents made."""
    folder = tmp_path_factory.mktemp("recorded")
    for name, text in DOCUMENTS.items():
        path = folder / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with Engine.open(create_workspace(folder / "workspace")) as engine:
        engine.index([folder / "documents"])
        for question in QUESTIONS:
            options = AskOptions(no_model=True, personas=("fact-finder", "sceptic"))
            for _ in engine.ask_sync(question, options):
                pass
    return folder / "workspace"


@pytest.fixture
def asked(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "asked"))


def data(answer: tuple[int, str, str]) -> Any:
    assert answer[0] == 0, answer
    return json.loads(answer[1])


def exported(say: Say, place: Path, file: Path, *more: str) -> Any:
    return data(say(place, "federate", "export", "-o", str(file), "--json", *more))


def test_a_bundle_of_a_real_corpus_holds_nothing_of_it(asked: Path, tmp_path: Path, say: Say) -> None:
    file = tmp_path / "bundle.json"
    told = exported(say, asked, file)
    assert told["cards"] == 2
    text = file.read_text().casefold()
    personas = "\n".join(
        path.read_text() for path in (asked / "personas").rglob("*.json")
    ).casefold()  # what the owner declared is passed on; everything else must not be
    said = [*QUESTIONS, *DOCUMENTS.values(), *DOCUMENTS, str(asked)]
    words = {word for each in said for word in re.findall(r"\w{4,}", each.casefold())}
    declared = set(re.findall(r"\w{4,}", personas))
    secret = words - declared
    assert secret & set(re.findall(r"\w{4,}", text)) == set()
    names = {"helio", "nordlys", "mara voss", "bergen", "warehouse", "hours_left", "lamps", "notes.txt"}
    assert [name for name in sorted(names) if name in text] == []
    assert not re.search(r"run[-_]id|snapshot|/tmp|question\"", text)


def test_two_machines_hear_of_each_other_and_no_tier_moves(asked: Path, tmp_path: Path, say: Say) -> None:
    file, key = tmp_path / "bundle.json", tmp_path / "key"
    key.write_text("a key that we two share")
    exported(say, asked, file, "--key", str(key))
    other = create_workspace(tmp_path / "other").root
    before = {path: path.read_bytes() for path in other.glob("personas/**/*.json")}
    shown = data(say(other, "federate", "import", str(file), "--key", str(key), "--json"))
    assert shown["applied"] is False
    assert {each["persona_id"] for each in shown["changes"]} == {"fact-finder", "sceptic"}
    assert all(each["before"]["n"] == 0 and 10 <= each["after"]["n"] <= 20 for each in shown["changes"])
    assert data(say(other, "federate", "show", "--json"))["cells"] == 0
    assert data(say(other, "federate", "import", str(file), "--yes", "--json"))["applied"] is True
    heard = data(say(other, "federate", "show", "--json"))
    assert set(heard["priors"]) == {"fact-finder", "sceptic"}
    again = data(say(other, "federate", "import", str(file), "--yes", "--json"))
    assert (again["changes"], again["new_cells"]) == ([], 0)
    assert {path: path.read_bytes() for path in other.glob("personas/**/*.json")} == before
    assert "elsewhere: 1 machine says" in say(other, "personas", "show", "sceptic")[1]


def test_a_persona_that_is_not_here_comes_along_if_asked_for(asked: Path, tmp_path: Path, say: Say) -> None:
    file = tmp_path / "bundle.json"
    exported(say, asked, file)
    other = create_workspace(tmp_path / "other").root
    (other / "personas" / "active" / "sceptic.json").unlink()
    shown = data(say(other, "federate", "import", str(file), "--json"))
    assert {"persona_id": "sceptic", "status": "not here; --personas adds it"} in shown["personas"]
    assert say(other, "federate", "import", str(file), "--yes", "--personas")[0] == 0
    assert data(say(other, "personas", "show", "sceptic", "--json"))["tier"] == "experimental"
    assert set(data(say(other, "federate", "show", "--json"))["priors"]) == {"fact-finder", "sceptic"}


def test_a_second_export_tells_nothing_new_and_a_dry_run_nothing_at_all(
    asked: Path, tmp_path: Path, say: Say
) -> None:
    first = exported(say, asked, tmp_path / "a.json", "--dry-run")
    assert not (tmp_path / "a.json").exists()
    assert exported(say, asked, tmp_path / "b.json")["grown"] == first["grown"] > 0
    assert exported(say, asked, tmp_path / "c.json")["grown"] == 0
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "c.json").read_bytes()
    assert json.loads(say(asked, "federate", "export", "-o", "-")[1]) == json.loads(
        (tmp_path / "b.json").read_text()
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "-o", "x.json"), "ask some questions first"),
        (("import", "nowhere.json"), "there is no file"),
        (("import", "cut.json"), "cut.json is not whole"),
        (("import", "future.json"), "newer version"),
        (("import", "persona.json"), "no bundle of the kind"),
        (("import", "cut.json", "--key", "short"), "shorter than 16 bytes"),
        ((), "required"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    tmp_path: Path, say: Say, words: tuple[str, ...], said: str
) -> None:
    place = create_workspace(tmp_path / "place").root
    (tmp_path / "cut.json").write_text('{"format": "persona-moe/federation", "cells": [')
    (tmp_path / "future.json").write_text('{"format": "persona-moe/federation", "version": 2}')
    (tmp_path / "persona.json").write_bytes((place / "personas/active/sceptic.json").read_bytes())
    (tmp_path / "short").write_text("short")
    code, out, err = say(place, "federate", *words)
    assert (code in (1, 2), out) == (True, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (place / "state" / "federation" / "foreign.json").exists()


def test_the_family_is_that_of_the_model_and_not_of_what_serves_it() -> None:
    assert model_family(without_provider("ollama:llama3.1:8b-q4")) == "llama3.1"
    assert model_family(without_provider("ollama:library/qwen3:4b")) == "qwen3"
    assert model_family(without_provider("extractive")) == "extractive"
