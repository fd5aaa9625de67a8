"""The persona document: six fields in a JSON file, read with suspicion, written whole.

Run as a program (``python -m engine.personas.document``) it writes the JSON Schema that is checked
in as ``personas/persona.schema.json``.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from engine.config_file import nearest
from engine.errors import InputError, PersonaError, WorkspaceError
from engine.files import read_bounded, write_atomic
from engine.ids import canonical, digest, require_safe_id

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_TRAITS: Final = 64
MAX_EXPERTISE: Final = 64
MAX_EXPERTISE_LENGTH: Final = 80
MAX_COST: Final = 100

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_TRAIT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")


# Documents are trees, so the garbage collector need not look at them: the app may hold ten thousand.
class Persona(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One expert: how it walks (traits), what it knows (expertise), what it costs to ask.

    ``historical_performance`` is what happened; it is left out of the digest, because it changes
    with every question while the persona stays the same. ``metadata`` is free: ``name``,
    ``description`` and ``voice`` are shown and used in prompts, ``pinned`` keeps the lifecycle
    away, ``lineage`` says where the persona came from.
    """

    persona_id: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9][a-z0-9_-]{0,63}$",
            description="Names the file too: FOLDER/persona_id.json.",
        ),
    ]
    traits: Annotated[
        dict[Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,39}$")], Annotated[int, Meta(ge=1, le=9)]],
        Meta(max_length=MAX_TRAITS, description="Trait name to strength, 1 to 9."),
    ]
    expertise: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=MAX_EXPERTISE_LENGTH)]],
        Meta(max_length=MAX_EXPERTISE, description="Words and phrases of the subjects it knows."),
    ]
    activation_cost: Annotated[
        float, Meta(gt=0, le=MAX_COST, description="What asking it takes from a question's budget.")
    ]
    historical_performance: Annotated[dict[str, Any], Meta(description="How it did so far.")]
    metadata: Annotated[
        dict[str, Any], Meta(description="name, description, voice, pinned, lineage; anything else is kept.")
    ]


FIELDS: Final = Persona.__struct_fields__
_DECODER: Final = msgspec.json.Decoder(Persona)


def decode_persona(data: bytes, where: str) -> Persona:
    """Return the persona that the bytes of a file describe. ``where`` names the file in errors.

    Raises PersonaError, and nothing else whatever the bytes are: at most 256 KB of strict UTF-8
    (a byte order mark is allowed) holding one JSON object with exactly the six fields.

    >>> decode_persona(b'{"traits": {"rigour": 12}}', "a.json")
    Traceback (most recent call last):
    ...
    engine.errors.PersonaError: a.json: persona_id is missing; a persona has persona_id, traits, \
expertise, activation_cost, historical_performance, metadata
    """
    text = _text(data, where)
    try:
        persona = _DECODER.decode(text)
    except (ValueError, OverflowError):  # read again, field by field, to say what is wrong
        return persona_from(_object(text, where), where)
    # What the type does not say: reserved ids, a line end after a name, expertise that is blank.
    _check_id(persona.persona_id, where)
    if not all(map(_TRAIT_NAME.match, persona.traits)):
        _check_traits(persona.traits, where)
    if not all(map(str.strip, persona.expertise)):
        _check_expertise(persona.expertise, where)
    return persona


def decode_object(data: bytes, where: str) -> dict[str, Any]:
    """Return the JSON object in ``data``, whatever its fields. Raises PersonaError."""
    return _object(_text(data, where), where)


def _text(data: bytes, where: str) -> str:
    if len(data) > MAX_BYTES:
        raise PersonaError(f"{where} is larger than {MAX_BYTES} bytes, the most allowed for a persona")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PersonaError(f"{where} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    if _depth(data) > MAX_DEPTH:
        raise PersonaError(f"{where} is nested deeper than {MAX_DEPTH} levels")
    return text


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(text)
    except (ValueError, OverflowError) as error:
        raise PersonaError(f"{where} is not valid JSON: {error}") from error
    if not isinstance(raw, dict):
        raise PersonaError(f"{where} must hold one JSON object")
    return raw


def persona_from(raw: Mapping[str, Any], where: str) -> Persona:
    """Return the persona that ``raw`` describes, plain values as they come from JSON.

    Raises PersonaError naming the field, or the trait, and what is allowed there.
    """
    for key in raw:
        if key not in FIELDS:
            guess = nearest(str(key), FIELDS)
            mend = f"did you mean {guess}?" if guess else "put fields of your own into metadata"
            raise PersonaError(f"{where}: unknown field {key}", mend)
    for key in FIELDS:
        if key not in raw:
            raise PersonaError(f"{where}: {key} is missing", f"a persona has {', '.join(FIELDS)}")
    _check_id(raw["persona_id"], where)
    _check_traits(raw["traits"], where)
    _check_expertise(raw["expertise"], where)
    cost = raw["activation_cost"]
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 < cost <= MAX_COST:
        raise PersonaError(
            f"{where}: activation_cost must be a number above 0 and at most {MAX_COST}, not {_shown(cost)}"
        )
    try:
        return msgspec.convert(dict(raw), Persona)
    except (ValueError, OverflowError) as error:
        raise PersonaError(f"{where}: {_readable(str(error))}") from error


def _depth(data: bytes) -> int:
    """Return how deep brackets nest outside strings, counted before any parser recurses."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _check_id(value: object, where: str) -> None:
    if not isinstance(value, str):
        raise PersonaError(f"{where}: persona_id must be text")
    try:
        require_safe_id(value, "persona")
    except InputError as error:
        raise PersonaError(f"{where}: {error.problem}", error.mend) from error


def _check_traits(traits: object, where: str) -> None:
    if not isinstance(traits, Mapping):
        raise PersonaError(f"{where}: traits must be an object of names and whole numbers from 1 to 9")
    if len(traits) > MAX_TRAITS:
        raise PersonaError(f"{where}: {len(traits)} traits are too many", f"at most {MAX_TRAITS}")
    for name, value in traits.items():
        if not isinstance(name, str) or not _TRAIT_NAME.match(name):
            raise PersonaError(
                f"{where}: trait {str(name)[:40]!r} is not a usable name",
                "a letter a-z, then up to 39 of a-z, 0-9, '-' and '_'",
            )
        if type(value) is not int or not 1 <= value <= 9:
            raise PersonaError(
                f"{where}: trait {name} must be a whole number from 1 to 9, not {_shown(value)}"
            )


def _check_expertise(expertise: object, where: str) -> None:
    if not isinstance(expertise, list | tuple):
        raise PersonaError(f"{where}: expertise must be a list of words and phrases")
    if len(expertise) > MAX_EXPERTISE:
        raise PersonaError(
            f"{where}: {len(expertise)} entries of expertise are too many", f"at most {MAX_EXPERTISE}"
        )
    for number, each in enumerate(expertise, 1):
        if not isinstance(each, str) or not each.strip() or len(each) > MAX_EXPERTISE_LENGTH:
            raise PersonaError(
                f"{where}: expertise {number} must be text of 1 to {MAX_EXPERTISE_LENGTH} characters, "
                f"not {_shown(each)}"
            )


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 256:  # Python refuses to print the hugest ones
        return "a number of more than 70 digits"
    is_plain = isinstance(value, bool | None) or (isinstance(value, float) and math.isfinite(value))
    text = msgspec.json.encode(value).decode() if is_plain else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _readable(problem: str) -> str:
    said, _, place = problem.partition(" - at `$.")
    said = said.replace("`", "").replace("Expected", "expected")
    return f"{place.rstrip('`')}: {said}" if place else said


def encode_persona(persona: Persona) -> bytes:
    """Return the bytes of a persona's file: JSON, indented, fields in their order, a final newline."""
    return msgspec.json.format(msgspec.json.encode(persona), indent=2) + b"\n"


def load_persona_from_file(filepath: Path | str) -> Persona:
    """Return the persona in the file. Raises PersonaError if it cannot be read or is not one."""
    path = Path(filepath)
    try:
        data = read_bounded(path, MAX_BYTES)
    except WorkspaceError as error:
        raise PersonaError(error.problem, error.mend) from error
    return decode_persona(data, path.name)


def save_persona_to_file(
    persona_data: Persona | Mapping[str, Any], filepath: Path | str, *, replace: bool = True
) -> Persona:
    """Write the persona to the file, whole and durably; return it as it will be read again.

    Raises PersonaError, and writes nothing, unless it is valid; WorkspaceError if the file cannot be
    written, or is there already and ``replace`` is false.
    """
    path = Path(filepath)
    problem = f"{path.name}: the persona holds values that JSON cannot hold"
    try:
        raw = msgspec.to_builtins(persona_data, builtin_types=())
        persona = decode_persona(msgspec.json.encode(raw), path.name)
    except (TypeError, UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise PersonaError(f"{problem}: {error}") from error
    if msgspec.to_builtins(persona) != raw:  # NaN, for one, is written as null
        raise PersonaError(problem)
    write_atomic(path, encode_persona(persona), replace=replace)
    return persona


def persona_digest(persona: Persona) -> str:
    """Return 32 hex digits over all that makes a persona act as it does.

    Neither how it did so far nor a pin is part of that, so pinning keeps what was learnt about it.
    """
    content: dict[str, Any] = msgspec.to_builtins(persona)
    del content["historical_performance"]
    content["metadata"].pop("pinned", None)
    return digest("persona.v1", canonical(content))


def persona_schema() -> bytes:
    """Return the JSON Schema (draft 2020-12) of a persona document, as it is checked in."""
    _, components = msgspec.json.schema_components([Persona])
    body = {"$schema": "https://json-schema.org/draft/2020-12/schema", **components["Persona"]}
    body["description"] = "A persona of persona-moe. docs/personas.md says what the fields do."
    return msgspec.json.format(msgspec.json.encode(body), indent=2) + b"\n"


if __name__ == "__main__":
    from engine.workspace import data_folder

    write_atomic(data_folder("personas") / "persona.schema.json", persona_schema(), mode=0o644)
