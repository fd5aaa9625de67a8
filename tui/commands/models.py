"""``persona-moe models``: what the model server has, and fetching more."""

import argparse
from typing import TYPE_CHECKING, Any

from engine.cleaning import size_words
from tui import output

if TYPE_CHECKING:
    from engine.models.base import ModelInfo
    from engine.models.ollama import OllamaModel


def register(subparsers: Any) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser(
        "models",
        help="see the model server's models, and fetch more",
        description="See the models of the configured Ollama server, and fetch more. Exit code 3 if it does "
        "not answer, or the settings use none.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="list the models", description="List the models, newest first.")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)
    show = verbs.add_parser("show", help="show one model", description="Show what one model is and can do.")
    show.add_argument("name", metavar="NAME")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=run_show)
    pull = verbs.add_parser(
        "pull",
        help="have the server fetch a model",
        description="Have the server fetch a model. Stopped half-way, it goes on from there the next time.",
    )
    pull.add_argument("name", metavar="NAME")
    pull.set_defaults(run=run_pull)


def _open(args: argparse.Namespace) -> "OllamaModel":
    from engine.models.choose import open_servers
    from tui.session import open_workspace

    return open_servers(open_workspace(args).settings().ollama)


def _name(text: str) -> str:
    from engine.errors import InputError

    if not text or len(text) > 200 or not all("!" <= char <= "~" for char in text):
        raise InputError(f"{text[:60]!r} is no name of a model", "such as qwen3:4b")
    return text


def run_list(args: argparse.Namespace) -> int:
    """Print the models; returns the exit code."""
    import asyncio

    async def ask() -> "list[ModelInfo]":
        model = _open(args)
        try:
            return await model.available()
        finally:
            if len(model.faults) < len(model.endpoints):  # else the error says it
                for _, fault in model.faults:
                    output.note(f"Warning: {fault}")
            await model.aclose()

    models = asyncio.run(ask())
    if args.json:
        output.print_json({"models": models})
        return 0
    for each in models:
        state = f"loaded, window {each.allocated:,}" if each.allocated else ""
        what = "" if each.chats else "no chat model"
        parts = (each.parameters, each.quantization, size_words(each.size), state, what)
        output.print_line(f"{each.name:<32} {'  '.join(part for part in parts if part)}".rstrip())
    if not models:
        output.note("The server has no model; fetch one: persona-moe models pull qwen3:4b")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print one model; returns the exit code."""
    import asyncio

    async def ask() -> "ModelInfo":
        model = _open(args)
        try:
            return await model.capabilities(_name(args.name))
        finally:
            await model.aclose()

    info = asyncio.run(ask())
    if args.json:
        output.print_json(info)
        return 0
    rows = {
        "name": info.name,
        "digest": info.digest,
        "parameters": info.parameters,
        "family": info.family,
        "quantization": info.quantization,
        "size": size_words(info.size),
        "window": f"{info.window:,} tokens" if info.window else "",
        "loaded with": f"{info.allocated:,} tokens" if info.allocated else "",
        "can": ", ".join(info.capabilities),
    }
    for name, value in rows.items():
        if value:
            output.print_line(f"{name:<14}{value}")
    return 0


def run_pull(args: argparse.Namespace) -> int:
    """Fetch a model with a progress bar; returns the exit code."""
    import asyncio

    name = _name(args.name)

    async def fetch(report: output.Progress) -> None:
        model = _open(args)
        try:
            async for what, done, total in model.pull(name):
                report(done // 1_000_000, total // 1_000_000, what)
        finally:
            await model.aclose()

    with output.progress(f"Fetching {name}", " MB") as report:
        asyncio.run(fetch(report))
    output.print_line(f"{name} is there.")
    return 0
