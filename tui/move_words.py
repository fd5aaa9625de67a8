"""Why a persona was moved, in words for somebody who never saw the formulae."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.personas.moves import Move

WIDTH = 78


def told(moves: Iterable["Move"]) -> list[str]:
    """Return every move, oldest first: when, from where to where, why, and what the numbers mean."""
    import textwrap

    lines: list[str] = []
    for move in moves:
        state = "" if move.state == "done" else f"  [{move.state}]"
        lines.append(f"{move.at}  {move.from_tier} -> {move.to_tier}{state}  {move.reason}")
        for sentence in explained(move):
            lines += textwrap.wrap(sentence, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return lines


def explained(move: "Move") -> list[str]:
    """Return what the numbers of a move by the lifecycle mean; nothing for a move by hand."""
    numbers = _numbers(move.inputs)
    match move.inputs.get("rule"):
        case "behind":
            return [_compared(numbers, move.from_tier, "behind"), _gauge(numbers, "behind"), _undo(move)]
        case "ahead":
            return [_compared(numbers, move.from_tier, "ahead"), _gauge(numbers, "ahead"), _undo(move)]
        case "grounding":
            return [
                f"Of what it said lately, {_get(numbers, 'recent grounding'):.0%} was borne out by the "
                f"passages it cited; {_get(numbers, 'grounding floor'):.0%} must be. A persona that says "
                "what its sources do not say is set aside at once, however well it scores otherwise.",
                _undo(move),
            ]
        case "score":
            return [
                f"It was on trial and answered {_get(numbers, 'questions'):.0f} questions. Its answers "
                f"scored {_get(numbers, 'mean score'):.2f} on average, on a scale from 0 to 1, so far "
                f"below the {_get(numbers, 'pruning threshold'):g} it needs that bad luck alone would "
                "explain it less than once in twenty times.",
                _undo(move),
            ]
        case _:
            return []


def _compared(numbers: Mapping[str, float], tier: str, side: str) -> str:
    all_of_them = _get(numbers, "questions")
    last = _get(numbers, f"answers while {side}") or all_of_them
    gap = numbers.get(f"mean advantage while {side}") or _get(numbers, "mean advantage")
    level = "as high as" if abs(gap) < 0.005 else f"{abs(gap):.2f} {'lower' if gap < 0 else 'higher'} than"
    return (
        f"While {tier} it answered {all_of_them:.0f} questions. Over the last {last:.0f} of them its answers "
        f"scored {level} those of the other experts asked the same, on average and on a scale from 0 to 1."
    )


def _gauge(numbers: Mapping[str, float], side: str) -> str:
    worse, falls = ("worse", "sinks") if side == "behind" else ("better", "rises")
    chance = ""
    every = _get(numbers, "questions per wrong demotion")
    if side == "behind" and every:
        chance = (
            f" A persona as good as the others gets there by bad luck about once in {every:,.0f} answers."
        )
    return (
        f"One answer decides nothing. Answers that are clearly {worse} add up, others take away from the "
        f"sum; it had reached {_get(numbers, f'{side} gauge'):.2f}, and a persona {falls} a tier above "
        f"{_get(numbers, f'{side} limit'):.2f}.{chance}"
    )


def _undo(move: "Move") -> str:
    return f"To undo: persona-moe personas restore {move.persona_id}"


def _numbers(inputs: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in inputs.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _get(numbers: Mapping[str, float], name: str) -> float:
    return numbers.get(name, 0.0)
