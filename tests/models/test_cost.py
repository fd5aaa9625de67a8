"""What a model may cost: windows, budgets, its pace, and loading it ahead."""

from pathlib import Path
from typing import Any

import pytest
from asking import Captured, ask, events, of, served_by
from loopback import Loopback, quote

from tui.cli import main


def test_a_model_that_reads_slowly_gets_less_to_read_and_a_fast_one_more(
    workspace: Path, capsys: Captured
) -> None:
    def budgets() -> list[int]:
        told = events(workspace, capsys)
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


def test_a_budget_of_tokens_or_seconds_ends_the_model_and_not_the_answer(
    workspace: Path, capsys: Captured
) -> None:
    for budget, delay in (("40t", 0.0), ("0.4s", 0.05)):
        with Loopback(delay=delay) as server:
            served_by(workspace, server)
            result = ask(workspace, capsys, "--budget", budget)
        assert "Mara Voss" in result["answer"]
        assert any("budget of" in call["outcome"] for call in result["calls"])
        assert len(server.chats) <= len(result["calls"])
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
