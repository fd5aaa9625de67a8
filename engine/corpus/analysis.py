"""One passage in, everything the index keeps of it out."""

from itertools import compress, repeat
from operator import contains

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


def analyse(passage: Passage) -> Analysis:
    """Return the tokens, sentences and names of a passage. Looks at nothing but the passage."""
    title = tokenise(fold(passage.title))
    spans = sentence_spans(passage.text)[:_MOST_SENTENCES]
    # All sentences in one text: to cut each by itself costs more than the words do where sentences are short.
    body = _BREAK.join([passage.text[start:end].replace(_BREAK, "\n") for start, end in spans])
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
        marks=symbols(passage.text, passage.names),
        sentences=[
            as_sentence((start, end, places[word])) for (start, end), word in zip(spans, words, strict=True)
        ],
        mentions=[*mentions(title, [0], -1), *mentions(cut, words)],
        homes=homes(passage.title, passage.names, passage.text[slice(*spans[0])] if spans else ""),
    )


def _first_words(cut: Tokens, sentences: int) -> list[int]:
    """Return the words that the sentences begin with, counted from 0."""
    if sentences < 2:
        return [0] * sentences
    behind = enumerate(cut.gaps, 1)
    broken = compress(behind, map(contains, cut.gaps, repeat(_BREAK)))
    breaks = [word for word, gap in broken for _ in range(gap.count(_BREAK))]
    return [0] * (sentences - len(breaks)) + breaks
