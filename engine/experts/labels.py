"""Which passage a model means: by the label that it was given, or by a heading of one passage alone.

Small models write labels in many ways: ``[1]`` for S1, ``[Passage 1]``, the passage's title in brackets,
in front of a sentence as often as behind it. What names one given passage, and no other, is its label;
whatever else stands in brackets are words.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from engine.cleaning import one_line
from engine.events import Evidence

MAX_HEADING = 200

_ONE = r"(?:(?:passage|source|label)s?\s)?S?\d{1,3}"
_NUMBERED = re.compile(rf"{_ONE}(?:(?:[\s,;]+|\s(?:and|&)\s){_ONE}){{0,30}}", re.IGNORECASE)
_BRACKETED = re.compile(
    rf"\[([^\[\]\n]{{1,{MAX_HEADING}}})\]|\(((?:passages?\s)?S\d{{1,3}}[^()\n]{{0,80}})\)", re.I
)
_NUMBER = re.compile(r"\d{1,3}")
_CITED = re.compile(r"\W*(?:(?:passage|source|label)\s)?S?(\d{1,3})\b", re.IGNORECASE)
_JOINS = re.compile(r"[\s,;]*(?:and|&)?[\s,;]*", re.IGNORECASE)
_WORD = re.compile(r"\w")
_TWICE = re.compile(r"([.!?])\s?\.$")
_SPACES = re.compile(r"\s+(?=[.,;:!?])")
_LEADS = re.compile(r"\W*(?:according to|in|from|as \w+ in)\s*", re.IGNORECASE)
_SAYS = re.compile(
    rf"^(?:{_LEADS.pattern},\s*|(?:also )?(?:says|states|mentions|tells|notes|shows|explains) that\s)",
    re.IGNORECASE,
)
_IN_FRONT = re.compile(r"(\s*(?:[-*\u2022]\s+)?)(?:Passage\s)?(S\d{1,3})\s?[:)\u2013-]\s+", re.IGNORECASE)
_ACCORDING = re.compile(
    r"[\s,;(]+(?:according to|see(?: also)?|source:?"
    r"|as (?:said|stated|described|mentioned|shown|seen|noted|given|found) (?:in|by))\W*$",
    re.IGNORECASE,
)
_OPEN_END = re.compile(
    r"\b(?:in|on|at|of|by|the|an?|to|for|from|with|is|was|are|were|and|or|than|that|which|called|named)\s*$",
    re.IGNORECASE,
)


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence without its labels: the passages they name, and those that name none.

    ``whole`` is false where a label stood in place of a word, as in "was released in [S1]".
    """

    text: str
    cites: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    whole: bool = True


class Labels:
    """The labels of the passages that a model was given, and the headings they stood under."""

    def __init__(self, passages: Mapping[str, str], headings: Mapping[str, str] | None = None) -> None:
        """``passages`` maps a label to a passage's id, ``headings`` a passage's id to its heading."""
        self._passages = passages
        self._headings: dict[str, set[str]] = {}
        for passage, heading in (headings or {}).items():
            for name in {heading, heading.rpartition("›")[2]}:
                if len(_plain(name)) > 1:
                    self._headings.setdefault(_plain(name), set()).add(passage)

    @classmethod
    def of(cls, evidence: Sequence[Evidence]) -> "Labels":
        """Return the labels under which ``evidence`` is shown."""
        named = {each.passage: heading_of(each) for each in evidence}
        return cls(labels_of(evidence), named)

    def named(self, label: str) -> tuple[str, ...]:
        """Return the passages that a label names which stands in a list of its own, none if it names none.

        >>> Labels({"S1": "a", "S2": "b"}, {"a": "Lamps"}).named("S2"), Labels({"S1": "a"}).named("S7")
        (('b',), ())
        """
        alone = self._headings.get(_plain(label), set())
        if len(alone) == 1:
            return tuple(alone)
        found = _CITED.match(label)
        passage = self._passages.get(f"S{int(found[1])}", "") if found else ""
        return (passage,) if passage else ()

    def bracketed(self, line: str) -> str:
        """Return the line with a label in brackets that stood in front of it without, as in "S1: ..."."""
        front = _IN_FRONT.match(line)
        if front is None or front[2].upper() not in self._passages:
            return line
        return f"{front[1]}[{front[2]}] {line[front.end() :]}"

    def has(self, line: str) -> bool:
        """Return whether a label stands in ``line``, of a given passage or not."""
        found = _BRACKETED.finditer(line)
        return any(self._numbers(match) or len(self._under(match)) == 1 for match in found)

    def read(self, sentence: str) -> Labelled:
        """Return the sentence without its labels, and what they name.

        A heading that the sentence goes on from is its subject, and stays as words.

        >>> lamps = Labels({"S1": "a", "S2": "b"}, {"a": "Lamps", "b": "Owls"})
        >>> lamps.read("[Passage 2] It hunts at night."), lamps.read("[Owls] hunt at night.").text
        (Labelled(text='It hunts at night.', cites=('b',), unknown=(), whole=True), 'Owls hunt at night.')
        """
        cites: list[str] = []
        unknown: list[str] = []
        words, done, whole = "", 0, True
        for match in _BRACKETED.finditer(sentence):
            numbers, under = self._numbers(match), self._under(match)
            if not numbers and not under:
                continue
            between, after = sentence[done : match.start()], sentence[match.end() :].lstrip()
            words += "" if done and _JOINS.fullmatch(between) else between
            done = match.end()
            words = _ACCORDING.sub("", words) if numbers else words
            opened = _OPEN_END.search(words)
            open_end = opened is not None and not _LEADS.fullmatch(words)
            if numbers:
                whole = whole and not open_end
                for label in (f"S{int(number)}" for number in numbers):
                    if label in self._passages:
                        cites.append(self._passages[label])
                    else:
                        unknown.append(label)
                continue
            cites += under if len(under) == 1 else ()
            if (
                open_end
                or (after[:1].islower() and "/" not in match[1])
                or (words.strip() and _WORD.match(after))
            ):
                words += match[1].strip()
        text = _TWICE.sub(r"\1", " ".join(f"{words}{sentence[done:]}".split()))
        text = _SAYS.sub("", self._without_heading(_SPACES.sub("", text))).strip()
        return Labelled(
            text=text,
            cites=tuple(dict.fromkeys(cites)),
            unknown=tuple(dict.fromkeys(unknown)),
            whole=whole,
        )

    def _numbers(self, match: re.Match[str]) -> list[str]:
        named = _NUMBERED.fullmatch((match[1] or match[2]).strip())
        return _NUMBER.findall(named[0]) if named else []

    def _under(self, match: re.Match[str]) -> set[str]:
        return self._headings.get(_plain(match[1] or ""), set())

    def _without_heading(self, text: str) -> str:
        """Return ``text`` without the heading in front that was copied together with the passage."""
        if not text.startswith("("):
            return text
        lowered = _plain(text)
        for heading in self._headings:
            if lowered.startswith(f"({heading})"):
                return text[text.casefold().find(")", len(heading)) + 1 :].lstrip()
        return text


def heading_of(evidence: Evidence) -> str:
    """Return the heading as a model is shown it."""
    return one_line(evidence.position.section, MAX_HEADING)


def labels_of(evidence: Sequence[Evidence]) -> dict[str, str]:
    """Return label -> passage id, in the order of the evidence: S1, S2 and so on."""
    return {f"S{number}": each.passage for number, each in enumerate(evidence, 1)}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
