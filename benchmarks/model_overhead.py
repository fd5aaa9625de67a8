"""What our path to a model costs beside the bare ollama client, on one loopback server at two paces.

At full pace nothing but the clients is measured; at the pace of a laptop's model, what a user feels.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from _harness import line

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))

WORDS = 2_000
PACED_WORDS = 300
PACE = 0.01
ROUNDS = 5


async def bare(url: str, words: int) -> tuple[float, float]:
    """Return (wall, CPU) seconds of one answer with the client alone."""
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
        count += bool(part.message.content)
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
        count += isinstance(part, Piece)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    if count != words:
        raise RuntimeError(f"{count} of {words} pieces came")
    await model.aclose()
    return spent


def measure(words: int, delay: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the least (wall, CPU) of each way, taken in turns so that a busy machine hits both."""
    from loopback import Loopback

    def reply(_: dict[str, Any]) -> str:
        return " ".join(f"word{number}" for number in range(words))

    found: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
    with Loopback(reply=reply, delay=delay) as server:
        for _ in range(ROUNDS):
            found["bare"].append(asyncio.run(bare(server.url, words)))
            found["ours"].append(asyncio.run(ours(server.url, words)))
    return tuple(  # type: ignore[return-value]
        (min(wall for wall, _ in runs), min(cpu for _, cpu in runs)) for runs in found.values()
    )


def main() -> None:
    """Print tokens a second of both ways, and the share lost; the goal is at most 2 % at a model's pace."""
    (bare_wall, _), (our_wall, _) = measure(WORDS, 0.0)
    line("bare client, full pace", WORDS / bare_wall, "tokens/s")
    line("through persona-moe, full pace", WORDS / our_wall, "tokens/s", WORDS / bare_wall)
    line("added for one token", (our_wall - bare_wall) / WORDS * 1e6, "us")
    (bare_wall, _), (our_wall, _) = measure(PACED_WORDS, PACE)
    line("bare client, a model's pace", PACED_WORDS / bare_wall, "tokens/s")
    line("through persona-moe", PACED_WORDS / our_wall, "tokens/s", PACED_WORDS / bare_wall)
    line("lost", 100 * (1 - bare_wall / our_wall), "%")


if __name__ == "__main__":
    main()
