"""Checks 4 and 5: bytes to the terminal, key echo and stalls while a model streams and the graph grows."""

import time
from pathlib import Path

from stage import App, IdleFloor, Line, echoes, empty_app, load, make_workspace, p95, words_server, worst_gap

RATE = 50.0
NODES = (10.0, 400)
SECONDS = 6.0


def bytes_sent(folder: Path, low: bool) -> tuple[float, float, float]:
    """Return bytes a second while streaming, the same when idle, and the tokens a second that came."""
    with words_server(2_000, RATE) as server:
        root = make_workspace(folder, server.url)
        with App(root, nodes=NODES, environment={"PERSONA_MOE_LOW_BANDWIDTH": "1" if low else "0"}) as app:
            app.ready()
            app.terminal.settled(1.0, 4.0)
            began = time.monotonic()
            time.sleep(6.0)
            idle = len(app.terminal.raw(began)) / 6.0
            app.ask()
            app.terminal.wait(lambda text: "word9" in text)  # the pane is nearly full, which costs the most
            began, sent = time.monotonic(), server.chats[-1]["sent"]
            time.sleep(SECONDS)
            spent = time.monotonic() - began
            pace = (server.chats[-1]["sent"] - sent) / spent
            return len(app.terminal.raw(began, began + spent)) / spent, idle, pace


def bandwidth(folder: Path) -> list[Line]:
    """Check 4."""
    lines = []
    for low, bar in ((False, 100), (True, 45)):
        sent, idle, pace = bytes_sent(folder / f"low{low:d}", low)
        name = "low-bandwidth" if low else "default"
        note = f"{pace:.0f} tokens/s came"
        lines.append(
            Line(
                f"4 bytes, {name}, 120x40",
                f"<= {bar} KB/s",
                f"{sent / 1000:.1f} KB/s",
                sent <= bar * 1000,
                note,
            )
        )
        lines.append(
            Line(f"4 bytes, {name}, idle", "<= 1 KB/s", f"{idle / 1000:.2f} KB/s", idle <= 1000, "6 s")
        )
    return lines


def responsiveness(folder: Path) -> list[Line]:
    """Check 5: from the start of an answer, and at the end of one of 4,000 tokens."""
    floor = empty_app(folder)
    floor.wait(lambda text: "question" in text)
    least = p95(echoes(floor))
    floor.end()
    lines = []
    for name, before in (("", 0), (" at the end of 4,000 tokens", 3_800)):
        with words_server(2_000, RATE) as server:
            root = make_workspace(folder / f"after{before}", server.url)
            with App(root, nodes=NODES, words_before=before) as app:
                app.ready()
                app.ask()
                app.terminal.wait(lambda text: "word" in text)
                time.sleep(2.0)
                with IdleFloor() as idle:
                    began = time.monotonic()
                    heard = echoes(app.terminal, 25)
                    ended = time.monotonic()
                if bool(server.chats[-1]["gone"]):
                    raise AssertionError("the answer was over before the last key")
                wall, cpu = worst_gap(app.report(), began, ended)
        starved = idle.worst > 0.03 or least > 0.05
        echo = p95(heard)
        note = f"empty app {least * 1000:.0f} ms; idle process overslept {idle.worst * 1000:.0f} ms; {load()}"
        lines.append(
            Line(
                f"5 key echo p95{name}",
                "<= 100 ms",
                f"{echo * 1000:.0f} ms",
                echo <= 0.1 or (starved and echo - least <= 0.1),
                note,
            )
        )
        lines.append(
            Line(
                f"5 longest stall{name}",
                "<= 150 ms",
                f"{wall * 1000:.0f} ms, {cpu * 1000:.0f} ms of CPU",
                wall <= 0.15 or (starved and cpu <= 0.15),
                note,
            )
        )
    return lines
