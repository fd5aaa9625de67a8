"""A persona being changed: always valid, beside what it began from, and over what others did meanwhile."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PersonaError
from engine.personas.document import Persona, decode_persona, encode_persona
from engine.personas.draft import Draft, blank

NAMES = st.sampled_from(["depth", "breadth", "rigour", "bluntness"])
TRAITS = st.dictionaries(NAMES, st.integers(1, 9))
METADATA = st.dictionaries(st.sampled_from(["name", "voice", "own"]), st.text(max_size=5))
EXPERTISE = st.lists(st.sampled_from(["a", "b", "c"]), unique=True)


@st.composite
def personas(draw: st.DrawFn) -> Persona:
    return msgspec.structs.replace(
        blank("ada"),
        traits=draw(TRAITS),
        metadata=draw(METADATA),
        expertise=draw(EXPERTISE),
        activation_cost=draw(st.sampled_from([0.5, 1.0, 2.0])),
    )


def changes(was: Persona, now: Persona) -> dict[str, Any]:
    """The fields of ``now`` that are not those of ``was``, single traits and keys of metadata each."""
    found: dict[str, Any] = {}
    for group, old, new in (("traits", was.traits, now.traits), ("metadata", was.metadata, now.metadata)):
        for key in {**old, **new}:
            if old.get(key) != new.get(key):
                found[f"{group}.{key}"] = new.get(key)
    if was.expertise != now.expertise:
        found["expertise"] = now.expertise
    if was.activation_cost != now.activation_cost:
        found["cost"] = now.activation_cost
    return found


@given(personas(), personas(), personas())
def test_a_rebased_draft_holds_all_of_mine_and_what_is_left_of_theirs(
    was: Persona, mine: Persona, theirs: Persona
) -> None:
    after = Draft(was, mine).rebased(theirs)
    assert after.base == theirs
    result = changes(was, after.now)
    expected = {**changes(was, theirs), **changes(was, mine)}
    assert result == expected


@given(personas(), personas())
def test_without_changes_a_rebased_draft_is_theirs(was: Persona, theirs: Persona) -> None:
    after = Draft(was, was).rebased(theirs)
    assert not after.changed
    assert after.now == theirs


@given(st.lists(st.tuples(NAMES, st.integers(-3, 3)), max_size=30))
def test_nudges_stay_between_one_and_nine_and_the_file_is_always_valid(steps: list[tuple[str, int]]) -> None:
    draft = Draft(blank("ada"), blank("ada"))
    for name, step in steps:
        draft = draft.nudged(name, step)
        assert 1 <= draft.now.traits[name] <= 9
    assert decode_persona(encode_persona(draft.now), "ada.json") == draft.now


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda draft: draft.with_trait("depth", 10), "trait depth"),
        (lambda draft: draft.with_pair("depth"), "'depth' is no trait"),
        (lambda draft: draft.with_pair("depth 99999999"), "trait depth"),
        (lambda draft: draft.with_pair("Gross 5"), "trait 'Gross'"),
        (lambda draft: draft.with_cost(0), "activation_cost"),
        (lambda draft: draft.with_cost(float("nan")), "activation_cost"),
        (lambda draft: draft.with_expertise("x" * 81), "expertise 1"),
        (lambda draft: draft.with_expertise(",".join(map(str, range(65)))), "65 entries of expertise"),
        (lambda draft: draft.with_id("../etc"), "persona"),
        (lambda draft: draft.with_id("con"), "persona"),
        (lambda draft: draft.with_id("a" * 4096), "persona"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(change: Any, names: str) -> None:
    draft = Draft(blank("ada"), blank("ada"))
    with pytest.raises(PersonaError) as caught:
        change(draft)
    assert names in str(caught.value)
    assert len(str(caught.value)) < 400


def test_more_than_sixty_four_traits_are_refused() -> None:
    draft = Draft(blank("ada"), blank("ada"))
    for number in range(64):
        draft = draft.with_trait(f"t{number}", 5)
    with pytest.raises(PersonaError, match="65 traits are too many"):
        draft.with_trait("one-more", 5)


def test_empty_text_takes_a_field_out() -> None:
    draft = Draft(blank("ada"), blank("ada")).with_text("voice", "Plainly.")
    assert [(each.field, each.there) for each in draft.differences] == [("metadata.voice", "Plainly.")]
    assert not draft.with_text("voice", "").changed
