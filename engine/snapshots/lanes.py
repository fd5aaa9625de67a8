"""A picture of when things happened as SVG: a lane for the graph, one for each expert, one for the answer."""

from collections.abc import Iterable
from html import escape

import msgspec

from engine.cleaning import one_line
from engine.events import (
    AnswerReady,
    AnyEvent,
    ClaimChecked,
    ClaimsParsed,
    ContextPacked,
    ControlScored,
    EdgeOpened,
    EvidenceRanked,
    ExpertChosen,
    GateScored,
    ModelAsked,
    NodeOpened,
    ScoresReady,
    SentenceChecked,
    StepTaken,
    SynthesisStarted,
    Token,
    WalkStopped,
)
from engine.snapshots.format import Timed

_LEFT, _WIDTH, _RIGHT, _LANE, _TOP = 150, 720, 30, 26, 40
_OF_AN_EXPERT = (StepTaken, WalkStopped, ContextPacked, ClaimsParsed, ClaimChecked, ScoresReady)
_MOMENTS = {ExpertChosen: "experts chosen", EvidenceRanked: "evidence ranked", AnswerReady: "answer"}


class Lane(msgspec.Struct):
    """The events of one subject: where each lies on the axis, and how many there are."""

    places: set[int] = msgspec.field(default_factory=set)
    count: int = 0


def lanes(timed: Iterable[Timed]) -> str:
    """Return the picture, empty for a run without a length in time. All text in it is escaped."""
    entries = [(each.at, each.event) for each in timed]
    length = max((at for at, _ in entries), default=0)
    if not length:
        return ""
    found: dict[str, Lane] = {}
    moments: dict[str, int] = {}
    callers: dict[str, str] = {}
    for at, event in entries:
        place = round(at * _WIDTH / length)
        if isinstance(event, ModelAsked):
            callers[event.call] = event.persona
        name = _subject(event, callers)
        if name:
            lane = found.setdefault(name, Lane())
            lane.places.add(place)
            lane.count += 1
        told = _MOMENTS.get(type(event))
        if told:
            moments[told] = place  # the last of its kind: then all of them are there
    return _svg(found, moments, length)


def _subject(event: AnyEvent, callers: dict[str, str]) -> str:
    match event:
        case NodeOpened() | EdgeOpened():
            return "graph"
        case GateScored() | ExpertChosen():
            return "gate"
        case SynthesisStarted() | SentenceChecked() | AnswerReady():
            return "answer"
        case ControlScored():
            return "control arm"
        case ModelAsked():
            return event.persona or "answer"
        case Token():
            return callers.get(event.call, "") or "answer"
        case _ if isinstance(event, _OF_AN_EXPERT):
            return event.persona
        case _:
            return ""


def _svg(found: dict[str, Lane], moments: dict[str, int], length: int) -> str:
    # The graph first and the answer last, whatever came first; experts in the order they began.
    order = sorted(
        found, key=lambda name: {"gate": 0, "graph": 1, "answer": 3, "control arm": 4}.get(name, 2)
    )
    width, height = _LEFT + _WIDTH + _RIGHT, _TOP + _LANE * len(order) + 26
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="when things happened">'
    ]
    bottom = _TOP + _LANE * len(order)
    for number, (told, place) in enumerate(sorted(moments.items(), key=lambda each: each[1])):
        x, y = _LEFT + place, 12 + 13 * (number % 2)
        end = ' text-anchor="end"' if place > _WIDTH * 0.8 else ""
        parts.append(
            f'<path class="edge other" d="M{x} {y + 3}V{bottom}"/><text x="{x}" y="{y}"{end}>{told}</text>'
        )
    for row, name in enumerate(order):
        lane, y = found[name], _TOP + _LANE * row
        first, last = min(lane.places), max(lane.places)
        ticks = "".join(f"M{_LEFT + place} {y + 4}v{_LANE - 8}" for place in sorted(lane.places))
        label = escape(one_line(name, 24))
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + _LANE / 2 + 4:g}" text-anchor="end">{label}</text>'
            f'<path class="span" d="M{_LEFT + first} {y + _LANE / 2:g}H{_LEFT + last + 1}"/>'
            f'<path class="ticks" d="{ticks}"><title>{label}: {lane.count} events</title></path>'
        )
    for quarter in range(5):
        seconds = length * quarter / 4e6
        shown = f"{seconds:.1f} s" if length >= 10_000_000 else f"{seconds * 1000:.0f} ms"
        x = _LEFT + _WIDTH * quarter // 4
        parts.append(f'<text class="axis" x="{x}" y="{bottom + 18}" text-anchor="middle">{shown}</text>')
    return "\n".join([*parts, "</svg>"])
