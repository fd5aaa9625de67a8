"""A run as Markdown: question, answer, evidence, experts, timeline."""

import re
from collections.abc import Iterator

from engine.cleaning import clean, one_line
from engine.events import Evidence, Token
from engine.snapshots.describe import describe, place, why_skipped
from engine.snapshots.reader import Snapshot
from engine.snapshots.run_view import RunView, view_run

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!&~$])")
_BLOCK_START = re.compile(r"^(\s*)([-+=]|\d+[.)])", re.MULTILINE)
MAX_TIMELINE = 5000


def to_markdown(snapshot: Snapshot) -> bytes:
    """Return the run as a Markdown document; foreign text in it is escaped, never markup."""
    view = view_run(snapshot.events())
    return ("\n".join(_lines(snapshot, view)).rstrip() + "\n").encode("utf-8", "replace")


def escaped(text: str) -> str:
    r"""Return foreign text such that Markdown shows it as it is.

    >>> escaped("1. *not* <b>")
    '1\\. \\*not\\* \\<b\\>'
    """
    marked = _SPECIAL.sub(r"\\\1", clean(text))
    return _BLOCK_START.sub(
        lambda m: f"{m[1]}{m[2][:-1]}\\{m[2][-1]}" if m[2][0].isdigit() else f"{m[1]}\\{m[2]}", marked
    )


def _flat(text: str, limit: int = 500) -> str:
    return escaped(one_line(text, limit))


def _lines(snapshot: Snapshot, view: RunView) -> Iterator[str]:
    yield f"# {_flat(view.question) or 'A run without a question'}"
    yield ""
    state = "complete" if snapshot.complete else f"cut off ({_flat(snapshot.problem)})"
    yield f"- Snapshot: `{snapshot.snapshot_id}`, {state}, {len(snapshot)} events"
    yield f"- Digest: `{snapshot.digest}`"
    yield f"- Recorded: {_flat(snapshot.header.created, 40)}"
    if view.started is not None:
        model = view.started.model
        yield f"- Model: {_flat(f'{model.provider} {model.name}'.strip())}"
    yield ""
    yield "## Answer"
    yield ""
    yield escaped(view.answer) or "There is none."
    yield ""
    for citation in view.citations:
        yield f"- {_flat(citation.marker)} {_flat(place(citation.position))}: {_flat(citation.text, 2000)}"
    if view.citations:
        yield ""
    yield from _experts(view)
    yield from _evidence(view.evidence)
    yield from _timeline(snapshot)


def _experts(view: RunView) -> Iterator[str]:
    yield "## Experts"
    yield ""
    yield "| Persona | Cost | Relevance | Consistency | Novelty | Grounding | Total | Why |"
    yield "|---|---|---|---|---|---|---|---|"
    for persona, chosen in view.chosen.items():
        ready = view.scores.get(persona)
        scores = ready.scores if ready else None
        numbers = (
            [scores.relevance, scores.consistency, scores.novelty, scores.grounding, scores.total]
            if scores
            else []
        )
        cells = [f"{number:.3f}" for number in numbers] or ["–"] * 5
        yield f"| {_flat(persona)} | {chosen.cost:g} | {' | '.join(cells)} | {_flat(chosen.reason)} |"
    for persona, skipped in view.skipped.items():
        reason = _flat(why_skipped(skipped.reason))
        yield f"| {_flat(persona)} | {skipped.cost:g} | – | – | – | – | – | {reason} |"
    yield ""


def _evidence(evidence: list[Evidence]) -> Iterator[str]:
    yield "## Evidence"
    yield ""
    for each in evidence:
        found_by = _flat(", ".join(each.personas))
        yield f"{each.rank}. {_flat(place(each.position))} ({each.score:.3f}, {found_by})"
        yield ""
        yield f"   > {_flat(each.text, 4000)}"
        yield ""
        trail = " → ".join(
            f"{_flat(step.label, 120)}{f' ({_flat(step.phrase, 120)})' if step.phrase else ''}"
            for step in each.trail
        )
        if trail:
            yield f"   Trail: {trail}"
            yield ""


def _timeline(snapshot: Snapshot) -> Iterator[str]:
    yield "## Timeline"
    yield ""
    shown = 0
    for timed in snapshot.timed():
        if isinstance(timed.event, Token):
            continue
        if shown == MAX_TIMELINE:
            yield f"- … and more; the snapshot has {len(snapshot)} events."
            return
        shown += 1
        yield f"- {timed.at / 1e6:.3f} s: {escaped(describe(timed.event))}"
