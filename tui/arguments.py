"""Argument values that several commands take; argparse turns what they raise into one line."""

import argparse

MOST_PASSAGES = 1000


def count(text: str) -> int:
    """Return how many passages are asked for, 1 to 1000."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= MOST_PASSAGES:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from 1 to {MOST_PASSAGES}")
    return number


def budget(text: str) -> tuple[str, float]:
    """Return of what a question may take how much: ``cost``, ``seconds`` or ``tokens``.

    >>> budget("2.5"), budget("90s"), budget("4000t")
    (('cost', 2.5), ('seconds', 90.0), ('tokens', 4000.0))
    """
    kinds = {"s": ("seconds", 86_400.0), "t": ("tokens", 10_000_000.0)}
    kind, most = kinds.get(text[-1:], ("cost", 1000.0))
    try:
        number = float(text if kind == "cost" else text[:-1])
    except ValueError:
        number = 0.0
    if not 0 < number <= most or (kind == "tokens" and number < 1):
        shown = f"{text[:40]!r} is not a number above 0, at most {most:g}"
        raise argparse.ArgumentTypeError(f"{shown} (such as 2.5, or 90s, or 4000t)")
    return kind, number


def add_personas(parser: argparse.ArgumentParser) -> None:
    """Add ``--persona ID``, which may be given several times."""
    parser.add_argument(
        "--persona",
        action="append",
        default=[],
        metavar="ID",
        help="only this persona takes part; repeatable",
    )
