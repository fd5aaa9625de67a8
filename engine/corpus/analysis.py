"""One passage in, everything the index keeps of it out."""

from itertools import accumulate

from engine.corpus.features import Analysis, as_sentence
from engine.corpus.marks import dates, symbols
from engine.corpus.names import homes, mentions
from engine.corpus.records import Passage
from engine.corpus.sentences import sentence_spans
from engine.corpus.tokens import Tokens, fold, tokenise

ANALYSIS_VERSION = "4"
"""Changes whenever the same text would be analysed differently; an older index asks to be rebuilt."""

_MOST_SENTENCES = 2_000
_BREAK = "\0"
"""Stands between sentences; no name crosses it."""
_WORD = "0"


def analyse(passage: Passage) -> Analysis:
    """Return the tokens, sentences and names of a passage. Looks at nothing but the passage."""
    title = tokenise(fold(passage.title))
    spans = sentence_spans(passage.text)[:_MOST_SENTENCES]
    # All sentences in one text: to cut each by itself costs more than the words do where sentences are short.
    text = passage.text.replace(_BREAK, "\n")
    body = _BREAK.join([text[start:end] for start, end in spans])
    cut = tokenise(fold(body))
    words = _first_words(cut, len(spans))
    places = [*cut.firsts, len(cut.terms)]
    return Analysis(
        family="=" + (passage.title if passage.unit == "row" and passage.title else passage.document),
        title_tokens=title.terms,
        # A date in a title is what the passage is about: it counts twice.
        title_marks=[*(whole.term for whole in title.wholes), *dates(passage.title) * 2],
        tokens=cut.terms,
        wholes=cut.wholes,
        marks=symbols(passage.text, passage.names, cut.surfaces if len(spans) < _MOST_SENTENCES else None),
        sentences=[
            as_sentence((start, end, places[word])) for (start, end), word in zip(spans, words, strict=True)
        ],
        mentions=[*mentions(title, [0], -1), *mentions(cut, words)],
        homes=homes(passage.title, title, passage.names, passage.text[slice(*spans[0])] if spans else ""),
    )


def _first_words(cut: Tokens, sentences: int) -> list[int]:
    """Return the words that the sentences begin with, counted from 0."""
    if sentences < 2:
        return [0] * sentences
    # No gap holds a digit, so each word can be written as one: then a sentence's words are its digits.
    by_sentence = _WORD.join(["", *cut.gaps]).split(_BREAK)
    firsts = [*accumulate([written.count(_WORD) for written in by_sentence])][:-1]
    return [0] * (sentences - len(firsts)) + firsts
