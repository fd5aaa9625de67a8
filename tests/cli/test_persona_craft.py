"""Caring for many personas from the command line: finding, moving, trying, comparing, sharing."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.personas.registry import PersonaRegistry
from engine.workspace import Workspace
from tests.cli.conftest import QUESTION, asked_before
from tui.cli import main

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which one question was asked of two personas."""
    return asked_before(tmp_path_factory.mktemp("recorded"), [QUESTION])


@pytest.fixture
def place(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "place"))


@pytest.fixture
def say(place: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["--workspace", str(place), "personas", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def data(answer: tuple[int, str, str]) -> Any:
    assert answer[0] == 0, answer
    return json.loads(answer[1])


def files(place: Path) -> dict[Path, bytes]:
    """Return everything that must stay as it was when nothing is recorded: all but the log."""
    return {path: path.read_bytes() for path in place.rglob("*") if path.is_file() and path.suffix != ".log"}


# -- roster and card -----------------------------------------------------------------------------
def test_the_roster_tells_counts_scores_and_distances(say: Say) -> None:
    listed = data(say("list", "--json"))
    assert listed["counts"] == {"active": 5, "stable": 6, "experimental": 6, "pruned": 0}
    by_id = {each["persona_id"]: each for each in listed["personas"]}
    assert by_id["sceptic"]["n"] == 1
    assert len(by_id["sceptic"]["trend"]) == 1
    assert by_id["historian"]["outlook"]["promotion"] == 1
    out = say("list")[1]
    assert [line for line in out.splitlines() if line.startswith("active")] == ["active (5)"]
    assert "########" in out


def test_the_roster_is_filtered_and_sorted(say: Say) -> None:
    listed = data(say("list", "--filter", "risk caveat", "--json"))
    assert [each["persona_id"] for each in listed["personas"]] == ["sceptic"]
    costs = [each["activation_cost"] for each in data(say("list", "--sort", "cost", "--json"))["personas"]]
    assert costs == sorted(costs)
    first = data(say("list", "--sort", "n", "--reverse", "--json"))["personas"][:2]
    assert [each["persona_id"] for each in first] == ["sceptic", "scout"]
    assert say("list", "--sort", "colour")[0] == 2


def test_a_card_tells_the_last_questions_with_their_snapshots(say: Say, place: Path) -> None:
    shown = data(say("show", "sceptic", "--json"))
    (snapshot,) = [path.name.removesuffix(".jsonl.gz") for path in (place / "snapshots").glob("*.jsonl.gz")]
    assert [each["snapshot"] for each in shown["questions"]] == [snapshot]
    assert shown["record"]["n"] == 1
    assert shown["topics"][0]["n"] == 1
    assert any("places" in sentence for sentence in shown["policy_in_words"])
    out = say("show", "sceptic")[1]
    assert "voice only" in out
    assert snapshot in out


def test_a_card_tells_where_it_came_from_and_who_came_from_it(say: Say) -> None:
    say("clone", "sceptic", "doubter")
    assert data(say("show", "sceptic", "--json"))["lineage"]["children"] == ["doubter"]
    assert "parent: sceptic" in say("show", "doubter")[1]


# -- making --------------------------------------------------------------------------------------
def test_new_from_a_template_a_persona_and_nothing(say: Say) -> None:
    made = data(say("new", "graphs", "--template", "specialist", "--expertise", "graph theory", "--json"))
    assert (made["traits"]["depth"], made["expertise"], made["activation_cost"]) == (7, ["graph theory"], 1.2)
    made = data(say("new", "other", "--template", "sceptic", "--trait", "depth=9", "--json"))
    assert (made["traits"]["depth"], made["traits"]["scepticism"]) == (9, 9)
    made = data(say("new", "third", "--clone-of", "fact-finder", "--cost", "2", "--json"))
    assert (made["pinned"], made["activation_cost"]) == (False, 2)
    assert data(say("show", "third", "--json"))["lineage"]["from"]["parent"] == "fact-finder"
    assert data(say("new", "blank", "--json"))["traits"] == {}
    assert "specialist" in say("new", "--templates")[1]
    assert "did you mean specialist" in say("new", "x", "--template", "specalist")[2]
    assert "did you mean" not in say("new", "x", "--template", "nope")[2]
    assert "needs an id" in say("new")[2]


def test_the_guided_form_asks_again_for_what_is_wrong(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = ["Bad Id", "ada", "Ada", "", "Plainly.", "lamps, , bridges", "12", "deep", "7"] + [""] * 8
    monkeypatch.setattr("sys.stdin", Terminal("\n".join(answers) + "\n"))
    code, out, err = say("new", "--guided", "--json")
    assert code == 0
    made = json.loads(out)
    assert (made["persona_id"], made["name"], made["expertise"]) == ("ada", "Ada", ["lamps", "bridges"])
    assert (made["traits"]["depth"], made["traits"]["breadth"]) == (7, 5)
    assert "not allowed" in err
    assert "whole number from 1 to 9, not 12" in err
    monkeypatch.setattr("sys.stdin", Terminal("eve\n"))
    assert "left before its end" in say("new", "--guided")[2]
    monkeypatch.setattr("sys.stdin", io.StringIO("eve\n"))
    assert "needs a terminal" in say("new", "--guided")[2]
    assert say("show", "eve")[0] == 2


# -- moving --------------------------------------------------------------------------------------
def test_many_are_moved_at_once_or_none(say: Say) -> None:
    assert say("move", "sceptic", "historian", "scout", "down")[1].splitlines() == [
        "sceptic moved from active to stable",
        "historian moved from stable to experimental",
        "scout moved from experimental to pruned",
    ]
    assert "did you mean comparer" in say("prune", "newcomer", "compaer")[2]
    assert data(say("show", "newcomer", "--json"))["tier"] == "experimental"
    assert "scout is pruned already" in say("prune", "newcomer", "scout")[2]
    assert data(say("show", "newcomer", "--json"))["tier"] == "experimental"
    restored = data(say("restore", "sceptic", "historian", "--json"))["personas"]
    assert [each["tier"] for each in restored] == ["active", "stable"]
    assert say("undo")[1].startswith("the move from experimental to pruned of scout is taken back")


def test_pin_retire_and_undo(say: Say) -> None:
    assert say("pin", "sceptic", "scout")[1] == "sceptic is pinned\nscout is pinned\n"
    assert say("pin", "sceptic")[1] == "sceptic is pinned already\n"
    assert say("unpin", "sceptic")[1] == "sceptic is not pinned\n"
    assert "retired" in say("retire", "historian", "--reason", "done with it")[1]
    shown = data(say("show", "historian", "--json"))
    assert (shown["tier"], shown["persona"]["metadata"]["pinned"]) == ("pruned", True)
    assert shown["moves"][-1]["reason"] == "done with it"
    say("undo", "historian")
    say("undo", "historian")
    shown = data(say("show", "historian", "--json"))
    assert (shown["tier"], "pinned" in shown["persona"]["metadata"]) == ("stable", False)
    assert "no change to undo" in say("undo", "historian")[2]


def test_an_edit_is_taken_back(say: Say, place: Path, tmp_path: Path) -> None:
    path = place / "personas" / "active" / "sceptic.json"
    before = path.read_bytes()
    (tmp_path / "new.json").write_bytes(before.replace(b'"depth": 5', b'"depth": 9'))
    assert (
        data(say("edit", "sceptic", "--from", str(tmp_path / "new.json"), "--json"))["traits"]["depth"] == 9
    )
    assert data(say("undo", "sceptic", "--json"))["undone"] == "the last edit"
    assert path.read_bytes() == before


# -- trying --------------------------------------------------------------------------------------
def test_a_preview_shows_draft_and_saved_and_records_nothing(say: Say, place: Path) -> None:
    before = files(place)
    shown = data(say("preview", "sceptic", "--trait", "depth=1", "--trait", "breadth=1", "--json"))
    assert shown["question"] == QUESTION
    assert shown["saved"]["evidence"]
    assert 0 < shown["saved"]["scores"]["total"] <= 1
    assert (shown["draft"]["persona_id"], shown["draft"]["question"]) == ("sceptic", QUESTION)
    assert shown["draft"]["steps"]
    assert data(say("preview", "sceptic", "--question", "Who founded Nordlys?", "--json"))["draft"] is None
    assert "draft against saved" in say("preview", "sceptic", "--trait", "depth=9")[1]
    assert files(place) == before


def test_compare_tells_traits_wins_and_overlap(say: Say, place: Path) -> None:
    before = files(place)
    told = data(say("compare", "sceptic", "scout", "historian", "--json"))
    assert [each["question"] for each in told["questions"]] == [QUESTION]
    assert [(each["first"], each["second"], each["together"]) for each in told["duels"]] == [
        ("sceptic", "scout", 1),
        ("sceptic", "historian", 0),
        ("scout", "historian", 0),
    ]
    assert all(0 < each["overlap"] <= 1 for each in told["overlap"])
    assert next(row for row in told["traits"] if row["name"] == "depth")["values"] == [5, 8, 8]
    out = say("compare", "sceptic", "scout", "--question", "Who founded Nordlys?")[1]
    assert "passages found" in out
    assert "on 1 question that both answered" in out
    assert "two personas or more" in say("compare", "sceptic")[2]
    assert files(place) == before


# -- sharing -------------------------------------------------------------------------------------
def test_a_bundle_goes_out_and_comes_in(say: Say, place: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "all.json"
    written = data(say("export", "--bundle", str(bundle), "--json"))
    assert len(written["personas"]) == 17
    (place / "personas" / "active" / "sceptic.json").unlink()
    shown = data(say("import", str(bundle), "--dry-run", "--json"))
    assert shown["dry_run"] is True
    assert {each["status"] for each in shown["imported"]} == {"add", "same"}
    assert say("show", "sceptic")[0] == 2
    assert "added: sceptic is new, in stable" in say("import", str(bundle), "--tier", "stable")[1]
    assert "exists" in say("export", "--bundle", str(bundle))[2].lower()
    bundle.write_bytes(bundle.read_bytes()[:-40])
    assert "refused: all.json is not whole" in say("import", str(bundle))[1]


def test_conflicts_are_shown_and_resolved_for_each(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name in ("sceptic", "scout", "historian"):
        document = json.loads(say("export", name)[1])
        (folder / f"{name}.json").write_text(json.dumps({**document, "activation_cost": 7}))
    code, out, _ = say("import", str(folder))
    assert code == 2
    assert out.count("conflict: ") == 3
    assert "activation_cost: here 2.0, there 7.0" in out
    choice = ("--on-conflict", "sceptic=replace", "--on-conflict", "scout=skip", "--on-conflict", "rename")
    results = data(say("import", str(folder), *choice, "--json"))["imported"]
    assert {each["persona_id"]: each["status"] for each in results} == {
        "sceptic": "replaced",
        "scout": "skip",
        "historian-2": "added",
    }
    assert data(say("show", "scout", "--json"))["persona"]["activation_cost"] == 2
    assert "not [ID=]skip" in say("import", str(folder), "--on-conflict", "merge")[2]


# -- bad input -----------------------------------------------------------------------------------
BAD_IDS = ["../sceptic", "/etc/passwd", "a" * 4096, "Sceptic", "ѕceptic", "con", "a\x1bb"]
VERBS = [
    "show",
    "new",
    "pin",
    "undo",
    "retire",
    "preview",
    "compare scout",
    "export",
    "history",
    "clone scout",
]


@pytest.mark.parametrize("persona_id", BAD_IDS, ids=range(len(BAD_IDS)))
def test_ids_that_are_no_ids_are_one_clean_line(say: Say, place: Path, persona_id: str) -> None:
    before = files(place)
    for verb in VERBS:
        code, out, err = say(*verb.split(), persona_id)
        assert (verb, code, out) == (verb, 2, "")
        assert (verb, len(err.splitlines())) == (verb, 1)
        assert len(err) < 400
        assert "\x1b" not in err
    assert files(place) == before


def test_a_file_changed_while_it_is_edited_is_not_overwritten(
    say: Say, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place / "personas" / "active" / "sceptic.json"
    theirs = path.read_bytes().replace(b'"activation_cost": 1.0', b'"activation_cost": 5.0')
    (tmp_path / "theirs.json").write_bytes(theirs)
    script = tmp_path / "editor.sh"
    script.write_text(
        f'#!/bin/sh\nsed -i "s/\\"depth\\": 5/\\"depth\\": 6/" "$1"\ncp "{tmp_path}/theirs.json" "{path}"\n'
    )
    script.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(script))
    code, _, err = say("edit", "sceptic")
    assert code == 2
    assert "changed by another program meanwhile" in err
    assert "your edit is kept in" in err
    assert path.read_bytes() == theirs
    (draft,) = (place / "state" / "edits").iterdir()
    assert b'"depth": 6' in draft.read_bytes()


def test_ids_that_differ_in_case_only_are_told_apart_as_a_problem(say: Say, place: Path) -> None:
    source = place / "personas" / "active" / "sceptic.json"
    (place / "personas" / "active" / "Sceptic.json").write_bytes(source.read_bytes())
    listed = data(say("list", "--json"))
    assert "Sceptic.json holds the persona sceptic" in listed["problems"][0]["reason"]
    assert "sceptic" in {each["persona_id"] for each in listed["personas"]}


def test_a_ledger_of_somebody_else_only_costs_the_numbers(say: Say, place: Path) -> None:
    path = Workspace(place).ledger_path
    for each in path.parent.glob("ledger.sqlite3*"):
        each.unlink()
    path.symlink_to("/dev/null")
    code, out, err = say("list")
    assert (code, "sceptic" in out) == (0, True)
    assert "cannot be shown" in err
    assert PersonaRegistry.of(Workspace(place)).get("sceptic").tier == "active"
