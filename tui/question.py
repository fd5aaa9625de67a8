"""The question as it comes from the command line, checked before anything else is done."""

import unicodedata
from collections.abc import Sequence

from engine.errors import InputError

MAX_CHARACTERS = 8_000


def read_question(words: Sequence[str]) -> str:
    r"""Return the words as one question, stripped.

    Raises InputError if it is empty, longer than 8,000 characters, or holds control characters
    other than tabs and line breaks.

    >>> read_question(["what", "is a walk?"])
    'what is a walk?'
    >>> read_question(["\x1b]0;x\x07"])
    Traceback (most recent call last):
    ...
    engine.errors.InputError: the question holds a control character (U+001B); type it as plain text
    """
    question = " ".join(words).strip()
    if not question:
        raise InputError("the question is empty", "put it in quotes after the command")
    if len(question) > MAX_CHARACTERS:
        raise InputError(
            f"the question is {len(question):,} characters long, the limit is {MAX_CHARACTERS:,}",
            "ask for one thing; put long text into a file and index it",
        )
    for char in question:
        if unicodedata.category(char) in {"Cc", "Cs"} and char not in "\t\n\r":
            raise InputError(
                f"the question holds a control character (U+{ord(char):04X})", "type it as plain text"
            )
    return question
