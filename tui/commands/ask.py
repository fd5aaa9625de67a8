"""``persona-moe ask``: the whole cycle, from a question to a cited answer and its reasons."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from tui import output
from tui.arguments import add_personas, budget

if TYPE_CHECKING:
    from engine.events import Event, ModelRef
    from tui.result import Fold

BUDGET_HELP = (
    "what the experts may cost together; with s or t behind it, the seconds or tokens the model may take "
    "(90s, 4000t)"
)
EXIT_CODES = {"answered": 0, "no-evidence": 0, "failed": 1, "cancelled": 130}
"""Outcome of a run -> exit code. That nothing was found is an answer too."""


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "ask",
        help="answer a question from your documents, with citations",
        description="Answer a question from the indexed documents. The answer ends with its sources, what "
        "each expert scored, what it cost, and the id under which the run can be replayed.",
    )
    parser.add_argument("question", nargs="+", metavar="QUESTION")
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--model", default="", metavar="NAME", help="the model that writes")
    model.add_argument("--no-model", action="store_true", help="quote supported sentences, call no model")
    parser.add_argument("--no-learn", action="store_true", help="leave the personas' records untouched")
    parser.add_argument("--budget", type=budget, metavar="X", help=BUDGET_HELP)
    parser.add_argument(
        "--after",
        default="",
        metavar="ID",
        help="follow the question of this snapshot: 'it' and 'she' mean what was said there",
    )
    add_personas(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object when all is done")
    form.add_argument("--events", action="store_true", help="print each event as it comes, one JSON a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask and print; returns the exit code."""
    from tui.question import read_question

    return _ask(args, read_question(args.question))


def _ask(args: argparse.Namespace, question: str) -> int:
    from engine.events import encoder
    from engine.models.choose import where_of
    from engine.pipeline import AskOptions, Engine
    from engine.snapshots.library import SnapshotLibrary
    from tui.result import Fold
    from tui.session import open_workspace

    kind, amount = args.budget or ("cost", None)
    options = AskOptions(
        model=args.model,
        no_model=args.no_model,
        learn=not args.no_learn,
        budget=amount if kind == "cost" else None,
        seconds=amount if kind == "seconds" and amount else 0.0,
        tokens=int(amount) if kind == "tokens" and amount else 0,
        personas=tuple(args.persona),
        after=args.after,
    )
    started = time.monotonic()
    timings: dict[str, float] = {}
    workspace = open_workspace(args)
    folded, printer = Fold(), Printer(where_of(workspace.settings().ollama))
    with Engine.open(workspace) as engine:
        engine.experts.require_affordable(engine.settings, options.budget, options.personas)
        for event in engine.ask_sync(question, options):
            folded.add(event)
            _mark(timings, event, time.monotonic() - started)
            if args.events:
                output.print_event(encoder.encode(event))
            elif not args.json:
                printer.show(event)
    timings["total"] = round(time.monotonic() - started, 3)
    if args.json:
        path = ""
        if folded.saved is not None:
            file = SnapshotLibrary(workspace.snapshots).path(folded.saved.snapshot)
            path = file.relative_to(workspace.root).as_posix()
        output.print_json(folded.result(timings, path))
    elif not args.events:
        printer.close(folded, timings)
    return EXIT_CODES.get(folded.outcome, 1)


def _mark(timings: dict[str, float], event: "Event", seconds: float) -> None:
    """Note when the evidence and the answer were there, by this process's own clock."""
    from engine.events import AnswerReady, EvidenceRanked

    if isinstance(event, EvidenceRanked):
        timings["evidence"] = round(seconds, 3)
    elif isinstance(event, AnswerReady):
        timings["answer"] = round(seconds, 3)


class Printer:
    """Prints a run in readable form: the answer while it is written, the reasons below it."""

    def __init__(self, where: str) -> None:
        """``where`` names the servers: events hold no address."""
        self._where = where
        self._budget = 0.0
        self._streaming = ""
        self._streamed = ""
        self._failed = False
        self._told: set[str] = set()

    def show(self, event: "Event") -> None:
        """Print what a reader wants to see of ``event`` at once."""
        from engine import events as ev
        from engine.snapshots.describe import carried_words
        from tui.rendering import paragraph

        match event:
            case ev.QueryStarted():
                self._budget = event.budget
                self._tell_model(event.model)
            case ev.FollowUpRead():
                output.note(f"Read as: {event.reading} ({'; '.join(map(carried_words, event.carried))})")
            case ev.ModelAsked() if event.persona == "":
                self._streaming = event.call
            case ev.ModelAsked():
                output.note(f"{event.persona} is writing ...")
            case ev.ModelFailed() | ev.FaultSeen():
                self._failed |= event.call == self._streaming
                if event.call not in self._told:
                    self._told.add(event.call)
                    mend = f"; {event.mend}" if event.mend else ""
                    who = event.call.removeprefix("claims.")
                    output.note(f"Warning: {who}, asked at {self._where}: {event.problem}{mend}")
            case ev.Token() if event.call == self._streaming and not event.thinking:
                self._streamed += event.text
                output.print_text(event.text)
            case ev.AnswerReady():
                if self._streamed:
                    output.print_line()
                if event.answer.strip() != self._streamed.strip():
                    if self._streamed:
                        same = "The same, with only what its sources support"
                        instead = "The answer was not finished. What the experts found"
                        output.print_line(f"\n{instead if self._failed else same}:\n")
                    output.print_line(paragraph(event.answer))
            case ev.Warned():
                output.note(f"Warning: {event.problem}{f'; {event.mend}' if event.mend else ''}")
            case _:
                pass

    def _tell_model(self, model: "ModelRef") -> None:
        """Say who writes and why, unless that is nobody because nobody was wanted."""
        if model.provider != "extractive":
            output.note(f"{model.name} writes at {self._where} ({model.why}).")
        elif model.problem:
            output.note(f"No model writes: {self._where}: {model.problem}. The documents are quoted.")

    def close(self, folded: "Fold", timings: dict[str, float]) -> None:
        """Print sources, experts, cost and snapshot below the answer."""
        from tui.rendering import closing

        output.print_line()
        output.print_line(closing(folded.result(timings), self._budget))
