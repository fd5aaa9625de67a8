"""Names in text: which ones a passage mentions, and which ones are at home in it.

A *key* is a name as words in lower case, without accents, possessive and leading article. A passage
is *home* to a name when its title, heading or symbol says so, or when its first sentence defines
it. Everything here looks at one passage only, so that adding and removing documents in any order
leaves the same index.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from engine.corpus.features import Home, Mention, as_mention
from engine.corpus.records import Name, NameKind
from engine.corpus.tokens import STOP_WORDS, Tokens, Word, as_key, fold, tokenise, word_of

_CONNECTORS = frozenset(
    """
    of the de la le van von del della delle degli dei der den di da das do dos du los las af av zu zur
    und ter ap for and in on at to a el al ul ben bin bint binti ibn y e
    """.split()
)
_SPLITTING = frozenset(
    """
    and in on at to for of the
    """.split()
)
_NOT_A_START = STOP_WORDS | frozenset(
    """
    according although born despite following however later many several since today though
    """.split()
)
_NEVER_DEFINED = STOP_WORDS - {"the", "a", "an", "all", "no", "own", "same", "other"}
_CALENDAR = frozenset(
    """
    january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday
    """.split()
)
_GAPS = frozenset([" ", "-", "'", "’", ". ", ".", " & ", "–", ": ", ' "', '" ', "&"])
_LONGEST_GAP = 3
_LONGEST_NAME = 8
_SUFFIXES = frozenset(
    """
    jr sr ii iii iv esq
    """.split()
)
_HONORIFICS = frozenset(
    """
    sir dame lord lady captain dr saint st king queen prince princess emperor empress general admiral
    colonel baron count
    """.split()
)
_IS_A = re.compile(r"\b(?:is|was|are|were|refers to|may refer to|became|has been)\b")
_ALIAS = re.compile(
    r"(?:(?:known|called|written|spelled|credited|billed|referred to|records?|performs?)(?: \w+)? as"
    r"|a\.k\.a\.|aka|née|born|or|formerly|nicknamed|spelled|spelt|(?:stage|pen|birth|real) name)"
    r"\s+([\"“']?[A-Z][^,;()\"”]{2,50})"
)
_SHORT_FORM = re.compile(r"[^(]{4,100}\((?:[^()]{0,30}[;,] )?([A-Z][A-Z0-9&.\-]{1,9})[);,]")
_PARENTHESIS = re.compile(r"\([^()]*\)")
_FINAL_PARENTHESIS = re.compile(r"\s*\([^()]*\)\s*\Z")
_OPENING_MARKS = re.compile(r"\A[\s\"'`“”*#=\-]+")
_PERSON = re.compile(r"\([^()]*(?:\b(?:born|b\.|c\.|n[ée]e)\b|\d{3,4})|\bborn\b")
_NICKNAME = re.compile(r'["“\']\s*([A-Z][a-z]+)\s*["”\']')
_NAME_ENDS = re.compile(r"[({,]|;| or |, also | also known")
_TITLES: tuple[tuple[re.Pattern[str], NameKind], ...] = (
    (re.compile(r"([A-Z][^,]+), [A-Z][^,]*\Z"), "alias"),
    (re.compile(r"(.+?),? (?:the (?:Younger|Elder)|[JS]r\.?)\Z"), "alias"),
    (re.compile(r"(?:List of )?[A-Z][a-z]+(?: [a-z]+)* (?:of|in) (?:the )?([A-Z].*)\Z"), "topic"),
)
_HEAD_CHARACTERS = 250
_ALIAS_CHARACTERS = 350
_LONGEST_VERB = 20
"""More characters than any match of _IS_A has."""


def name_key(text: str) -> str:
    """Return the key of a name: lower-case words, no accents, no possessive, no leading article.

    >>> name_key("The Lord's Prayer"), name_key("Coca-Cola")
    ('lord prayer', 'coca cola')
    """
    return _join(tokenise(fold(text)).words)


def _join(words: Sequence[Word]) -> str:
    return words[0].key if len(words) == 1 else as_key([piece for word in words for piece in word.name])


def _is_calendar(words: Sequence[str]) -> bool:
    for word in words:  # noqa: SIM110 - every name found comes by here, and all() would double its time
        if not (word.isdigit() or word in _CALENDAR):
            return False
    return True


def mentions(tokens: Tokens, sentences: Sequence[int], number: int = 0) -> list[Mention]:
    """Return the names that sentences mention: runs of capitalised words, their parts, code names.

    ``sentences`` are the words they begin with, ascending; they are counted from ``number``.
    """
    words, surfaces = tokens.words, tokens.surfaces
    found: list[tuple[int, int, str]] = []
    for first, last in _capitalised_runs(tokens):
        if last - first == 1:
            if _is_name(words[first].key):
                found.append((first, last, words[first].key))
        elif last - first == 2 and _is_one_name(*words[first:last]):
            key = _join(words[first:last])
            if _is_name(key):
                found.append((first, last, key))
        else:
            for start, end, key in _names_in_run(tuple(surfaces[first:last])):
                found.append((first + start, first + end, key))
    ends: Sequence[int] = range(len(words) + 1)
    firsts: Sequence[int] = ends
    if len(tokens.terms) != len(words):
        # Only a word of several parts can be a code name.
        spans = {(start, end) for start, end, _ in found}
        found += [
            (i, i + 1, word.key) for i, word in enumerate(words) if word.is_code and (i, i + 1) not in spans
        ]
        found.sort()
        firsts = tokens.firsts
        ends = [*firsts, 0]
        for begin in (*sentences, len(words)):
            ends[begin] = firsts[begin - 1] + 1
    made: list[Mention] = []
    at = 0
    for start, end, key in found:
        while at < len(sentences) and sentences[at] <= start:
            at += 1
        made.append(as_mention((key, number + at - 1, firsts[start], ends[end])))
    return made


def _is_one_name(first: Word, last: Word) -> bool:
    """Whether a run of two words holds no name but itself."""
    return first.opens_name and _SPLITTING.isdisjoint(first.name[:1] + last.name[:1])


def _is_name(key: str) -> bool:
    return (len(key) > 2 and not (key[0].isdigit() or key in _CALENDAR)) or not _is_calendar(key.split())


@lru_cache(maxsize=1 << 14)
def _names_in_run(surfaces: tuple[str, ...]) -> tuple[tuple[int, int, str], ...]:
    """Return (first, last, key) of the names that a run of capitalised words holds, in order."""
    words = [*map(word_of, surfaces)]
    spans = sorted(set(_parts(words, 0, len(words))))
    keys = [(start, end, _join(words[start:end])) for start, end in spans]
    return tuple(each for each in keys if _is_name(each[2]))


def _capitalised_runs(tokens: Tokens) -> list[tuple[int, int]]:
    """Return (first, last) of runs of capitalised words, connectors inside allowed: Bank of England."""
    words, gaps = tokens.words, tokens.gaps
    runs: list[tuple[int, int]] = []
    past = 0
    final = len(words) - 1
    for i in [number for number, word in enumerate(words) if word.opens_name]:
        if i < past:
            continue
        end = j = i
        while j < final:
            gap = gaps[j]
            if gap not in _GAPS or (gap == ". " and len(tokens.surfaces[j]) > _LONGEST_GAP):
                break
            following = words[j + 1]
            if following.opens_name:
                end = j = j + 1
            elif (
                gap == " "
                and j + 1 - end <= _LONGEST_GAP
                and following.name
                and following.name[0] in _CONNECTORS
            ):
                j += 1
            else:
                break
        past = end + 1
        start = i
        while start <= end and words[start].name and words[start].name[0] in _NOT_A_START:
            start += 1
        if start <= end:
            runs.append((start, end + 1))
    return runs


def _parts(words: Sequence[Word], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the run, its pieces between connectors, and every part that starts and ends with a capital."""
    yield first, min(last, first + _LONGEST_NAME)
    piece = first
    for i in range(first, last + 1):
        if i == last or (words[i].name[:1] and words[i].name[0] in _SPLITTING):
            if piece < i:
                yield piece, i
            piece = i + 1
    capitals = [i for i in range(first, min(last, first + _LONGEST_NAME)) if words[i].opens_name]
    for start in capitals:
        for end in capitals:
            if start < end:
                yield start, end + 1


def homes(title: str, cut: Tokens, names: Sequence[Name], first_sentence: str) -> list[Home]:
    """Return the names at home in a passage: given ones, those it defines, and their variants.

    ``cut`` are the tokens of the title.

    In a passage without title or heading, what the first sentence defines is its title, and is also known
    by the short form that follows in parentheses: "The European X-ray Observatory Satellite (EXOSAT) was".
    """
    found: dict[tuple[str, NameKind], None] = {}

    def add(key: str, kind: NameKind) -> None:
        if len(key) > 1 and not _is_calendar(key.split()):
            found.setdefault((key, kind))

    for name in names:
        add(_join(cut.words) if name.text == title else name_key(name.text), name.kind)
        bare = _FINAL_PARENTHESIS.sub("", name.text)
        if bare != name.text:
            add(name_key(bare), name.kind)
        if name.kind == "title":
            for text, kind in _of_title(bare):
                add(name_key(text), kind)
    untitled = not names and not title
    defined = _defined(fold(first_sentence))
    for key in defined:
        add(key, "title" if untitled else "definition")
        for variant in _person_variants(key, first_sentence):
            add(variant, "alias")
    for match in _ALIAS.finditer(first_sentence[:_ALIAS_CHARACTERS]):
        words = name_key(match.group(1)).split()
        if 1 <= len(words) <= 6:
            add(" ".join(words), "alias")
    if untitled and defined:
        short = _SHORT_FORM.match(_OPENING_MARKS.sub("", first_sentence))
        if short is not None:
            add(name_key(short.group(1)), "alias")
    elif untitled:
        lead = mentions(tokenise(fold(first_sentence)), [0])
        if lead:
            add(lead[0].key, "definition")
    return [Home(key, kind) for key, kind in found]


def _of_title(title: str) -> Iterator[tuple[str, NameKind]]:
    """Yield what is known by this title for short, and what it is about.

    >>> [*_of_title("Boston, Lincolnshire"), *_of_title("Pliny the Elder"), *_of_title("Economy of Greece")]
    [('Boston', 'alias'), ('Pliny', 'alias'), ('Greece', 'topic')]
    """
    for pattern, kind in _TITLES:
        match = pattern.match(title)
        if match is not None:
            yield match.group(1), kind


def _defined(sentence: str) -> list[str]:
    """Return the key of X in "X (...) is a ..." where X reads like a name, else nothing."""
    text = _OPENING_MARKS.sub("", sentence)
    match = _IS_A.search(text, 0, _HEAD_CHARACTERS + _LONGEST_VERB)
    if match is None or match.start() > _HEAD_CHARACTERS:
        return []
    head = text[: match.start()]
    for _ in range(2):
        head = _PARENTHESIS.sub(" ", head)
    head = _NAME_ENDS.split(head, maxsplit=1)[0]
    words = tokenise(head).words
    if not 1 <= len(words) <= 12 or not words[0].opens_name or words[0].name[0] in _NEVER_DEFINED:
        return []
    return [_join(words)]


def _person_variants(key: str, sentence: str) -> list[str]:
    """Return shorter forms of a person's name: without titles, middle names, as initials, by nickname."""
    words = key.split()
    if not 2 <= len(words) <= 7 or not _PERSON.search(sentence[:_HEAD_CHARACTERS]):
        return []
    if any(word in _SPLITTING or word.isdigit() for word in words):
        return []
    core = words[:-1] if words[-1] in _SUFFIXES else words
    while core and core[0] in _HONORIFICS:
        core = core[1:]
    if len(core) < 2:
        return []
    given, family = core[0], core[-1]
    variants = [" ".join(core), f"{given} {family}", f"{words[0]} {family}"]
    if len(core) > 2:
        initials = [word[0] for word in core[:-1]]
        variants += [
            " ".join([*initials, family]),
            " ".join([given, *initials[1:], family]),
            " ".join(core[1:]),
            f"{core[1]} {family}",
        ]
    nickname = _NICKNAME.search(sentence[:_HEAD_CHARACTERS])
    if nickname:
        variants.append(f"{nickname.group(1).lower()} {family}")
    return [variant for variant in dict.fromkeys(variants) if variant != key]
