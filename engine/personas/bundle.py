"""Many personas in one file, and what an import of personas from elsewhere would do, before it does it.

A bundle is JSON: ``format``, ``version``, ``personas`` (each with the tier it had) and a ``digest``
over the rest, which tells of damage. Nothing in it is ever run.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec

from engine.config_file import nearest
from engine.errors import InputError, PersonaError
from engine.events import Tier
from engine.ids import canonical, digest
from engine.personas.document import Persona, decode_object
from engine.personas.exchange import Imported, is_same, read_foreign
from engine.personas.registry import PersonaRegistry, StoredPersona
from engine.personas.sealed import PERSONAS, decode_sealed, require_seal

VERSION: Final = 1
MAX_PERSONAS: Final = 20_000

Resolution: TypeAlias = Literal["ask", "skip", "replace", "rename"]
Status: TypeAlias = Literal["add", "same", "skip", "replace", "conflict", "refused"]
RESOLUTIONS: Final = ("skip", "replace", "rename")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field that a persona here and the one to be imported do not share."""

    field: str
    here: Any
    there: Any


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of one persona of an import; ``persona_id`` is the id it would have here."""

    origin: str
    persona_id: str
    status: Status
    what: str
    notes: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    persona: Persona | None = None
    seen: str = ""


def encode_bundle(personas: Iterable[StoredPersona]) -> bytes:
    """Return the bytes of a bundle of these personas, by id."""
    ordered = sorted(personas, key=lambda each: each.persona.persona_id)
    content = _content(
        [{"tier": each.tier, "persona": msgspec.to_builtins(each.persona)} for each in ordered]
    )
    return msgspec.json.format(canonical({**content, "digest": _seal(content)}), indent=1) + b"\n"


def decode_bundle(data: bytes, where: str) -> list[bytes]:
    """Return the document of each persona in a bundle. ``where`` names the file in errors.

    Raises InputError if it is cut off, changed since it was written, or from a newer version. The
    documents themselves are looked at by :func:`engine.personas.exchange.read_foreign`.
    """
    raw = decode_sealed(data, where, PERSONAS, VERSION)
    rows = raw.get("personas")
    if not isinstance(rows, list) or len(rows) > MAX_PERSONAS:
        raise InputError(f"{where} holds no list of at most {MAX_PERSONAS} personas")
    require_seal(raw, _seal(_content(rows)), where)
    if not all(isinstance(row, dict) and isinstance(row.get("persona"), dict) for row in rows):
        raise InputError(f"{where}: an entry is no object with a persona")
    return [canonical(row["persona"]) for row in rows]


def is_bundle(data: bytes) -> bool:
    """Return whether the bytes are those of a bundle of personas, whole or not, rather than of one."""
    return b'"format"' in data and f'"{PERSONAS}"'.encode() in data


def _content(rows: list[Any]) -> dict[str, Any]:
    return {"format": PERSONAS, "version": VERSION, "personas": rows}


def _seal(content: Mapping[str, Any]) -> str:
    return digest("personas.v1", canonical(content))


def plan_import(
    registry: PersonaRegistry,
    documents: Sequence[tuple[str, bytes]],
    resolutions: Mapping[str, Resolution],
    *,
    as_id: str = "",
) -> list[Planned]:
    """Return what an import of these (origin, bytes) would do, one entry each; nothing is written.

    ``resolutions`` says what happens to a persona whose id is here with other content, by id; ""
    stands for all others, and ``ask`` (the default) leaves it as a conflict. Renaming takes the
    first free of ID-2, ID-3 and so on. Raises PersonaError for an id in ``resolutions`` that none of
    the documents has.
    """
    planned: list[Planned] = []
    here = {each.persona.persona_id: each for each in registry.load().personas}
    taken = set(here)
    looks = {_skeleton(each): each for each in sorted(here)}
    asked = {name for name in resolutions if name}
    for origin, data in documents:
        try:
            imported = read_foreign(data, origin, as_id=as_id)
        except PersonaError as error:
            planned.append(Planned(origin=origin, persona_id=_id_in(data), status="refused", what=str(error)))
            continue
        persona_id = imported.persona.persona_id
        asked.discard(persona_id)
        how = resolutions.get(persona_id, resolutions.get("", "ask"))
        entry = _planned(registry, origin, imported, how, here.get(persona_id), taken, looks)
        taken.add(entry.persona_id)
        planned.append(entry)
    if asked:
        known = sorted(each.persona_id for each in planned)
        guess = nearest(min(asked), known)
        raise PersonaError(
            f"nothing to import is called {min(asked)}", f"did you mean {guess}?" if guess else ""
        )
    return planned


def _planned(
    registry: PersonaRegistry,
    origin: str,
    imported: Imported,
    how: Resolution,
    stored: StoredPersona | None,
    taken: set[str],
    looks: Mapping[str, str],
) -> Planned:
    persona = imported.persona
    name = persona.persona_id
    like = looks.get(_skeleton(name), "")
    notes = imported.notes + ((f"its id is easily taken for {like}",) if like not in ("", name) else ())
    if stored is None and name not in taken:
        places = registry.places(name)
        if places:  # a file that cannot be used, or one in two tiers: whose it is, is not known
            where = " and ".join(places)
            what = f"there is a persona {name} ({where}) that cannot be used; '--as NEW-ID' imports beside it"
            return Planned(origin=origin, persona_id=name, status="refused", what=what, notes=notes)
        return Planned(
            origin=origin, persona_id=name, status="add", what=f"{name} is new", notes=notes, persona=persona
        )
    if stored is not None and is_same(stored.persona, persona):
        return Planned(
            origin=origin, persona_id=name, status="same", what=f"{name} is here already, unchanged"
        )
    where = f"({stored.tier})" if stored is not None else "in this import"
    differences = tuple(differing(stored.persona, persona)) if stored is not None else ()
    common = {"origin": origin, "notes": notes, "differences": differences}
    if how == "skip":
        return Planned(persona_id=name, status="skip", what=f"the {name} here stays {where}", **common)  # type: ignore[arg-type]
    if how == "rename":
        fresh = _free(registry, name, taken)
        renamed = msgspec.structs.replace(persona, persona_id=fresh)
        return Planned(
            persona_id=fresh,
            status="add",
            what=f"{name} comes in as {fresh}",
            persona=renamed,
            **common,  # type: ignore[arg-type]
        )
    if how == "replace" and stored is not None:
        kept = msgspec.structs.replace(
            persona,
            historical_performance=stored.persona.historical_performance,
            metadata=persona.metadata
            | {key: value for key, value in stored.persona.metadata.items() if key == "pinned"},
        )
        what = f"{name} is replaced {where}; 'personas undo {name}' brings the old one back"
        return Planned(
            persona_id=name,
            status="replace",
            what=what,
            persona=kept,
            seen=stored.content,
            **common,  # type: ignore[arg-type]
        )
    what = f"there is another persona {name} {where}; '--as NEW-ID' or '--on-conflict skip|replace|rename'"
    return Planned(persona_id=name, status="conflict", what=what, **common)  # type: ignore[arg-type]


def carry_out(registry: PersonaRegistry, planned: Planned, tier: Tier) -> StoredPersona | None:
    """Do what was planned; return the persona as it is here now, None where nothing was to be done.

    Raises PersonaError if another program changed what is here since the plan was made.
    """
    if planned.persona is None:
        return None
    if planned.status == "replace":
        return registry.update(planned.persona, planned.seen)
    return registry.create(planned.persona, tier)


def differing(here: Persona, there: Persona) -> list[Difference]:
    """Return the fields in which two personas differ, single traits and keys of metadata each.

    What happened to a persona is no difference, nor is a pin.
    """
    found = []
    for group, mine, theirs in (
        ("traits", here.traits, there.traits),
        ("metadata", here.metadata, there.metadata),
    ):
        for key in sorted({*mine, *theirs} - {"pinned"}):
            if mine.get(key) != theirs.get(key):
                found.append(Difference(field=f"{group}.{key}", here=mine.get(key), there=theirs.get(key)))
    if here.expertise != there.expertise:
        found.append(Difference(field="expertise", here=here.expertise, there=there.expertise))
    if here.activation_cost != there.activation_cost:
        found.append(
            Difference(field="activation_cost", here=here.activation_cost, there=there.activation_cost)
        )
    return found


def _free(registry: PersonaRegistry, name: str, taken: set[str]) -> str:
    for number in range(2, 100_000):
        suffix = f"-{number}"
        fresh = name[: 64 - len(suffix)] + suffix
        if fresh not in taken and not registry.places(fresh):
            return fresh
    raise PersonaError(f"every name from {name}-2 on is taken")


def _id_in(data: bytes) -> str:
    """Return the id that an unusable document claims, cut to a length that can be shown."""
    try:
        return str(decode_object(data, "").get("persona_id", ""))[:64]
    except PersonaError:
        return ""


def _skeleton(name: str) -> str:
    """Return what names that look alike share.

    >>> _skeleton("sceptic-1l") == _skeleton("5ceptic_ll"), _skeleton("scout") == _skeleton("sc0ut")
    (False, True)
    """
    flat = unicodedata.normalize("NFKC", name).casefold().replace("rn", "m").replace("vv", "w")
    return flat.translate(str.maketrans("01i_", "oll-"))
