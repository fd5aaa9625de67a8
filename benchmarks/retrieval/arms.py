"""What is measured of the product itself: the committee, single walks, and each mechanism taken out."""

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.config import RetrievalSettings, Settings
from engine.graph.query_graph import QueryGraph
from engine.orchestrator import MoeOrchestrator
from engine.pipeline import Engine
from engine.traversal.selection import choose_evidence

FIRST_HOP: dict[str, Any] = {"link_weight": 0.0, "name_bonus": 0.0, "lift": 0.0}

ABLATIONS: dict[str, dict[str, Any]] = {
    "no links at all": {"link_weight": 0.0, "lift": 0.0},
    "no links, no names of the question": FIRST_HOP,
    "no links through shared names": {"shared_weight": 0.0},
    "no links to homes": {
        "home_kinds": dict.fromkeys(RetrievalSettings().home_kinds, 0.0),
        "name_bonus": 0.0,
    },
    "homes by title alone": {
        "home_kinds": {kind: float(kind == "title") for kind in RetrievalSettings().home_kinds}
    },
    "homes worth nothing without the question": {"home_base": 0.0},
    "names lead on where nothing is left to ask": {"answered": 1.0},
    "no bonus for names of the question": {"name_bonus": 0.0},
    "no words around mentions": {"context_weight": 0.0},
    "one-word names count in full": {"single_word": 1.0, "single_name": 1.0},
    "rare words not sharpened": {"hop_idf_power": 1.0},
    "links do not fade": {"by_words": 1.0, "no_names": 1.0},
    "no lift for what leads on": {"lift": 0.0},
    "no set: ranked by score": {"overlap": 0.0},
    "no window": {"window_weight": 0.0},
    "no pairs": {"pair_weight": 0.0},
    "no title in the question": {"title_bonus": 0.0},
    "no siblings": {"family_weight": 0.0},
    "no marks": {"mark_weight": 0.0},
}


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Return the settings with these of retrieval changed."""
    retrieval = msgspec.structs.replace(settings.retrieval, **changes)
    return msgspec.structs.replace(settings, retrieval=retrieval)


def committee(engine: Engine, question: str) -> list[str]:
    """Return what the gated personas find together."""
    return [each.evidence_id for each in engine.search(question, k=10)]


def alone(engine: Engine, question: str, persona: str) -> list[str]:
    """Return what one persona finds by itself."""
    return [each.evidence_id for each in engine.search(question, k=10, personas=[persona])]


def everything(engine: Engine, question: str, seeds: int = 10) -> list[str]:
    """Return what following every link of the best seeds finds, with nobody walking."""
    graph = QueryGraph(question, engine.store, engine.settings.retrieval)
    for row in graph.seeds()[:seeds]:
        graph.expand(row, "")
    rows = dict.fromkeys([*graph.seeds()[: engine.settings.retrieval.choose_from], *graph.paths])
    return [each.evidence_id for each in choose_evidence(graph, list(rows), 10)]


def ground(engine: Engine, question: str) -> tuple[int, float]:
    """Return how many personas walked, and the share of passages visited that more than one visited."""
    query = engine._query(question)
    mixture = engine._mixture(())
    experts = mixture.experts(mixture.choose(query, mixture.learned(), only=()))
    for _ in MoeOrchestrator(engine.settings).expansion_phase(query, experts, record=False):
        pass
    visits: dict[int, int] = {}
    for rows in query.visited.values():
        for row in rows:
            visits[row] = visits.get(row, 0) + 1
    shared = sum(count > 1 for count in visits.values()) / len(visits) if visits else 0.0
    return len(experts), shared


def personas(engine: Engine) -> Sequence[str]:
    """Return the ids of the personas that may be asked."""
    return [each.persona.persona_id for each in engine._personas()]
