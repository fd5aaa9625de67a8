"""The line below the roster says what it can in the room there is."""

import pytest

from engine.personas.overview import Outlook, RosterLine
from tui.panes.roster import detail


def told(name: str, width: int) -> str:
    said = "40% of the way to promotion left, 100% to demotion left, 12 answers before any move"
    line = RosterLine(
        persona_id=name, tier="experimental", name=name, activation_cost=1.0, traits={}, expertise=[],
        pinned=True, digest="", n=120, mean=0.625, advantage=-0.0125, trend=(), slope=0.0,
        outlook=Outlook(promotion=0.4, demotion=1.0, wait=12, said=said),
    )  # fmt: skip
    return "".join(text for text, _ in detail(line, width))


@pytest.mark.parametrize("name", ["scout", "cause-seeker", "fact-finder--rigour-6"])
@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_nothing_is_cut(name: str, width: int) -> None:
    words = told(name, width)
    assert len(words) <= width
    assert "120 answers" in words
    assert "-0.013" in words or "-0.012" in words
    assert "12 before a move" in words or "12 answers before any move" in words


def test_where_there_is_room_it_says_all() -> None:
    assert "40% of the way to promotion left" in told("scout", 200)
