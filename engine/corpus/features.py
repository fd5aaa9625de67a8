"""What analysis finds in a passage: tokens with positions, sentences, names mentioned, names at home."""

from typing import NamedTuple

import msgspec

from engine.corpus.records import NameKind

STOPPED = ""
"""Stands in a token list where a stop word stood, so that distances between words stay true."""


class Whole(NamedTuple):
    """An identifier or hyphenated word kept whole beside its parts, at the position of the first."""

    position: int
    term: str


class Sentence(NamedTuple):
    """Character offsets of a sentence in the passage, and the offset of its first token."""

    start: int
    end: int
    token: int


class Mention(NamedTuple):
    """A name as it stands in a passage: its key, the sentence, and the tokens it covers.

    ``sentence`` is -1 and the token offsets count within the title where the title mentions it.
    """

    key: str
    sentence: int
    first: int
    last: int


class Home(NamedTuple):
    """A name whose home is this passage, and what makes it so."""

    key: str
    kind: NameKind


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the store keeps of a passage beside its text.

    *Marks* are terms that stand at no position: a date the title carries (``@2026-5-14``), a symbol
    the body defines (``#run_target``), an identifier in the title kept whole. ``family`` names the
    passages that belong together: those of one document, or rows of one title.
    """

    family: str

    title_tokens: list[str]
    title_marks: list[str]
    tokens: list[str]
    wholes: list[Whole]
    marks: list[str]
    sentences: list[Sentence]
    mentions: list[Mention]
    homes: list[Home]


class Posting(NamedTuple):
    """How often a term stands in a passage's title and body, and how long both are, in tokens."""

    row: int
    in_title: int
    in_body: int
    title_length: int
    body_length: int


class Features(NamedTuple):
    """A passage's analysis as kept: word and name ids in place of strings; word 0 is a stop word."""

    passage_id: str
    family: int
    title_tokens: list[int]
    title_marks: list[int]
    tokens: list[int]
    wholes: list[tuple[int, int]]
    marks: list[int]
    sentences: list[Sentence]
    mentions: list[tuple[int, int, int, int]]


class CorpusSize(NamedTuple):
    """Number of passages, and mean length of title and body in tokens (1.0 for none)."""

    passages: int
    title_length: float
    body_length: float
