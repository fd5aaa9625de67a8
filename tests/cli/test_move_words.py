import msgspec

from engine.config import ThresholdSettings
from engine.personas.lifecycle import Gauges, evaluate_pruning_thresholds
from engine.personas.moves import Move
from tui.move_words import explained, told


def move(gauges: Gauges, persona: str = "historian", seq: int = 0) -> Move:
    verdict = evaluate_pruning_thresholds({persona: gauges}, ThresholdSettings())[persona]
    return Move(
        seq=seq,
        persona_id=persona,
        from_tier=verdict.source,
        to_tier=verdict.target,
        reason=verdict.reason,
        inputs={term.name: term.value for term in verdict.inputs} | {"rule": verdict.rule},
        at="2026-11-22T12:00:00+00:00",
        state="done",
    )


def test_a_demotion_is_told_in_plain_words() -> None:
    lines = told([move(Gauges(tier="active", n=23, down=1.9, down_run=(9, -0.31), advantage=-0.21))])
    assert lines[0].startswith("2026-11-22T12:00:00+00:00  active -> stable  over its last 9 questions")
    text = " ".join(line.strip() for line in lines[1:])
    assert "answered 23 questions" in text
    assert "scored 0.31 lower than those that the other experts gave" in text
    assert "On the last 9 of them" in text
    assert "The sum came to 1.90; a persona sinks when it is above 1.20" in text
    assert "once in about 5,000 answers" in text
    assert "It is asked as before, but the next fall puts it on trial." in text
    assert "personas restore historian" in text
    assert all(len(line) <= 80 for line in lines[1:])


def test_every_rule_has_its_words_and_moves_by_hand_need_none() -> None:
    promoted = explained(move(Gauges(tier="stable", n=12, up=1.5, advantage=0.2)))
    assert "a persona rises when it is above" in " ".join(promoted)
    assert "further from being put on trial" in " ".join(promoted)
    suspended = explained(move(Gauges(tier="active", n=3, short=1.2, grounding=0.3)))
    assert "30% was borne out" in suspended[0]
    pruned = explained(move(Gauges(tier="experimental", n=80, mean=0.05, squares=0.1)))
    assert "It was on trial" in pruned[0]
    assert "is not asked any more" in " ".join(pruned)
    trial = Gauges(tier="experimental", n=30, beside=20, mean=0.5, squares=0.1)
    copied = explained(move(trial, "historian--depth-6"))
    assert "20 questions were answered by both, and it did not do enough better" in copied[0]
    alone = explained(move(msgspec.structs.replace(trial, n=40, beside=3), "historian--depth-6"))
    assert "3 questions were answered by both, and the other 37 that it answered tell nothing" in alone[0]
    by_hand = Move(
        seq=1,
        persona_id="a",
        from_tier="active",
        to_tier="stable",
        reason="x",
        inputs={},
        at="",
        state="done",
    )
    assert explained(by_hand) == []


def test_undoing_is_told_of_the_move_that_it_takes_back() -> None:
    first = move(Gauges(tier="active", n=23, down=1.9))
    second = move(Gauges(tier="stable", n=23, down=1.2004), seq=1)
    back = msgspec.structs.replace(second, seq=2, inputs={"undoes": 1}, reason="restored")
    for moves, undoable in (([first, second], 1), ([second, first], 0), ([first, second, back], 0)):
        blocks = "\n".join(told(moves)).split("2026-11-22T12:00:00+00:00")[1:]
        assert [place for place, block in enumerate(blocks) if "To undo:" in block] == [undoable]
    assert "The sum came to 1.2004; a persona sinks when it is above 1.20" in " ".join(explained(second))
