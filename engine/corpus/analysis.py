"""One passage in, everything the index keeps of it out."""

from engine.corpus.features import Analysis, Mention, Sentence, Whole
from engine.corpus.marks import dates, symbols
from engine.corpus.names import homes, mentions
from engine.corpus.records import Passage
from engine.corpus.sentences import sentence_spans
from engine.corpus.tokens import fold, tokenise

ANALYSIS_VERSION = "1"
"""Changes whenever the same text would be analysed differently; an older index asks to be rebuilt."""

_MOST_SENTENCES = 2_000


def analyse(passage: Passage) -> Analysis:
    """Return the tokens, sentences and names of a passage. Looks at nothing but the passage."""
    title = tokenise(fold(passage.title))
    found: list[Mention] = mentions(title, -1)
    tokens: list[str] = []
    wholes: list[Whole] = []
    sentences: list[Sentence] = []
    for number, (start, end) in enumerate(sentence_spans(passage.text)[:_MOST_SENTENCES]):
        cut = tokenise(fold(passage.text[start:end]), len(tokens))
        sentences.append(Sentence(start, end, len(tokens)))
        found.extend(mentions(cut, number))
        tokens.extend(cut.terms)
        wholes.extend(cut.wholes)
    first = passage.text[sentences[0].start : sentences[0].end] if sentences else ""
    return Analysis(
        family="=" + (passage.title if passage.unit == "row" and passage.title else passage.document),
        title_tokens=title.terms,
        # A date in a title is what the passage is about: it counts twice.
        title_marks=[*(whole.term for whole in title.wholes), *dates(passage.title) * 2],
        tokens=tokens,
        wholes=wholes,
        marks=symbols(passage.text, passage.names),
        sentences=sentences,
        mentions=found,
        homes=homes(passage.title, passage.names, first),
    )
