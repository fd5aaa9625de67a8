"""Claims read from what a model wrote: from strict JSON down to plain sentences, nothing lost silently.

The ladder: JSON as asked for, JSON mended (fences, a cut end, text around it), ``- claim [S1]``
lines, sentences whose passage is looked for afterwards. The rung that was used is part of the
run's record, and so is every part that could not be used.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from engine.cleaning import one_line
from engine.events import Claim, ClaimKind
from engine.experts.prompts import CLAIM_KINDS, MAX_CLAIM, NOTHING

MOST_NOTES = 12

_CITE = re.compile(
    r"\[(\s*S?\d{1,3}(?:[\s,;]+S?\d{1,3})*\s*)\]|\((S\d{1,3}(?:\s*[,;]\s*S\d{1,3})*)\)", re.IGNORECASE
)
_NUMBER = re.compile(r"\d{1,3}")
_BULLET = re.compile(r"^\s*(?:[-*\u2022\u2013]|\(?\d{1,2}[.)])\s+")
_LEAD_IN = re.compile(
    r"^(?:here (?:are|is)|the following|claims?|answer|sure|certainly|of course)\b.*:?\s*$", re.I
)
_NOTHING = re.compile(
    rf"^\W*(?:{NOTHING}|the (?:passages?|documents?) (?:do|does) not (?:answer|contain|say|mention)\b.*)\W*$",
    re.I | re.S,
)
_ABOUT_ITSELF = re.compile(
    r"\b(?:not|cannot|unable to)\b[^.]{0,40}\b(?:the|this|your) question\b|\bas an ai\b"
    r"|\bthe (?:passages?|claims?|context) (?:above|provided|given)\b",
    re.IGNORECASE,
)
_ENDED = re.compile(r"[.!?\])][\s\"'*)]*$")
_OBJECT = re.compile(r"\{[^{}]*\}", re.DOTALL)

Attribute = Callable[[str], str]
"""Gives the id of the passage that bears a sentence out best, '' if none does at all."""


def speaks_of_itself(sentence: str) -> bool:
    """Return whether a sentence is about the task, and so no statement of any document.

    >>> speaks_of_itself("The passage does not answer the question."), speaks_of_itself("Karl was a prince.")
    (True, False)
    """
    return bool(_ABOUT_ITSELF.search(sentence))


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """The claims, the rung they were read on, and what of the reply could not be used.

    ``mode`` is schema, repaired, lines, sentences, or none where the model said that the passages
    do not answer.
    """

    mode: str
    claims: list[Claim]
    notes: list[str]


class _Claim(msgspec.Struct):
    text: str
    cites: list[str] = []
    kind: str = "fact"


class _Claims(msgspec.Struct):
    claims: list[_Claim]


def parse_claims(
    reply: str, labels: Mapping[str, str], most: int, attribute: Attribute, *, cut: bool = False
) -> Parsed:
    """Return the claims in ``reply``, at most ``most``; ``cut`` says that the reply has no end.

    >>> parse_claims("- Karl was born in 1804. [S2]", {"S1": "a", "S2": "b"}, 6, lambda text: "").claims
    [Claim(text='Karl was born in 1804.', cites=['b'], kind='fact', support=0.0, missing=[])]
    """
    text = reply.strip()
    if _NOTHING.match(text) and len(text) < 200:
        return Parsed(mode="none", claims=[], notes=[])
    reader = _Reader(labels, most, attribute)
    if (found := _strict(text)) is not None:
        return reader.parsed("schema", found) if found else Parsed(mode="none", claims=[], notes=[])
    if found := _mended(text):
        return reader.parsed("repaired", found)
    lines = _lines(text)
    if cut and lines and not _ENDED.search(lines[-1]):
        # Half a claim says something else than the whole one.
        reader.note("has no end", lines.pop())
    bullets = [line for line in lines if _BULLET.match(line) or _CITE.search(line)]
    if bullets:
        rest = [line for line in lines if line not in bullets and not _LEAD_IN.match(line)]
        reader.notes += [f"not a claim: {one_line(line, 160)}" for line in rest]
        return reader.parsed("lines", [_Claim(_BULLET.sub("", line)) for line in bullets])
    return reader.parsed("sentences", [_Claim(line) for line in lines if not _LEAD_IN.match(line)])


def _strict(text: str) -> list[_Claim] | None:
    try:
        return msgspec.json.decode(text, type=_Claims).claims
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _mended(text: str) -> list[_Claim]:
    """Return the whole objects with a text in them, wherever in the reply they stand."""
    found = []
    for raw in _OBJECT.findall(text[: 1 << 18]):
        try:
            value: Any = msgspec.json.decode(raw.replace("\n", " "), strict=False)
        except (msgspec.MsgspecError, ValueError):
            continue
        said = value.get("text", value.get("claim")) if isinstance(value, dict) else None
        if not isinstance(said, str):
            continue
        cites = value.get("cites", value.get("citations", value.get("sources", [])))
        listed = cites if isinstance(cites, list) else [cites]
        kind = value.get("kind", "fact")
        found.append(_Claim(said, [str(each) for each in listed], kind if isinstance(kind, str) else "fact"))
    return found


def _lines(text: str) -> list[str]:
    from engine.corpus.sentences import sentence_spans

    lines = [line for line in text.splitlines() if line.strip().strip("`")]
    if any(_BULLET.match(line) or _CITE.search(line) for line in lines):
        return lines
    return [line[start:end] for line in lines for start, end in sentence_spans(line)]


class _Reader:
    """Turns what was found into claims, and notes what could not be."""

    def __init__(self, labels: Mapping[str, str], most: int, attribute: Attribute) -> None:
        self.labels, self.most, self.attribute = labels, most, attribute
        self.notes: list[str] = []

    def parsed(self, mode: str, found: list[_Claim]) -> Parsed:
        claims: list[Claim] = []
        for each in found:
            claim = self._claim(each)
            if claim is None or any(claim.text == other.text for other in claims):
                continue
            if len(claims) >= self.most:
                self.note("more claims than were asked for", claim.text)
                continue
            claims.append(claim)
        more = len(self.notes) - MOST_NOTES
        notes = [*self.notes[:MOST_NOTES], *([f"and {more} more"] if more > 0 else [])]
        return Parsed(mode=mode, claims=claims, notes=notes)

    def note(self, why: str, text: str) -> None:
        """Tell what could not be used."""
        self.notes.append(f"{why}: {one_line(text, 160)}")

    def _claim(self, found: _Claim) -> Claim | None:
        named = [*found.cites, *(group for pair in _CITE.findall(found.text) for group in pair if group)]
        text = one_line(_CITE.sub(" ", found.text).replace("**", ""), MAX_CLAIM)
        text = re.sub(r"\s+([.,;:!?])", r"\1", text).strip()
        if not any(char.isalnum() for char in text):
            return None
        if speaks_of_itself(text):
            self.note("says nothing of the subject", text)
            return None
        cites: list[str] = []
        for label in (f"S{int(number)}" for name in named for number in _NUMBER.findall(name)):
            passage = self.labels.get(label)
            if passage is None:
                self.note(f"cites {label}, which is no passage it was given", text)
            elif passage not in cites:
                cites.append(passage)
        if not cites:
            best = self.attribute(text)
            if not best:
                self.note("cites nothing, and no passage bears it out", text)
            cites = [best] if best else []
        kinds: dict[str, ClaimKind] = {kind: kind for kind in CLAIM_KINDS}
        return Claim(text=text, cites=cites, kind=kinds.get(found.kind, "fact"))
