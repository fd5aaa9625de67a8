"""persona-moe's engine: documents to cited answers, as one ordered stream of typed events.

The public names are imported on first use, so ``import engine`` costs next to nothing.

>>> import engine
>>> engine.score_entity_grounding("Opened in 1874.", ["1874"])
1.0
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "engine.config": ("Settings", "load_settings"),
    "engine.errors": ("PersonaMoeError",),
    "engine.evaluation.metrics": (
        "aggregate_persona_performance",
        "calculate_average_score",
        "calculate_weighted_score",
    ),
    "engine.evaluation.scores": (
        "score_consistency",
        "score_entity_grounding",
        "score_novelty",
        "score_relevance",
    ),
    "engine.experts.writer_context": ("synthesize_persona_context",),
    "engine.graph.model": ("DynamicKnowledgeGraph", "Edge", "Node"),
    "engine.orchestrator": ("MoeOrchestrator",),
    "engine.personas.document": ("Persona", "load_persona_from_file", "save_persona_to_file"),
    "engine.personas.moves": ("move_persona_to_folder",),
    "engine.pipeline": ("AskOptions", "Engine"),
    "engine.snapshots.graphs": ("save_graph_snapshot",),
    "engine.traversal.interface": ("PersonaTraversalInterface",),
    "engine.workspace": ("Workspace", "find_workspace"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AskOptions",
    "DynamicKnowledgeGraph",
    "Edge",
    "Engine",
    "MoeOrchestrator",
    "Node",
    "Persona",
    "PersonaMoeError",
    "PersonaTraversalInterface",
    "Settings",
    "Workspace",
    "aggregate_persona_performance",
    "calculate_average_score",
    "calculate_weighted_score",
    "find_workspace",
    "load_persona_from_file",
    "load_settings",
    "move_persona_to_folder",
    "save_graph_snapshot",
    "save_persona_to_file",
    "score_consistency",
    "score_entity_grounding",
    "score_novelty",
    "score_relevance",
    "synthesize_persona_context",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOME_OF[name]
    except KeyError:
        raise AttributeError(f"module 'engine' has no attribute {name!r}") from None
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOME_OF]


if TYPE_CHECKING:
    from engine.config import Settings, load_settings
    from engine.errors import PersonaMoeError
    from engine.evaluation.metrics import (
        aggregate_persona_performance,
        calculate_average_score,
        calculate_weighted_score,
    )
    from engine.evaluation.scores import (
        score_consistency,
        score_entity_grounding,
        score_novelty,
        score_relevance,
    )
    from engine.experts.writer_context import synthesize_persona_context
    from engine.graph.model import DynamicKnowledgeGraph, Edge, Node
    from engine.orchestrator import MoeOrchestrator
    from engine.personas.document import Persona, load_persona_from_file, save_persona_to_file
    from engine.personas.moves import move_persona_to_folder
    from engine.pipeline import AskOptions, Engine
    from engine.snapshots.graphs import save_graph_snapshot
    from engine.traversal.interface import PersonaTraversalInterface
    from engine.workspace import Workspace, find_workspace
