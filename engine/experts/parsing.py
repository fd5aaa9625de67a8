"""Claims read from what a model wrote: from strict JSON down to plain sentences, nothing lost silently.

The ladder: JSON as asked for, JSON mended (fences, a cut end, text around it), lines with labels or
bullets, sentences whose passage is looked for afterwards. The rung that was used is part of the
run's record, and so is every part that could not be used.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from engine.cleaning import one_line
from engine.events import Claim, ClaimKind
from engine.experts.labels import Labelled, Labels
from engine.experts.prompts import CLAIM_KINDS, MAX_CLAIM
from engine.experts.quotable import is_prose

MOST_NOTES = 12

_BULLET = re.compile(r"^\s*(?:[-*\u2022\u2013]|\(?\d{1,2}[.)])\s+")
_LEAD_IN = re.compile(
    r"^(?:here (?:are|is)|the following|claims?|answer|sure|certainly|of course)\b.*:?\s*$", re.I
)
_NOTHING = re.compile(
    r"^\W*(?:NONE|the (?:passages?|documents?) (?:do|does) not (?:answer|contain|say|mention)\b.*)\W*$",
    re.I | re.S,
)
_ABOUT_ITSELF = re.compile(
    r"\b(?:not|cannot|unable to)\b[^.]{0,40}\b(?:the|this|your) question\b|\bas an ai\b"
    r"|\bthe (?:passages?|claims?|context) (?:above|provided|given)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"([.!?])((?:[ \t]*(?:\[\s?S?\d{1,3}[^\[\]\n]{0,80}\]|\(S\d{1,3}[^()\n]{0,80}\)))+)", re.IGNORECASE
)
_LABEL_ALONE = re.compile(r"(?:\[[^\[\]]{0,80}\]\W*)+")
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


_NO_CLAIMS = Parsed(mode="none", claims=[], notes=[])


class _Claim(msgspec.Struct):
    text: str
    cites: list[str] = []
    kind: str = "fact"


class _Claims(msgspec.Struct):
    claims: list[_Claim]


class _Found(msgspec.Struct):
    said: Labelled
    kind: ClaimKind = "fact"


def parse_claims(reply: str, labels: Labels, most: int, attribute: Attribute, *, cut: bool = False) -> Parsed:
    """Return the claims in ``reply``, at most ``most``; ``cut`` says that the reply has no end.

    >>> labels = Labels({"S1": "a", "S2": "b"})
    >>> parse_claims("- Karl was born in 1804. [S2]", labels, 6, lambda text: "").claims
    [Claim(text='Karl was born in 1804.', cites=['b'], kind='fact', support=0.0, missing=[])]
    """
    text = reply.strip()
    if _NOTHING.match(text) and len(text) < 200:
        return _NO_CLAIMS
    reader = _Reader(most, attribute)
    if (found := _strict(text)) is not None:
        return reader.parsed("schema", _listed(found, labels)) if found else _NO_CLAIMS
    if found := _mended(text):
        return reader.parsed("repaired", _listed(found, labels))
    lines = [labels.bracketed(line) for line in text.splitlines() if line.strip().strip("`")]
    marked = [line for line in lines if _BULLET.match(line) or labels.has(line)]
    plain = [line for line in lines if line not in marked and not _LEAD_IN.match(line)]
    # Further lines of a copied passage are set in, as they were shown: of those only prose can be claimed.
    copied = [line for line in plain if line.startswith("  ") and not is_prose(line.strip())]
    plain = [line for line in plain if line not in copied]
    said = [sentence for line in marked or plain for sentence in _sentences(_BULLET.sub("", line), labels)]
    if cut and said and lines[-1] == (marked or plain)[-1] and not _ENDED.search(lines[-1]):
        # Half a claim says something else than the whole one.
        reader.note("has no end", said.pop().text)
    for line in lines:
        if line in copied or (marked and line in plain):
            reader.note("not a claim", line)
    return reader.parsed("lines" if marked else "sentences", map(_Found, said))


def _sentences(line: str, labels: Labels) -> list[Labelled]:
    """Return the sentences of a line; what a line names only one passage for, it names it for as a whole."""
    from engine.corpus.sentences import sentence_spans

    if not line.lstrip().startswith("["):  # else labels stand in front of what they are for
        line = _AFTER.sub(r" \2\1", line)
    said = [labels.read(line[start:end]) for start, end in sentence_spans(line)]
    named = {cite for each in said for cite in each.cites}
    if len(named) != 1 or any(each.unknown for each in said):
        return said
    return [msgspec.structs.replace(each, cites=tuple(named)) for each in said]


def _listed(claims: Sequence[_Claim], labels: Labels) -> list[_Found]:
    """Return claims of JSON, whose labels stand in a list of their own, and maybe in the text, too."""
    found = []
    for claim in claims:
        said = labels.read(claim.text)
        named = [(label, labels.named(label)) for label in claim.cites]
        cites = dict.fromkeys([*(each for _, passages in named for each in passages), *said.cites])
        unknown = [one_line(label, 40) for label, passages in named if not passages]
        said = msgspec.structs.replace(said, cites=tuple(cites), unknown=(*unknown, *said.unknown))
        kinds: dict[str, ClaimKind] = {kind: kind for kind in CLAIM_KINDS}
        found.append(_Found(said, kinds.get(claim.kind, "fact")))
    return found


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


class _Reader:
    """Turns what was found into claims, and notes what could not be."""

    def __init__(self, most: int, attribute: Attribute) -> None:
        self.most, self.attribute = most, attribute
        self.notes: list[str] = []

    def parsed(self, mode: str, found: Iterable[_Found]) -> Parsed:
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

    def _claim(self, found: _Found) -> Claim | None:
        text = one_line(found.said.text.replace("**", ""), MAX_CLAIM)
        if not any(char.isalnum() for char in text):
            return None
        if speaks_of_itself(text):
            self.note("says nothing of the subject", text)
            return None
        if _LABEL_ALONE.fullmatch(text):
            if not found.said.cites:
                self.note("names no passage that it was given", text)
                return None
            text = " ".join(re.split(r"[\[\]\s]+", text)).strip()
        if text.endswith("?"):
            self.note("asks, and claims nothing", text)
            return None
        if not found.said.whole:
            self.note("has a label in place of a word", text)
            return None
        for label in found.said.unknown:
            self.note(f"cites {label}, which is no passage it was given", text)
        cites = list(found.said.cites)
        if not cites:
            best = self.attribute(text)
            if not best:
                self.note("cites nothing, and no passage bears it out", text)
            cites = [best] if best else []
        return Claim(text=text, cites=cites, kind=found.kind)
