"""Playing a record: seeking is the same as playing, pauses are shortened, decisions can be jumped to."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import events as ev
from engine.events import Event
from tui.player import EVERY, LONGEST_WAIT, Player, keyframes
from tui.state import DECISIONS, EMPTY, fold


def run(count: int) -> list[Event]:
    return [
        ev.ExpertSkipped(seq=n, persona=f"p{n % 9}", gain=n / 1e6, cost=1.0, reason="r")
        if n % 5
        else ev.ExpertChosen(seq=n, persona=f"p{n % 9}", order=n, gain=0.1, cost=1.0, reason="r")
        for n in range(count)
    ]


EVENTS = run(EVERY * 3)

LONG = run(40_000)
KEPT = keyframes(LONG)


@given(st.lists(st.integers(-5, EVERY * 3 + 20), max_size=8))
@settings(max_examples=30, deadline=None)
def test_seeking_gives_what_playing_gives(places: list[int]) -> None:
    player = Player(EVENTS, [n / 100 for n in range(len(EVENTS))])
    for place in places:
        player.seek(place)
        assert player.state == fold(EMPTY, EVENTS[: player.position])
        assert player.position == min(max(place, 0), len(EVENTS))


class Counted(list[Event]):
    """A record that counts how many of its events are taken in."""

    taken = 0

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        self.taken += len(found) if isinstance(index, slice) else 1
        return found


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=6))
@settings(max_examples=10, deadline=None)
def test_a_seek_either_way_takes_in_no_more_than_an_eighth_of_the_events_before_it(places: list[int]) -> None:
    events = Counted(LONG)
    player = Player(events, [0.0] * len(events), KEPT)
    for place in places:
        events.taken = 0
        player.seek(place)
        assert events.taken <= max(EVERY, place // 8)


def test_the_states_kept_of_a_long_record_are_few() -> None:
    assert len(KEPT) < 40
    copied = sum(KEPT)
    assert copied < 10 * len(LONG)


def test_it_plays_by_the_clock_and_its_speed() -> None:
    player = Player(EVENTS[:10], [float(n) for n in range(10)])
    player.tick(5.0)
    assert player.position == 0
    player.toggle()
    player.tick(2.5)
    assert player.position == 3
    player.faster(1)
    player.tick(1.0)
    assert player.position == 5
    player.tick(100.0)
    assert player.at_end
    assert not player.playing
    player.toggle()
    assert player.position == 0
    assert player.playing


def test_a_long_silence_is_shortened() -> None:
    player = Player(EVENTS[:3], [0.0, 1.0, 3600.0])
    player.toggle()
    player.tick(1.0 + LONGEST_WAIT + 0.01)
    assert player.at_end


def test_decisions_are_jumped_to_both_ways() -> None:
    player = Player(EVENTS, [0.0] * len(EVENTS))
    seen = []
    for _ in range(3):
        player.decision(1)
        seen.append(player.position)
        assert isinstance(player.events[player.position - 1], DECISIONS)
    player.decision(-1)
    assert player.position == seen[1]
    player.seek(0)
    player.decision(-1)
    assert player.position == 0
