"""What a model that writes the answer is given: supported claims, conflicts, the passages they cite."""

from collections.abc import Mapping, Sequence

import msgspec

from engine.corpus.store import Lexicon
from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import Evidence, Position
from engine.experts.clusters import Cluster, cluster_claims
from engine.experts.conflicts import find_conflicts


def synthesize_persona_context(
    persona_outputs: Sequence[ExpertOutput] | Mapping[str, str],
    graph_context: Sequence[Evidence] | str,
    *,
    lexicon: Lexicon | None = None,
    support_threshold: float = 0.6,
) -> str:
    """Return the part of a prompt that a model may write from: supported claims, then the passages.

    Claims that say the same are one line with ``[n]`` markers and their supporters; what the
    passages do not bear out is left out, conflicts are named. ``persona_outputs`` may map a
    persona to its text, and ``graph_context`` may be one text, which all claims are then checked
    against. Returns '' if no claim is supported.

    >>> print(synthesize_persona_context({"a": "Karl was born in 1804."}, "Karl, born 1804, was a prince."))
    Claims:
    - Karl was born in 1804. [1] (a)
    Passages:
    [1] Karl, born 1804, was a prince.
    """
    evidence = [_as_evidence(graph_context)] if isinstance(graph_context, str) else list(graph_context)
    context = Context(lexicon, evidence, support_threshold)
    if isinstance(persona_outputs, Mapping):
        outputs = [_as_output(name, persona_outputs[name], evidence, context) for name in persona_outputs]
    else:
        outputs = [output for output in persona_outputs if not output.refused]
    clusters = supported_clusters(outputs, context)
    if not clusters:
        return ""
    order = cited_order(clusters)
    lines = ["Claims:"]
    for cluster in clusters:
        markers = "".join(f"[{order.index(cite) + 1}]" for cite in cluster.cites)
        lines.append(f"- {cluster.claim.text} {markers} ({', '.join(cluster.personas)})")
    conflicts = find_conflicts(outputs, context)
    if conflicts:
        lines.append("Conflicts, to be told with both sides:")
        lines += [f"- {c.subject}: {c.left.text} / {c.right.text}" for c in conflicts]
    lines.append("Passages:")
    lines += [f"[{i}] {' '.join(context.passage_text(cite).split())}" for i, cite in enumerate(order, 1)]
    return "\n".join(lines)


def supported_clusters(outputs: Sequence[ExpertOutput], context: Context) -> list[Cluster]:
    """Return the claims that their citations bear out, those that say the same as one cluster."""
    answered = [output for output in outputs if not output.refused]
    return [c for c in cluster_claims(answered, context) if c.support >= context.threshold]


def cited_order(clusters: Sequence[Cluster]) -> list[str]:
    """Return the passages that the markers [1], [2] ... of :func:`synthesize_persona_context` mean."""
    return list(dict.fromkeys(cite for cluster in clusters for cite in cluster.cites))


def _as_evidence(text: str) -> Evidence:
    where = Position(document="context", section="", start=1, end=1)
    return Evidence(
        rank=1,
        evidence_id="context",
        passage="context",
        position=where,
        text=text,
        score=1.0,
        personas=[],
        trail=[],
        terms=[],
    )


def _as_output(name: str, text: str, evidence: Sequence[Evidence], context: Context) -> ExpertOutput:
    """Return the text's sentences as claims, each citing the passage that bears it out best."""
    output = context.as_output(text)
    claims = []
    for claim in output.claims:
        best = max(evidence, key=lambda e: (context.support(claim, [e.passage]).value, -e.rank), default=None)
        claims.append(msgspec.structs.replace(claim, cites=[best.passage] if best else []))
    return ExpertOutput(persona_id=name, claims=claims, text=text)
