"""``persona-moe search``: ranked evidence, no model."""

import argparse
from typing import Any

from tui import output
from tui.arguments import add_personas, count


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "search",
        help="show the ranked evidence for a question, without a model",
        description="Rank the passages that bear on a question: where they stand, who found them, by what "
        "trail. Nothing is written, nothing is learnt.",
    )
    parser.add_argument("question", nargs="+", metavar="QUESTION")
    parser.add_argument("-k", type=count, default=10, metavar="N", help="passages to show (default: 10)")
    add_personas(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and print; returns the exit code."""
    from tui.question import read_question
    from tui.rendering import evidence_block
    from tui.result import SearchResult, evidence_line
    from tui.session import open_engine

    question = read_question(args.question)
    with open_engine(args) as engine:
        engine.experts.require_affordable(engine.settings, only=args.persona)
        found = engine.search(
            question,
            k=args.k,
            personas=args.persona,
            warn=lambda event: output.note(f"{event.problem}; {event.mend}"),
        )
    result = SearchResult(query=question, evidence=[evidence_line(evidence) for evidence in found])
    if args.json:
        output.print_json(result)
        return 0
    if not result.evidence:
        output.note("nothing in the index bears on this question; other words may, or more documents")
    output.print_line("\n\n".join(evidence_block(line, question) for line in result.evidence))
    return 0
