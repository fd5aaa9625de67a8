"""A question asked with a model, from the command line to the record, over the real client."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import CHAT_MODEL, Loopback, quote

from engine.cleaning import clean
from tui.cli import main

QUESTION = "Who designed the Helio lamp?"
DOCUMENTS = {
    "lamps.md": "# Lamps\n\n## Solar lamps\n\nThe Helio lamp was designed by Mara Voss in 1994. "
    "Its battery lasts nine hours.\n\n## Oil lamps\n\nAn oil lamp burns oil through a wick.\n",
    "mara.md": "# Mara Voss\n\nMara Voss is an engineer from Bergen. She founded the company Nordlys.\n",
}
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text)
    folder = tmp_path / "workspace"
    assert main(["--workspace", str(folder), "index", str(documents)]) == 0
    capsys.readouterr()
    return folder


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
    assert re.search(r"Warning: [\w-]+: the model server closed the connection in the middle", said)
    assert "Warning: answer: " in said


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
        assert "no model server is listening" in said.err
        assert "ollama serve" in said.err
        assert "Mara Voss" in said.out
        assert main(["--workspace", str(workspace), "ask", QUESTION, "--model", "tiny:1b"]) == 3
        assert "no model server is listening" in capsys.readouterr().err


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


def test_a_model_that_reads_slowly_gets_less_to_read_and_a_fast_one_more(
    workspace: Path, capsys: Captured
) -> None:
    def budgets() -> list[int]:
        told = events(workspace, capsys, "--persona", "fact-finder", "--persona", "sceptic")
        saved = of("SnapshotSaved", told)[0]["snapshot"]
        assert main(["--workspace", str(workspace), "snapshots", "verify", saved]) == 0
        capsys.readouterr()
        return [event["budget"] for event in of("ContextPacked", told)]

    with Loopback() as server:
        served_by(workspace, server, context_tokens=8192)
        server.prompt_tokens, server.reads_per_second = 900, 80.0
        at_first = budgets()
        assert budgets() == at_first, "a pace that fits changed what is read"
        server.reads_per_second = 20.0
        slow = [budgets() for _ in range(4)][-1]
        server.reads_per_second = 5_000.0
        fast = [budgets() for _ in range(7)][-1]
    for before, after in zip(at_first, slow, strict=True):
        assert after < before / 2
    for before, after in zip(at_first, fast, strict=True):
        assert after == pytest.approx(before * 2, abs=1)


def test_a_budget_of_seconds_bounds_what_a_slow_model_is_given(workspace: Path, capsys: Captured) -> None:
    with Loopback() as server:
        served_by(workspace, server, context_tokens=8192)
        server.prompt_tokens, server.reads_per_second = 900, 100.0
        whole = [event["budget"] for event in of("ContextPacked", events(workspace, capsys))]
        hurried = of("ContextPacked", events(workspace, capsys, "--budget", "30s"))
    assert sum(event["budget"] for event in hurried) < sum(whole) / 2


def test_the_model_is_loaded_while_the_documents_are_searched(workspace: Path, capsys: Captured) -> None:
    with Loopback() as server:
        served_by(workspace, server)
        ask(workspace, capsys)
        ask(workspace, capsys)
    (load,) = server.loads
    assert load["body"]["options"] == {"num_ctx": server.chats[0]["body"]["options"]["num_ctx"]}
    assert load["body"]["keep_alive"] == "10m"
    assert server.log.index(load) < server.log.index(server.chats[0])


def test_a_large_model_is_asked_for_json_at_once(workspace: Path, capsys: Captured) -> None:
    large = {**CHAT_MODEL, "details": {"parameter_size": "70.6B", "context_length": 8192}}
    with Loopback(models=[large]) as server:
        served_by(workspace, server)
        told = events(workspace, capsys)
    assert {event["mode"] for event in of("ClaimsParsed", told)} <= {"schema", "extractive"}
    assert server.chats[0]["body"]["format"]["type"] == "object"


def test_a_prompt_that_the_server_cut_is_told(workspace: Path, capsys: Captured) -> None:
    with Loopback() as server:
        server.prompt_tokens = 5
        served_by(workspace, server)
        told = of("Warned", events(workspace, capsys))
    (cut,) = [event for event in told if "read only 5 tokens" in event["problem"]]
    assert "context_tokens" in cut["mend"]


def test_a_window_smaller_than_asked_for_is_told(workspace: Path, capsys: Captured) -> None:
    with Loopback() as server:
        served_by(workspace, server, context_tokens=8192)
        server.loaded["tiny:1b"] = 1024
        told = of("Warned", events(workspace, capsys))
    assert any("1024 tokens, not 8192" in event["problem"] for event in told)


def test_a_question_too_long_for_the_window_is_told_and_answered(workspace: Path, capsys: Captured) -> None:
    with Loopback() as server:
        served_by(workspace, server, context_tokens=300)
        told = events(workspace, capsys)
    assert all(len(call["body"]["messages"][-1]["content"]) < 300 * 4 for call in server.chats)
    assert of("AnswerReady", told)[0]["answer"]


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


def test_a_budget_of_tokens_or_seconds_ends_the_model_and_not_the_answer(
    workspace: Path, capsys: Captured
) -> None:
    for budget, delay in (("40t", 0.0), ("0.4s", 0.05)):
        with Loopback(delay=delay) as server:
            served_by(workspace, server)
            result = ask(workspace, capsys, "--budget", budget)
        assert "Mara Voss" in result["answer"]
        assert any("budget of" in call["outcome"] for call in result["calls"])
        assert len(server.chats) < len(result["calls"])
        snapshot = result["snapshot"]["id"]
        assert main(["--workspace", str(workspace), "snapshots", "verify", snapshot]) == 0
        capsys.readouterr()


def test_a_budget_of_seconds_is_shared_so_that_the_answer_is_written(
    workspace: Path, capsys: Captured
) -> None:
    words = " ".join(f"word{number}" for number in range(2_000))

    def endless_claims(body: dict[str, Any]) -> str:
        said = quote(body)
        return said if body["messages"][-1]["content"].startswith("Claims:") else f"{said}\n- {words}"

    with Loopback(reply=endless_claims, delay=0.01) as server:
        served_by(workspace, server)
        result = ask(workspace, capsys, "--budget", "6s")
    outcomes = {call["persona_id"]: call["outcome"] for call in result["calls"]}
    assert outcomes[""] == "stop"
    assert all("share of the budget of 6 seconds" in said for who, said in outcomes.items() if who)
    assert "Mara Voss" in result["answer"]
    assert not any("could not be used" in flag for flag in result["flags"])


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
