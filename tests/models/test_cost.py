"""What a model may cost: windows, budgets, its pace, and loading it ahead."""

from pathlib import Path
from typing import Any

import pytest
from asking import Captured, ask, events, of, served_by
from loopback import Loopback, quote

from engine.config import OllamaSettings, Settings
from engine.evaluation.plain import PlainLexicon
from engine.experts.model_author import ModelAuthor
from engine.models.base import quoting
from engine.models.extractive import ExtractiveModel
from tui.cli import main


def sent(told: list[dict[str, Any]]) -> int:
    """Return the characters that experts' models were sent."""
    calls = [event for event in of("ModelAsked", told) if event["purpose"] == "claims"]
    return sum(len(message["content"]) for call in calls for message in call["messages"])


@pytest.fixture
def library(workspace: Path, tmp_path: Path, capsys: Captured) -> Path:
    """A workspace with more about its subject than a slow model can read in time."""
    text = (
        "The Helio lamp number {n} was designed in workshop {n}, and its {n} lenses were ground there. " * 7
    )
    sections = "\n\n".join(f"## Helio lamp {n}\n\n{text.format(n=n)}" for n in range(30))
    (tmp_path / "more.md").write_text(f"# Helio lamps\n\n{sections}\n")
    assert main(["--workspace", str(workspace), "index", str(tmp_path / "more.md")]) == 0
    capsys.readouterr()
    return workspace


def test_a_model_that_reads_slowly_is_sent_less_and_a_fast_one_more(library: Path, capsys: Captured) -> None:
    def asked() -> int:
        told = events(library, capsys, "--persona", "fact-finder", "--persona", "sceptic")
        saved = of("SnapshotSaved", told)[0]["snapshot"]
        assert main(["--workspace", str(library), "snapshots", "verify", saved]) == 0
        capsys.readouterr()
        return sent(told)

    with Loopback() as server:
        served_by(library, server, context_tokens=8192)
        server.prompt_tokens, server.reads_per_second = 900, 80.0
        at_first = asked()
        assert asked() == at_first, "a pace that fits changed what is read"
        server.reads_per_second = 20.0
        slow = [asked() for _ in range(4)][-1]
        server.reads_per_second = 5_000.0
        fast = [asked() for _ in range(7)][-1]
    assert slow < 0.7 * at_first
    assert fast > 1.5 * at_first


def test_a_budget_of_seconds_bounds_what_a_slow_model_is_sent(library: Path, capsys: Captured) -> None:
    with Loopback() as server:
        served_by(library, server, context_tokens=8192)
        server.prompt_tokens, server.reads_per_second = 900, 100.0
        whole = sent(events(library, capsys))
        hurried = sent(events(library, capsys, "--budget", "30s"))
    assert hurried < 0.7 * whole


def test_what_a_slow_model_leaves_unsaid_is_quoted_from_all_that_was_found(
    library: Path, capsys: Captured
) -> None:
    quoted = of("AnswerReady", events(library, capsys, "--no-model", "--no-learn"))[0]["answer"]
    with Loopback("500") as server:
        served_by(library, server)
        told = events(library, capsys, "--budget", "30s", "--no-learn")
    assert {event["mode"] for event in of("ClaimsParsed", told)} == {"extractive"}
    assert of("AnswerReady", told)[0]["answer"].split("[1]")[0] == quoted.split("[1]")[0]


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
    assert not server.chats
    assert {event["mend"].partition(",")[0] for event in of("ModelFailed", told)} == {
        "set ollama.context_tokens higher"
    }
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
        assert bool(server.chats) == (budget == "0.4s"), "40 tokens hold no prompt, and in 0.4 s one begins"
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


@pytest.mark.parametrize("window", [300, 512, 1024, 2048, 4096])
def test_whatever_is_sent_fits_into_the_window_by_the_upper_estimate(
    library: Path, capsys: Captured, window: int
) -> None:
    question = f"Who designed the Helio lamp, {'given all that the documents say of it, ' * 40}and where?"
    with Loopback() as server:
        served_by(library, server, context_tokens=window)
        assert main(["--workspace", str(library), "ask", question, "--no-learn"]) == 0
        said = capsys.readouterr().err
    for call in server.chats:
        options = call["body"]["options"]
        read = sum(len(message["content"].encode()) for message in call["body"]["messages"]) / 3
        assert read + options["num_predict"] <= options["num_ctx"] == window
    assert bool(server.chats) == (window >= 2048)
    assert ("not fit the model's context; set ollama.context_tokens higher" in said) == (window < 2048)


@pytest.mark.parametrize(("endpoints", "parallel", "at_once"), [(1, 1, 1), (1, 3, 3), (3, 2, 6)])
def test_no_expert_is_asked_only_to_wait_for_another(endpoints: int, parallel: int, at_once: int) -> None:
    servers = tuple(f"http://127.0.0.1:{5000 + number}" for number in range(endpoints))
    settings = Settings(ollama=OllamaSettings(api_endpoint=servers, parallel=parallel))
    assert ModelAuthor(PlainLexicon(), ExtractiveModel(), quoting(), settings).at_once == at_once
