"""Bundles of personas, and imports that are planned before anything is done."""

from pathlib import Path

import msgspec
import pytest

from engine.errors import InputError, PersonaError
from engine.personas.bundle import carry_out, decode_bundle, encode_bundle, is_bundle, plan_import
from engine.personas.document import Persona, encode_persona
from engine.personas.registry import PersonaRegistry
from engine.workspace import create_workspace


@pytest.fixture
def registry(tmp_path: Path) -> PersonaRegistry:
    return PersonaRegistry.of(create_workspace(tmp_path / "place"))


def other(registry: PersonaRegistry, **changes: object) -> bytes:
    persona = registry.get("sceptic").persona
    return encode_persona(msgspec.structs.replace(persona, **changes))


def test_a_bundle_brings_every_persona_over(registry: PersonaRegistry, tmp_path: Path) -> None:
    roster = registry.load()
    data = encode_bundle(roster.personas)
    assert is_bundle(data)
    empty = PersonaRegistry.of(create_workspace(tmp_path / "other"))
    for path in empty.folder.rglob("*.json"):
        path.unlink()
    documents = [("all.json", each) for each in decode_bundle(data, "all.json")]
    for planned in plan_import(empty, documents, {}):
        assert planned.status == "add"
        carry_out(empty, planned, "stable")
    found = {each.persona.persona_id: each.persona for each in empty.load().personas}
    assert found.keys() == {each.persona.persona_id for each in roster.personas}
    assert found["sceptic"] == registry.get("sceptic").persona


def test_a_bundle_cut_anywhere_or_changed_is_refused(registry: PersonaRegistry) -> None:
    data = encode_bundle(registry.load().personas[:2])
    for end in range(0, len(data) - 1, 7):
        with pytest.raises(InputError):
            decode_bundle(data[:end], "cut.json")
    for old, new in ((b'"depth"', b'"death"'), (b'"tier"', b'"tear"')):
        with pytest.raises(InputError, match="changed after it was written"):
            decode_bundle(data.replace(old, new, 1), "forged.json")
    with pytest.raises(InputError, match="newer version"):
        decode_bundle(data.replace(b'"version": 1\n}', b'"version": 7\n}'), "future.json")
    with pytest.raises(InputError):
        decode_bundle(b"[" * 1_000_000, "deep.json")


def test_a_single_persona_is_no_bundle(registry: PersonaRegistry) -> None:
    assert not is_bundle(other(registry))


def test_the_plan_says_what_differs_and_does_nothing(registry: PersonaRegistry) -> None:
    before = registry.get("sceptic").path.read_bytes()
    traits = {**registry.get("sceptic").persona.traits, "depth": 9}
    (planned,) = plan_import(registry, [("a", other(registry, traits=traits, activation_cost=3.0))], {})
    assert planned.status == "conflict"
    assert [(each.field, each.here, each.there) for each in planned.differences] == [
        ("traits.depth", 5, 9),
        ("activation_cost", 1.0, 3.0),
    ]
    assert carry_out(registry, planned, "stable") is None
    assert registry.get("sceptic").path.read_bytes() == before


def test_each_conflict_is_resolved_its_own_way(registry: PersonaRegistry) -> None:
    documents = [("a", other(registry, activation_cost=3.0))]
    scout = msgspec.structs.replace(registry.get("scout").persona, activation_cost=4.0)
    documents.append(("b", encode_persona(scout)))
    old = registry.get("sceptic").path.read_bytes()
    planned = plan_import(registry, documents, {"sceptic": "replace", "": "rename"})
    assert [(each.status, each.persona_id) for each in planned] == [
        ("replace", "sceptic"),
        ("add", "scout-2"),
    ]
    for each in planned:
        carry_out(registry, each, "experimental")
    assert (registry.get("sceptic").tier, registry.get("sceptic").persona.activation_cost) == ("active", 3.0)
    assert registry.get("scout-2").persona.activation_cost == 4.0
    registry.undo("sceptic")
    assert registry.get("sceptic").path.read_bytes() == old


def test_replacing_keeps_our_pin_and_what_happened_here(registry: PersonaRegistry) -> None:
    fact_finder = registry.get("fact-finder").persona
    assert fact_finder.metadata["pinned"] is True
    document = encode_persona(msgspec.structs.replace(fact_finder, activation_cost=3.0))
    (planned,) = plan_import(registry, [("a", document)], {"": "replace"})
    after = carry_out(registry, planned, "stable")
    assert after is not None
    assert after.persona.metadata["pinned"] is True


def test_a_plan_is_not_carried_out_on_what_changed_meanwhile(registry: PersonaRegistry) -> None:
    (planned,) = plan_import(registry, [("a", other(registry, activation_cost=3.0))], {"": "replace"})
    registry.pin("sceptic")
    with pytest.raises(PersonaError, match="changed by another program"):
        carry_out(registry, planned, "stable")


def test_the_same_id_twice_in_one_import_is_seen(registry: PersonaRegistry) -> None:
    documents = [
        ("a", other(registry, persona_id="new")),
        ("b", other(registry, persona_id="new", activation_cost=2.0)),
    ]
    assert [each.status for each in plan_import(registry, documents, {})] == ["add", "conflict"]
    assert [each.persona_id for each in plan_import(registry, documents, {"": "rename"})] == ["new", "new-2"]


def test_a_resolution_for_nobody_is_told(registry: PersonaRegistry) -> None:
    with pytest.raises(PersonaError, match=r"called scetic; did you mean sceptic\?"):
        plan_import(registry, [("a", other(registry))], {"scetic": "skip"})


def test_an_id_in_two_tiers_is_not_overwritten(registry: PersonaRegistry) -> None:
    data = registry.get("sceptic").path.read_bytes()
    (registry.folder / "pruned" / "sceptic.json").write_bytes(data)
    (planned,) = plan_import(registry, [("a", data)], {"": "replace"})
    assert planned.status == "refused"
    assert "active and pruned" in planned.what


def test_an_id_that_looks_like_another_is_pointed_out(registry: PersonaRegistry) -> None:
    (planned,) = plan_import(registry, [("a", other(registry, persona_id="sc0ut"))], {})
    assert planned.notes[-1] == "its id is easily taken for scout"


BAD_IDS = [
    "../x",
    "/etc/x",
    "a/b",
    ".",
    "",
    "con",
    "lpt1",
    "Sceptic",
    "scéptic",
    "ѕсерtic",
    "a" * 4096,
    "a\n",
    "-x",
    "a\x00",
]


@pytest.mark.parametrize("persona_id", BAD_IDS)
def test_ids_that_are_no_ids_are_refused_in_one_line(registry: PersonaRegistry, persona_id: str) -> None:
    raw = msgspec.to_builtins(registry.get("sceptic").persona) | {"persona_id": persona_id}
    before = sorted(registry.folder.rglob("*"))
    (planned,) = plan_import(registry, [("evil.json", msgspec.json.encode(raw))], {"": "replace"})
    assert planned.status == "refused"
    assert "persona id" in planned.what
    assert len(planned.what) < 300
    assert "\n" not in planned.what
    assert sorted(registry.folder.rglob("*")) == before
    for work in (registry.get, registry.restore, registry.pin, registry.history):
        with pytest.raises(PersonaError):
            work(persona_id)


def test_five_thousand_traits_are_refused_with_their_number(registry: PersonaRegistry) -> None:
    raw = msgspec.to_builtins(registry.get("sceptic").persona)
    raw |= {"persona_id": "many", "traits": {f"t{i}": 5 for i in range(5000)}}
    (planned,) = plan_import(registry, [("many.json", msgspec.json.encode(raw))], {})
    assert planned.what == "many.json: 5000 traits are too many; at most 64"


def test_names_are_counted_up_within_64_characters(registry: PersonaRegistry) -> None:
    long = "a" * 64
    documents = [(str(i), other(registry, persona_id=long, activation_cost=float(i))) for i in (1, 2)]
    ids = [each.persona_id for each in plan_import(registry, documents, {"": "rename"})]
    assert ids == [long, "a" * 62 + "-2"]


def test_plain_json_from_elsewhere_works_as_it_is(registry: PersonaRegistry) -> None:
    plain = {
        "persona_id": "ada",
        "traits": {"depth": 7},
        "expertise": ["graphs"],
        "activation_cost": 1,
        "mood": "x",
    }
    (planned,) = plan_import(registry, [("ada.json", msgspec.json.encode(plain))], {})
    stored = carry_out(registry, planned, "experimental")
    assert stored is not None
    persona: Persona = stored.persona
    assert persona.metadata == {"foreign": {"mood": "x"}}
