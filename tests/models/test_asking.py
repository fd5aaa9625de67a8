"""A question asked with a model, from the command line to the record, over the real client."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from asking import QUESTION, Captured, ask, events, of, served_by
from loopback import CHAT_MODEL, Loopback, quote

from engine.cleaning import clean
from engine.config import set_value
from tui.cli import main


def test_a_model_writes_a_cited_answer(workspace: Path, server: Loopback, capsys: Captured) -> None:
    served_by(workspace, server)
    result = ask(workspace, capsys)
    assert "Mara Voss" in result["answer"]
    assert result["answer"].rstrip().endswith("]") or "[1]" in result["answer"]
    assert result["citations"][0]["document"].endswith("lamps.md")
    assert (result["model"]["provider"], result["model"]["name"]) == ("ollama", "tiny:1b")
    assert result["model"]["transcript"]
    assert result["outcome"] == "answered"
    assert 1 <= len(result["experts"]) <= 2
    assert len(result["calls"]) == len(result["experts"]) + 1
    for call in result["calls"]:
        assert call["prompt_tokens"] > 0
        assert call["answer_tokens"] > 0
        assert call["seconds"] > 0
        assert call["outcome"] == "stop"


def test_the_answer_is_printed_as_it_comes(workspace: Path, server: Loopback, capsys: Captured) -> None:
    served_by(workspace, server)
    assert main(["--workspace", str(workspace), "ask", QUESTION]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("The Helio lamp was designed by Mara Voss in 1994")
    assert "Model calls" in said.out
    assert "in all" in said.out
    assert "tiny:1b writes" in said.err


def test_equal_answers_give_the_same_digest_however_they_arrive(workspace: Path, capsys: Captured) -> None:
    digests = []
    for delay in (0.0, 0.01):
        with Loopback(delay=delay) as server:
            served_by(workspace, server)
            digests.append(ask(workspace, capsys)["snapshot"]["digest"])
    assert digests[0] == digests[1]


def test_a_run_repeats_from_its_own_record_without_the_server(workspace: Path, capsys: Captured) -> None:
    for fault in ("", "drop", "stall", "500", "empty"):
        with Loopback(fault, faulty=1) as server:
            served_by(workspace, server)
            snapshot = ask(workspace, capsys)["snapshot"]["id"]
        assert main(["--workspace", str(workspace), "snapshots", "verify", snapshot]) == 0
        assert "identical" in capsys.readouterr().out


def test_a_changed_setting_that_changes_the_call_is_named(
    workspace: Path, server: Loopback, capsys: Captured
) -> None:
    served_by(workspace, server)
    snapshot = ask(workspace, capsys)["snapshot"]["id"]
    served_by(workspace, server, max_tokens=33)
    assert main(["--workspace", str(workspace), "snapshots", "verify", snapshot]) != 0
    assert "options.num_predict" in capsys.readouterr().err


@pytest.mark.parametrize(
    "fault",
    ["500", "503", "html", "error-line", "garbage", "drop", "stall", "silent", "empty", "thoughts", "null"],
)
def test_whatever_the_model_does_the_question_is_answered(
    workspace: Path, capsys: Captured, fault: str
) -> None:
    with Loopback(fault) as server:
        served_by(workspace, server)
        told = events(workspace, capsys)
    failed = of("ModelFailed", told)
    assert failed
    assert all(event["problem"] and event["kind"] for event in failed)
    if fault in {"error-line", "garbage", "drop", "stall", "null"}:
        assert failed[0]["partial"]
    parsed = of("ClaimsParsed", told)
    assert all(event["mode"] == "extractive" for event in parsed)
    assert all("the model failed" in event["notes"][0] for event in parsed)
    (answer,) = of("AnswerReady", told)
    assert "Mara Voss" in answer["answer"]
    assert any("could not be used" in flag for flag in answer["flags"])
    assert of("QueryFinished", told)[0]["outcome"] == "answered"


def test_no_model_is_asked_about_what_no_passage_names(
    workspace: Path, server: Loopback, capsys: Captured
) -> None:
    served_by(workspace, server)
    assert main(["--workspace", str(workspace), "ask", "Who designed the Falcon rocket?", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["outcome"] == "no-evidence"
    assert not server.chats


@pytest.mark.parametrize("claim", ["She founded the company Nordlys. [S1][S2]", "She founded Nordlys [S9]."])
def test_what_a_model_claims_beside_the_question_is_no_answer(
    workspace: Path, capsys: Captured, claim: str
) -> None:
    with Loopback(
        reply=lambda body: claim if "Passages:" in body["messages"][-1]["content"] else ""
    ) as server:
        served_by(workspace, server)
        told = events(workspace, capsys)
    for parsed in of("ClaimsParsed", told):
        assert parsed["mode"] == "extractive"
        assert any("She founded" in note for note in parsed["notes"])
    assert "Mara Voss" in of("AnswerReady", told)[0]["answer"]
    assert "founded" not in of("AnswerReady", told)[0]["answer"]


def test_an_answer_that_breaks_off_is_followed_by_what_the_experts_found(
    workspace: Path, capsys: Captured
) -> None:
    with Loopback("drop") as server:
        served_by(workspace, server)
        assert main(["--workspace", str(workspace), "ask", QUESTION]) == 0
    out, said = capsys.readouterr()
    begun, _, rest = out.partition("The answer was not finished. What the experts found:")
    assert begun.strip()
    assert "Mara Voss" in rest
    where = server.url.removeprefix("http://")
    lost = "the model server closed the connection in the middle of its answer; ask again"
    assert re.search(rf"^Warning: [\w-]+, asked at {where}: {lost}$", said, re.MULTILINE)
    assert f"Warning: answer, asked at {where}: {lost}" in said


def test_a_call_that_broke_off_has_taken_seconds_and_written_tokens(
    workspace: Path, capsys: Captured
) -> None:
    with Loopback("drop") as server:
        served_by(workspace, server)
        result = ask(workspace, capsys)
        assert main(["--workspace", str(workspace), "ask", QUESTION]) == 0
    for call in result["calls"]:
        assert "closed the connection" in call["outcome"]
        assert call["seconds"] > 0
        assert call["answer_tokens"] > 0
    said = capsys.readouterr().out
    assert "no model was called" not in said
    assert "; ollama tiny:1b" in said


def test_one_failed_call_leaves_the_others(workspace: Path, capsys: Captured) -> None:
    with Loopback("drop", faulty=1) as server:
        served_by(workspace, server)
        result = ask(workspace, capsys)
    assert [call["outcome"] == "stop" for call in result["calls"]] == [
        False,
        *[True] * (len(result["calls"]) - 1),
    ]
    assert any("closed the connection" in warning for warning in result["warnings"])


def test_a_dead_server_means_quoting_with_the_reason(workspace: Path, capsys: Captured) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        (workspace / "configs" / "ollama.toml").write_text(f'api_endpoint = "{url}"\n')
        assert main(["--workspace", str(workspace), "ask", QUESTION]) == 0
        said = capsys.readouterr()
        host = url.removeprefix("http://")
        assert f"No model writes: {host}: no model server is listening there; check that it runs" in said.err
        assert "ollama serve" in said.err
        assert "Mara Voss" in said.out
        (warning,) = ask(workspace, capsys)["warnings"]
        assert warning.startswith("no model writes: no model server is listening there; check that")
        assert main(["--workspace", str(workspace), "ask", QUESTION, "--model", "tiny:1b"]) == 3
        assert f"persona-moe: {host}: no model server is listening" in capsys.readouterr().err


def test_servers_that_are_down_beside_one_that_answers_are_told(
    workspace: Path, server: Loopback, capsys: Captured
) -> None:
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        dead = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]
        served_by(workspace, server, api_endpoint=[*dead, server.url])
        assert main(["--workspace", str(workspace), "ask", QUESTION]) == 0
        out, said = capsys.readouterr()
        assert main(["--workspace", str(workspace), "doctor", "--json"]) == 0
        checks = json.loads(capsys.readouterr().out)
    hosts = ", ".join(each.removeprefix("http://") for each in (*dead, server.url))
    assert f"writes at {hosts} (" in said
    assert "; servers 1 and 2 of 3 do not answer)" in said
    assert "Mara Voss" in out
    assert len(server.chats) >= 2
    told = json.dumps(checks)
    assert told.count("the other servers are asked") == 2
    assert "quote the documents instead" not in told


def test_a_model_that_is_not_installed_ends_with_3_and_the_nearest(
    workspace: Path, server: Loopback, capsys: Captured
) -> None:
    served_by(workspace, server)
    assert main(["--workspace", str(workspace), "ask", QUESTION, "--model", "tinny:1b"]) == 3
    assert "'tiny:1b'" in capsys.readouterr().err
    assert list((workspace / "snapshots").iterdir()) == []


def test_no_model_asks_no_server(workspace: Path, server: Loopback, capsys: Captured) -> None:
    served_by(workspace, server)
    assert ask(workspace, capsys, "--no-model")["model"]["provider"] == "extractive"
    assert server.log == []


def test_what_the_sources_do_not_bear_out_is_not_in_the_answer(workspace: Path, capsys: Captured) -> None:
    def embroider(body: dict[str, Any]) -> str:
        if not body["messages"][-1]["content"].startswith("Claims:"):
            return quote(body)
        return "The Helio lamp was designed by Mara Voss in 1994 [1]. It was sold in 1812 to Otto Brandt [1]."

    with Loopback(reply=embroider) as server:
        served_by(workspace, server)
        result = ask(workspace, capsys)
    assert "Mara Voss" in result["answer"]
    assert "Otto Brandt" not in result["answer"]
    assert any("left out" in flag for flag in result["flags"])


def test_claims_that_nothing_bears_out_give_way_to_quotes_and_are_told(
    workspace: Path, capsys: Captured
) -> None:
    with Loopback(reply=lambda body: "- Otto Brandt made it in 1812 of brass and bone. [S1]") as server:
        served_by(workspace, server)
        told = events(workspace, capsys)
    for event in of("ClaimsParsed", told):
        assert event["mode"] == "extractive"
        assert any("Otto Brandt" in note for note in event["notes"])
    assert "Mara Voss" in of("AnswerReady", told)[0]["answer"]


def test_how_a_model_is_best_asked_is_learnt(workspace: Path, capsys: Captured) -> None:
    def only_json(body: dict[str, Any]) -> str:
        claims = {"claims": [{"text": "The Helio lamp was designed by Mara Voss.", "cites": ["S1"]}]}
        return quote(body) if body["messages"][-1]["content"].startswith("Claims:") else json.dumps(claims)

    with Loopback(reply=only_json) as server:
        served_by(workspace, server)
        modes = [of("ClaimsParsed", events(workspace, capsys))[0]["mode"] for _ in range(3)]
        forms = [bool(call["body"].get("format")) for call in server.chats]
    assert modes == ["schema"] * 3
    assert not forms[0]
    assert any(forms), "JSON is what this model writes, and it was never asked for it"
    assert "tiny:1b" in (workspace / "state" / "models.json").read_text()


def test_a_large_model_is_asked_for_json_at_once(workspace: Path, capsys: Captured) -> None:
    large = {**CHAT_MODEL, "details": {"parameter_size": "70.6B", "context_length": 8192}}
    with Loopback(models=[large]) as server:
        served_by(workspace, server)
        told = events(workspace, capsys)
    assert {event["mode"] for event in of("ClaimsParsed", told)} <= {"schema", "extractive"}
    assert server.chats[0]["body"]["format"]["type"] == "object"


def test_nothing_of_a_hostile_model_reaches_the_terminal(workspace: Path, capsys: Captured) -> None:
    for fault in ("escapes", "404", "error-text"):
        with Loopback(fault) as server:
            served_by(workspace, server)
            assert main(["--workspace", str(workspace), "ask", QUESTION]) == 0
        said = capsys.readouterr()
        assert clean(said.out) == said.out
        assert clean(said.err) == said.err


def test_the_models_command(workspace: Path, server: Loopback, capsys: Captured) -> None:
    served_by(workspace, server)
    say = ["--workspace", str(workspace), "models"]
    assert main([*say, "list"]) == 0
    assert "tiny:1b" in capsys.readouterr().out
    assert main([*say, "show", "embedder", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["capabilities"] == ["embedding"]
    assert main([*say, "show", "nothing"]) == 3
    assert main([*say, "pull", "new:1b"]) == 0
    assert main([*say, "pull", "missing"]) == 3
    assert "file does not exist" in capsys.readouterr().err
    assert main([*say, "pull", "a b"]) == 2


def test_with_models_switched_off_only_a_model_that_is_named_is_asked_for(
    workspace: Path, server: Loopback, capsys: Captured
) -> None:
    served_by(workspace, server)
    set_value(workspace / "configs", "ollama.provider", "extractive")
    say = ["--workspace", str(workspace), "models"]
    for verb in (["list"], ["list", "--json"], ["show", "tiny:1b"], ["pull", "new:1b"]):
        assert main([*say, *verb]) == 3
        said = capsys.readouterr()
        assert said.out == ""
        assert "no model server is used" in said.err
        assert "persona-moe config set ollama.provider auto" in said.err
    assert ask(workspace, capsys)["model"]["provider"] == "extractive"
    assert server.log == []
    assert ask(workspace, capsys, "--model", "tiny:1b")["model"]["name"] == "tiny:1b"


def test_a_call_whose_prompt_is_over_the_budget_of_tokens_is_not_made(
    workspace: Path, capsys: Captured
) -> None:
    with Loopback() as server:
        served_by(workspace, server)
        result = ask(workspace, capsys, "--budget", "2000t")
        assert len(server.chats) == len(result["calls"])
        read = sum(call["prompt_tokens"] + call["answer_tokens"] for call in result["calls"])
        assert 0 < read <= 2000
        server.log.clear()
        ask(workspace, capsys, "--budget", "100t")
        assert not server.chats


@pytest.mark.parametrize("fault", ["", "401", "500", "html", "error-line", "drop", "redirect"])
def test_a_key_stands_in_nothing_that_is_printed_or_kept(
    workspace: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "key-that-is-secret")
    with Loopback(fault) as server:
        served_by(workspace, server)
        assert main(["--workspace", str(workspace), "ask", QUESTION]) == 0
        assert main(["--workspace", str(workspace), "doctor"]) == 0
        assert "key-that-is-secret" in server.chats[0]["head"]
    printed = "".join(capsys.readouterr())
    kept = b"".join(path.read_bytes() for path in workspace.rglob("*") if path.is_file())
    assert "key-that-is-secret" not in printed
    assert b"key-that-is-secret" not in kept
    assert b"Helio" in kept


@pytest.mark.parametrize(
    "address", ["http://me:pass-word@host", "ftp://me:pass-word@host", "me:pass-word@host"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(
    workspace: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", address)
    assert main(["--workspace", str(workspace), "ask", QUESTION]) != 0
    said = "".join(capsys.readouterr())
    assert "user name or password" in said
    assert "pass-word" not in said


def test_a_sentence_cut_at_its_full_stop_is_not_said_again(workspace: Path, capsys: Captured) -> None:
    def again(body: dict[str, Any]) -> str:
        said = quote(body)
        return f"{said} {said.partition(' [')[0]}" if said.endswith("[1].") else said

    with Loopback(reply=again) as server:
        served_by(workspace, server)
        answer = ask(workspace, capsys)["answer"]
    assert answer.count("designed by Mara Voss") == 1
