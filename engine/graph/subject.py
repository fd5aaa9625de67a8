"""What a question that holds no name is about: *the lift* in "How is the lift computed?".

No grammar of English is tried: a question is its asking words, a form of *be* or *do*, then what it is
about, which ends where a verb or a preposition begins.
"""

import re
from typing import Final

from engine.corpus.features import STOPPED
from engine.corpus.tokens import QUESTION_WORDS, STOP_WORDS, fold, tokenise

BEING: Final = frozenset({"is", "are", "was", "were", "be", "been", "isn", "aren", "wasn", "weren"})
_ACTING: Final = frozenset(
    {"do", "does", "did", "can", "could", "will", "would", "may", "might", "must", "should", "shall"}
)
HELPING: Final = (
    BEING
    | _ACTING
    | {"has", "have", "had", "mean", "means", "work", "works", "happen", "happens", "happened"}
)
ASKING: Final = frozenset({"who", "whom", "whose", "when", "where", "why", "how", "what", "which"})
LEADING: Final = re.compile(
    r"\A\s*(?:(?:and|but|so)\s+)?"
    r"(?:how\s+(?:many|much|long|old|often|far)|who|whom|whose|when|where|why|how|what|which)\b\s*",
    re.I,
)
_WORD: Final = re.compile(r"[^\W_][\w'’-]*")
_SPEAKERS: Final = frozenset({"i", "we", "you", "one", "somebody", "someone"})
_ENDS: Final = frozenset(
    """
    in on at from for to with without by under over into onto when where if while after before than
    through during between about that which who and or but because
    """.split()
)
_PARTICIPLES: Final = frozenset(
    """
    made kept found given held sent written chosen shown known run set built meant read done taken seen
    told put cut sold called used
    """.split()
)


def has_content(text: str) -> bool:
    """Return whether ``text`` holds a word that says something beside what only asks."""
    return any(
        term != STOPPED and not (len(word.name) == 1 and word.name[0] in QUESTION_WORDS | {"more", "else"})
        for word in tokenise(fold(text)).words
        for term in word.terms
    )


def subject(question: str) -> str:
    """Return the words of a question that say what it is about, as they stand there; empty if none do.

    >>> subject("How is the lift computed?"), subject("How do I remove a document from the index?")
    ('the lift', 'a document')
    """
    asked = LEADING.match(question)
    words = [*_WORD.finditer(question, asked.end() if asked else 0)]
    helper = ""
    while words and words[0][0].lower() in HELPING:
        helper, *words = words[0][0].lower(), *words[1:]
    if helper in _ACTING and len(words) > 2 and words[0][0].lower() in _SPEAKERS:
        words, helper = words[2:], ""
    elif not helper and len(words) > 1 and _is_done(words[0][0]):
        words = words[1:]
    kept: list[re.Match[str]] = []
    for word in words:
        low = word[0].lower()
        if _says(kept) and (low in HELPING or low in _ENDS or _is_done(low)):
            break
        kept.append(word)
    if helper in _ACTING and _says(kept[:-1]):
        kept.pop()
    return question[kept[0].start() : kept[-1].end()] if _says(kept) else ""


def _is_done(word: str) -> bool:
    low = word.lower()
    return low in _PARTICIPLES or (len(low) > 4 and low.endswith("ed"))


def _says(words: list[re.Match[str]]) -> bool:
    return any(word[0].lower() not in STOP_WORDS for word in words)
