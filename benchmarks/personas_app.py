"""How fast the app's roster of many personas opens, filters, sorts and scrolls, on a terminal of 120x40.

Run: ``python benchmarks/personas_app.py [PERSONAS]``. Milliseconds are processor time of all threads, from
the key to the picture that shows what it did; the floor is ``msgspec`` alone reading the same files.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from _harness import line

from engine.workspace import Workspace
from personas import SETTLED, crowd
from tui.app import PersonaMoeApp
from tui.glyphs import UNICODE
from tui.screens.personas import PersonasScreen
from tui.widgets.persona_lists import RosterList

PAGES = 40


async def until(pilot: Any, ready: Callable[[], bool]) -> None:
    """Let the app go on until ``ready``."""
    while not ready():
        await pilot.pause(0.05)


async def spent(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return the milliseconds of processor time and of the clock that ``work`` takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return (time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000


async def measure(workspace: Workspace, count: int, floor: float) -> None:
    """Open the app, then its roster, and print what each key takes."""
    app = PersonaMoeApp(workspace, glyphs=UNICODE)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.desk.opened is not None)
        await pilot.pause(1.0)
        while len(app.screen_stack) > 1:
            app.pop_screen()
            await pilot.pause(0.2)

        async def open_roster() -> None:
            await pilot.press("escape", "P")
            await until(pilot, lambda: isinstance(app.screen, PersonasScreen))
            await until(pilot, lambda: len(app.screen.query_one(RosterList).rows) >= count)
            await pilot.pause()

        cpu, wall = await spent(open_roster)
        line("open the roster", cpu, "ms CPU", floor)
        line("open the roster, by the clock", wall, "ms")

        async def page() -> None:
            for _ in range(PAGES):
                await pilot.press("pagedown")

        cpu, _ = await spent(page)
        line("half a page down", cpu / PAGES, "ms CPU")
        await pilot.press("slash")
        slowest = 0.0
        for key in "graph":
            cpu, _ = await spent(lambda key=key: pilot.press(key))  # type: ignore[misc]
            slowest = max(slowest, cpu)
        line("filter, one keystroke (slowest of 5)", slowest, "ms CPU")
        await pilot.press("escape")
        slowest = 0.0
        for _ in range(10):
            cpu, _ = await spent(lambda: pilot.press("o"))
            slowest = max(slowest, cpu)
        line("sort by the next column (slowest of 10)", slowest, "ms CPU")
        cpu, _ = await spent(lambda: pilot.press("A"))
        line("mark all", cpu, "ms CPU")


def main() -> None:
    """Print milliseconds and ratios to the floor."""
    with crowd() as (workspace, count, floor):
        time.sleep(SETTLED)
        asyncio.run(measure(workspace, count, floor))


if __name__ == "__main__":
    main()
