"""The commands end to end: what they print for people, what they print for scripts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.cleaning import clean
from engine.config import set_value
from engine.events import QueryStarted, SnapshotSaved, decoder
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace
from tests.cli.conftest import QUESTION, Run
from tui.cli import build_parser, main, outline

Captured = pytest.CaptureFixture[str]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"


def schema(name: str) -> Draft202012Validator:
    """Return the schema that the documentation promises."""
    block = re.search(rf"<!-- schema: {name} -->\n```json\n(.*?)\n```", PAGE.read_text("utf-8"), re.DOTALL)
    assert block is not None
    promised = json.loads(block[1])
    Draft202012Validator.check_schema(promised)
    return Draft202012Validator(promised)


def said(capsys: Captured, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    text = capsys.readouterr().out
    assert clean(text) == text
    return text


def json_of(capsys: Captured, *arguments: str) -> Any:
    return json.loads(said(capsys, *arguments, "--json"))


def test_index_counts_what_it_did(documents: Path, tmp_path: Path, capsys: Captured) -> None:
    (documents / "picture.md").write_bytes(b"\x00\x01\x02" * 100)
    index = ("--workspace", str(tmp_path / "w"), "index", str(documents))
    first = json_of(capsys, *index)
    assert (first["added"], first["changed"], first["removed"]) == (4, 0, 0)
    assert [skipped["name"].rpartition("/")[2] for skipped in first["skipped"]] == ["picture.md"]

    (documents / "notes.txt").unlink()
    (documents / "lamps.md").write_text("# Lamps\n\nAll lamps are gone.\n")
    text = said(capsys, *index)
    assert "0 added, 1 changed, 1 removed, 2 unchanged, 1 skipped" in text
    assert "picture.md" in text


def test_a_deleted_document_leaves_however_it_was_indexed(
    documents: Path, tmp_path: Path, capsys: Captured
) -> None:
    place = ("--workspace", str(tmp_path / "w"))
    said(capsys, *place, "index", str(documents / "notes.txt"), str(documents / "people"))
    (documents / "notes.txt").unlink()
    (documents / "people" / "mara.md").unlink()
    (documents / "people").rmdir()
    said(capsys, *place, "index", str(documents))
    assert "400 Helio lamps" not in said(capsys, *place, "search", "How many Helio lamps?")

    (documents / "lamps.md").unlink()
    text = said(capsys, *place, "index", str(documents / "lamps.md"))
    assert "0 added, 0 changed, 1 removed" in text
    assert f"note: '{documents / 'lamps.md'}' is no longer there: 1 document indexed there removed" in text
    assert main([*place, "index", str(documents / "lamps.md")]) == 2
    assert "no such file or directory; check the path" in capsys.readouterr().err


def test_the_workspace_is_no_document_of_its_own(
    documents: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Workspace.open(documents)
    (documents / "notes" / "personas").mkdir(parents=True)
    (documents / "notes" / "personas" / "users.md").write_text("Personas of our users, in a folder of ours.")
    monkeypatch.chdir(documents)
    text = said(capsys, "index", ".")
    assert "5 added, 0 changed, 0 removed, 0 unchanged, 4 skipped" in text
    (line,) = [line for line in text.splitlines() if "belongs to the workspace itself" in line]
    assert "documents/configs, documents/personas, documents/snapshots and 1 more" in line
    with Engine.open(place) as engine:
        assert sorted(engine.store.sources()) == [
            "documents/code.py",
            "documents/lamps.md",
            "documents/notes.txt",
            "documents/notes/personas/users.md",
            "documents/people/mara.md",
        ]
    for named in ("personas", "personas/stable/", "configs/system.toml"):
        assert main(["index", named]) == 2
        error = capsys.readouterr().err
        assert error.startswith(
            f"persona-moe: cannot index {named.rstrip('/')}: belongs to the workspace itself"
        )
        assert len(error.splitlines()) == 1
    text = said(capsys, "index", "personas", "notes")
    assert "1 skipped" in text
    assert "skipped, belongs to the workspace itself: personas" in text


def test_many_skipped_files_are_grouped_by_reason(documents: Path, tmp_path: Path, capsys: Captured) -> None:
    for number in range(8):
        (documents / f"blob{number}.txt").write_bytes(b"\x00\x01" * 50)
    text = said(capsys, "--workspace", str(tmp_path / "w"), "index", str(documents))
    (line,) = [line for line in text.splitlines() if "blob" in line]
    assert line.count("blob") == 3
    assert line.endswith("and 5 more")


def test_search_prints_ranked_evidence_that_fits_80_columns(workspace: Path, capsys: Captured) -> None:
    text = said(capsys, "--workspace", str(workspace), "search", QUESTION)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "designed by Mara Voss in 1994" in text
    assert re.search(r"^ 1  .*lamps\.md:\d+(-\d+)? +\d\.\d{3}$", text, re.MULTILINE)
    assert "trail: " in text


def test_search_json_keeps_its_promise(workspace: Path, capsys: Captured) -> None:
    found = json_of(capsys, "--workspace", str(workspace), "search", QUESTION, "-k", "3")
    schema("search").validate(found)
    assert found["query"] == QUESTION
    assert [line["rank"] for line in found["evidence"]] == list(range(1, len(found["evidence"]) + 1))
    assert 1 <= len(found["evidence"]) <= 3
    assert found["evidence"][0]["document"].endswith("lamps.md")


def test_a_question_may_be_typed_without_quotes(workspace: Path, capsys: Captured) -> None:
    words = QUESTION.split()
    assert json_of(capsys, "--workspace", str(workspace), "search", *words)["query"] == QUESTION


def test_search_with_one_persona(workspace: Path, capsys: Captured) -> None:
    every = json_of(capsys, "--workspace", str(workspace), "search", QUESTION)
    name = every["evidence"][0]["personas"][0]
    found = json_of(capsys, "--workspace", str(workspace), "search", QUESTION, "--persona", name)
    assert {who for line in found["evidence"] for who in line["personas"]} == {name}


def test_a_misspelt_question_is_answered_and_says_how_it_was_read(workspace: Path, capsys: Captured) -> None:
    told = "no document holds 'desinged'; it was read as 'designed'; ask in other words if that was not meant"
    where = ("--workspace", str(workspace))
    typed = QUESTION.replace("designed", "desinged")
    assert typed != QUESTION
    for _ in range(2):
        assert main([*where, "search", typed]) == 0
        printed = capsys.readouterr()
        assert "designed by Mara Voss in 1994" in printed.out
        assert told in printed.err
    asked = json_of(capsys, *where, "ask", typed)
    assert asked["warnings"] == [told]
    assert "Mara Voss" in asked["answer"]


def test_a_word_that_no_document_holds_is_told(workspace: Path, capsys: Captured) -> None:
    told = "no document holds 'quokka' or 'banking'; what was found is about the other words of the question"
    where = ("--workspace", str(workspace))
    typed = f"{QUESTION[:-1]} for quokka banking?"
    assert main([*where, "search", typed]) == 0
    assert told in capsys.readouterr().err
    assert json_of(capsys, *where, "ask", typed)["warnings"] == [told]


def test_nothing_found_is_no_error(workspace: Path, capsys: Captured) -> None:
    found = json_of(capsys, "--workspace", str(workspace), "search", "zyzzyva quokka")
    schema("search").validate(found)
    assert found["evidence"] == []
    assert json_of(capsys, "--workspace", str(workspace), "ask", "zyzzyva quokka")["outcome"] == "no-evidence"


def test_ask_prints_answer_sources_experts_and_how_to_replay(workspace: Path, capsys: Captured) -> None:
    text = said(capsys, "--workspace", str(workspace), "ask", QUESTION)
    answer, _, reasons = text.partition("\nSources\n")
    assert "Mara Voss" in answer
    assert "[1]" in answer
    assert re.search(r"^  \[1\] \S*lamps\.md:\d+", reasons, re.MULTILINE)
    for expected in ("Experts\n", "Control: ", "lift", "Cost: ", "Snapshot: ", "snapshots replay "):
        assert expected in reasons
    assert max(len(line) for line in text.splitlines()) <= 80


def test_ask_json_keeps_its_promise(workspace: Path, capsys: Captured) -> None:
    answered = json_of(capsys, "--workspace", str(workspace), "ask", QUESTION)
    schema("ask").validate(answered)
    evidence = schema("search")
    evidence.validate({"query": "", "evidence": answered["evidence"]})
    assert answered["outcome"] == "answered"
    assert "Mara Voss" in answered["answer"]
    assert answered["experts"]
    assert answered["citations"]
    for citation in answered["citations"]:
        assert citation["marker"].strip("[]") in answered["answer"]
    assert (workspace / answered["snapshot"]["path"]).exists()
    assert answered["model"]["provider"] == "extractive"


def test_citations_open_at_the_right_lines(workspace: Path, documents: Path, capsys: Captured) -> None:
    answered = json_of(capsys, "--workspace", str(workspace), "ask", QUESTION)
    for citation in answered["citations"]:
        lines = (documents.parent / citation["document"]).read_text("utf-8").splitlines()
        cited = " ".join(lines[citation["start"] - 1 : citation["end"]])
        assert citation["text"].split()[0] in cited
        assert citation["text"].split()[-1] in cited


def test_ask_events_is_the_stream_itself(workspace: Path, capsys: Captured) -> None:
    lines = said(capsys, "--workspace", str(workspace), "ask", QUESTION, "--events").splitlines()
    events = [decoder.decode(line) for line in lines]
    assert [event.seq for event in events] == list(range(len(events)))
    assert isinstance(events[0], QueryStarted)
    assert isinstance(events[-1], SnapshotSaved)


def test_no_learn_leaves_personas_and_records_alone(workspace: Path, capsys: Captured) -> None:
    def contents() -> dict[str, bytes]:
        kept = [*workspace.glob("personas/**/*.json"), workspace / "state" / "persona_moves.jsonl"]
        return {str(path): path.read_bytes() for path in kept if path.exists()}

    before = contents()
    first = json_of(capsys, "--workspace", str(workspace), "ask", QUESTION, "--no-learn")
    second = json_of(capsys, "--workspace", str(workspace), "ask", QUESTION, "--no-learn")
    assert contents() == before
    assert first["snapshot"]["digest"] == second["snapshot"]["digest"]


def test_two_processes_agree_to_the_byte(documents: Path, tmp_path: Path, run: Run) -> None:
    digests = []
    for number, env in enumerate(
        (
            {"PYTHONHASHSEED": "0", "LC_ALL": "C"},
            {"PYTHONHASHSEED": "42", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"},
        )
    ):
        place = ("--workspace", str(tmp_path / f"w{number}"))
        assert run(*place, "index", str(documents), env=env).returncode == 0
        asked = run(*place, "ask", QUESTION, "--no-model", "--json", env=env)
        assert asked.returncode == 0, asked.stderr
        digests.append(json.loads(asked.stdout)["snapshot"]["digest"])
    assert digests[0] == digests[1]


def test_version(capsys: Captured) -> None:
    assert re.fullmatch(r"persona-moe \d+\.\d+\.\d+\n", said(capsys, "--version"))


def test_help_lists_every_command(capsys: Captured) -> None:
    text = said(capsys, "--help")
    for command in ("init", "index", "search", "ask", "personas", "snapshots", "config", "eval", "doctor"):
        assert re.search(rf"^    {command} ", text, re.MULTILINE)


def test_the_help_of_the_program_is_what_the_commands_say_of_themselves() -> None:
    assert outline().format_help() == build_parser().format_help()


def test_where_a_committee_does_not_pay_one_expert_is_asked_and_ask_says_so(
    workspace: Path, capsys: Captured
) -> None:
    question = "Which colour has the umbrella of Quintus Zyzzx?"
    learned = Workspace.open(workspace)
    set_value(learned.configs, "system.learn_every", "1")
    with Engine.open(learned) as engine:
        engine.settings = learned.settings()
        for _ in range(25):
            list(engine.ask_sync(question, AskOptions(no_model=True)))
    for _ in range(12):  # some questions hold an audition, and ask a committee all the same
        capsys.readouterr()
        main(["--workspace", str(workspace), "ask", "--no-model", question])
        out = " ".join(capsys.readouterr().out.split())
        if "the gate asks only one" in out:
            break
        question += "?"
    assert "there a committee's answers scored no better than one expert's: the gate asks only one" in out
    assert out.count("gate 0.") == 1
