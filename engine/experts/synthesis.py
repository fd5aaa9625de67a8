"""The final answer from what the experts claimed: every sentence cited, and checked once more.

This composition needs no model. The sentences of one that writes prose
(:mod:`engine.experts.writer_context`) pass the same :func:`check_sentences`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from engine.corpus.store import Lexicon
from engine.evaluation.outputs import Context, ExpertOutput
from engine.evaluation.relevance import asked_type, facet_share, holds_type, question_facets
from engine.events import Citation, ConflictFound, Evidence, Facet, SentenceChecked
from engine.experts.claims import REFUSAL
from engine.experts.clusters import Cluster, cluster_claims
from engine.experts.conflicts import find_conflicts
from engine.experts.defining import Definition
from engine.ids import q6

FLAG_ONE_DOCUMENT = "unanimous from one document"
FLAG_CONFLICT = "conflict"
FLAG_NO_EVIDENCE = "no evidence"
FLAG_EXTRACTS = "extracts only: no model"
UNSUPPORTED_MARK = "[unsupported]"
MOST_SENTENCES = 6
REPETITION = 0.6
LEAST_WORTH = 0.15
"""A sentence must add this share of what the first one says, or the answer ends before it."""
LEAST_NEW = 0.1
"""The share of the question that a sentence from elsewhere must cover anew."""
BRIDGE_BONUS = 0.3
"""What a claim gains whose passage an earlier sentence has named: the next hop of a question."""
AS_MUCH = 0.8
"""A sentence that covers this share of what the first one covers speaks of the question, too."""
NAMED = 0.6
"""Share of a heading's words that earlier sentences must hold to have named it."""
ANSWER_TYPE_BONUS = 0.2
DEFINITION_BONUS = 0.7
"""What a sentence gains that explains just what was asked, where an explanation was asked for."""
SUPPORTER_BONUS = 0.05
"""What each further expert with an own document adds to a sentence's claim to stand first."""

_SENTENCE = re.compile(r"[.!?:…][\"'”’)\]*_`]*(?:\s*\[[\w]+\])*\s*\Z")
_MARKER = re.compile(r"\[(\d{1,3})\]")


class Synthesis(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, its citations in order of marker, each sentence as checked, and what to know."""

    answer: str
    citations: list[Citation]
    sentences: list[SentenceChecked]
    flags: list[str]
    conflicts: list[ConflictFound]
    clusters: int
    supported: int


def synthesize(
    outputs: Sequence[ExpertOutput],
    question: str,
    evidence: Sequence[Evidence],
    *,
    lexicon: Lexicon,
    facets: Sequence[Facet] = (),
    answer_type: str = "",
    support_threshold: float = 0.6,
    mark_unsupported: bool = False,
    context: Context | None = None,
) -> Synthesis:
    """Return the answer composed of supported claims, at most six sentences and the conflicts.

    First the best direct answer: facets covered, form of the answer, supporters with documents of
    their own; then, each for what it adds, the others. Conflicting claims stand apart, both sides
    with their citations. A sentence its citations do not bear out is removed, or kept under
    ``[unsupported]`` with ``mark_unsupported``. Without any supported claim the answer says so.
    """
    context = context or Context(lexicon, evidence, support_threshold)
    facets = list(facets) or question_facets(question, context)
    answered = [output for output in outputs if not output.refused]
    clusters = cluster_claims(answered, context)
    supported = [cluster for cluster in clusters if cluster.support >= context.threshold]
    usable = clusters if mark_unsupported else supported
    conflicts = find_conflicts(answered, context)
    disputed = {text for conflict in conflicts for text in (conflict.left.text, conflict.right.text)}
    ordered = _order(
        [c for c in usable if c.claim.text not in disputed], question, facets, answer_type, context
    )
    if not supported and not conflicts:
        return Synthesis(
            answer=REFUSAL,
            citations=[],
            sentences=[],
            flags=[FLAG_NO_EVIDENCE, FLAG_EXTRACTS],
            conflicts=[],
            clusters=len(clusters),
            supported=0,
        )
    writer = _Writer(context, mark_unsupported)
    body = [writer.write(c.claim.text, c.cites, c.personas) for c in ordered[:MOST_SENTENCES]]
    paragraphs = laid_out([line for line in body if line])
    for conflict in conflicts:
        left = writer.write(conflict.left.text, conflict.left.cites, [conflict.left_persona])
        right = writer.write(conflict.right.text, conflict.right.cites, [conflict.right_persona])
        paragraphs.append(f"The sources disagree about {conflict.subject}:\n- {left}\n- {right}")
    return Synthesis(
        answer="\n\n".join(paragraphs),
        citations=writer.citations(),
        sentences=writer.sentences,
        flags=_flags(ordered, conflicts, context),
        conflicts=conflicts,
        clusters=len(clusters),
        supported=len(supported),
    )


def laid_out(said: Sequence[str]) -> list[str]:
    """Return the paragraphs of an answer: sentences run on, rows of tables and bare values are listed.

    >>> laid_out(["It is fast. [1]", "`q` | quits [2]", "`u` | undoes [2]", "So it is! [1]"])
    ['It is fast. [1]', '- `q` | quits [2]\\n- `u` | undoes [2]', 'So it is! [1]']
    """
    blocks = groupby(said, key=lambda each: bool(_SENTENCE.search(each)))
    return [
        " ".join(each) if runs_on else "\n".join(f"- {line}" for line in each) for runs_on, each in blocks
    ]


def check_sentences(
    answer: str, citations: Sequence[Citation], personas: Mapping[str, Sequence[str]], context: Context
) -> list[SentenceChecked]:
    """Return each sentence of a written answer checked against the passages its markers cite.

    ``personas`` maps a passage to the experts that cited it. A sentence without a marker has no
    support.
    """
    passage_of = {citation.marker: citation.passage for citation in citations}
    checked: list[SentenceChecked] = []
    for start, end in context.lexicon.sentences(answer):
        markers = [
            m for m in dict.fromkeys(f"[{n}]" for n in _MARKER.findall(answer[start:end])) if m in passage_of
        ]
        cites = [passage_of[marker] for marker in markers]
        text = " ".join(_MARKER.sub("", answer[start:end]).split())
        texts = [context.passage_text(cite) for cite in cites]
        value = context.checker.check(text, texts).value
        checked.append(
            SentenceChecked(
                index=len(checked),
                text=text,
                markers=markers,
                personas=sorted({persona for cite in cites for persona in personas.get(cite, ())}),
                support=value,
                kept=value >= context.threshold,
            )
        )
    return checked


class _Writer:
    """Writes cited sentences and checks each one; markers count passages in order of appearance."""

    def __init__(self, context: Context, mark_unsupported: bool) -> None:
        self.context = context
        self.mark_unsupported = mark_unsupported
        self.sentences: list[SentenceChecked] = []
        self._order: list[str] = []

    def write(self, text: str, cites: Sequence[str], personas: Sequence[str]) -> str:
        """Return the sentence with its markers; '' if it is not borne out and not to be marked."""
        known = [cite for cite in cites if cite in self.context.evidence]
        value = self.context.checker.check(text, [self.context.passage_text(cite) for cite in known]).value
        kept = value >= self.context.threshold
        shown = kept or self.mark_unsupported
        if shown:
            self._order += [cite for cite in known if cite not in self._order]
        markers = [f"[{self._order.index(cite) + 1}]" for cite in known] if shown else []
        self.sentences.append(
            SentenceChecked(
                index=len(self.sentences),
                text=text,
                markers=markers,
                personas=sorted(personas),
                support=value,
                kept=kept,
            )
        )
        if not shown:
            return ""
        said = f"{text} {''.join(markers)}".rstrip()
        return said if kept else f"{said} {UNSUPPORTED_MARK}"

    def citations(self) -> list[Citation]:
        """Return one citation per passage cited so far."""
        return numbered(self._order, self.context)


def numbered(passages: Sequence[str], context: Context) -> list[Citation]:
    """Return one citation for each passage, marked [1], [2] and so on."""
    found = [context.evidence[passage] for passage in passages]
    return [
        Citation(
            marker=f"[{number}]",
            evidence_id=each.evidence_id,
            passage=each.passage,
            position=each.position,
            text=each.text,
        )
        for number, each in enumerate(found, 1)
    ]


def _order(
    clusters: Sequence[Cluster],
    question: str,
    facets: Sequence[Facet],
    answer_type: str,
    context: Context,
) -> list[Cluster]:
    kind = asked_type(question, answer_type)
    asked = context.checker.terms(question)
    covered = [0.0] * len(facets)
    named: set[str] = set()
    cited: set[str] = set()
    left = list(enumerate(clusters))
    headings = [[h for h in _headings(cluster, asked, context) if h] for cluster in clusters]
    shares = [_facet_shares(cluster, facets, context) for cluster in clusters]
    definition = Definition(question, facets, context)
    fixed = [
        DEFINITION_BONUS * definition.share(cluster.claim.text, _opened(cluster, context))
        + ANSWER_TYPE_BONUS * bool(kind and holds_type(cluster.claim.text, kind, question, context))
        + SUPPORTER_BONUS * (min(len(cluster.personas), cluster.documents) - 1)
        for cluster in clusters
    ]
    wholes = [math.fsum(f.weight * own for f, own in zip(facets, row, strict=True)) for row in shares]
    ordered: list[Cluster] = []
    first = 0

    def bridged(index: int) -> bool:
        return any(len(heading & named) >= NAMED * len(heading) for heading in headings[index])

    def goes_on(index: int) -> bool:
        """Whether a further sentence bears on the question: by what is new, by its place, by its hop."""
        # What stands beside a sentence goes on with it; the rows of a table speak each of its own.
        runs_on = _SENTENCE.search(clusters[index].claim.text) is not None
        if runs_on and (bridged(index) or not cited.isdisjoint(clusters[index].cites)):
            return True
        if wholes[index] >= AS_MUCH * wholes[first]:
            return True
        rows = zip(facets, shares[index], covered, strict=True)
        return math.fsum(f.weight * max(0.0, own - had) for f, own, had in rows) >= LEAST_NEW

    def worth(index: int) -> float:
        rows = zip(facets, shares[index], covered, strict=True)
        new = math.fsum(f.weight * (own - REPETITION * min(own, had)) for f, own, had in rows)
        return q6((new + fixed[index] + BRIDGE_BONUS * bridged(index)) * clusters[index].support)

    bar = 0.0
    while left:
        fitting = [item for item in left if goes_on(item[0])] if ordered else left
        if not fitting:
            break
        best = min(fitting, key=lambda item: (-worth(item[0]), item[0]))
        if worth(best[0]) < bar and clusters[best[0]].support >= context.threshold:
            break
        bar = bar or LEAST_WORTH * worth(best[0])
        left.remove(best)
        first = first if ordered else best[0]
        ordered.append(best[1])
        cited.update(best[1].cites)
        named |= context.checker.terms(best[1].claim.text)
        covered = [max(had, own) for had, own in zip(covered, shares[best[0]], strict=True)]
    return ordered


def _headings(cluster: Cluster, asked: frozenset[str], context: Context) -> list[frozenset[str]]:
    """Return the words of the headings above what a claim cites, without those of the question."""
    sections = [context.evidence[cite].position.section for cite in cluster.cites if cite in context.evidence]
    return [context.checker.terms(section) - asked for section in sections]


def _opened(cluster: Cluster, context: Context) -> str:
    """Return the heading of the passage that begins with this claim, if one does."""
    begins = cluster.claim.text.rstrip("…")
    for cite in cluster.cites:
        passage = context.evidence.get(cite)
        if passage is not None and " ".join(passage.text.split()).startswith(begins):
            return passage.position.section.rpartition("›")[2]
    return ""


def _facet_shares(cluster: Cluster, facets: Sequence[Facet], context: Context) -> list[float]:
    headings = [context.evidence[c].position.section for c in cluster.cites if c in context.evidence]
    said = context.checker.terms(cluster.claim.text)
    around = said | context.checker.terms("\n".join(headings))
    return [
        max(facet_share(facet, said, context), 0.6 * facet_share(facet, around, context)) for facet in facets
    ]


def _flags(ordered: Sequence[Cluster], conflicts: Sequence[ConflictFound], context: Context) -> list[str]:
    shown = ordered[:MOST_SENTENCES]
    documents = {context.document(cite) for cluster in shown for cite in cluster.cites}
    personas = {persona for cluster in shown for persona in cluster.personas}
    flags = [FLAG_ONE_DOCUMENT] if len(documents) == 1 and len(personas) > 1 and not conflicts else []
    if conflicts:
        flags.append(FLAG_CONFLICT)
    return [*flags, FLAG_EXTRACTS]
