"""The app in a browser: who may ask, what the page may load, and that a real app answers."""

import asyncio
import importlib.util
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tui.cli import main
from tui.launch import WEB_DRIVER, refusal
from tui.web import command, is_for_us


@pytest.fixture
def port(workspace: Path) -> Iterator[int]:
    """The command, running in a process of its own."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = int(taken.getsockname()[1])
    words = [sys.executable, "-m", "tui.cli", "--workspace", str(workspace), "serve", "--web"]
    running = subprocess.Popen(
        [*words, "--port", str(number)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                assert running.poll() is None
                time.sleep(0.1)
        yield number
    finally:
        running.send_signal(signal.SIGINT)
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def test_a_browser_gets_the_page_and_a_real_app_and_others_are_refused(port: int) -> None:
    url = f"http://127.0.0.1:{port}"

    async def browse() -> None:
        async with aiohttp.ClientSession() as browser:
            async with browser.get(url) as page:
                assert page.status == 200
                assert "default-src 'self'" in page.headers["Content-Security-Policy"]
            foreign = {"Origin": "https://evil.example"}
            async with browser.get(url, headers=foreign) as refused:
                assert refused.status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await browser.ws_connect(f"{url}/ws", headers=foreign)
            async with browser.get(url, headers={"Host": f"evil.example:{port}"}) as refused:
                assert refused.status == 403
            async with browser.ws_connect(f"{url}/ws?width=80&height=24", headers={"Origin": url}) as app:
                drawn = b""
                async with asyncio.timeout(60):
                    while b"documents" not in drawn:
                        message = await app.receive()
                        assert message.type is not aiohttp.WSMsgType.CLOSED, drawn[-500:]
                        data = message.data
                        drawn += data if isinstance(data, bytes) else str(data).encode()

    asyncio.run(browse())


@pytest.mark.parametrize(
    ("host", "origin", "own", "allowed"),
    [
        ("127.0.0.1:1", "", "127.0.0.1", True),
        ("localhost:1", "http://localhost:1", "127.0.0.1", True),
        ("[::1]:1", "http://[::1]:1", "::1", True),
        ("box.lan:1", "http://box.lan:1", "box.lan", True),
        ("box.lan:1", "http://box.lan:1", "127.0.0.1", False),
        ("127.0.0.1:1", "http://127.0.0.1:2", "127.0.0.1", False),
        ("127.0.0.1:1", "null", "127.0.0.1", False),
        ("", "", "127.0.0.1", False),
        ("[", "", "127.0.0.1", False),
    ],
)
def test_who_may_ask(host: str, origin: str, own: str, allowed: bool) -> None:
    assert is_for_us(host, origin, own) is allowed


def test_the_command_survives_the_shell_it_is_run_in(tmp_path: Path) -> None:
    folder = tmp_path / "a b; echo $(c)"
    folder.mkdir()
    assert shlex.split(command(folder))[-2:] == ["--workspace", str(folder)]


def test_a_browser_needs_no_terminal() -> None:
    assert refusal({"TEXTUAL_DRIVER": WEB_DRIVER}) == ""
    assert refusal({"TEXTUAL_DRIVER": "other"}) != ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["serve"], "--web"), (["serve", "--web", "--port", "0"], "is no port")],
)
def test_bad_usage_is_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_without_the_extra_the_mend_is_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None)
    assert main(["--workspace", str(workspace), "serve", "--web"]) == 2
    assert "pipx install 'persona-moe[web]'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--workspace", str(workspace), "serve", "--web", "--port", port]) == 2
    assert "cannot listen on" in capsys.readouterr().err
