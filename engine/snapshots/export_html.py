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
from engine.snapshots.drawing import drawing
from engine.snapshots.export_markdown import MAX_TIMELINE
from engine.snapshots.reader import Snapshot
from engine.snapshots.run_view import RunView, view_run

_STYLE = """
:root{color-scheme:light dark;--line:#8886;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid var(--line)}
.answer,blockquote,.output{white-space:pre-wrap;overflow-wrap:anywhere}
.answer{font-size:1.05rem}blockquote{margin:.4rem 0;padding:.4rem .8rem;background:var(--soft)}
:target{outline:3px solid #d80}
table{border-collapse:collapse;width:100%}td,th{border:1px solid var(--line);padding:.2rem .5rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}td.n{text-align:right}td.n,th,td:first-child{white-space:nowrap}
summary{cursor:pointer}.facts,.trail{color:#777;font-size:.85rem;overflow-wrap:anywhere}
svg{width:100%;height:auto;max-height:50rem;background:var(--soft)}
svg text{font:10px system-ui,sans-serif;text-anchor:middle;fill:currentColor}
.edge{stroke:#999}.question{fill:#c33}.entity{fill:#d90}.passage{fill:#27c}.section{fill:#2a8}
.document{fill:#777}
"""
_POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
_MARKER = re.compile(r"\[([^\[\]\n]{1,60})\]")
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
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(digest)}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<title>{_flat(view.question, 120) or 'A recorded run'}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"


def _body(snapshot: Snapshot, view: RunView) -> Iterator[str]:
    state = "complete" if snapshot.complete else f"cut off: {snapshot.problem}"
    yield f"<h1>{_flat(view.question, 2000) or 'A run without a question'}</h1>"
    model = f"{view.started.model.provider} {view.started.model.name}".strip() if view.started else "unknown"
    facts = (
        f"snapshot {snapshot.snapshot_id} ({state}), digest {snapshot.digest}, "
        f"recorded {snapshot.header.created}, model {model}"
    )
    yield f'<p class="facts">{_flat(facts, 1000)}</p>'
    yield "<h2>Answer</h2>"
    yield f'<div class="answer">{_linked(view.answer, view.citations) or "There is none."}</div>'
    yield from _citations(view.citations)
    svg, drawn, there = drawing(snapshot.events())
    yield "<h2>Graph</h2>"
    if drawn < there:
        yield f"<p>The {drawn} most relevant of {there} nodes are drawn.</p>"
    yield svg
    yield from _experts(view)
    yield from _evidence(view.evidence)
    yield from _timeline(snapshot)


def _bare(marker: str) -> str:
    return marker.strip().strip("[]").strip()


def _linked(answer: str, citations: list[Citation]) -> str:
    anchors = {_bare(each.marker): number for number, each in enumerate(citations, 1)}

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
    if citations:
        yield "<h2>Citations</h2>"
    for number, each in enumerate(citations, 1):
        marker = f"[{_flat(_bare(each.marker), 60)}]"
        # The anchor is inside the details, because browsers open them for a link to what they hide.
        yield f"<details><summary>{marker} {_flat(place(each.position))}</summary>"
        yield f'<blockquote id="cite-{number}">{_safe(each.text)}</blockquote></details>'


def _numbers(scores: Scores | None) -> str:
    values = [f"{getattr(scores, name):.3f}" for name in _SCORES] if scores else ["–"] * len(_SCORES)
    return "".join(f'<td class="n">{value}</td>' for value in values)


def _experts(view: RunView) -> Iterator[str]:
    yield "<h2>Experts</h2>"
    heads = ("persona", "cost", *_SCORES, "why")
    yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for persona, chosen in view.chosen.items():
        ready = view.scores.get(persona)
        yield (
            f'<tr><td>{_flat(persona)}</td><td class="n">{chosen.cost:g}</td>'
            f"{_numbers(ready.scores if ready else None)}<td>{_flat(chosen.reason)}</td></tr>"
        )
    for persona, skipped in view.skipped.items():
        yield (
            f'<tr><td>{_flat(persona)}</td><td class="n">{skipped.cost:g}</td>'
            f"{_numbers(None)}<td>{_flat(why_skipped(skipped.reason))}</td></tr>"
        )
    if view.control is not None:
        yield (
            f'<tr><td>control: {_flat(view.control.persona)}</td><td class="n">–</td>'
            f"{_numbers(view.control.scores)}<td>lift {view.control.lift:+.3f}</td></tr>"
        )
    yield "</table>"
    for persona, ready in view.scores.items():
        yield f"<details><summary>What {_flat(persona)} said</summary>"
        yield f'<div class="output">{_safe(ready.output)}</div></details>'


def _evidence(evidence: list[Evidence]) -> Iterator[str]:
    yield "<h2>Evidence</h2>"
    for each in evidence:
        yield (
            f"<details><summary>{each.rank}. {_flat(place(each.position))} "
            f"({each.score:.3f}, {_flat(', '.join(each.personas))})</summary>"
        )
        yield f"<blockquote>{_safe(each.text)}</blockquote>"
        trail = " → ".join(f"{step.label}{f' ({step.phrase})' if step.phrase else ''}" for step in each.trail)
        yield f'<p class="trail">{_flat(trail, 2000)}</p></details>'


def _timeline(snapshot: Snapshot) -> Iterator[str]:
    yield "<h2>Timeline</h2>"
    yield f"<details><summary>{len(snapshot)} events</summary>"
    yield "<table><tr><th>seconds</th><th>event</th><th>what happened</th></tr>"
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
    yield "</table></details>"
