"""A run as one HTML file that needs nothing else: no script, no network, no other file.

Every piece of foreign text is escaped. The content security policy allows the page's one style
sheet, by its hash, and nothing more; so even markup that slipped through could load or run nothing.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape

from engine.cleaning import clean, one_line
from engine.events import Citation, Evidence, Scores, Token
from engine.snapshots.describe import describe, place, why_skipped
from engine.snapshots.drawing import bare, drawing
from engine.snapshots.export_markdown import MAX_TIMELINE
from engine.snapshots.html_style import STYLE
from engine.snapshots.lanes import lanes
from engine.snapshots.reader import Snapshot
from engine.snapshots.run_view import RunView, view_run

_POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
_MARKER = re.compile(r"\[([^\[\]\n]{1,60})\]")
_KINDS = ("question", "entity", "passage", "section", "document")
_SCORES = ("relevance", "consistency", "novelty", "grounding", "total")


def to_html(snapshot: Snapshot) -> bytes:
    """Return the run as a self-contained HTML page; the same snapshot gives the same bytes."""
    view = view_run(snapshot.events())
    page = "\n".join([*_head(view), *_body(snapshot, view), "</body>", "</html>", ""])
    return page.encode("utf-8", "replace")


def _safe(text: str) -> str:
    return escape(clean(text))


def _flat(text: str, limit: int = 500) -> str:
    return escape(one_line(text, limit))


def _head(view: RunView) -> Iterator[str]:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(digest)}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<title>{_flat(view.question, 120) or 'A recorded run'}</title>"
    yield f"<style>{STYLE}</style>"
    yield "</head>"
    yield "<body>"


def _body(snapshot: Snapshot, view: RunView) -> Iterator[str]:
    parts = [
        ("answer", "Answer", [*_answer(view)]),
        ("citations", "Citations", [*_citations(view.citations)]),
        ("graph", "Graph", [*_graph(snapshot)]),
        ("experts", "Experts", [*_experts(view)]),
        ("evidence", "Evidence", [*_evidence(view.evidence)]),
        ("timeline", "Timeline", [*_timeline(snapshot)]),
    ]
    parts = [part for part in parts if part[2]]
    yield "<header>"
    yield f"<h1>{_flat(view.question, 2000) or 'A run without a question'}</h1>"
    state = "complete" if snapshot.complete else f"cut off: {snapshot.problem}"
    model = f"{view.started.model.provider} {view.started.model.name}".strip() if view.started else "unknown"
    created = snapshot.header.created.replace("T", " ").replace("Z", " UTC")
    yield f'<p class="facts">Recorded {_flat(created, 60)}, {_flat(state)}. Model: {_flat(model)}.</p>'
    yield f'<p class="facts">Snapshot {_flat(snapshot.snapshot_id)}, digest {_flat(snapshot.digest)}</p>'
    yield "</header>"
    yield '<nav aria-label="Parts of this page">'
    yield from (f'<a href="#{name}">{title}</a>' for name, title, _ in parts)
    yield "</nav>"
    yield "<main>"
    for name, title, lines in parts:
        yield f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>'
        yield from lines
        yield "</section>"
    yield "</main>"


def _answer(view: RunView) -> Iterator[str]:
    yield f'<div class="answer">{_linked(view.answer, view.citations) or "There is none."}</div>'
    if view.flags:
        yield f'<p class="flags">{_flat("; ".join(view.flags), 1000)}</p>'


def _graph(snapshot: Snapshot) -> Iterator[str]:
    svg, drawn, there = drawing(snapshot.events())
    if not there:
        return
    dot = '<svg viewBox="0 0 10 10" aria-hidden="true"><circle class="{}" cx="5" cy="5" r="4"/></svg>'
    kinds = (*_KINDS, "cited")
    yield '<p class="legend">'
    yield from (f"<span>{dot.format(kind)} {kind}</span>" for kind in kinds)
    yield "</p>"
    few = f"The {drawn} most relevant of {there} nodes are drawn. " if drawn < there else ""
    yield (
        f'<p class="note">{few}From left to right: what was opened from what. The strong line leads to what '
        "the answer cites; dashed lines join what is related besides.</p>"
    )
    yield f'<div class="picture" tabindex="0" role="region" aria-label="Graph, scrolls">{svg}</div>'


def _linked(answer: str, citations: list[Citation]) -> str:
    anchors = {bare(each.marker): number for number, each in enumerate(citations, 1)}

    def link(match: re.Match[str]) -> str:
        parts = [part.strip() for part in match[1].split(",")]
        if not all(part in anchors for part in parts):
            return escape(match[0])
        links = (f'<a href="#cite-{anchors[part]}">{escape(part)}</a>' for part in parts)
        return f"[{', '.join(links)}]"

    out, position = [], 0
    text = clean(answer)
    for match in _MARKER.finditer(text):
        out += [escape(text[position : match.start()]), link(match)]
        position = match.end()
    return "".join([*out, escape(text[position:])])


def _citations(citations: list[Citation]) -> Iterator[str]:
    for number, each in enumerate(citations, 1):
        marker = f"[{_flat(bare(each.marker), 60)}]"
        # Open from the start: not every browser opens what a link leads into.
        yield (
            f'<details open id="cite-{number}"><summary>{marker} '
            f'<span class="where">{_flat(place(each.position))}</span></summary>'
        )
        yield f"<blockquote>{_safe(each.text)}</blockquote>"
        yield '<a class="back" href="#answer">back to the answer</a></details>'


def _row(persona: str, cost: str, scores: Scores | None, why: str) -> str:
    numbers = [getattr(scores, name) if scores else None for name in _SCORES]
    cells = [
        f'<td class="n" data-label="{name}">{"–" if value is None else f"{value:.3f}"}</td>'
        for name, value in zip(_SCORES, numbers, strict=True)
    ]
    if scores is not None:
        bar = f'<meter min="0" max="1" value="{scores.total:.3f}"></meter>'
        cells[-1] = f'<td class="n" data-label="total"><span>{bar} {scores.total:.3f}</span></td>'
    return (
        f'<tr><td data-label="persona">{_flat(persona)}</td><td class="n" data-label="cost">{cost}</td>'
        f'{"".join(cells)}<td data-label="why"><span>{_flat(why)}</span></td></tr>'
    )


def _experts(view: RunView) -> Iterator[str]:
    if not view.chosen and not view.skipped:
        return
    heads = "".join(f'<th class="n">{name}</th>' for name in ("cost", *_SCORES))
    yield f"<table><thead><tr><th>persona</th>{heads}<th>why</th></tr></thead><tbody>"
    for persona, chosen in view.chosen.items():
        ready = view.scores.get(persona)
        yield _row(persona, f"{chosen.cost:g}", ready.scores if ready else None, chosen.reason)
    if view.control is not None:
        control = view.control
        yield _row(f"control arm: {control.persona}", "–", control.scores, f"lift {control.lift:+.3f}")
    yield "</tbody></table>"
    for persona, ready in view.scores.items():
        yield f"<details><summary>What {_flat(persona)} said</summary>"
        yield f'<div class="output">{_safe(ready.output)}</div></details>'
    if view.skipped:
        yield f"<details><summary>{len(view.skipped)} more were considered and left out</summary><table>"
        yield '<thead><tr><th>persona</th><th class="n">cost</th><th>why</th></tr></thead><tbody>'
        for persona, skipped in view.skipped.items():
            yield (
                f'<tr><td data-label="persona">{_flat(persona)}</td>'
                f'<td class="n" data-label="cost">{skipped.cost:g}</td>'
                f'<td data-label="why"><span>{_flat(why_skipped(skipped.reason))}</span></td></tr>'
            )
        yield "</tbody></table></details>"


def _evidence(evidence: list[Evidence]) -> Iterator[str]:
    for each in evidence:
        found_by = _flat(", ".join(each.personas))
        yield (
            f'<details><summary>{each.rank}. <span class="where">{_flat(place(each.position))}</span> '
            f'<span class="note">score {each.score:.3f}, found by {found_by}</span></summary>'
        )
        yield f"<blockquote>{_safe(each.text)}</blockquote>"
        trail = " → ".join(f"{step.label}{f' ({step.phrase})' if step.phrase else ''}" for step in each.trail)
        yield f'<p class="trail">{_flat(trail, 2000)}</p></details>'


def _timeline(snapshot: Snapshot) -> Iterator[str]:
    if svg := lanes(snapshot.timed()):
        yield f'<div class="picture" tabindex="0" role="region" aria-label="Timeline, scrolls">{svg}</div>'
    yield f"<details><summary>All {len(snapshot)} events</summary>"
    heads = '<th class="n">seconds</th><th>event</th><th>what happened</th>'
    yield f'<table class="events"><thead><tr>{heads}</tr></thead><tbody>'
    shown = 0
    for timed in snapshot.timed():
        if isinstance(timed.event, Token):
            continue
        if shown == MAX_TIMELINE:
            yield '<tr><td class="n">…</td><td>…</td><td>and more, which the snapshot holds</td></tr>'
            break
        shown += 1
        yield (
            f'<tr><td class="n">{timed.at / 1e6:.3f}</td><td>{type(timed.event).__name__}</td>'
            f"<td>{escape(describe(timed.event))}</td></tr>"
        )
    yield "</tbody></table></details>"
