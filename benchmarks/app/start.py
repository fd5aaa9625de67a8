"""Checks 1 and 2: a cold start, and a model server that refuses or says nothing."""

import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from stage import App, Line, Loopback, add_personas, empty_app, load, make_workspace

PERSONAS = 500
LOADING = "a model being loaded"
TIMES = 5
FIRST = b"sk a question about"
HEAVY = ("ollama", "networkx", "httpx", "pydantic")


def cold_start(folder: Path) -> list[Line]:
    """Check 1: the first picture with 500 personas beside that of an empty app, taken in turns.

    Once without a model, once with one that the app has loaded meanwhile, which takes the server for ever.
    """
    with Loopback("load-silent") as server:
        roots = {
            "500 personas": make_workspace(folder / "quoting"),
            LOADING: make_workspace(folder / "loading", server.url, model="tiny:1b"),
        }
        for root in roots.values():
            add_personas(root, PERSONAS)
        seconds: dict[str, list[float]] = {name: [] for name in roots}
        floors = []
        for _ in range(TIMES):
            empty = empty_app(folder)
            floors.append(_first_picture(empty))
            empty.end()
            for name, root in roots.items():
                with App(root, probe=False) as app:
                    seconds[name].append(_first_picture(app.terminal))
        lines = []
        floor = min(floors)
        for name, root in roots.items():
            ratio = min(seconds[name]) / floor
            with App(root) as app:
                app.ready()
                if name == LOADING:
                    app.terminal.wait(lambda text: "loading it" in text)
                modules = set(app.report().first_picture_modules)
            heavy = [module for module in HEAVY if module in modules]
            lines += [
                Line(
                    f"1 first picture, {name}",
                    "<= 2 x an empty app",
                    f"{min(seconds[name]):.2f} s, {ratio:.2f} x",
                    ratio <= 2.0,
                    f"empty app {floor:.2f} s, best of {TIMES} in turns; {load()}",
                ),
                Line(
                    f"1 imported by then, {name}",
                    f"none of {', '.join(HEAVY)}",
                    ", ".join(heavy) or "none",
                    not heavy,
                ),
            ]
    return [*lines, *(_light(arguments) for arguments in ("--version", "--help"))]


def _first_picture(terminal: object) -> float:
    while (moment := terminal.first(FIRST)) is None:  # type: ignore[attr-defined]
        if time.monotonic() - terminal.began > 60:  # type: ignore[attr-defined]
            raise AssertionError("there was no picture")
        time.sleep(0.002)
    return moment - terminal.began  # type: ignore[attr-defined,no-any-return]


def _says(word: str, text: str) -> bool:
    return word in text


def _light(argument: str) -> Line:
    code = (
        "import sys, tui.cli\n"
        "try: tui.cli.main([sys.argv[1]])\n"
        "finally:\n"
        " print([m for m in ('textual', 'rich', 'networkx', 'ollama') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True, check=True)
    return Line(f"1 loaded by {argument}", "no textual", done.stderr.strip(), done.stderr.strip() == "[]")


def no_server(folder: Path) -> list[Line]:
    """Check 2: a port nobody listens on, and a socket that takes connections and never answers."""
    silent = socket.create_server(("127.0.0.1", 0))
    refusing = socket.create_server(("127.0.0.1", 0))
    port = refusing.getsockname()[1]
    refusing.close()
    lines = []
    for name, where in (("refused", port), ("silent", silent.getsockname()[1])):
        host = f"127.0.0.1:{where}"
        for provider in ("auto", "ollama"):
            root = make_workspace(folder / f"{name}-{provider}", f"http://{host}", provider)
            with App(root, size=(200, 50)) as app:
                app.ready()
                last = "answered" if provider == "auto" else "Failed:"
                spent = []
                for again in (False, True):
                    if again:
                        app.terminal.press("escape", "R")
                        began = time.monotonic() - 0.1
                        app.terminal.settled(0.2, 1.0)
                    else:
                        began = app.ask()
                    text = app.terminal.wait(partial(_says, last))
                    spent.append(time.monotonic() - began)
                named = host in text
                lines.append(
                    Line(
                        f"2 {name}, provider {provider}",
                        "<= 5 s, names the host; R",
                        f"{spent[0]:.1f} s, {'' if named else 'not '}named; again {spent[1]:.1f} s",
                        max(spent) <= 5.0 and named,
                        "answers from the documents" if provider == "auto" else "says so below the question",
                    )
                )
    silent.close()
    return lines
