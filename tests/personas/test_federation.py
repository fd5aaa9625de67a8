"""Federated exchange: merging in any order, hiding the few, saying nothing of the documents."""

import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError, WorkspaceError
from engine.events import Scores
from engine.ids import canonical
from engine.personas.document import Persona
from engine.personas.federation import (
    BINS,
    Bundle,
    Cell,
    card_of,
    decode_bundle,
    encode_bundle,
    merge,
    model_family,
)
from engine.personas.federation_priors import (
    K0,
    Priors,
    changes,
    keep_bundle,
    prior,
    read_foreign_cells,
    read_priors,
    with_bundle,
    with_priors,
)
from engine.personas.federation_release import (
    Node,
    Release,
    folder_of,
    keep_release,
    laplace,
    own_node,
    prepare_release,
)
from engine.personas.gate import Record
from engine.personas.ledger import Ledger, Outcome
from engine.personas.policy import derive_policy
from engine.personas.registry import PersonaRegistry
from engine.workspace import Workspace, create_workspace

NODES = ["a" * 32, "b" * 32, "c" * 32]


def cell(**changed: object) -> Cell:
    fields: dict[str, object] = {
        "persona": "1" * 32,
        "model": "llama3",
        "topic": "graphs",
        "node": NODES[0],
        "version": 1,
        "n": 10,
        "standing": 6.0,
        "squares": 4.0,
        "quality": 7.0,
        "grounding": 9.0,
        "histogram": [0, 0, 0, 2, 8, 0, 0, 0],
    }
    return Cell(**(fields | changed))  # type: ignore[arg-type]


cells = st.builds(
    cell,
    persona=st.sampled_from(["1" * 32, "2" * 32]),
    topic=st.sampled_from(["", "graphs"]),
    node=st.sampled_from(NODES),
    version=st.integers(1, 4),
    n=st.integers(10, 12),
    standing=st.floats(0, 12, allow_nan=False),
)
states = st.lists(cells, max_size=8)


@given(st.lists(states, min_size=1, max_size=5), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_any_order_and_grouping_of_merges_gives_the_same_state(
    parts: list[list[Cell]], order: random.Random
) -> None:
    expected = merge(*parts)
    left = [list(merge(part).values()) for part in parts]
    order.shuffle(left)
    while len(left) > 1:
        one = left.pop(order.randrange(len(left)))
        other = left.pop(order.randrange(len(left)))
        joined = list(merge(one, other).values())
        left.append(joined)
        if order.random() < 0.3:  # a state that arrives twice, late
            left.append(one)
        order.shuffle(left)
    assert list(merge(left[0]).items()) == list(expected.items())


@given(states, states, states)
@settings(deadline=None)
def test_merge_is_commutative_associative_and_idempotent(a: list[Cell], b: list[Cell], c: list[Cell]) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b).values(), c) == merge(a, merge(b, c).values())
    assert merge(a, a) == merge(a)


@given(states)
@settings(deadline=None)
def test_a_bundle_comes_back_as_it_was(state: list[Cell]) -> None:
    bundle = Bundle(node=NODES[0], cells=tuple(merge(state).values()))
    assert decode_bundle(encode_bundle(bundle), "b.json") == bundle
    assert decode_bundle(encode_bundle(bundle, b"key"), "b.json", b"key") == bundle


def test_a_cut_forged_or_future_bundle_is_refused_with_the_reason() -> None:
    data = encode_bundle(Bundle(node=NODES[0], cells=(cell(),)), b"key")
    for end in range(len(data) - 1):
        with pytest.raises(InputError):
            decode_bundle(data[:end], "b.json")
    with pytest.raises(InputError, match="digest does not fit"):
        decode_bundle(data.replace(b'"n": 10', b'"n": 99'), "b.json")
    with pytest.raises(InputError, match="newer version"):
        decode_bundle(data.replace(b'"version": 1\n}', b'"version": 2\n}'), "b.json")
    with pytest.raises(InputError, match="not made with this key"):
        decode_bundle(data, "b.json", b"another")
    forged = encode_bundle(Bundle(node=NODES[0], cells=(cell(n=99),)))
    with pytest.raises(InputError, match="not made with this key"):
        decode_bundle(forged, "b.json", b"key")
    for bad in (b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format": "persona-moe/federation"}'):
        with pytest.raises(InputError):
            decode_bundle(bad, "b.json")


@pytest.mark.parametrize(
    "changed",
    [
        {"n": -1},
        {"standing": float("inf")},
        {"histogram": [1]},
        {"persona": "x"},
        {"version": 2**60},
        {"topic": "a\x1b[2J"},
        {"model": "../etc"},
    ],
)
def test_a_cell_that_cannot_be_is_refused(changed: dict[str, object]) -> None:
    data = encode_bundle(Bundle(node=NODES[0], cells=(cell(**changed),)))
    with pytest.raises(InputError):
        decode_bundle(data, "b.json")


def test_a_card_that_its_digest_does_not_name_is_refused(place: Workspace) -> None:
    persona = PersonaRegistry.of(place).get("sceptic").persona
    card = card_of(persona, "0" * 32)
    sly = msgspec.structs.replace(card, persona=msgspec.structs.replace(card.persona, activation_cost=9.0))
    with pytest.raises(InputError, match="sceptic is not what its digest names"):
        decode_bundle(encode_bundle(Bundle(node=NODES[0], cards=(sly,))), "b.json")


def test_model_families_leave_out_publisher_size_and_anything_odd() -> None:
    assert [model_family(name) for name in ("qwen3:4b", "hf.co/acme/Thing-7B:q4", "a b\n/c d")] == [
        "qwen3",
        "thing-7b",
        "cd",
    ]


# -- priors --------------------------------------------------------------------------------------
def test_a_prior_is_capped_however_much_is_said() -> None:
    flood = [cell(node=f"{i:032x}", n=10**9, standing=1e9) for i in range(50)]
    assert prior(flood, "1" * 32).n == K0
    assert prior([], "1" * 32) == prior(flood, "2" * 32)


def test_from_five_nodes_on_the_extremes_are_left_out() -> None:
    honest = [cell(node=f"{i:032x}", n=20, standing=10.0) for i in range(4)]
    liar = cell(node="f" * 32, n=20, standing=20.0)
    assert prior([*honest[:3], liar], "1" * 32).mean > 0.6
    assert prior([*honest, liar], "1" * 32).mean == 0.5


def test_answers_of_another_model_family_count_half() -> None:
    assert prior([cell(n=10)], "1" * 32, model="llama3").n == 10
    assert prior([cell(n=10)], "1" * 32, model="qwen3").n == 5


def test_priors_move_expectations_and_no_count_or_turn(place: Workspace) -> None:
    registry = PersonaRegistry.of(place)
    roster = registry.load()
    name = card_of(registry.get("scout").persona, "0" * 32).digest
    keep_bundle(
        place, [Bundle(node=NODES[1], cells=(cell(persona=name, node=NODES[1], n=40, standing=32.0),))]
    )
    priors = read_priors(place, roster.personas, model="llama3")
    assert priors.digest
    known = {"scout": Record(n=20, mean=0.5, tried=20, last_tried=7), "sceptic": Record(n=3)}
    after = with_priors(known, priors, {"scout": "graphs"})
    assert after["sceptic"] == known["sceptic"]
    assert (after["scout"].n, after["scout"].mean) == (40, 0.65)
    assert (after["scout"].topic_n, after["scout"].topic_mean) == (20, 0.8)
    assert (after["scout"].tried, after["scout"].last_tried) == (20, 7)
    assert with_priors(known, Priors(), {}) == known
    assert registry.get("scout").tier == "experimental"


def test_own_cells_from_elsewhere_are_not_believed() -> None:
    own = Node(node=NODES[0], secret="1")
    assert with_bundle([], Bundle(node=NODES[1], cells=(cell(node=NODES[0], version=99),)), own) == ()


def test_foreign_evidence_that_is_damaged_is_none_for_the_gate(place: Workspace) -> None:
    keep_bundle(place, [Bundle(node=NODES[1], cells=(cell(),))])
    (folder_of(place) / "foreign.json").write_bytes(b"{")
    assert read_priors(place, PersonaRegistry.of(place).load().personas) == Priors()
    with pytest.raises(WorkspaceError, match="damaged"):
        read_foreign_cells(place)


# -- releases ------------------------------------------------------------------------------------
@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / "place")


Play = Callable[..., None]


@pytest.fixture
def play(place: Workspace) -> Play:
    """Record runs of the sceptic with these advantages."""

    def record(
        count: int, *, advantage: float = 0.25, persona_id: str = "sceptic", topic: str = "risk"
    ) -> None:
        stored = PersonaRegistry.of(place).get(persona_id)
        with Ledger.open(place.ledger_path) as ledger:
            for _ in range(count):
                outcome = Outcome(
                    persona_id=persona_id,
                    persona_digest=stored.digest,
                    topic=topic,
                    tier=stored.tier,
                    chosen=True,
                    cost=1.0,
                    scores=Scores(relevance=0.5, consistency=0.5, novelty=0.5, grounding=1.0, total=0.5),
                    advantage=advantage,
                    survival=0.0,
                )
                ledger.record(f"run-{ledger.runs()}", [outcome])

    return record


def release(
    place: Workspace, *, epsilon: float | None = None, family: str = "llama3", keep: bool = True
) -> Release:
    with Ledger.open(place.ledger_path) as ledger:
        made = prepare_release(
            place, ledger, PersonaRegistry.of(place).load(), derive_policy, lambda _: family, epsilon=epsilon
        )
    if keep:
        keep_release(place, made)
    return made


def test_a_cell_holds_the_sums_of_its_questions(place: Workspace, play: Play) -> None:
    play(12)
    made = release(place)
    (told,) = made.bundle.cells
    assert (told.n, told.standing, told.squares, told.quality, told.grounding) == (12, 9.0, 6.75, 6.0, 12.0)
    assert told.histogram == [0, 0, 0, 0, 0, 0, 12, 0]
    assert (told.topic, told.model, told.version, told.node) == ("risk", "llama3", 1, own_node(place).node)
    (card,) = made.bundle.cards
    assert card.persona.persona_id == "sceptic"
    assert card.persona.historical_performance == {}
    assert decode_bundle(encode_bundle(made.bundle), "b") == made.bundle


def test_few_questions_are_withheld_until_they_are_ten(place: Workspace, play: Play) -> None:
    play(9)
    assert (release(place).bundle.cells, release(place).withheld) == ((), 1)
    play(1)
    assert [each.n for each in release(place).bundle.cells] == [10]
    for _ in range(9):  # between any two releases lie no question or ten
        play(1)
        assert [each.n for each in release(place).bundle.cells] == [10]
    play(1)
    assert [(each.n, each.version) for each in release(place).bundle.cells] == [(20, 2)]


def test_a_step_that_was_not_kept_is_told_again_unchanged(place: Workspace, play: Play) -> None:
    play(10)
    first = release(place, epsilon=1.0, keep=False)
    assert release(place, epsilon=1.0).bundle == first.bundle
    assert release(place, epsilon=1.0).bundle == first.bundle
    play(10)
    stale = release(place, keep=False)
    release(place)
    with pytest.raises(WorkspaceError, match="another export"):
        keep_release(place, stale)


def test_noise_hides_the_sums_and_is_drawn_once_a_step(place: Workspace, play: Play) -> None:
    play(40)
    exact = release(place, keep=False).bundle.cells[0]
    noisy = release(place, epsilon=0.5).bundle.cells[0]
    assert noisy.standing != exact.standing
    assert abs(noisy.standing - exact.standing) < 60
    play(10)
    later = release(place).bundle.cells[0]
    assert later.standing == pytest.approx(noisy.standing + 7.5)
    with pytest.raises(InputError, match="epsilon"):
        release(place, epsilon=0.0)


def test_noise_has_the_scale_it_says() -> None:
    drawn = [laplace(7, 2.0, str(i)) for i in range(4000)]
    assert abs(sum(drawn) / len(drawn)) < 0.2
    assert sum(map(abs, drawn)) / len(drawn) == pytest.approx(2.0, rel=0.1)  # E|X| is the scale


def test_a_model_family_is_settled_once(place: Workspace, play: Play) -> None:
    play(10)
    release(place, family="llama3")
    play(10)
    told = release(place, family="unknown").bundle.cells  # the snapshots are gone by now
    assert [(each.model, each.n) for each in told] == [("llama3", 10), ("unknown", 10)]


def test_another_ledger_begins_anew_and_loses_nothing(place: Workspace, play: Play) -> None:
    play(10)
    release(place)
    for path in place.state.glob("ledger.sqlite3*"):
        path.unlink()
    with Ledger.open(place.ledger_path) as ledger:
        for number in range(12):
            ledger.record(f"other-{number}", [])
    play(10)
    assert [each.n for each in release(place).bundle.cells] == [20]


def test_topics_that_the_persona_does_not_declare_are_left_out(place: Workspace, play: Play) -> None:
    play(10, topic="Operation Zephyr")
    assert [each.topic for each in release(place).bundle.cells] == [""]


def test_what_only_the_owner_should_know_is_not_in_a_card(place: Workspace) -> None:
    persona = PersonaRegistry.of(place).get("sceptic").persona
    private = Persona(
        persona_id="p",
        traits={},
        expertise=["x"],
        activation_cost=1.0,
        historical_performance={"note": "about /home/me"},
        metadata={
            **persona.metadata,
            "pinned": True,
            "foreign": {"a": 1},
            "mine": "secret",
            "lineage": {"parent": "q", "change": "knows 'z'", "why": "w"},
        },
    )
    text = canonical(card_of(private, "0" * 32)).decode()
    for word in ("home", "foreign", "secret", "pinned", "knows", "why"):
        assert word not in text


def test_bins_are_as_many_as_the_format_says() -> None:
    assert len(cell().histogram) == BINS


def test_what_an_import_changes_is_shown(place: Workspace) -> None:
    roster = PersonaRegistry.of(place).load()
    name = card_of(PersonaRegistry.of(place).get("scout").persona, "0" * 32).digest
    (found,) = changes((), (cell(persona=name),), roster)
    assert (found.persona_id, found.before.n, found.after.n, found.after.mean) == ("scout", 0, 10, 0.6)
