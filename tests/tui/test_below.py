"""What stands below an answer, in words."""

from collections.abc import Sequence

import pytest
from picture_kit import recorded

from engine import events as ev
from tui.glyphs import UNICODE
from tui.panes.personas import persona_rows
from tui.panes.rows import View
from tui.state import EMPTY, fold
from tui.widgets.answer import NO_EVIDENCE, below


def view_of(events: Sequence[ev.Event]) -> View:
    return View(run=fold(EMPTY, events), glyphs=UNICODE)


def refused(budget: float, *costs: float) -> list[ev.Event]:
    """A run in which nobody was chosen, with personas of these ``costs``."""
    names = [f"p{number}" for number in range(len(costs))]
    started = next(each for each in recorded() if isinstance(each, ev.QueryStarted))
    import msgspec

    personas = [ev.PersonaRef(persona_id=name, tier="active", digest="d") for name in names]
    return [
        msgspec.structs.replace(started, personas=personas, budget=budget),
        *(
            ev.ExpertSkipped(persona=name, gain=0.1, cost=cost, reason="skipped: it does not fit")
            for name, cost in zip(names, costs, strict=True)
        ),
        ev.QueryFinished(outcome="no-evidence"),
    ]


def test_a_budget_that_pays_for_nobody_is_said_with_its_setting() -> None:
    told = below(view_of(refused(0.1, 0.75, 0.5)), "")
    assert "the budget of 0.1 pays for no persona, the cheapest costs 0.5" in told
    assert "config set thresholds.budget 0.5" in told
    assert NO_EVIDENCE not in told


@pytest.mark.parametrize("events", [refused(1.0, 0.75), refused(1.0)], ids=["paid for", "no personas"])
def test_elsewhere_the_documents_lack_it(events: list[ev.Event]) -> None:
    assert NO_EVIDENCE in below(view_of(events), "")


def test_a_sibling_is_born_and_does_not_move() -> None:
    born = ev.PersonaMoved(
        persona="scout--depth-6",
        source="experimental",
        target="experimental",
        rule="sibling",
        reason="a sibling of scout: depth 6",
        inputs=[],
    )
    view = view_of([*recorded(), born])
    assert "Born: scout--depth-6, experimental: a sibling of scout: depth 6" in below(view, "")
    assert "scout--depth-6 is born, experimental" in view.run.timeline[-1].text
    (line,) = [each for each in persona_rows(view, frozenset(), 80) if each.key == "persona:scout--depth-6"]
    assert line.text.endswith(" born")
