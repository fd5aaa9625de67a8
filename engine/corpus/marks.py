"""Terms that a passage carries without their standing in its text: symbols it defines, its dates.

``#run_target`` marks a passage that defines the symbol; ``@2026-5-14``, ``@-5-14``, ``@2026-5`` and
``@--5`` one whose title carries the date. Questions ask for them with :func:`asked`.
"""

import re
from collections.abc import Iterable, Iterator

from engine.corpus.records import Name
from engine.corpus.tokens import STOP_WORDS, fold

_WORDS = "class struct enum interface trait fn def func function type impl namespace module mod const".split()
_KEYWORDS = frozenset((*_WORDS, "macro_rules"))
_DECLARED = re.compile(
    rf"\b(?:{'|'.join(_WORDS)}|macro_rules!|@interface)\s+([A-Za-z_]\w{{0,80}})",
    re.ASCII,
)
_TYPED = re.compile(
    r"\b(?!(?:return|new|else|throw|await|yield|case|in|not|and|or|if|assert|delete|is|the|a|an|of)\b)"
    r"[A-Za-z_][\w:<>,\[\]*&.]{0,80}[\s*&]{1,4}(?:[A-Za-z_]\w{0,80}::)?([A-Za-z_~]\w{0,80})\s?\Z",
    re.ASCII,
)
_TYPED_WORDS = 4
"""A match of _TYPED reaches over no more words than these."""
_TYPE_MARKS = frozenset("*&:~")
_ASKED = re.compile(
    r"`([^`]{1,200})`|(?<!\w)(?:([A-Za-z_]\w{0,80})\(|([A-Za-z_]*[a-z][A-Z_]\w*|[A-Za-z]+_\w+)"
    r"|([A-Za-z_]\w{0,80}) (?:method|function|class|struct|trait|interface|constructor|macro|enum|type)\b)"
    r"|(?:method|function|class|struct|trait|interface|enum) ([A-Za-z_]\w{0,80})",
    re.ASCII,
)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = f"({'|'.join(_MONTHS)})"
_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)([-/]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_MONTH_DAY = re.compile(_MONTH + r"(?: (\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,? ((?:19|20)\d\d))?")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? (?:of )?" + _MONTH + r"(?:,? ((?:19|20)\d\d))?")
_MAY = re.compile(r"(?:in|of|during|since|until|by|last|this|next|early|late|before|after) May")
_SHORTEST_SYMBOL = 3


def _symbol(name: str) -> str:
    return "#" + name.strip("_~").lower()


def symbols(text: str, names: tuple[Name, ...], surfaces: Iterable[str] | None = None) -> list[str]:
    """Return the marks of the symbols that a passage defines, by its parser or by its own words.

    ``surfaces`` are the words of the whole text as they stand, if they are known: that saves a search.

    >>> symbols("def run_target(self): ...", ())
    ['#run_target']
    """
    found = _DECLARED.findall(text) if _may_declare(text, surfaces) else []
    found += _typed(text)
    found += [name.text.rpartition(".")[2] for name in names if name.kind == "symbol"]
    return [_symbol(name) for name in dict.fromkeys(found)]


def _may_declare(text: str, surfaces: Iterable[str] | None) -> bool:
    """Whether a keyword may stand in the text: of most prose its words tell sooner than a search.

    Within a word, behind a hyphen, an apostrophe or a letter beyond ASCII, only the search finds it.
    """
    if surfaces is None or "-" in text or "'" in text or not text.isascii():
        return True
    return not _KEYWORDS.isdisjoint(surfaces)


def _typed(text: str) -> Iterator[str]:
    """Yield the names that stand between a type and a parenthesis: ``int main(``.

    Each parenthesis is looked back from: to look for types from every word on takes five times as long.
    """
    *before, _ = text.split("(")
    for piece in before:
        words = piece.rsplit(None, _TYPED_WORDS)
        if words and (words[-1].isidentifier() or not _TYPE_MARKS.isdisjoint(words[-1])):
            match = _TYPED.search(piece, len(words[0]) if len(words) > _TYPED_WORDS else 0)
            if match:
                yield match[1]


def dates(title: str) -> list[str]:
    """Return the marks of the dates that a title carries, whole and in part.

    >>> dates("Minutes of 2026-05-14")
    ['@--5', '@-5-14', '@2026-5', '@2026-5-14']
    """
    marks: set[str] = set()
    for year, month, day in _dates(fold(title)):
        marks.add(f"@--{month}")
        if day:
            marks.add(f"@-{month}-{day}")
        if year:
            marks.add(f"@{year}-{month}")
        if year and day:
            marks.add(f"@{year}-{month}-{day}")
    return sorted(marks)


def dated(title: str) -> list[tuple[int, int, int]]:
    """Return the dates of a title that name a year, as year, month and day; 1 for a day not named.

    Whether there is such a day is not asked.

    >>> dated("Minutes of 2026-05-14, as sent in June 2026")
    [(2026, 5, 14), (2026, 6, 1)]
    """
    return [(year, month, day or 1) for year, month, day in _dates(fold(title)) if year]


def _dates(text: str) -> list[tuple[int, int, int]]:
    found = [(int(y), int(m), int(d)) for y, _, m, d in _ISO.findall(text)]
    found += [(int(y or 0), _MONTHS.index(m) + 1, int(d)) for d, m, y in _DAY_MONTH.findall(text)]
    found += [(int(y or 0), _MONTHS.index(m) + 1, int(d or 0)) for m, d, y in _MONTH_DAY.findall(text)]
    return found


def asked(question: str) -> tuple[list[str], list[str]]:
    """Return the (symbol, date) marks that a question asks for.

    >>> asked("What does `run_target` do since May 14, 2026?")
    (['#run_target'], ['@2026-5-14'])
    """
    wanted: set[str] = set()
    for match in _ASKED.finditer(question):
        piece = next(group for group in match.groups() if group)
        names = [name for name in _IDENTIFIER.findall(piece) if len(name) >= _SHORTEST_SYMBOL]
        wanted.update(_symbol(name) for name in names if name.lower() not in STOP_WORDS)
    times: set[str] = set()
    for year, month, day in _dates(fold(question)):
        if month == 5 and not day and not year and not _MAY.search(question):
            continue  # the verb
        if year and day:
            times.add(f"@{year}-{month}-{day}")
        elif day:
            times.add(f"@-{month}-{day}")
        else:
            times.add(f"@{year}-{month}" if year else f"@--{month}")
    return sorted(wanted), sorted(times)
