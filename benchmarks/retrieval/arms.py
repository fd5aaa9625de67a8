"""What is measured of the product itself: the committee, single walks, and each mechanism taken out."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import rough

from engine.config import HomeKinds, RetrievalSettings, Settings
from engine.embedding.base import pack
from engine.embedding.likeness import Likeness, Meaning
from engine.graph.query_graph import QueryGraph
from engine.orchestrator import MoeOrchestrator
from engine.personas.gate import Candidate
from engine.pipeline import CONTROL_PERSONA, Engine
from engine.query import Query
from engine.traversal.selection import choose_evidence

KINDS = HomeKinds.__struct_fields__

FIRST_HOP: dict[str, Any] = {"link_weight": 0.0, "name_bonus": 0.0, "lift": 0.0}

ABLATIONS: dict[str, dict[str, Any]] = {
    "no links at all": {"link_weight": 0.0, "lift": 0.0},
    "no links, no names of the question": FIRST_HOP,
    "no links through shared names": {"shared_weight": 0.0},
    "no links to homes": {
        "home_kinds": dict.fromkeys(KINDS, 0.0),
        "name_bonus": 0.0,
    },
    "homes by title alone": {"home_kinds": {kind: float(kind == "title") for kind in KINDS}},
    "titles not at home under what they are about": {"home_kinds": {"topic": 0.0}},
    "homes worth nothing without the question": {"home_base": 0.0},
    "names lead on where nothing is left to ask": {"answered": 1.0},
    "no bonus for names of the question": {"name_bonus": 0.0},
    "no words around mentions": {"context_weight": 0.0},
    "one-word names count in full": {"single_word": 1.0, "single_inside": 1.0, "single_name": 1.0},
    "one-word names count alike inside a sentence": {"single_inside": RetrievalSettings().single_word},
    "rare words not sharpened": {"hop_idf_power": 1.0},
    "links do not fade": {"by_words": 1.0, "no_names": 1.0},
    "no lift for what leads on": {"lift": 0.0},
    "paths count in full for the order": {"path_order": 1.0},
    "no window": {"window_weight": 0.0},
    "no pairs": {"pair_weight": 0.0},
    "no title in the question": {"title_bonus": 0.0},
    "no siblings": {"family_weight": 0.0},
    "no feedback": {"feedback_weight": 0.0},
    "no marks": {"mark_weight": 0.0},
}


class Asked(msgspec.Struct):
    """What kind of question it is, who walked, and how much of the ground more than one walked on."""

    kind: str
    named: bool
    experts: int
    shared: float


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return the settings, retrieval changed as a file would change it, and without a cache of searches."""
    system = msgspec.structs.replace(settings.system, enable_caching=False)
    retrieval = msgspec.convert(msgspec.to_builtins(settings.retrieval) | dict(changes), RetrievalSettings)
    return msgspec.structs.replace(settings, system=system, retrieval=retrieval)


def committee(engine: Engine, question: str) -> list[str]:
    """Return what the gated personas find together, as 'persona-moe search' does."""
    return [each.evidence_id for each in engine.search(question, k=10)]


def one_slip(engine: Engine, question: str) -> list[str]:
    """Return what the committee finds for the question with one slip in a word."""
    return committee(engine, rough.slipped(question, 1))


def two_slips(engine: Engine, question: str) -> list[str]:
    """Return what the committee finds for the question with two slips in a long word."""
    return committee(engine, rough.slipped(question, 2))


def words_missing(engine: Engine, question: str) -> list[str]:
    """Return what the committee finds for the question without every fourth word."""
    return committee(engine, rough.shortened(question))


def control(engine: Engine, question: str) -> list[str]:
    """Return what the control arm finds by itself, on its own budget."""
    return [each.evidence_id for each in engine.search(question, k=10, personas=[CONTROL_PERSONA])]


def everything(engine: Engine, question: str, seeds: int = 10) -> list[str]:
    """Return what following every link of the best seeds finds, with nobody walking."""
    graph = QueryGraph(question, engine.store, engine.settings.retrieval)
    for row in graph.seeds()[:seeds]:
        graph.expand(row, "")
    rows = dict.fromkeys([*graph.seeds()[: engine.settings.retrieval.choose_from], *graph.paths])
    return [each.evidence_id for each in choose_evidence(graph, list(rows), 10)]


def alone_on_the_same_budget(engine: Engine, question: str) -> dict[str, list[str]]:
    """Return what each persona finds alone, given all the steps that the committee had together."""
    query, chosen = _chosen(engine, question)
    steps = sum(each.policy.seeds + each.policy.beam_width for each in chosen)
    found = {}
    for stored in sorted(engine.experts.personas, key=lambda each: each.persona.persona_id):
        each = engine.experts.mixture(engine.settings).candidate(stored)
        policy = msgspec.structs.replace(each.policy, beam_width=max(1, steps - each.policy.seeds))
        walker = msgspec.structs.replace(each, policy=policy)
        ranked = MoeOrchestrator(engine.settings).search(query.afresh(), [walker], 10)
        found[each.persona.persona_id] = [evidence.evidence_id for evidence in ranked]
    return found


def describe(engine: Engine, question: str) -> Asked:
    """Return the kind of a question, and how the committee shared the ground on it."""
    query, chosen = _chosen(engine, question)
    for _ in MoeOrchestrator(engine.settings).expansion_phase(query, chosen, record=False):
        pass
    visits: dict[int, int] = {}
    for rows in query.visited.values():
        for row in rows:
            visits[row] = visits.get(row, 0) + 1
    read = query.graph.question
    return Asked(
        kind="comparison" if read.comparison else read.answer_type,
        named=bool(read.names),
        experts=len(chosen),
        shared=sum(count > 1 for count in visits.values()) / len(visits) if visits else 0.0,
    )


def _chosen(engine: Engine, question: str) -> tuple[Query, Sequence[Candidate]]:
    query = engine._query(question, Meaning())
    mixture = engine.experts.mixture(engine.settings)
    return query, mixture.experts(mixture.choose(query, mixture.known()))


def by_vectors(engine: Engine) -> Callable[[str], list[str]]:
    """Return a search by likeness of meaning alone, with the product's own vectors, for every question."""
    evidence = dict(engine.store._db.execute("SELECT passage, evidence FROM passages"))
    embedding = msgspec.structs.replace(engine.settings.embedding, weight=1.0, nearest=50)
    settings = msgspec.structs.replace(engine.settings, embedding=embedding)
    likeness = Likeness(engine.store, settings)
    held = engine.store.vectors.embedder()
    assert held is not None, "the index holds no vectors"

    def search(question: str) -> list[str]:
        vector = asyncio.run(likeness._embed(question, held))
        adds = likeness._compared(held, pack(vector)).adds
        best = sorted(adds, key=lambda row: (-adds[row], evidence[row]))
        return list(dict.fromkeys(evidence[row] for row in best))[:50]

    return search
