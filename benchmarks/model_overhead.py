"""What our path to a model costs beside the bare ollama client, on one loopback server at two paces.

The seam is OllamaModel; a whole question is the engine with its events and its record. Time is counted from
the first token.

At full pace nothing but the clients is measured; at the pace of a laptop's model, what a user feels.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _harness import line

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))

WORDS = 800
PACED_WORDS = 300
PACE = 0.01
ROUNDS = 5


async def bare(url: str, words: int) -> tuple[float, float]:
    """Return (wall, CPU) seconds from the first token to the end of one answer, with the client alone."""
    from ollama import AsyncClient

    client = AsyncClient(url, trust_env=False)
    count, wall, cpu = 0, time.perf_counter(), time.process_time()
    stream: Any = await client.chat(
        model="tiny:1b",
        messages=[{"role": "user", "content": "go"}],
        stream=True,
        think=False,
        options={"num_ctx": 4096, "num_predict": words},
    )
    async for part in stream:
        if part.message.content:
            count += 1
            wall, cpu = (time.perf_counter(), time.process_time()) if count == 1 else (wall, cpu)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    if count != words:
        raise RuntimeError(f"{count} of {words} pieces came")
    await client.close()
    return spent


async def ours(url: str, words: int) -> tuple[float, float]:
    """Return (wall, CPU) seconds of the same answer through OllamaModel."""
    from engine.config import OllamaSettings
    from engine.events import ModelMessage
    from engine.models.base import ChatRequest, Piece
    from engine.models.ollama import OllamaModel

    model = OllamaModel(OllamaSettings(), [url])
    request = ChatRequest(
        model="tiny:1b",
        messages=(ModelMessage(role="user", content="go"),),
        num_ctx=4096,
        max_tokens=words,
    )
    model.endpoints[0].open()  # the bare client is made before the clock runs, too
    count, wall, cpu = 0, time.perf_counter(), time.process_time()
    async for part in model.chat(request):
        if isinstance(part, Piece):
            count += 1
            wall, cpu = (time.perf_counter(), time.process_time()) if count == 1 else (wall, cpu)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    if count != words:
        raise RuntimeError(f"{count} of {words} pieces came")
    await model.aclose()
    return spent


def whole(url: str, words: int) -> tuple[float, float]:
    """Return (wall, CPU) seconds between the first and the last token of an expert, in a whole question.

    Through the engine, that is with events, record and snapshot, as a face receives them.
    """
    from engine.events import Token
    from engine.pipeline import AskOptions, Engine
    from engine.workspace import Workspace

    with tempfile.TemporaryDirectory(prefix="persona-moe-pace-") as folder:
        workspace = Workspace.open(Path(folder) / "w")
        (workspace.configs / "ollama.toml").write_text(f'api_endpoint = "{url}"\nmax_experts = 1\n')
        document = Path(folder) / "lamps.md"
        document.write_text("# Lamps\n\nThe Helio lamp was designed by Mara Voss in 1994.\n")
        with Engine.open(workspace) as engine:
            engine.index([document])
            marks: list[tuple[float, float]] = []
            call = ""
            for event in engine.ask_sync("Who designed the Helio lamp?", AskOptions(learn=False)):
                if isinstance(event, Token) and event.call == (call or event.call):
                    call = event.call
                    marks.append((time.perf_counter(), time.process_time()))
    if len(marks) != words:
        raise RuntimeError(f"{len(marks)} of {words} pieces came")
    (wall, cpu), (wall_end, cpu_end) = marks[0], marks[-1]
    return wall_end - wall, cpu_end - cpu


def measure(words: int, delay: float) -> tuple[tuple[float, float], ...]:
    """Return the least (wall, CPU) of each way, taken in turns so that a busy machine hits all."""
    from loopback import Loopback

    def reply(_: dict[str, Any]) -> str:
        return " ".join(f"word{number}" for number in range(words))

    found: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": [], "whole": []}
    with Loopback(reply=reply, delay=delay) as server:
        for _ in range(ROUNDS):
            found["bare"].append(asyncio.run(bare(server.url, words)))
            found["ours"].append(asyncio.run(ours(server.url, words)))
            found["whole"].append(whole(server.url, words))
    return tuple((min(wall for wall, _ in runs), min(cpu for _, cpu in runs)) for runs in found.values())


def main() -> None:
    """Print tokens a second of both ways, and the share lost; the goal is at most 2 % at a model's pace."""
    (bare_wall, _), (our_wall, _), (whole_wall, _) = measure(WORDS, 0.0)
    line("bare client, full pace", WORDS / bare_wall, "tokens/s")
    line("through the seam, full pace", WORDS / our_wall, "tokens/s", WORDS / bare_wall)
    line("in a whole question, full pace", WORDS / whole_wall, "tokens/s", WORDS / bare_wall)
    line("added by the seam for one token", (our_wall - bare_wall) / WORDS * 1e6, "us")
    line("added in a whole question for one token", (whole_wall - bare_wall) / WORDS * 1e6, "us")
    (bare_wall, _), (our_wall, _), (whole_wall, _) = measure(PACED_WORDS, PACE)
    line("bare client, a model's pace", PACED_WORDS / bare_wall, "tokens/s")
    line("through the seam", PACED_WORDS / our_wall, "tokens/s", PACED_WORDS / bare_wall)
    line("in a whole question", PACED_WORDS / whole_wall, "tokens/s", PACED_WORDS / bare_wall)
    line("lost through the seam", 100 * (1 - bare_wall / our_wall), "%")
    line("lost in a whole question", 100 * (1 - bare_wall / whole_wall), "%")


if __name__ == "__main__":
    main()
