"""Why a persona was moved, in words for somebody who never saw the formulae."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.personas.document import Persona
    from engine.personas.moves import Move

WIDTH = 78


def told(moves: Iterable["Move"]) -> list[str]:
    """Return every move as ordered: when, from where to where, why, and what the numbers mean.

    How to undo it is said of the one that undoing takes back.
    """
    import textwrap

    from engine.personas.versions import open_moves

    moves = list(moves)
    last = max((move.seq for move in open_moves(moves)), default=-1)
    lines: list[str] = []
    for move in moves:
        state = "" if move.state == "done" else f"  [{move.state}]"
        lines.append(f"{move.at}  {move.from_tier} -> {move.to_tier}{state}  {move.reason}")
        said = explained(move)
        undo = (
            [f"To undo: persona-moe personas restore {move.persona_id}"] if said and move.seq == last else []
        )
        for sentence in (*said, *undo):
            lines += textwrap.wrap(sentence, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return lines


def origin(persona: "Persona") -> str:
    """Return how a sibling began, to follow after other words; empty for any other persona."""
    from engine.personas.lineage import lineage, parent_of

    parent = parent_of(persona)
    return f"; born as a sibling of {parent}: {lineage(persona).get('change', 'a copy')}" if parent else ""


def explained(move: "Move") -> list[str]:
    """Return what the numbers of a move by the lifecycle mean; nothing for a move by hand."""
    numbers = _numbers(move.inputs)
    match move.inputs.get("rule"):
        case "behind":
            said = [_compared(numbers, move.from_tier, "behind"), _gauge(numbers, "behind")]
        case "ahead":
            said = [_compared(numbers, move.from_tier, "ahead"), _gauge(numbers, "ahead")]
        case "grounding":
            answers = _get(numbers, "answers while ungrounded")
            share = _get(numbers, "mean grounding while ungrounded" if answers else "recent grounding")
            said = [
                f"Of what it said {f'in its last {answers:.0f} answers' if answers else 'lately'}, "
                f"{share:.0%} was borne out by the "
                f"passages it cited; {_get(numbers, 'grounding floor'):.0%} must be. A persona that says "
                "what its sources do not say is set aside at once, however well it scores otherwise."
            ]
        case "score":
            said = [
                f"It was on trial and answered {_get(numbers, 'questions'):.0f} questions. Its answers "
                f"scored {_get(numbers, 'mean score'):.2f} on average, on a scale from 0 to 1, so far "
                f"below the {_get(numbers, 'pruning threshold'):g} it needs that bad luck alone would "
                "explain it less than once in twenty times."
            ]
        case "trial":
            from engine.personas.lifecycle import SIBLING_TRIAL

            both, all_of_them = _get(numbers, "answers beside its parent"), _get(numbers, "questions")
            outcome = "it did not do enough better to take a place of its own"
            if both < SIBLING_TRIAL:
                outcome = (
                    f"the other {all_of_them - both:.0f} that it answered tell nothing of which is better"
                )
            said = [
                "It is a copy of another persona with one small difference, made to see whether that is "
                f"better. {both:.0f} questions were answered by both, and {outcome}: it makes room for "
                "another try."
            ]
        case _:
            return []
    return [*said, _meaning(move)]


def _compared(numbers: Mapping[str, float], tier: str, side: str) -> str:
    all_of_them = _get(numbers, "questions")
    last = _get(numbers, f"answers while {side}") or all_of_them
    gap = numbers.get(f"mean advantage while {side}") or _get(numbers, "mean advantage")
    level = "as high as" if abs(gap) < 0.005 else f"{abs(gap):.2f} {'lower' if gap < 0 else 'higher'} than"
    return (
        f"While {tier} it answered {all_of_them:.0f} questions. On the last {last:.0f} of them its answers "
        f"scored {level} those that the other experts gave to the same questions, on average and on a "
        "scale from 0 to 1."
    )


def _gauge(numbers: Mapping[str, float], side: str) -> str:
    every = _get(numbers, "questions per wrong demotion")
    if side == "behind":
        band = 0.5 - _get(numbers, "demotion threshold")
        chance = f" To a persona as good as the others that happens once in about {every:,.0f} answers."
        return (
            f"One bad answer decides nothing. What an answer is worse by than {band:.2g} is added to a sum, "
            f"better answers are taken off again. The sum came to {_above(numbers, 'behind')}; a "
            f"persona sinks when it is above {_get(numbers, 'behind limit'):.2f}.{chance if every else ''}"
        )
    band = _get(numbers, "promotion threshold") - 0.5
    return (
        f"One good answer decides nothing. What an answer is better by than {band:.2g} is added to a sum, "
        f"worse answers are taken off again. The sum came to {_above(numbers, 'ahead')}; a persona "
        f"rises when it is above {_get(numbers, 'ahead limit'):.2f}."
    )


def _above(numbers: Mapping[str, float], side: str) -> str:
    """Return the sum with the digits that it takes to be seen above its limit."""
    gauge, limit = _get(numbers, f"{side} gauge"), _get(numbers, f"{side} limit")
    return f"{gauge:.2f}" if f"{gauge:.2f}" != f"{limit:.2f}" else f"{gauge:.4f}".rstrip("0")


def _meaning(move: "Move") -> str:
    """What is different for the persona from then on."""
    match move.from_tier, move.to_tier:
        case "active", "stable":
            return "It is asked as before, but the next fall puts it on trial. Doing well brings it back."
        case _, "experimental":
            return "It is on trial now: asked on some questions only. Doing well brings it back."
        case _, "pruned":
            return "It rests in the archive, keeps its history, and is not asked any more."
        case "experimental", _:
            return "Its trial is over: from now on it is asked wherever it is worth its cost."
        case _:
            return "It is asked as before, and is now further from being put on trial."


def _numbers(inputs: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in inputs.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _get(numbers: Mapping[str, float], name: str) -> float:
    return numbers.get(name, 0.0)
