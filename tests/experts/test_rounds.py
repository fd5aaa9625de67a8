"""What a round leaves open, and what an expert added to those before it."""

import msgspec
import pytest
from expert_samples import LEXICON, expert, facet, passage

from engine.evaluation.outputs import Context, ExpertOutput
from engine.experts.claims import refusal
from engine.experts.rounds import Gap, added, find_gap

BORN = passage("born", "Karl was born in Amorbach in 1804.", rank=1)
DIED = msgspec.structs.replace(passage("died", "Karl died at Waldleiningen in 1856.", rank=2), score=0.9)
WEAK = msgspec.structs.replace(passage("weak", "Karl had a horse.", rank=3), score=0.2)
OTHER = passage("other", "Karl was born in Coburg in 1804.", rank=4)
EVIDENCE = [BORN, DIED, WEAK, OTHER]
CONTEXT = Context(LEXICON, EVIDENCE)
FACETS = [facet("Karl", 0.4), facet("born", 0.3), facet("died", 0.3)]


def supported(output: ExpertOutput) -> ExpertOutput:
    claims = [msgspec.structs.replace(claim, support=1.0) for claim in output.claims]
    return msgspec.structs.replace(output, claims=claims)


FIRST = supported(expert("a", (BORN.text, "born")))
SECOND = supported(expert("b", (DIED.text, "died")))


def gap(*outputs: ExpertOutput) -> Gap | None:
    return find_gap(outputs, EVIDENCE[:3], FACETS, CONTEXT)


def test_a_facet_nobody_spoke_of_and_a_strong_passage_nobody_cites_are_open() -> None:
    found = gap(FIRST)
    assert found is not None
    assert found.lacking == {"died": 0.3}
    assert found.facets == ["died"]
    assert [each.passage for each in found.leading] == ["died"]
    assert "'died' (30% of the question)" in found.reason
    assert "1 of the strongest passage is cited by nobody" in found.reason


def test_weak_passages_and_small_parts_of_the_question_are_let_go() -> None:
    assert gap(FIRST, SECOND) is None
    assert find_gap([FIRST, SECOND], EVIDENCE[:3], [*FACETS, facet("horse", 0.1)], CONTEXT) is None


def test_unsupported_claims_cover_nothing() -> None:
    found = gap(expert("a", (BORN.text, "born")), refusal("b"))
    assert found is not None
    assert found.lacking == {"Karl": 0.4, "born": 0.3, "died": 0.3}


def test_a_contradiction_is_open_with_both_its_passages() -> None:
    elsewhere = supported(expert("b", (OTHER.text, "other"), (DIED.text, "died")))
    found = gap(FIRST, elsewhere)
    assert found is not None
    assert set(found.disputed) == {"born", "other"}
    assert "disagree about karl" in found.reason


def test_a_question_without_evidence_or_answers_is_open_as_a_whole() -> None:
    found = find_gap([refusal("a")], [], FACETS, CONTEXT)
    assert found is not None
    assert sum(found.lacking.values()) == pytest.approx(1.0)
    assert found.leading == []


def test_repeating_adds_nothing_and_refusing_adds_nothing() -> None:
    assert added(FIRST, [], CONTEXT) == 1.0
    assert added(FIRST, [FIRST], CONTEXT) == 0.0
    assert added(refusal("c"), [FIRST], CONTEXT) == 0.0
    assert 0 < added(SECOND, [FIRST], CONTEXT) < 1
