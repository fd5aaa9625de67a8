"""The names that others build on stay importable from ``engine``, and cost nothing until used."""

import subprocess
import sys

import pytest

import engine

PROMISED = """
    DynamicKnowledgeGraph Edge MoeOrchestrator Node PersonaTraversalInterface aggregate_persona_performance
    calculate_average_score calculate_weighted_score load_persona_from_file move_persona_to_folder
    save_graph_snapshot save_persona_to_file score_consistency score_entity_grounding score_novelty
    score_relevance synthesize_persona_context
""".split()


@pytest.mark.parametrize("name", PROMISED)
def test_promised_name_is_there_and_documented(name: str) -> None:
    assert getattr(engine, name).__doc__


def test_every_listed_name_can_be_imported() -> None:
    for name in engine.__all__:
        assert getattr(engine, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = engine.nonsense


def test_import_loads_nothing_else() -> None:
    code = "import sys, engine; print([m for m in sys.modules if m.startswith('engine.')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
