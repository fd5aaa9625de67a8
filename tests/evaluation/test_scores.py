import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import ThresholdSettings
from engine.evaluation.outputs import Context, ExpertOutput
from engine.evaluation.plain import PlainLexicon
from engine.evaluation.scores import (
    ScoredOutput,
    score_consistency,
    score_entity_grounding,
    score_novelty,
    score_outputs,
    score_relevance,
    total,
)
from engine.events import Claim, Evidence, Facet, Position

LEXICON = PlainLexicon()


def passage(name: str, text: str, document: str = "", section: str = "") -> Evidence:
    return Evidence(
        rank=1,
        evidence_id=name,
        passage=name,
        position=Position(document=document or name, section=section, start=1, end=1),
        text=text,
        score=1.0,
        personas=[],
        trail=[],
        terms=[],
    )


def expert(*claims: tuple[str, str], name: str = "p") -> ExpertOutput:
    made = [Claim(text=text, cites=cites.split()) for text, cites in claims]
    return ExpertOutput(persona_id=name, claims=made, text=" ".join(text for text, _ in claims))


REFUSED = ExpertOutput(persona_id="p", claims=[], text="The documents do not answer this.", refused=True)
BORN = "Karl was born in Amorbach in 1804."
EVIDENCE = [
    passage("a", "Karl was born in Amorbach in 1804. He commanded an army."),
    passage("b", "In Amorbach, in 1804, Karl was born."),
    passage("c", "Victoria became Queen in 1837."),
]


def test_an_answer_in_the_form_asked_is_more_relevant() -> None:
    question = "When was Karl born?"
    assert score_relevance("Karl was born in 1804.", question) > score_relevance("Karl was born.", question)
    assert score_relevance("Who is Karl?", "Who is Karl?") < 1.0


@pytest.mark.parametrize("kind", ["person", "who"])
def test_a_name_given_in_the_question_does_not_answer_who(kind: str) -> None:
    question = "Who followed Karl?"
    assert score_relevance("It was Karl who followed.", question, answer_type=kind) < score_relevance(
        "It was Victoria who followed Karl.", question, answer_type=kind
    )


def test_facets_weigh_relevance() -> None:
    facets = [
        Facet(facet_id="f0", kind="term", text="army", weight=0.75, terms=LEXICON.terms("army")),
        Facet(facet_id="f1", kind="term", text="navy", weight=0.25, terms=LEXICON.terms("navy")),
    ]
    assert score_relevance("The army marched.", "Tell of army and navy", facets=facets) == 0.75
    assert score_relevance("The navy sailed.", "Tell of army and navy", facets=facets) == 0.25


def test_evidence_beside_the_facets_counts() -> None:
    near, far = expert(("An army marched.", "a")), expert(("An army marched.", "c"))
    assert score_relevance(near, "Karl's army", evidence=EVIDENCE) > score_relevance(
        far, "Karl's army", evidence=EVIDENCE
    )


@pytest.mark.parametrize("output", [REFUSED, expert(), ""])
def test_refused_and_empty_outputs_have_defined_scores(output: ExpertOutput | str) -> None:
    assert score_relevance(output, "When was Karl born?") == 0.0
    assert score_consistency(output, [BORN]) == 0.5
    assert score_novelty(output, [BORN]) == 0.0
    assert score_entity_grounding(output, ["Karl"]) == 0.0


def test_agreement_counts_only_as_far_as_the_evidence_is_independent() -> None:
    same = score_consistency(expert((BORN, "a")), [expert((BORN, "a"))], evidence=EVIDENCE)
    other = score_consistency(expert((BORN, "a")), [expert((BORN, "b"))], evidence=EVIDENCE)
    assert (same, other) == (0.5, 0.75)


def test_two_copies_of_one_text_are_one_source() -> None:
    copies = [passage("x", BORN), passage("y", f" {BORN} ")]
    found = score_consistency(expert((BORN, "x")), [expert((BORN, "y"))], evidence=copies)
    assert found < 0.7


def test_two_passages_of_one_document_count_half() -> None:
    parts = [passage("x", BORN, "doc"), passage("y", f"{BORN} Indeed.", "doc")]
    found = score_consistency(expert((BORN, "x")), [expert((BORN, "y"))], evidence=parts)
    assert found == pytest.approx(0.5 + 0.5 / 1.5 / 2, abs=1e-6)


def test_contradiction_lowers_consistency() -> None:
    assert score_consistency(BORN, ["Karl was born in Amorbach in 1806."]) == 0.25


def test_alone_consistency_is_untested() -> None:
    scored = committee(expert((BORN, "a")))[0]
    assert scored.scores.consistency == 0.5
    assert any(note.startswith("untested") for note in scored.notes)


def test_only_grounded_content_is_novel() -> None:
    invented = expert(("Zorblax conquered Neptune with 99 dragons.", "a"))
    assert score_novelty(invented, [expert((BORN, "a"))], evidence=EVIDENCE) == 0.0
    assert (
        score_novelty(
            expert(("Victoria became Queen in 1837.", "c")), [expert((BORN, "a"))], evidence=EVIDENCE
        )
        == 1.0
    )


@given(st.permutations(["red fox", "red hen", "grey wolf"]))
def test_novelty_does_not_depend_on_order(others: list[str]) -> None:
    assert score_novelty("red wolf jumps", others) == pytest.approx(1 / 3, abs=1e-6)


def test_grounding_falls_with_each_kind_of_fault() -> None:
    entities = ["Karl", "Amorbach", "1804"]

    def grounded(output: ExpertOutput) -> float:
        return score_entity_grounding(output, entities, evidence=EVIDENCE)

    assert grounded(expert((BORN, "a"))) == 1.0
    assert grounded(expert((BORN, "c"))) == 0.0
    assert grounded(expert((BORN, ""))) == 0.0
    assert 0.6 < grounded(expert((BORN, "a c"))) < 1.0
    half = expert((BORN, "a"), ("Karl was born in Paris in 1899.", "a"))
    assert 0.0 < grounded(half) < 0.5


def test_without_passages_grounding_is_the_share_of_known_names() -> None:
    assert score_entity_grounding(BORN, ["Karl", "Amorbach"]) == pytest.approx(2 / 3, abs=0.2)
    assert score_entity_grounding("it is so", ["Karl"]) == 0.0


def committee(*outputs: ExpertOutput) -> list[ScoredOutput]:
    return score_outputs(
        outputs,
        "When and where was Karl born?",
        facets=(),
        answer_type="",
        entities=["Karl", "Amorbach", "Victoria"],
        context=Context(LEXICON, EVIDENCE),
        settings=ThresholdSettings(),
    )


def test_terms_sum_to_each_score() -> None:
    scored = committee(
        expert((BORN, "a"), name="one"),
        expert((BORN, "b"), ("Victoria became Queen in 1899.", "c"), name="two"),
        REFUSED,
    )
    for each in scored:
        for name in ("relevance", "consistency", "novelty", "grounding", "total"):
            parts = math.fsum(term.value for term in each.terms[name])
            assert parts == pytest.approx(getattr(each.scores, name), abs=1e-5)
    assert scored[0].scores.total > scored[1].scores.total > scored[2].scores.total


def test_scoring_twice_gives_the_same() -> None:
    outputs = expert((BORN, "a"), name="one"), expert((BORN, "b"), name="two")
    assert committee(*outputs) == committee(*outputs)


def test_the_total_follows_the_settings() -> None:
    only_relevance = ThresholdSettings(
        weight_relevance=1.0, weight_consistency=0.0, weight_novelty=0.0, grounding_base=0.0
    )
    assert total(0.5, 1.0, 1.0, 0.5, only_relevance).value == 0.25


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.1])
@pytest.mark.parametrize("place", range(4))
def test_a_score_out_of_range_has_no_total(bad: float, place: int) -> None:
    values = [0.5, 0.5, 0.5, 0.5]
    values[place] = bad
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        total(*values, settings=ThresholdSettings())


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120), st.text(max_size=120), st.lists(st.text(max_size=60), max_size=3))
def test_every_score_of_any_text_is_a_share(output: str, query: str, others: list[str]) -> None:
    for score in (
        score_relevance(output, query),
        score_consistency(output, others),
        score_novelty(output, others),
        score_entity_grounding(output, others),
    ):
        assert 0.0 <= score <= 1.0
