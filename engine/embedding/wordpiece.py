"""The WordPiece tokenizer of uncased BERT models: text to the numbers such a model reads.

Follows ``BasicTokenizer`` and ``WordpieceTokenizer`` of google-research/bert (Apache-2.0), whose
vocabulary of 30,522 pieces, ``bert-base-uncased.txt``, stands beside this file under the same licence.
"""

import unicodedata
from functools import cache
from importlib import resources

CLS, SEP, UNKNOWN = 101, 102, 100
LONGEST_WORD = 100


@cache
def _vocabulary() -> dict[str, int]:
    text = resources.files("engine.embedding").joinpath("bert-base-uncased.txt").read_text("utf-8")
    return {piece: number for number, piece in enumerate(text.removesuffix("\n").split("\n"))}


def token_ids(text: str, most: int) -> list[int]:
    """Return the numbers of ``text`` between the marks for start and end, at most ``most`` in all.

    >>> token_ids("Unaffable!", 16)
    [101, 14477, 20961, 3468, 999, 102]
    """
    pieces = _vocabulary()
    ids = [CLS]
    for word in _words(text):
        ids += _split(word, pieces)
        if len(ids) >= most:
            break
    return [*ids[: most - 1], SEP]


def _words(text: str) -> list[str]:
    """Return the lower-case words, and each mark of punctuation and each ideograph by itself."""
    spaced = []
    for char in text:
        if char.isascii():
            if char.isalnum():
                spaced.append(char)
            elif char in " \t\n\r":
                spaced.append(" ")
            elif char.isprintable():
                spaced.append(f" {char} ")
            continue
        kind = unicodedata.category(char)
        if kind == "Zs":
            spaced.append(" ")
        elif kind in {"Cc", "Cf", "Co", "Cs"} or char == "\ufffd":
            continue
        elif _is_ideograph(ord(char)):
            spaced.append(f" {char} ")
        else:
            spaced.append(char)
    plain = "".join(spaced)
    if not plain.isascii():
        # A mark may be part of a letter until accents are taken apart, so punctuation is cut off after that.
        bare = (c for c in unicodedata.normalize("NFD", plain.lower()) if unicodedata.category(c) != "Mn")
        plain = "".join(f" {c} " if unicodedata.category(c)[0] == "P" else c for c in bare)
    return plain.lower().split()


def _is_ideograph(code: int) -> bool:
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2A6DF
        or 0x2A700 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


def _split(word: str, pieces: dict[str, int]) -> list[int]:
    """Return the longest known pieces of a word from its start on; one unknown part spoils the word."""
    if len(word) > LONGEST_WORD:
        return [UNKNOWN]
    found = []
    start = 0
    while start < len(word):
        lead = "##" if start else ""
        end = next((end for end in range(len(word), start, -1) if lead + word[start:end] in pieces), 0)
        if not end:
            return [UNKNOWN]
        found.append(pieces[lead + word[start:end]])
        start = end
    return found
