"""Whatever is typed: one clean line that names the mend, and the right exit code."""

import stat
from pathlib import Path

import pytest

from engine.config import set_value
from engine.errors import InputError
from tests.cli.conftest import QUESTION, Run
from tui.cli import main
from tui.question import MAX_CHARACTERS, read_question

Captured = pytest.CaptureFixture[str]


def one_error_line(capsys: Captured) -> str:
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("persona-moe: ")
    assert all(char.isprintable() for char in lines[0])
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["serach", "x"], "did you mean 'search'?"),
        (["\x1b[2Jzzz"], "see 'persona-moe --help'"),
        (["--workspace", "w", "indx", "x"], "did you mean 'index'?"),
        (["search"], "persona-moe search --help"),
        (["search", "x", "-k", "0"], "from 1 to 1000"),
        (["search", "x", "-k", "many"], "from 1 to 1000"),
        (["search", "x", "--colour\x07"], "persona-moe search --help"),
        (["ask", "x", "--budget", "-1"], "above 0"),
        (["ask", "x", "--budget", "nan"], "above 0"),
        (["ask", "x", "--model", "m", "--no-model"], "not allowed with"),
        (["ask", "x", "--json", "--events"], "not allowed with"),
        (["eval"], "persona-moe eval --help"),
        (["index"], "persona-moe index --help"),
        (["index", ""], "index was given an empty path"),
        (["eval", "retrieval", ""], "eval was given an empty path"),
        (["index", ".", ""], "'.' is the current one"),
        (["--workspace", "", "search", "x"], "put the folder after it"),
    ],
)
def test_bad_usage_is_exit_code_2(arguments: list[str], mend: str, capsys: Captured) -> None:
    assert main(arguments) == 2
    assert mend in one_error_line(capsys)


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("", "is empty"),
        (" \t\n ", "is empty"),
        ("why " * 250_000, "the limit is 8,000"),
        ("what is \x1b]52;c;aGk=\x07 this?", "control character (U+001B)"),
        ("what is \x9b2J this?", "control character (U+009B)"),
        ("half a \udce9 character", "control character (U+DCE9)"),
    ],
    ids=["empty", "blank", "a megabyte", "escape", "C1", "surrogate"],
)
def test_bad_questions_are_exit_code_2(command: str, question: str, problem: str, capsys: Captured) -> None:
    assert main([command, question]) == 2
    assert problem in one_error_line(capsys)


def test_the_longest_question_is_allowed_and_one_more_is_not() -> None:
    assert len(read_question(["x" * MAX_CHARACTERS])) == MAX_CHARACTERS
    with pytest.raises(InputError):
        read_question(["x" * (MAX_CHARACTERS + 1)])


def test_unknown_persona(workspace: Path, capsys: Captured) -> None:
    for command in ("search", "ask"):
        assert main(["--workspace", str(workspace), command, QUESTION, "--persona", "nobody"]) == 2
        assert "nobody" in one_error_line(capsys)


def test_a_budget_that_pays_for_no_persona(workspace: Path, capsys: Captured) -> None:
    say = ["--workspace", str(workspace)]
    assert main([*say, "ask", QUESTION, "--no-model", "--budget", "0.4"]) == 2
    line = one_error_line(capsys)
    assert "the budget of 0.4 pays for no persona: the cheapest, fact-finder, costs 0.5" in line
    assert "--budget 0.5 or more" in line
    assert not list((workspace / "snapshots").glob("*.jsonl*"))

    set_value(workspace / "configs", "thresholds.budget", "0.4")
    for command in (["search", QUESTION], ["ask", QUESTION, "--no-model"]):
        assert main([*say, *command]) == 2
        assert "persona-moe config set thresholds.budget 4" in one_error_line(capsys)
        assert main([*say, *command, "--persona", "scout"]) == 0
        capsys.readouterr()
    assert main([*say, "ask", QUESTION, "--no-model", "--budget", "0.5"]) == 0


def test_who_was_named_is_asked_whatever_the_budget_and_the_cost_says_why(
    workspace: Path, capsys: Captured
) -> None:
    say = ["--workspace", str(workspace), "ask", QUESTION, "--no-model", "--persona", "scout"]
    assert main([*say, "--budget", "1"]) == 0
    assert "Cost: 2, over the budget of 1: the personas were named by you; " in capsys.readouterr().out
    assert main([*say, "--budget", "3"]) == 0
    assert "Cost: 2 of a budget of 3; " in capsys.readouterr().out


def test_asking_an_empty_index(tmp_path: Path, capsys: Captured) -> None:
    for command in (["search", QUESTION], ["ask", QUESTION, "--no-model"]):
        assert main(["--workspace", str(tmp_path / "new"), *command]) == 1
        assert "persona-moe index" in one_error_line(capsys)


def test_a_path_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    assert main(["--workspace", str(tmp_path / "w"), "index", str(tmp_path / "missing")]) == 2
    assert "missing" in one_error_line(capsys)


def test_a_data_set_that_is_none(tmp_path: Path, capsys: Captured) -> None:
    assert main(["eval", "retrieval", str(tmp_path / "missing")]) == 2
    assert "corpus.jsonl, queries.jsonl and qrels.tsv" in one_error_line(capsys)


def test_a_malformed_setting_names_file_and_key(workspace: Path, capsys: Captured) -> None:
    (workspace / "configs" / "thresholds.toml").write_text("bugdet = 3\n")
    assert main(["--workspace", str(workspace), "ask", QUESTION, "--no-model"]) == 2
    line = one_error_line(capsys)
    assert "thresholds.toml" in line
    assert "budget" in line


def test_no_command_without_a_terminal_says_how_to_ask(run: Run) -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "persona-moe ask" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_defect_is_one_line_and_its_details_are_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("planted\x1b[31m")

    monkeypatch.setattr("tui.question.read_question", broken)
    assert main(["search", "x"]) == 1
    line = one_error_line(capsys)
    assert "ZeroDivisionError" in line
    (details,) = tmp_path.glob("home/**/last-error.txt")
    assert str(details) in line
    assert "planted" in details.read_text("utf-8")
    assert stat.S_IMODE(details.stat().st_mode) == 0o600

    monkeypatch.setenv("PERSONA_MOE_TRACEBACK", "1")
    assert main(["search", "x"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "\x1b" not in shown


def test_interrupting_is_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui.question.read_question", interrupted)
    assert main(["search", "x"]) == 130
    one_error_line(capsys)
