"""The model line, and the list of models: who writes, whether it can be reached, what happens if not."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from engine.cleaning import counted, one_line, size_words
from engine.models.base import installed
from tui.model_work import ModelShelf
from tui.notices import ModelState, Pulling
from tui.panes.rows import Part, Row, View, bar, capped, row, text_rows

if TYPE_CHECKING:
    from engine.models.base import ModelInfo


def model_parts(view: View, state: ModelState | None, pace: float = 0.0) -> list[Part]:
    """Return the model line: of the run that is shown, or else of the next one."""
    run, glyphs = view.run, view.glyphs
    parts: list[Part] = [("model ", "dim")]
    if run.started is not None and (view.replaying or view.live or run.started.model.name):
        model = run.started.model
        if model.name:
            parts += [(f"{glyphs.live} {one_line(f'{model.provider} {model.name}', 60)} ", "good")]
            parts += _figures(view, model.context, pace)
            parts.append((f"({one_line(model.why, 160)})" if model.why else "", "dim"))
            return parts
        if view.replaying or state is None:
            return [*parts, (f"none ({one_line(model.why or 'documents are quoted', 200)})", "dim")]
    if state is None:
        return [*parts, (f"{glyphs.more} looking for a model server", "dim")]
    if state.status == "off":
        return [*parts, (f"{glyphs.idle} none, as set: {state.instead} ", ""), ("M picks one", "dim")]
    if state.status == "missing":
        # In 80 cells there is room for what happens and for the keys; the rest is for wider terminals.
        happens, _, otherwise = state.instead.partition("; ")
        parts += [(f"{glyphs.stopped} none at {state.where}: ", "warn"), (f"{happens}. ", "")]
        parts += [("R tries again, M picks. ", "dim"), (_told(state.problem, state.mend), "warn")]
        return [*parts, (f"; {otherwise}", "dim")] if otherwise else parts
    parts += [(f"{glyphs.live} ollama {one_line(state.name, 60)} ", "good"), (f"at {state.where} ", "")]
    parts.append((f"context {state.window:,} " if state.window else "", "dim"))
    if state.memory == "loading":
        parts.append((f"{glyphs.more} loading it ", "accent"))
    elif state.memory == "failed":
        parts.append((f"not loaded yet: {one_line(state.problem, 80)} ", "warn"))
    return [*parts, ("M picks ", "dim"), (f"({one_line(state.why, 100)})", "dim")]


def _figures(view: View, asked: int, pace: float) -> list[Part]:
    run = view.run
    window = run.context_window or asked
    parts: list[Part] = []
    if window:
        parts.append((f"context {run.context_used:,} of {window:,} ", ""))
    if pace:
        parts.append((f"{pace:.0f} tokens/s ", "accent"))
    elif run.seconds and run.tokens:
        parts.append((f"{run.tokens:,} tokens, {run.tokens / run.seconds:.0f}/s ", ""))
    return parts


def _told(problem: str, mend: str) -> str:
    return f"{problem}; {mend}" if mend else problem


def pull_words(pulls: Iterable[Pulling]) -> str:
    """Return how far the models are that are being fetched, in a few words for the status line."""
    running = [each for each in pulls if each.state == "running"]
    if not running:
        return ""
    first = running[0]
    more = f" and {len(running) - 1} more" if len(running) > 1 else ""
    share = f" {100 * first.done // first.total} %" if first.total else ""
    return f"fetching {one_line(first.name, 40)}{share}{more}"


_NOBODY_ASKED: Final = (
    "No model server is asked, because no model is to write. Pick automatic to have the servers asked: "
    "their models are listed here then."
)
AUTOMATIC: Final = "use:auto"
_STATES: Final = {"done": "fetched", "cancelled": "cancelled; the server goes on from there next time"}


def shelf_rows(view: View, shelf: ModelShelf | None, pulls: Mapping[str, Pulling], width: int) -> list[Row]:
    """Return the lines of the list of models; ``shelf`` is None while the servers are asked."""
    return capped(_shelf(view, shelf, pulls, width))


def _shelf(view: View, shelf: ModelShelf | None, pulls: Mapping[str, Pulling], width: int) -> Iterator[Row]:
    if shelf is None:
        yield row("asking", ("asking the model servers…", "dim"))
        return
    if shelf.provider == "extractive":
        yield from text_rows("off", _NOBODY_ASKED, width, 0)
    down = {url for url, _, _ in shelf.faults}
    for url in shelf.where:
        if url not in down:
            # What several servers have is one list.
            count = f", {counted(len(shelf.models), 'model')}" if len(shelf.where) == 1 else ""
            yield row(f"server:{url}", (f"{view.glyphs.live} {url}", "good"), (f"  reachable{count}", "dim"))
    for url, problem, mend in shelf.faults:
        yield row(f"server:{url}", (f"{view.glyphs.stopped} {url}", "bad"), "  cannot be asked")
        yield from text_rows(f"fault:{url}", _told(problem, mend), width, 1, "warn")
    if shelf.where and not shelf.models:
        yield from text_rows("instead", f"Without a model, {shelf.instead}. R asks again.", width, 1)
    yield row("gap", "")
    yield from _choices(view, shelf)
    for name, pull in pulls.items():
        yield row(f"gap:{name}", "")
        yield from _pull(view, pull, width)


def chosen_key(shelf: ModelShelf) -> str:
    """Return the key of the line that says who writes now."""
    if shelf.provider == "extractive":
        return "use:none"
    named = shelf.model_name
    found = installed(named, shelf.models)
    return f"model:{found.name}" if found else f"gone:{named}" if named else AUTOMATIC


def _choices(view: View, shelf: ModelShelf) -> Iterator[Row]:
    chosen = chosen_key(shelf)

    def mark(key: str) -> Part:
        return (f"{view.glyphs.live if key == chosen else ' '} ", "accent")

    yield row(AUTOMATIC, mark(AUTOMATIC), "automatic", ("  a loaded model first, else the first", "dim"))
    yield row("use:none", mark("use:none"), "no model", ("  quote the documents", "dim"))
    for each in shelf.models:
        yield row(
            f"model:{each.name}",
            mark(f"model:{each.name}"),
            (f"{each.name:<28}", "" if each.chats else "dim"),
            (f"  {_model_words(each)}", "dim"),
            ("  runs elsewhere: what it is sent leaves this machine" if each.remote else "", "warn"),
        )
    if chosen.startswith("gone:"):
        told = "not installed; p fetches it" if not shelf.faults else "cannot be asked"
        yield row(chosen, mark(chosen), (f"{shelf.model_name:<28}", "warn"), (f"  {told}", "dim"))


def _model_words(info: "ModelInfo") -> str:
    parts = (
        info.parameters,
        info.quantization,
        size_words(info.size),
        f"window {info.window:,}" if info.window else "",
        f"loaded with {info.allocated:,}" if info.allocated else "",
        "" if info.chats else "cannot chat",
    )
    return "  ".join(part for part in parts if part)


def _pull(view: View, pull: Pulling, width: int) -> Iterator[Row]:
    key = f"pull:{pull.name}"
    if pull.state == "failed":
        yield from text_rows(key, f"{pull.name}: {pull.problem}", width, 0, "bad")
        return
    if pull.state != "running":
        yield row(key, f"{pull.name}  ", (_STATES[pull.state], "good" if pull.state == "done" else "warn"))
        return
    amount = f"{size_words(pull.done) or '0 MB'} of {size_words(pull.total)}" if pull.total else ""
    share = pull.done / pull.total if pull.total else 0.0
    yield row(
        key,
        (f"fetching {pull.name}  ", "strong"),
        (f"{bar(share, 16, view.glyphs)} {100 * share:.0f} %  " if pull.total else "", "accent"),
        amount,
        (f"  {pull.what}", "dim"),
    )
