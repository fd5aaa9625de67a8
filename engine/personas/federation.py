"""What machines tell each other of how personas did: sums per persona, model family and topic.

A bundle is the state of a state-based CRDT (Shapiro, Preguiça, Baquero and Zawirski, SSS 2011): for
every cell (persona digest, model family, topic, node) the sums of that node with a version that only
its node raises. Merging takes the higher version of each cell, so it is commutative, associative and
idempotent; totals are taken over nodes when they are read, never stored. A bundle holds no question,
text, entity or file name: topics are phrases of the personas' own expertise.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from engine.cleaning import clean
from engine.errors import InputError
from engine.ids import canonical, digest, q6
from engine.personas.document import MAX_EXPERTISE_LENGTH, Persona, persona_digest, persona_from
from engine.personas.sealed import LEARNT, decode_sealed, require_seal

VERSION: Final = 1
BINS: Final = 8
LEAST_QUESTIONS: Final = 10
"""Cells that would tell of fewer questions are withheld."""
MAX_CELLS: Final = 200_000
MAX_CARDS: Final = 20_000
_CARD_METADATA: Final = ("name", "description", "voice", "lineage")
_MOST: Final = 2**53

Key: TypeAlias = tuple[str, str, str, str]
_Digest: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
_Sum: TypeAlias = Annotated[float, Meta(ge=-1e12, le=1e12)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=10**12)]


class Cell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one node saw of one persona with one model family on one topic.

    ``n`` answers; ``standing`` sums 0.5 + advantage, ``squares`` its squares, ``quality`` the total
    scores, ``grounding`` the grounding scores; ``histogram`` counts standings in eighths of [0, 1].
    """

    persona: _Digest
    model: Annotated[str, Meta(max_length=64)]
    topic: Annotated[str, Meta(max_length=MAX_EXPERTISE_LENGTH)]
    node: _Digest
    version: Annotated[int, Meta(ge=1, le=_MOST)]
    n: _Count
    standing: _Sum
    squares: _Sum
    quality: _Sum
    grounding: _Sum
    histogram: Annotated[list[_Count], Meta(min_length=BINS, max_length=BINS)]

    @property
    def key(self) -> Key:
        """Return what the cell is about."""
        return (self.persona, self.model, self.topic, self.node)


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A persona as it is passed on (:func:`shared`).

    ``digest``, that of the persona passed on, names it in the cells: it is the same wherever the
    persona goes. ``policy`` is the digest of how it walks where it comes from.
    """

    digest: _Digest
    policy: _Digest
    persona: Persona


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """What an export writes: cards, cells and the node that wrote it."""

    node: str
    cards: tuple[Card, ...] = ()
    cells: tuple[Cell, ...] = ()


def merge(*states: Iterable[Cell]) -> dict[Key, Cell]:
    """Return the least state that all ``states`` are part of, by key in order.

    Of two cells with one key the higher version counts; of equal versions, which only a fault or a
    forger makes, the one whose canonical bytes are greater, so that every order of merging agrees.
    """
    best: dict[Key, Cell] = {}
    for state in states:
        for cell in state:
            held = best.get(cell.key)
            if held is None or _rank(cell) > _rank(held):
                best[cell.key] = cell
    return dict(sorted(best.items()))


def _rank(cell: Cell) -> tuple[int, bytes]:
    return cell.version, canonical(cell)


def model_family(name: str) -> str:
    """Return the family of a model: its name without publisher, size and quantisation.

    >>> model_family("library/llama3.1:8b-instruct-q4_K_M"), model_family("")
    ('llama3.1', 'unknown')
    """
    family = name.strip().casefold().rpartition("/")[2].partition(":")[0].partition("@")[0]
    return re.sub(r"[^a-z0-9._-]", "", family)[:64] or "unknown"


def shared(persona: Persona) -> Persona:
    """Return the persona as it is passed on: without its past, its pin and its owner's own notes."""
    known = {key: persona.metadata[key] for key in _CARD_METADATA if key in persona.metadata}
    lineage = known.get("lineage")
    if isinstance(lineage, dict):
        known["lineage"] = {key: lineage[key] for key in ("parent", "parent_digest") if key in lineage}
    return msgspec.structs.replace(persona, historical_performance={}, metadata=known)


def card_of(persona: Persona, policy: str) -> Card:
    """Return the persona's card. ``policy`` is the digest of the policy its traits give here."""
    passed_on = shared(persona)
    return Card(digest=persona_digest(passed_on), policy=policy, persona=passed_on)


def encode_bundle(bundle: Bundle, key: bytes = b"") -> bytes:
    """Return the bytes of a bundle's file: JSON with a digest and, given a shared ``key``, a MAC.

    The digest tells of damage; only the MAC (HMAC-SHA-256, RFC 2104) tells of forgery.
    """
    content = _content(bundle)
    sealed = {**content, "digest": _seal(content)}
    if key:
        sealed["mac"] = _mac(content, key)
    return msgspec.json.format(canonical(sealed), indent=1) + b"\n"


def decode_bundle(data: bytes, where: str, key: bytes = b"") -> Bundle:
    """Return the bundle in ``data``; ``where`` names the file in errors.

    Raises InputError if it is cut off, damaged, from a newer version or, given a ``key``, not made
    with that key; PersonaError for a card that is no persona.
    """
    raw = decode_sealed(data, where, LEARNT, VERSION)
    content = {name: value for name, value in raw.items() if name not in ("digest", "mac")}
    require_seal(raw, _seal(content), where)
    if key:
        mac = raw.get("mac")
        if not isinstance(mac, str) or not mac.isascii() or not hmac.compare_digest(mac, _mac(content, key)):
            raise InputError(f"{where} was not made with this key", "ask whoever sent it which key they use")
    try:
        cells = msgspec.convert(raw.get("cells"), tuple[Cell, ...])
        node = msgspec.convert(raw.get("node"), _Digest)
    except msgspec.ValidationError as error:
        raise InputError(f"{where} is no usable bundle: {error}") from error
    rows = raw.get("cards")
    if not isinstance(rows, list) or len(rows) > MAX_CARDS or len(cells) > MAX_CELLS:
        raise InputError(
            f"{where} holds more than {MAX_CARDS} cards or {MAX_CELLS} cells, or no list of them"
        )
    for cell in cells:
        if clean(cell.topic) != cell.topic or model_family(cell.model) != cell.model:
            raise InputError(
                f"{where}: the topic or model of a cell holds characters that do not belong there"
            )
    return Bundle(node=node, cards=tuple(_card(row, where) for row in rows), cells=cells)


def _card(row: Any, where: str) -> Card:
    if not isinstance(row, dict) or not isinstance(row.get("persona"), dict):
        raise InputError(f"{where}: a card is no object with a persona")
    persona = persona_from(row["persona"], where)
    try:
        card = msgspec.convert({**row, "persona": msgspec.to_builtins(persona)}, Card)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: the card of {persona.persona_id} cannot be used: {error}") from error
    if card != card_of(persona, card.policy):
        raise InputError(f"{where}: the card of {persona.persona_id} is not what its digest names")
    return card


def _content(bundle: Bundle) -> dict[str, Any]:
    return {
        "format": LEARNT,
        "version": VERSION,
        "node": bundle.node,
        "cards": msgspec.to_builtins(sorted(bundle.cards, key=lambda card: card.digest)),
        "cells": msgspec.to_builtins(list(merge(bundle.cells).values())),
    }


def _seal(content: Mapping[str, Any]) -> str:
    return digest("federation.v1", canonical(content))


def _mac(content: Mapping[str, Any], key: bytes) -> str:
    return hmac.digest(key, b"federation.v1\x00" + canonical(content), "sha256").hex()


def bin_of(standing: float) -> int:
    """Return the eighth of [0, 1] that a standing lies in, 0 to 7.

    >>> bin_of(0.0), bin_of(0.5), bin_of(1.0)
    (0, 4, 7)
    """
    return min(int(min(max(standing, 0.0), 1.0) * BINS), BINS - 1)


def mean_standing(cell: Cell) -> float:
    """Return the cell's mean standing in [0, 1]: 0.5 is as good as the experts it was asked with."""
    return q6(min(max(cell.standing / cell.n, 0.0), 1.0)) if cell.n else 0.5
