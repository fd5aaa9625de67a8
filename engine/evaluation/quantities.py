"""Numbers, amounts and dates in text, in one written form each, so that they can be compared.

Only what can be read without a calendar, a locale or a model: thousands separators, ordinals,
number words, per cent, magnitudes (k, million, ...), units of time, size, length, mass and
frequency, and dates whose order of day and month is plain.
"""

import re
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

QuantityKind: TypeAlias = Literal["number", "amount", "date"]


class Quantity(msgspec.Struct, frozen=True):
    """One quantity: ``value`` in base units and its dimension ``unit`` ('' if bare).

    ``written`` is the bare number before magnitude and unit were applied; ``shown`` is the text.
    """

    kind: QuantityKind
    value: str
    unit: str
    written: str
    shown: str
    weak: bool = False


def _names(listed: str) -> list[str]:
    return listed.split()


_MONTHS = _names("january february march april may june july august september october november december")
_MONTH_OF = {name: i for i, name in enumerate(_MONTHS, 1)} | {m[:3]: i for i, m in enumerate(_MONTHS, 1)}
_MONTH_OF["sept"] = 9
_CARDINALS = _names(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty"""
)
_TENS = _names("thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _names("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
_WORDS = (
    {word: number for number, word in enumerate(_CARDINALS)}
    | {word: 10 * number for number, word in enumerate(_TENS, 3)}
    | {word: number for number, word in enumerate(_ORDINALS, 1)}
)
_WEAK_WORDS = frozenset({"one", "first", "second", "third", "zero"})
"""Number words that are as often no number ("one of them", "first we"): evidence, never demanded."""

_MAGNITUDE = {
    "hundred": Decimal(100),
    "k": Decimal(10**3),
    "thousand": Decimal(10**3),
    "million": Decimal(10**6),
    "millions": Decimal(10**6),
    "mn": Decimal(10**6),
    "billion": Decimal(10**9),
    "billions": Decimal(10**9),
    "bn": Decimal(10**9),
    "trillion": Decimal(10**12),
}


def _units() -> dict[str, tuple[str, Decimal]]:
    table: dict[str, tuple[str, Decimal]] = {}
    listed = {
        "time": {
            "ns|nanosecond|nanoseconds": "1e-9",
            "us|µs|μs|microsecond|microseconds": "1e-6",
            "ms|msec|millisecond|milliseconds": "1e-3",
            "s|sec|secs|second|seconds": "1",
            "min|mins|minute|minutes": "60",
            "h|hr|hrs|hour|hours": "3600",
            "day|days": "86400",
            "week|weeks": "604800",
        },
        "months": {"month|months": "1", "year|years|yr|yrs": "12"},
        "bytes": {
            "b|byte|bytes": "1",
            "kb|kilobyte|kilobytes": "1e3",
            "mb|megabyte|megabytes": "1e6",
            "gb|gigabyte|gigabytes": "1e9",
            "tb|terabyte|terabytes": "1e12",
            "kib": "1024",
            "mib": "1048576",
            "gib": "1073741824",
            "tib": "1099511627776",
        },
        "length": {
            "nm|nanometre|nanometres|nanometer|nanometers": "1e-9",
            "mm|millimetre|millimetres|millimeter|millimeters": "1e-3",
            "cm|centimetre|centimetres|centimeter|centimeters": "1e-2",
            "metre|metres|meter|meters": "1",
            "km|kilometre|kilometres|kilometer|kilometers": "1e3",
        },
        "miles": {"mi|mile|miles": "1"},
        "feet": {"ft|foot|feet": "1"},
        "mass": {
            "mg|milligram|milligrams": "1e-6",
            "g|gram|grams": "1e-3",
            "kg|kilogram|kilograms": "1",
            "tonne|tonnes": "1e3",
        },
        "frequency": {"hz|hertz": "1", "khz": "1e3", "mhz": "1e6", "ghz": "1e9"},
        "%": {"%|percent|percentage": "1"},
        "$": {"$|usd|dollar|dollars": "1"},
        "€": {"€|eur|euro|euros": "1"},
        "£": {"£|gbp|pounds": "1"},
    }
    for dimension, rows in listed.items():
        for names, factor in rows.items():
            for name in names.split("|"):
                table[name] = (dimension, Decimal(factor))
    return table


_UNITS = _units()
_MONTH = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(\d{4})(?!\d)"
_DATES = (
    (re.compile(r"\b(\d{4})[-/](\d{2})[-/](\d{2})(?!\d)"), "ymd"),
    (re.compile(rf"\b(\d{{1,2}})\.(\d{{1,2}})\.{_YEAR}"), "dmy"),
    (re.compile(rf"\b{_DAY}\s+(?:of\s+)?({_MONTH})\b\.?,?\s+{_YEAR}", re.I), "dMy"),
    (re.compile(rf"\b({_MONTH})\b\.?\s+{_DAY},?\s+{_YEAR}", re.I), "Mdy"),
    (re.compile(rf"\b({_MONTH})\b\.?,?\s+(?:of\s+)?{_YEAR}", re.I), "My"),
    (re.compile(rf"\b{_DAY}\s+(?:of\s+)?({_MONTH})\b", re.I), "dM"),
    (re.compile(rf"\b({_MONTH})\b\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!,?\d)", re.I), "Md"),
)
_SPELLED = re.compile("|".join(name[:3] for name in _MONTHS), re.I)
"""What every month's name begins with: a text without it is not searched for spelled dates."""
_NUMBER = re.compile(
    r"(?<![A-Za-z\d_.])(?<![A-Za-z]-)"
    r"([$€£])?\s?"
    r"(\d{4}s\b|\d{1,3}(?:[,_'\u00a0\u202f]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+){2,}|\d+(?:\.\d+)?)"
    r"(st\b|nd\b|rd\b|th\b)?"
    r"(?:[\s-]?(hundred|thousand|millions?|mn|billions?|bn|trillion|k)\b)?"
    r"(?:[\s-]?([a-zA-Zµμ]{1,12}\b|[%$€£]))?"
)
_WORD = re.compile(
    r"\b((?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[-\s](?:one|two|three|four|five|six|seven"
    rf"|eight|nine)|{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b"
    r"(?:[\s-](hundred|thousand|millions?|billions?|trillion)\b)?"
    r"(?:[\s-]([a-zA-Z]{3,12})\b|\s?(%))?",
    re.I,
)


def _plain(value: Decimal) -> str:
    text = format(value.normalize(), "f")
    return "0" if text in {"-0", ""} else text


def _date(order: str, groups: tuple[str, ...]) -> str | None:
    fields = dict(zip(order, groups, strict=True))
    month = _MONTH_OF[fields["M"].lower()] if "M" in fields else int(fields.get("m", "0"))
    day = int(fields.get("d", "0"))
    if not 1 <= month <= 12 or day > 31 or ("d" in fields and day == 0):
        return None
    year = fields.get("y", "-")
    return f"{year}-{month:02d}-{day:02d}" if day else f"{year}-{month:02d}"


def _take_dates(text: str) -> tuple[str, list[Quantity]]:
    found: list[Quantity] = []
    spelled = _SPELLED.search(text) is not None
    for pattern, order in _DATES:
        if "M" in order and not spelled:
            continue

        def take(match: re.Match[str], order: str = order) -> str:
            value = _date(order, match.groups())
            if value is None:
                return match.group()
            found.append(Quantity("date", value, "", value, " ".join(match.group().split())))
            return " ; "

        text = pattern.sub(take, text)
    return text, found


def _amount(written: Decimal, magnitude: str, unit: str, currency: str, shown: str, weak: bool) -> Quantity:
    value = written * _MAGNITUDE[magnitude.lower()] if magnitude else written
    dimension, factor = _UNITS.get(unit.lower(), ("", Decimal(1)))
    if currency:
        dimension, factor = currency, Decimal(1)
    kind: QuantityKind = "amount" if dimension else "number"
    bare = _plain(written)
    weak = weak and not (magnitude or dimension)
    return Quantity(kind, _plain(value * factor), dimension, bare, shown, weak)


def quantities(text: str) -> list[Quantity]:
    """Return the numbers, amounts and dates of ``text``, dates first, then digits, then words.

    A number glued to letters (``IL-2``, ``sha256``) is part of a name and is left to the names.

    >>> [(q.kind, q.value, q.unit) for q in quantities("On June 1st, 1874 about 1,200 KB in 5 ms.")]
    [('date', '1874-06-01', ''), ('amount', '1200000', 'bytes'), ('amount', '0.005', 'time')]
    >>> [q.value for q in quantities("twenty-one ships, the 3rd of 12 million")]
    ['3', '12000000', '21']
    """
    digits_in = any(map(str.isdigit, text))
    text, found = _take_dates(text) if digits_in else (text, [])
    for match in _NUMBER.finditer(text) if digits_in else ():
        sign, digits, ordinal, magnitude, unit = match.groups(default="")
        if digits.endswith("s") or digits.count(".") > 1:
            found.append(Quantity("number", digits, "", digits, digits))
            continue
        known = unit.lower() in _UNITS and not ordinal
        shown = " ".join((match.group()[: -len(unit)] if unit and not known else match.group()).split())
        written = Decimal(re.sub("[,_'\u00a0\u202f]", "", digits))
        quantity = _amount(written, magnitude, unit if known else "", sign, shown, weak=False)
        if quantity.kind == "number" and not magnitude and "." in digits:
            # Without a unit "3.10" may be a version, which is not 3.1.
            quantity = msgspec.structs.replace(quantity, value=digits, written=digits)
        found.append(quantity)
    for match in _WORD.finditer(text):
        word, magnitude, unit, percent = match.groups(default="")
        known = (unit or percent).lower() in _UNITS
        parts = re.split(r"[-\s]+", word.lower())
        written = Decimal(sum(_WORDS[part] for part in parts))
        shown = " ".join(match.group().split())
        if unit and not known:
            shown = shown[: -len(unit)].rstrip(" -")
        weak = len(parts) == 1 and parts[0] in _WEAK_WORDS
        found.append(_amount(written, magnitude, (unit or percent) if known else "", "", shown, weak))
    return found


def tells_when(quantity: Quantity) -> bool:
    """Return whether the quantity is a date, or a bare number that reads as a year.

    >>> [tells_when(q) for q in quantities("in 1874, of 7,127 people, port 8080")]
    [True, False, False]
    """
    if quantity.kind == "date":
        return True
    shown = quantity.shown
    return quantity.kind == "number" and shown.isdecimal() and len(shown) == 4 and 1000 <= int(shown) <= 2100


def _dates_agree(asked: str, given: str) -> bool:
    if asked.startswith("--"):
        return given.endswith(asked[1:]) and len(given) >= len(asked)
    return given == asked or given.startswith(asked + "-")


def agrees(asked: Quantity, given: Quantity) -> bool:
    """Return whether evidence that says ``given`` bears out a claim that says ``asked``.

    Evidence may be more exact than the claim (a full date bears out its year), never less. A
    missing unit on one side does not disagree; two different units do.

    >>> a, b = quantities("1.2 MB")[0], quantities("1,200 KB")[0]
    >>> agrees(a, b), agrees(quantities("5 s")[0], quantities("5 ms")[0])
    (True, False)
    >>> agrees(quantities("in 1874")[0], quantities("1 June 1874")[0])
    True
    """
    if asked.kind == "date":
        return given.kind == "date" and _dates_agree(asked.value, given.value)
    if given.kind == "date":
        return asked.kind == "number" and asked.value == given.value[:4]
    if asked.unit and given.unit:
        return asked.unit == given.unit and asked.value == given.value
    if not asked.unit and not given.unit:
        return asked.value == given.value
    return asked.value == given.value or asked.written == given.written
