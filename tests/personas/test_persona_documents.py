"""Persona documents: what is refused and how it is said, what survives a round trip."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PersonaError, WorkspaceError
from engine.personas.document import (
    MAX_BYTES,
    Persona,
    decode_persona,
    encode_persona,
    load_persona_from_file,
    persona_digest,
    persona_schema,
    save_persona_to_file,
)
from engine.workspace import TIERS, data_folder

PLAIN: dict[str, Any] = {
    "persona_id": "ada",
    "traits": {"depth": 3, "rigour": 8},
    "expertise": ["graph theory"],
    "activation_cost": 1.5,
    "historical_performance": {"runs": 3},
    "metadata": {"name": "Ada", "voice": "Präzise."},
}
STARTERS = sorted(path for tier in TIERS for path in (data_folder("personas") / tier).glob("*.json"))


def encoded(**changes: Any) -> bytes:
    return json.dumps({**PLAIN, **changes}).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(PersonaError) as caught:
        decode_persona(data, "ada.json")
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_plain_document_is_read_and_written_as_it_is() -> None:
    persona = decode_persona(encoded(), "ada.json")
    assert persona == Persona(**PLAIN)
    assert json.loads(encode_persona(persona)) == PLAIN
    assert decode_persona(b"\xef\xbb\xbf" + encoded(), "ada.json") == persona


@pytest.mark.parametrize("value", [0, 10, -1, 5.0, True, "5", None, 10**400, [5]])
def test_a_trait_out_of_range_is_named(value: object) -> None:
    assert "trait rigour must be a whole number from 1 to 9" in refusal(encoded(traits={"rigour": value}))


@pytest.mark.parametrize("name", ["", "Rigour", "rig our", "rigour\n", "ri\x1bgour", "r" * 41, "ригор"])
def test_a_trait_name_is_letters_a_reader_can_tell_apart(name: str) -> None:
    assert "not a usable name" in refusal(encoded(traits={name: 5}))


@pytest.mark.parametrize(
    "persona_id",
    [
        "../etc", "a/b", "a\0b", "", "A", "Ada", "-rf", ".ada", "con", "com1", "a" * 65, "a" * 4096,
        "аda", "ada\u200b", "ada\n", "ａda", 7, None, ["ada"],
    ],
)  # fmt: skip
def test_an_id_that_is_a_path_or_a_look_alike_is_refused(persona_id: object) -> None:
    assert "persona" in refusal(encoded(persona_id=persona_id))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"traits": {f"t{n}": 5 for n in range(5000)}}, "5000 traits are too many"),
        ({"traits": []}, "traits must be an object"),
        ({"expertise": ["x"] * 65}, "65 entries of expertise are too many"),
        ({"expertise": ["ok", "x" * 81]}, "expertise 2 must be text of 1 to 80"),
        ({"expertise": [" "]}, "expertise 1"),
        ({"expertise": "graphs"}, "expertise must be a list"),
        ({"activation_cost": 0}, "activation_cost must be a number above 0 and at most 100, not 0"),
        ({"activation_cost": 100.5}, "at most 100, not 100.5"),
        ({"activation_cost": True}, "not true"),
        ({"activation_cost": "1"}, "not '1'"),
        ({"metadata": []}, "metadata"),
        ({"historical_performance": None}, "historical_performance"),
        ({"trait": {}}, "unknown field trait; did you mean traits?"),
        ({"colour": "red"}, "unknown field colour; put fields of your own into metadata"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(encoded(**changes))


@pytest.mark.parametrize("field", list(PLAIN))
def test_every_field_is_required(field: str) -> None:
    document = {key: value for key, value in PLAIN.items() if key != field}
    assert f"{field} is missing" in refusal(json.dumps(document).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0" * 100, b"\xff\xfe{", b"[]", b"null", b"{", b"[" * 200_000, b'{"a":' * 40_000,
        b'{"metadata": NaN}', b'"' + b'\\"' * 100_000, b'{"a":"\\ud800"}', b" " * (MAX_BYTES + 1),
        "{}".encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(data: bytes) -> None:
    refusal(data)


def test_brackets_inside_text_are_not_nesting() -> None:
    metadata = {"voice": '[{"' * 100 + "\\"}
    assert decode_persona(encoded(metadata=metadata), "ada.json").metadata == metadata


@given(st.binary(max_size=300))
def test_any_bytes_give_a_persona_or_a_persona_error(data: bytes) -> None:
    try:
        decode_persona(data, "x.json")
    except PersonaError:
        return
    pytest.fail("random bytes made a persona")


texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(texts, json_values, max_size=3)
trait_names = st.from_regex(r"[a-z][a-z0-9_-]{0,39}", fullmatch=True)


@given(
    st.builds(
        Persona,
        persona_id=st.from_regex(r"[a-b][a-z0-9_-]{3,63}", fullmatch=True),
        traits=st.dictionaries(trait_names, st.integers(1, 9), max_size=8),
        expertise=st.lists(texts.filter(str.strip), max_size=8),
        activation_cost=st.floats(min_value=0.01, max_value=100),
        historical_performance=json_objects,
        metadata=json_objects,
    )
)
def test_every_valid_persona_reads_back_equal(persona: Persona) -> None:
    again = decode_persona(encode_persona(persona), "x.json")
    assert again == persona
    assert persona_digest(again) == persona_digest(persona)


def test_the_digest_is_of_what_it_is_and_not_of_what_happened() -> None:
    persona = Persona(**PLAIN)
    base = persona_digest(persona)
    assert persona_digest(msgspec.structs.replace(persona, historical_performance={})) == base
    pinned = msgspec.structs.replace(persona, metadata={**persona.metadata, "pinned": True})
    assert persona_digest(pinned) == base
    assert pinned.metadata["pinned"] is True
    for changes in ({"traits": {"depth": 4}}, {"metadata": {}}, {"activation_cost": 2.0}, {"expertise": []}):
        assert persona_digest(msgspec.structs.replace(persona, **changes)) != base


def test_saving_and_loading(tmp_path: Path) -> None:
    path = tmp_path / "ada.json"
    saved = save_persona_to_file(PLAIN, path)
    assert load_persona_from_file(str(path)) == saved == Persona(**PLAIN)
    assert path.read_bytes().endswith(b"}\n")
    with pytest.raises(WorkspaceError, match="File exists"):
        save_persona_to_file(saved, path, replace=False)


@pytest.mark.parametrize("metadata", [{"x": float("nan")}, {"x": "\ud800"}, {"x": object()}, {1: 2}])
@pytest.mark.parametrize("kind", [dict, Persona])
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, kind: Any, metadata: Any) -> None:
    with pytest.raises(PersonaError):
        save_persona_to_file(kind(**{**PLAIN, "metadata": metadata}), tmp_path / "ada.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_is_a_persona_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(PersonaError, match="cannot read"):
            load_persona_from_file(path)


def test_the_checked_in_schema_is_the_one_the_type_gives() -> None:
    assert (data_folder("personas") / "persona.schema.json").read_bytes() == persona_schema()
    schema = json.loads(persona_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == list(PLAIN)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.stem)
def test_every_starter_is_valid_and_says_who_it_is(path: Path) -> None:
    jsonschema.Draft202012Validator(json.loads(persona_schema())).validate(json.loads(path.read_bytes()))
    persona = load_persona_from_file(path)
    assert path.stem == persona.persona_id
    assert path.read_bytes() == encode_persona(persona)
    assert 0.5 <= persona.activation_cost <= 2.0
    for key in ("name", "description", "voice"):
        assert persona.metadata[key]


def test_the_starters_are_spread_over_tiers_and_unlike_each_other() -> None:
    personas = [load_persona_from_file(path) for path in STARTERS]
    tiers = [path.parent.name for path in STARTERS]
    assert [tiers.count(tier) >= least for tier, least in zip(TIERS, (4, 5, 4, 0), strict=True)] == [True] * 4
    for number, one in enumerate(personas):
        for other in personas[number + 1 :]:
            shared = set(one.expertise) & set(other.expertise)
            assert len(shared) <= 2, (one.persona_id, other.persona_id, shared)
            assert one.traits != other.traits
