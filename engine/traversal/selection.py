"""From the shared pool of paths to the ranked evidence, with reasons."""

import math
from collections.abc import Mapping, Sequence

from engine.events import Evidence, Position, Term, TrailStep
from engine.graph.query_graph import QueryGraph
from engine.ids import q6


def choose_evidence(graph: QueryGraph, rows: Sequence[int], count: int) -> list[Evidence]:
    """Return the ``count`` best passages among ``rows`` as evidence, best first.

    A passage gains a share of the best path that leads on from it. The first ones are put in order
    anew, more by their own words than by the paths. Several passages of one dataset row count once.
    """
    finals = _final_scores(graph, rows)
    graph.identify(list(finals))
    ranked = sorted(finals, key=lambda row: (-finals[row], graph.passage_id(row)))
    size = graph.settings.set_size
    ranked = _with_likest(graph, ranked, size)
    ordered = [*_in_order(graph, ranked[:size], finals), *ranked[size:]]
    chosen: dict[str, int] = {}
    while ordered and len(chosen) < count:
        # A dataset row may be cut into several passages; then some are left to be filled.
        batch, ordered = ordered[: count - len(chosen)], ordered[count - len(chosen) :]
        graph.load_passages(batch)
        for row in batch:
            chosen.setdefault(graph.passage(row).evidence_id, row)
    return [_evidence(graph, row, rank, finals[row]) for rank, row in enumerate(chosen.values(), 1)]


def _with_likest(graph: QueryGraph, ranked: Sequence[int], size: int) -> list[int]:
    """The ranked, the passage that stands out by likeness moved to the last of the first places.

    What words alone put there answers seldomer than what an embedder is sure of.
    """
    likest = graph.likest
    if likest is None or likest not in ranked[size:]:
        return list(ranked)
    rest = [row for row in ranked if row != likest]
    return [*rest[: size - 1], likest, *rest[size - 1 :]]


def _final_scores(graph: QueryGraph, rows: Sequence[int]) -> dict[int, float]:
    lift = graph.settings.lift
    leads: dict[int, float] = {}
    for path in graph.paths.values():
        leads[path.link.source] = max(path.value, leads.get(path.link.source, 0.0))
    return {row: q6(graph.strength(row) + lift * leads.get(row, 0.0)) for row in rows}


def _in_order(graph: QueryGraph, chosen: Sequence[int], finals: Mapping[int, float]) -> list[int]:
    """The chosen, best first: what others say of a passage counts less here than for its being chosen.

    A path, or feedback, tells that a passage is needed beside others; its own words tell whether it comes
    first, the more so where the question names nothing that a path could have begun at.
    """
    s = graph.settings
    part = s.path_order * (1.0 if graph.named else s.no_names)
    worth = {row: q6(graph.own(row) + part * (finals[row] - graph.own(row))) for row in chosen}
    return sorted(chosen, key=lambda row: (-worth[row], graph.passage_id(row)))


def _evidence(graph: QueryGraph, row: int, rank: int, score: float) -> Evidence:
    passage = graph.passage(row)
    parts = graph.parts(row)
    lead = q6(score - math.fsum(parts.values()))
    if lead > 0:
        parts["leads on"] = lead
    return Evidence(
        rank=rank,
        evidence_id=passage.evidence_id,
        passage=passage.passage_id,
        position=Position(
            document=passage.document,
            # The title of a dataset's row is the only heading it has.
            section=" › ".join(passage.section) or (passage.title if passage.unit == "row" else ""),
            start=passage.start,
            end=passage.end,
            unit=passage.unit,
        ),
        text=passage.text,
        score=score,
        personas=sorted(graph.finders.get(row, [])),
        trail=trail_steps(graph, row),
        terms=[Term(name=name, value=value) for name, value in parts.items() if value],
    )


def trail_steps(graph: QueryGraph, row: int) -> list[TrailStep]:
    """Return how a passage was reached: the seed, then each name followed, with the sentence quoted."""
    links = graph.trail(row)
    first = links[0].source if links else row
    steps = [
        TrailStep(
            node=f"p:{graph.passage_id(first)}",
            label=graph.label(first),
            kind="matches",
            quote=graph.best_sentence(first),
            weight=q6(min(1.0, graph.base(first))),
        )
    ]
    for link in links:
        steps.append(
            TrailStep(
                node=f"p:{graph.passage_id(link.target)}",
                label=graph.label(link.target),
                kind="also mentions" if link.kind == "shared" else f"home ({link.kind})",
                phrase=link.key,
                quote=graph.quote(link.source, link.sentence),
                weight=q6(min(1.0, link.strength)),
            )
        )
    return steps
