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


def budget(text: str) -> float:
    """Return what the experts of one question may cost together, above 0 and at most 1000."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number above 0, at most 1000")
    return number


def add_personas(parser: argparse.ArgumentParser) -> None:
    """Add ``--persona ID``, which may be given several times."""
    parser.add_argument(
        "--persona",
        action="append",
        default=[],
        metavar="ID",
        help="only this persona takes part; repeatable",
    )
