"""Run persona-moe as it is, and note from inside what cannot be seen from a terminal.

    python probe.py REPORT NODES_PER_SECOND MOST_NODES WORDS_BEFORE [arguments of persona-moe]

Notes the modules loaded at the first picture, every gap of the app's loop longer than GAP, the most lines
that a pane held, and on SIGUSR1 and at the end where the user is and what is drawn. While a run goes on,
NODES_PER_SECOND node events are put into the queue that the engine fills, and WORDS_BEFORE words before the
first of the model's answer, which is so many tokens longer; the engine itself asks for 512 at most.
"""

import asyncio
import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

BEAT = 0.005
GAP = 0.02


class Report(msgspec.Struct, kw_only=True):
    """What is written to the file; ``gaps`` holds (end, wall, CPU of the process) seconds each."""

    first_picture_modules: list[str] = []
    gaps: list[tuple[float, float, float]] = []
    most_lines: int = 0
    nodes: int = 0
    threads: int = 0
    focus: str = ""
    places: dict[str, tuple[str, float, list[str]]] = {}
    screen: list[str] = []
    state: str = ""
    replayed: str = ""


def _digest(state: object) -> str:
    return hashlib.sha256(msgspec.json.encode(state, order="sorted")).hexdigest()


def probed(file: Path, nodes_per_second: float, most_nodes: int, words_before: int) -> Any:
    """Return the app's class with the notes added."""
    from engine.events import NodeOpened, Token
    from tui.app import PersonaMoeApp
    from tui.widgets.row_list import RowList

    class Probed(PersonaMoeApp):
        report = Report()

        def start_session(self) -> None:
            self.report.first_picture_modules = sorted(sys.modules)
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGUSR1, self.write_report)
            self._beating = loop.create_task(self._beat())
            super().start_session()
            if nodes_per_second:
                threading.Thread(target=self._add_nodes, daemon=True).start()
            if words_before:
                threading.Thread(target=self._add_words, daemon=True).start()

        async def _beat(self) -> None:
            beats = 0
            wall, cpu = time.monotonic(), time.process_time()
            while True:
                await asyncio.sleep(BEAT)
                now, spent = time.monotonic(), time.process_time()
                if (gap := now - wall - BEAT) > GAP:
                    self.report.gaps.append((now, gap, spent - cpu))
                wall, cpu = now, spent
                beats += 1
                if beats % 20 == 0:
                    shown = [len(each.rows) for each in self.screen_stack[0].query(RowList)]
                    self.report.most_lines = max([self.report.most_lines, *shown])

        def _add_nodes(self) -> None:
            """Add names with a hundred passages each, on a clock of its own."""
            began, added = 0.0, 0
            while added < most_nodes:
                time.sleep(0.01)
                if not self.desk.running or "q" not in self.desk.run.nodes:
                    continue
                began = began or time.monotonic()
                due = min(most_nodes, int((time.monotonic() - began) * nodes_per_second))
                for number in range(added, due):
                    hub = number - number % 100
                    is_hub = number == hub
                    self.desk.session.queue.put(
                        self.desk.number,
                        NodeOpened(
                            node=f"e:hub{hub}" if is_hub else f"p:added{number}",
                            kind="entity" if is_hub else "passage",
                            label=f"hub number {hub // 100}" if is_hub else f"passage {number} of this hub",
                            parent="q" if is_hub else f"e:hub{hub}",
                            persona="fact-finder",
                            relevance=0.5,
                        ),
                    )
                added = due

        def _add_words(self) -> None:
            """Let the answer be long already when the model begins to write it."""
            from stage import filler

            while not (call := self.desk.run.writing):
                time.sleep(0.01)
            words = filler(words_before)
            for start in range(0, words_before, 50):
                text = " ".join(words[start : start + 50]) + " "
                self.desk.session.queue.put(self.desk.number, Token(call=call, text=text))
                time.sleep(0.02)

        def write_report(self) -> None:
            main = self.screen_stack[0]
            report = self.report
            report.nodes, report.threads = len(self.desk.run.nodes), threading.active_count()
            report.focus = (self.focused.id or "") if self.focused else ""
            report.places = {
                each.id or "": (
                    each.current.key if each.current else "", each.scroll_offset.y, sorted(each.toggled)
                )
                for each in main.query(RowList)
            }  # fmt: skip
            strips = self.screen._compositor.render_strips()
            report.screen = [strip.text.rstrip() for strip in strips]
            report.state = _digest(self.desk.run)
            report.replayed = _digest(self.desk.player.state) if self.desk.player else ""
            part = file.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(report))
            os.replace(part, file)

        def leave(self) -> None:
            self.write_report()
            super().leave()

    return Probed


def main() -> None:
    """Put the notes into the app's class, then do what the command line would do."""
    from tui import launch

    launch.prepare(os.environ)  # before anything imports textual
    import tui.app

    numbers = float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    tui.app.PersonaMoeApp = probed(Path(sys.argv[1]), *numbers)  # type: ignore[misc]
    from tui.cli import main as command_line

    sys.exit(command_line(sys.argv[5:]))


if __name__ == "__main__":
    main()
