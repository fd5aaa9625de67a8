"""The reducer's laws: pure, indifferent to how events are batched, the same live and from the record."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import events as ev
from engine.events import Event
from engine.snapshots.library import SnapshotLibrary
from engine.workspace import Workspace
from tui.state import EMPTY, RunState, apply, fold

NODES = ["q", "e:lamp", "p:1", "p:2", "p:3", "s:1"]
KINDS: dict[str, ev.NodeKind] = {"q": "question", "e": "entity", "p": "passage", "s": "section"}
PERSONAS = ["ada", "ben"]

node_opened = st.builds(
    lambda node, parent, persona, relevance: ev.NodeOpened(
        node=node, kind=KINDS[node[0]], label=node, parent=parent, persona=persona, relevance=relevance
    ),
    st.sampled_from(NODES),
    st.sampled_from(["", *NODES]),
    st.sampled_from(["", *PERSONAS]),
    st.sampled_from([0.1, 0.5, 0.9]),
)
edge_opened = st.builds(
    lambda source, target: ev.EdgeOpened(
        source=source, target=target, kind="k", weight=1.0, phrase="", quote="", persona="ada"
    ),
    st.sampled_from(NODES),
    st.sampled_from(NODES),
)
asked = st.builds(
    lambda call, persona: ev.ModelAsked(
        call=call, purpose="answer", persona=persona, model=ev.ModelRef(provider="p", name="m")
    ),
    st.sampled_from(["c1", "c2"]),
    st.sampled_from(["", *PERSONAS]),
)
token = st.builds(
    lambda call, text: ev.Token(call=call, text=text), st.sampled_from(["c1", "c2"]), st.sampled_from("abc")
)
some_event = st.one_of(
    node_opened,
    edge_opened,
    asked,
    token,
    st.builds(
        lambda p: ev.ExpertSkipped(persona=p, gain=0.1, cost=1.0, reason="r"), st.sampled_from(PERSONAS)
    ),
    st.builds(
        lambda p: ev.PersonaMoved(
            persona=p, source="stable", target="active", rule="r", reason="", inputs=[]
        ),
        st.sampled_from(PERSONAS),
    ),
    st.just(ev.QueryFinished(outcome="answered")),
)


def numbered(events: list[Event]) -> list[Event]:
    return [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(events)]


@given(st.lists(some_event, max_size=40), st.integers(1, 7))
def test_batches_do_not_matter(events: list[Event], size: int) -> None:
    events = numbered(events)
    one_by_one = EMPTY
    for event in events:
        one_by_one = apply(one_by_one, event)
    in_batches = EMPTY
    for start in range(0, len(events), size):
        in_batches = fold(in_batches, events[start : start + size])
    assert one_by_one == in_batches == fold(EMPTY, events)


@given(st.lists(some_event, max_size=20), st.lists(some_event, max_size=20))
def test_the_state_before_stays_as_it_was(first: list[Event], then: list[Event]) -> None:
    before = fold(EMPTY, numbered(first))
    image = msgspec.msgpack.encode(before)
    fold(before, then)
    assert msgspec.msgpack.encode(before) == image
    assert RunState() == EMPTY


@given(st.lists(st.one_of(node_opened, edge_opened), max_size=60))
@settings(max_examples=200)
def test_every_node_hangs_in_one_place_at_most_and_no_ring_hides_it(events: list[Event]) -> None:
    root = ev.NodeOpened(node="q", kind="question", label="", parent="", persona="", relevance=1.0)
    state = fold(EMPTY, numbered([root, *events]))
    placed = [child for children in state.children.values() for child in children]
    assert len(placed) == len(set(placed))
    for parent, children in state.children.items():
        for child in children:
            assert state.nodes[child].parent == parent


def test_a_ring_of_names_in_a_record_ends_the_climb() -> None:
    def opened(node: str, parent: str) -> ev.NodeOpened:
        return ev.NodeOpened(
            node=node, kind=KINDS[node[0]], label=node, parent=parent, persona="", relevance=1.0
        )

    names = [opened("e:a", "e:b"), opened("e:b", "e:a"), opened("p:1", "q")]
    edge = ev.EdgeOpened(source="e:a", target="p:1", kind="k", weight=1.0, phrase="", quote="", persona="ada")
    state = fold(EMPTY, numbered([opened("q", ""), *names, edge]))
    assert state.nodes["p:1"].parent == "q"


def test_the_record_of_a_run_folds_to_what_the_live_run_showed(
    workspace: Workspace, run_events: list[Event]
) -> None:
    live = EMPTY
    for event in run_events:
        live = apply(live, event)
    snapshot = SnapshotLibrary(workspace.snapshots).open("last")
    assert fold(EMPTY, snapshot.events()) == live
    assert live.answer is not None
    assert live.outcome == "answered"
    assert live.citations


def test_a_passage_hangs_below_the_name_that_led_to_it(run_events: list[Event]) -> None:
    state = fold(EMPTY, run_events)
    entities = [name for name in state.nodes if name.startswith("e:")]
    assert any(child.startswith("p:") for name in entities for child in state.children.get(name, ()))


def test_streamed_text_of_the_answer_stays_when_the_model_fails() -> None:
    model = ev.ModelRef(provider="ollama", name="m")
    state = fold(
        EMPTY,
        [
            ev.ModelAsked(call="c", purpose="answer", persona="", model=model),
            ev.Token(call="c", text="half a sen"),
            ev.Token(call="c", text="(thinks)", thinking=True),
            ev.Token(call="other", text="not mine"),
            ev.ModelFailed(call="c", problem="gone", partial="half a sen"),
        ],
    )
    assert state.answer_text == "half a sen"


def test_ten_thousand_nodes_are_taken_in_time_for_a_key() -> None:
    import time

    events = [
        ev.NodeOpened(
            seq=n,
            node=f"p:{n}",
            kind="passage",
            label=f"n{n}",
            parent=f"p:{n // 20}",
            persona="a",
            relevance=0.5,
        )
        for n in range(1, 10_001)
    ]
    state, taken = EMPTY, []
    for start in range(0, len(events), 125):
        began = time.process_time()
        state = fold(state, events[start : start + 125])
        taken.append(time.process_time() - began)
    assert len(state.nodes) == 10_000
    # The usual batch, not the worst: a collector's pause or a tracer may hit any one of them.
    assert sorted(taken)[len(taken) // 2] < 0.2
