"""doctor: what works, what does not, and what mends it."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.pipeline import Engine
from engine.workspace import Workspace
from tui.checks import Check, check_model, examine
from tui.cli import main

Captured = pytest.CaptureFixture[str]


@contextmanager
def server(status: int, body: bytes) -> Iterator[str]:
    """Serve one answer to everything; give the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            thread.join()


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "w")


def model(place: Workspace, endpoint: str, name: str = "") -> Check:
    text = f'api_endpoint = "{endpoint}"\nmodel_name = "{name}"\n'
    (place.configs / "ollama.toml").write_text(text)
    (check,) = check_model(place)
    return check


def test_doctor_says_how_all_stands(workspace: Path, capsys: Captured) -> None:
    assert main(["--workspace", str(workspace), "doctor"]) == 0
    text = capsys.readouterr().out
    for name in ("terminal", "workspace", "disk", "settings", "personas", "index", "snapshots", "model"):
        assert f" {name} " in text
    assert "fail" not in text

    assert main(["--workspace", str(workspace), "doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["workspace"] == str(workspace)
    assert all(set(check) == {"name", "status", "detail", "mend"} for check in report["checks"])


def test_a_new_workspace_is_told_what_to_do_next(place: Workspace) -> None:
    (index,) = [check for check in examine(place) if check.name == "index"]
    assert index.status == "warn"
    assert "persona-moe index" in index.mend


def test_an_index_that_holds_nothing_is_told_like_none(place: Workspace) -> None:
    Engine.open(place).close()
    (index,) = [check for check in examine(place) if check.name == "index"]
    assert (index.status, index.detail) == ("warn", "nothing is indexed yet")


def test_a_place_where_no_workspace_can_be_made_fails(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["--workspace", str(tmp_path / "file" / "w"), "doctor"]) == 1
    assert "fail workspace" in capsys.readouterr().out


def test_a_damaged_index_fails_with_a_mend(workspace: Path, capsys: Captured) -> None:
    path = workspace / "state" / "corpus.sqlite3"
    raw = bytearray(path.read_bytes())
    raw[:64] = b"\xff" * 64
    path.write_bytes(raw)
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink(missing_ok=True)
    assert main(["--workspace", str(workspace), "doctor"]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "fail index" in text
    assert "run 'persona-moe index' again" in text


def test_an_index_that_cannot_be_opened_fails_in_one_line(workspace: Path, capsys: Captured) -> None:
    path = workspace / "state" / "corpus.sqlite3"
    path.unlink()
    path.mkdir()
    assert main(["--workspace", str(workspace), "doctor"]) == 1
    said = capsys.readouterr()
    assert "fail index" in said.out
    assert said.err == ""


def test_where_every_persona_is_pruned_one_is_to_be_brought_back(place: Workspace) -> None:
    for path in sorted(place.personas.glob("*/*.json")):
        path.rename(place.personas / "pruned" / path.name)
    (check,) = [check for check in examine(place) if check.name == "personas"]
    assert check.status == "fail"
    assert "persona-moe personas restore api-docs-reader" in check.mend


def test_where_there_is_no_persona_the_starters_are_to_be_fetched(place: Workspace) -> None:
    for path in place.personas.glob("*/*.json"):
        path.unlink()
    (check,) = [check for check in examine(place) if check.name == "personas"]
    assert check.status == "fail"
    assert "persona-moe init" in check.mend


def test_where_no_persona_file_can_be_used_they_are_to_be_mended(place: Workspace) -> None:
    for path in place.personas.glob("*/*.json"):
        path.write_text("{")
    check = next(check for check in examine(place) if check.name == "personas")
    assert check.status == "fail"
    assert "personas validate" in check.mend


def test_broken_keys_fail_and_the_settings_beside_them_are_looked_at(
    workspace: Path, capsys: Captured
) -> None:
    (workspace / "configs" / "keys.toml").write_text('[main]\nquitt = "Q"\n')
    assert main(["--workspace", str(workspace), "doctor", "--json"]) == 1
    checks = [c for c in json.loads(capsys.readouterr().out)["checks"] if c["name"] == "settings"]
    assert [c["status"] for c in checks] == ["ok", "fail"]
    assert "keys.toml" not in checks[0]["detail"]
    assert "keys.toml line 2" in checks[1]["detail"]
    assert "main.quit" in checks[1]["mend"]

    assert main(["--workspace", str(workspace), "config", "check"]) == 2
    said = capsys.readouterr().out
    assert "keys.toml line 2" in said
    assert "configs/system.toml: ok" in said

    (workspace / "configs" / "keys.toml").unlink()
    assert main(["--workspace", str(workspace), "config", "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["keys"] == {"ok": True, "problem": None}


def test_a_bad_persona_and_a_bad_setting_are_named(workspace: Path, capsys: Captured) -> None:
    (workspace / "personas" / "active" / "broken.json").write_text("{")
    (workspace / "configs" / "system.toml").write_text("max_iteration = 3\n")
    assert main(["--workspace", str(workspace), "doctor", "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert any(c["name"] == "personas" and c["status"] == "warn" and "broken" in c["detail"] for c in checks)
    assert any(c["name"] == "settings" and c["status"] == "fail" for c in checks)


def test_a_locked_workspace_names_its_holder(place: Workspace) -> None:
    with Workspace.open(place.root).lock():
        (check,) = [check for check in examine(place) if check.name == "workspace"]
    assert check.status == "fail"
    assert "is being written by" in check.detail


def test_a_model_server_that_answers(place: Workspace) -> None:
    with server(200, b'{"models": [{"name": "tiny:1b", "size": 5}, {"name": "big:latest"}]}') as endpoint:
        assert model(place, endpoint).status == "ok"
        assert model(place, endpoint, "tiny:1b").status == "ok"
        assert model(place, endpoint, "big").status == "ok"
        missing = model(place, endpoint, "huge")
    assert missing.status == "warn"
    assert "ollama pull huge" in missing.mend


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (404, b"no"), (200, b'{"models": 3}'), (200, b'{"models": []}')]
)
def test_a_server_that_is_of_no_use_is_a_warning(place: Workspace, status: int, body: bytes) -> None:
    with server(status, body) as endpoint:
        assert model(place, endpoint).status == "warn"


def test_a_port_where_nobody_listens_is_a_warning(place: Workspace) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    check = model(place, endpoint)
    assert check.status == "warn"
    assert endpoint in check.detail


def test_no_server_is_asked_when_models_are_switched_off(place: Workspace) -> None:
    (place.configs / "ollama.toml").write_text('provider = "extractive"\n')
    (check,) = check_model(place)
    assert check.status == "ok"
