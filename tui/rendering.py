"""The readable form of evidence and answers, for a terminal of 80 columns."""

import re
import shutil
import textwrap
from collections.abc import Sequence

from engine.cleaning import one_line
from engine.events import ONE_EXPERT, TrailStep
from engine.snapshots.describe import move_words
from tui.result import AskResult, EvidenceLine, Expert

MAX_WIDTH = 100
SNIPPET = 320
"""Characters of a passage that are shown around the sentence that matches."""

_WORD = re.compile(r"\w{3,}")
_STEM = 5
"""Words count as the same for the choice of a snippet if this many first letters agree."""


def width() -> int:
    """Return the columns to write in: those of the terminal, 40 to 100; 80 where there is none."""
    return max(40, min(MAX_WIDTH, shutil.get_terminal_size((80, 24)).columns))


def paragraph(text: str, indent: str = "", first: str | None = None) -> str:
    """Return ``text`` with each of its lines wrapped to the width, items of lists under their own start."""
    lines: list[str] = []
    for line in text.splitlines():
        lead = indent if lines or first is None else first
        below = indent + "  " * line.startswith("- ")
        wrapped = textwrap.wrap(
            line, width(), initial_indent=lead, subsequent_indent=below, break_on_hyphens=False
        )
        lines.extend(wrapped or [""])
    return "\n".join(lines)


def place(document: str, start: int, end: int) -> str:
    """Return where text stands.

    >>> place("docs/a.md", 3, 9), place("docs/a.md", 3, 3)
    ('docs/a.md:3-9', 'docs/a.md:3')
    """
    return f"{document}:{start}" if start == end else f"{document}:{start}-{end}"


def snippet(text: str, about: str, limit: int = SNIPPET) -> str:
    """Return the sentence of ``text`` that shares most words with ``about``, and what follows.

    An ellipsis marks where something was left out. With a ``limit`` of 0 nothing follows.

    >>> snippet("Cats sleep. Dogs bark at night. Fish swim.", "when do dogs bark?", 24)
    '… Dogs bark at night. …'
    """
    from engine.corpus.sentences import sentence_spans

    wanted = {word[:_STEM] for word in _WORD.findall(about.casefold())}

    def shared(span: tuple[int, int]) -> int:
        return len(wanted & {word[:_STEM] for word in _WORD.findall(text[slice(*span)].casefold())})

    spans = sentence_spans(text)
    if not spans:
        return ""
    best = max(range(len(spans)), key=lambda i: (shared(spans[i]), -i))
    last = best
    while last + 1 < len(spans) and spans[last + 1][1] - spans[best][0] <= limit:
        last += 1
    shown = one_line(text[spans[best][0] : spans[last][1]], max(limit, SNIPPET))
    return f"{'… ' if best else ''}{shown}{' …' if last + 1 < len(spans) else ''}"


def trail(steps: Sequence[TrailStep]) -> str:
    """Return a trail as one line: each node, reached by an edge of the kind in brackets."""
    parts = []
    for step in steps:
        how = f"({step.kind}{f': {step.phrase}' if step.phrase else ''}) " if step.kind else ""
        parts.append(f"{how}{step.label}")
    return one_line(" → ".join(parts), 400)


def evidence_block(evidence: EvidenceLine, question: str) -> str:
    """Return one ranked passage: place and score, section and finders, snippet, trail."""
    head = f"{evidence.rank:2}  {one_line(place(evidence.document, evidence.start, evidence.end))}"
    score = f"{evidence.score:.3f}"
    room = width() - len(head) - len(score)
    lines = [f"{head}{' ' * room}{score}" if room > 0 else f"{head}  {score}"]
    if evidence.section:
        lines.append(paragraph(one_line(evidence.section), "    "))
    lines.append(paragraph(snippet(evidence.text, question), "    "))
    found = ", ".join(evidence.personas) or "the plain walk"
    lines.append(paragraph(f"found by {one_line(found)}", "    "))
    if evidence.trail:
        lines.append(paragraph(f"trail: {trail(evidence.trail)}", "      ", first="    "))
    return "\n".join(lines)


def expert_line(expert: Expert) -> str:
    """Return an expert's numbers: what the gate valued it at, its price, its scores."""
    line = f"  {expert.persona_id:<18} gate {expert.gate:.2f}  cost {expert.cost:g}"
    if expert.scores is None:
        return f"{line}  no output"
    s = expert.scores
    return (
        f"{line}  total {s.total:.2f}\n{'':6}relevance {s.relevance:.2f}  "
        f"consistency {s.consistency:.2f}  novelty {s.novelty:.2f}  grounding {s.grounding:.2f}"
    )


def _cost(result: AskResult, budget: float) -> str:
    spent = round(sum(expert.cost for expert in result.experts), 6)
    model = result.model
    called = model.transcript or result.calls
    wrote = f"{model.provider} {model.name}".strip() if called else "no model was called"
    seconds = result.timings.get("total", 0.0)
    # The gate keeps to the budget; only personas that the user named are asked whatever they cost.
    told = f", over the budget of {budget:g}: the personas were named by you" if spent > budget else ""
    return f"Cost: {spent:g}{told or f' of a budget of {budget:g}'}; {seconds:.2f} s; {wrote}"


def calls_block(result: AskResult) -> str:
    """Return a line for each call of the model, and one for all: tokens, seconds, tokens a second."""
    lines = ["Model calls"]
    for call in result.calls:
        rate = f", {call.tokens_per_second:g} tokens/s" if call.tokens_per_second else ""
        ended = "" if call.outcome == "stop" else f" ({one_line(call.outcome, 120)})"
        lines.append(
            paragraph(
                f"{call.persona_id or 'the answer':<18} {call.prompt_tokens:,} tokens read, "
                f"{call.answer_tokens:,} written, {call.seconds:.1f} s{rate}{ended}",
                "      ",
                first="  ",
            )
        )
    read, written = sum(c.prompt_tokens for c in result.calls), sum(c.answer_tokens for c in result.calls)
    seconds = sum(call.seconds for call in result.calls)
    lines.append(f"  {'in all':<18} {read:,} tokens read, {written:,} written, {seconds:.1f} s")
    return "\n".join(lines)


def citations_block(result: AskResult) -> str:
    """Return the sources of the answer: marker, place, the sentence cited."""
    blocks = ["Sources"]
    for citation in result.citations:
        where = place(citation.document, citation.start, citation.end)
        marker = citation.marker.strip("[]")
        blocks.append(paragraph(one_line(where), "      ", first=f"  [{marker}] "))
        blocks.append(paragraph(f"“{snippet(citation.text, result.answer, 0)}”", "      "))
    return "\n".join(blocks)


def _alone(result: AskResult) -> str:
    """Return why one expert was asked and no committee, '' where one was."""
    reasons = [skipped.reason.removeprefix("skipped: ") for skipped in result.skipped]
    return next((one_line(each) for each in reasons if each.startswith(ONE_EXPERT)), "")


def closing(result: AskResult, budget: float) -> str:
    """Return all that stands below an answer: sources, experts, control arm, cost, snapshot."""
    blocks = []
    if result.citations:
        blocks.append(citations_block(result))
    if result.experts:
        experts = [expert_line(expert) for expert in result.experts]
        if result.skipped:
            experts.append(f"  {len(result.skipped)} more were considered and left out (see --json)")
            if why := _alone(result):
                experts.append(paragraph(f"{why}: the gate asks only one", "      ", first="  "))
        blocks.append("\n".join(["Experts", *experts]))
    if result.calls:
        blocks.append(calls_block(result))
    notes = [_cost(result, budget)]
    if result.control is not None and result.lift is not None:
        notes.insert(
            0,
            f"Control: this answer by itself scores {result.control.scores.total + result.lift:.2f}, that of "
            f"one plain walk {result.control.scores.total:.2f}; the committee's lift is {result.lift:+.2f}",
        )
    notes.extend(f"Note: {one_line(flag)}" for flag in result.flags)
    notes.extend(move_words(m.persona_id, m.source, m.target, m.reason) for m in result.moves)
    if result.snapshot is not None:
        notes.append(f"Snapshot: {result.snapshot.id}")
        notes.append(f"Replay:   persona-moe snapshots replay {result.snapshot.id}")
    blocks.append("\n".join(paragraph(line, "  ", first="") for line in notes))
    return "\n\n".join(blocks)
