"""Questions as they are typed in a hurry: with slips in a word, or with words left out."""

import re
import string

from engine.corpus.tokens import QUESTION_WORDS, STOP_WORDS
from engine.ids import uniform

_SHORTEST = {1: 5, 2: 8}


def slipped(question: str, slips: int) -> str:
    """Return the question with one or two slips in a word of at least five or eight letters.

    A slip leaves out, adds or changes a letter, or takes two in the wrong order; never the first one. The
    word and the slips are drawn by the question's text.
    """
    words = re.finditer(f"[A-Za-z]{{{_SHORTEST[slips]},}}", question)
    told = [word for word in words if word[0].lower() not in STOP_WORDS | QUESTION_WORDS]
    if not told:
        return question
    drawn = told[int(uniform(0, "word", question, str(slips)) * len(told))]
    word = drawn[0]
    for number in range(slips):
        labels = (question, str(slips), str(number))
        at = 1 + int(uniform(0, "place", *labels) * (len(word) - 1))
        letter = string.ascii_lowercase[int(uniform(0, "letter", *labels) * 26)]
        kind = int(uniform(0, "kind", *labels) * 4)
        head, tail = word[:at], word[at:]
        word = (
            head + tail[1:],
            head + letter + tail,
            head + letter + tail[1:],
            head + tail[1:2] + tail[:1] + tail[2:],
        )[kind]
    return question[: drawn.start()] + word + question[drawn.end() :]


def shortened(question: str) -> str:
    """Return the question without every fourth word, from one on that is drawn by its text."""
    left_out = int(uniform(0, "shortened", question) * 4)
    return " ".join(word for i, word in enumerate(question.split()) if i % 4 != left_out)
