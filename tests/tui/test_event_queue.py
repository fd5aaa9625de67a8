"""The queue between engine and screen: text is joined when the screen is slow, nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from engine import events as ev
from tui.event_queue import EventQueue

piece = st.builds(
    lambda call, text, thinking: ev.Token(call=call, text=text, thinking=thinking),
    st.sampled_from("ab"),
    st.text(max_size=3),
    st.booleans(),
)
other = st.just(ev.QueryFinished(outcome="answered"))


@given(st.lists(st.one_of(piece, other), max_size=60), st.integers(0, 5))
def test_nothing_is_lost_however_slow_the_screen(entries: list[ev.Event], limit: int) -> None:
    queue = EventQueue(limit)
    for entry in entries:
        queue.put(1, entry)
    got = [entry for _, entry in queue.drain()]
    assert len([e for e in got if isinstance(e, ev.QueryFinished)]) == len(
        [e for e in entries if isinstance(e, ev.QueryFinished)]
    )
    for call in "ab":
        for thinking in (True, False):

            def text(events: list[ev.Event], call: str = call, thinking: bool = thinking) -> str:
                return "".join(
                    e.text
                    for e in events
                    if isinstance(e, ev.Token) and (e.call, e.thinking) == (call, thinking)
                )

            assert text(got) == text(entries)  # type: ignore[arg-type]


def test_a_stream_nobody_reads_takes_no_more_room() -> None:
    queue = EventQueue(10)
    for n in range(5_000):
        queue.put(1, ev.Token(seq=n, call="c", text="x"))
    assert len(queue) <= 10
    assert sum(len(entry.text) for _, entry in queue.drain() if isinstance(entry, ev.Token)) == 5_000


def test_runs_are_kept_apart() -> None:
    queue = EventQueue(0)
    queue.put(1, ev.Token(call="c", text="a"))
    queue.put(2, ev.Token(call="c", text="b"))
    assert [run for run, _ in queue.drain()] == [1, 2]
