"""The fold of events into the printed object, whole or cut off anywhere, and its readable form."""

from typing import Any

import msgspec
import pytest

from engine import events as ev
from tui.rendering import closing, evidence_block, paragraph, snippet, trail
from tui.result import Fold, evidence_line, fold

SCORES = ev.Scores(relevance=0.9, consistency=0.5, novelty=0.25, grounding=1.0, total=0.7)
MODEL = ev.ModelRef(provider="extractive", name="")
PLACE = ev.Position(document="docs/a.md", section="A > B", start=3, end=9)
STEPS = [
    ev.TrailStep(node="q", label="question", kind=""),
    ev.TrailStep(node="p:1", label="docs/a.md", kind="title", phrase="walk", quote="A walk.", weight=0.5),
]
EVIDENCE = ev.Evidence(
    rank=1,
    evidence_id="1",
    passage="1",
    position=PLACE,
    text="A walk goes on.",
    score=0.75,
    personas=["b", "a"],
    trail=STEPS,
    terms=[],
)
CITATION = ev.Citation(marker="1", evidence_id="1", passage="1", position=PLACE, text="A walk goes on.")
RUN: list[ev.Event] = [
    ev.QueryStarted(
        question="what?",
        schema=1,
        corpus="c",
        settings="s",
        personas=[],
        model=MODEL,
        budget=4.0,
        only=[],
        learn=True,
    ),
    ev.GateScored(persona="b", tier="active", value=0.6, affinity=0.5, cost=1.0, terms=[]),
    ev.GateScored(persona="a", tier="stable", value=0.4, affinity=0.5, cost=2.0, terms=[]),
    ev.ExpertChosen(persona="b", order=0, gain=0.3, cost=1.0, reason="first"),
    ev.ExpertChosen(persona="a", order=1, gain=0.1, cost=2.0, reason="second"),
    ev.ExpertSkipped(persona="c", gain=0.0, cost=9.0, reason="too dear"),
    ev.EvidenceRanked(evidence=[EVIDENCE]),
    ev.ModelAsked(call="x", purpose="answer", persona="", model=MODEL),
    ev.ModelAnswered(call="x", text="said", done_reason="stop", prompt_tokens=1, answer_tokens=1),
    ev.ModelFailed(call="y", problem="it stalled", partial="sa"),
    ev.ScoresReady(persona="b", output="A walk goes on.", scores=SCORES, terms={}, notes=[]),
    ev.ControlScored(persona="plain", answer="A walk.", evidence=["1"], scores=SCORES, lift=-0.05),
    ev.AnswerReady(answer="A walk goes on. [1]", citations=[CITATION], flags=["one source only"]),
    ev.PersonaMoved(persona="a", source="stable", target="active", rule="up", reason="did well", inputs=[]),
    ev.Warned(problem="slow disk", mend="wait"),
    ev.QueryFinished(outcome="answered"),
    ev.SnapshotSaved(snapshot="s1", digest="d1"),
]


def test_a_whole_run() -> None:
    result = fold(RUN).result({"total": 0.5}, "snapshots/s1")
    assert [expert.persona_id for expert in result.experts] == ["b", "a"]
    assert [(e.gate, e.cost) for e in result.experts] == [(0.6, 1.0), (0.4, 2.0)]
    assert result.experts[1].scores is None
    assert [(s.persona_id, s.reason) for s in result.skipped] == [("c", "too dear")]
    assert (result.run_id, result.outcome, result.lift) == ("s1", "answered", -0.05)
    assert result.warnings == ["the model failed: it stalled", "slow disk; wait"]
    assert msgspec.to_builtins(result)["moves"] == [
        {"persona_id": "a", "from": "stable", "to": "active", "reason": "did well"}
    ]
    assert result.model.transcript


def test_the_order_in_which_experts_are_announced_does_not_matter() -> None:
    swapped = [*RUN[:3], RUN[4], RUN[3], *RUN[5:]]
    assert fold(swapped).result() == fold(RUN).result()


@pytest.mark.parametrize("length", range(len(RUN) + 1))
def test_a_run_that_is_cut_off_anywhere_can_be_shown(length: int) -> None:
    folded = fold(RUN[:length])
    assert closing(folded.result(), 4.0)
    whole: dict[str, Any] = msgspec.to_builtins(folded.result())
    assert whole.keys() == msgspec.to_builtins(Fold().result()).keys()


def test_what_stands_below_an_answer() -> None:
    text = closing(fold(RUN).result({"total": 0.5}), 4.0)
    for expected in (
        "  [1] docs/a.md:3-9",
        "“A walk goes on.”",
        "lift is -0.05",
        "Cost: 3 of a budget of 4; 0.50 s",
        "Note: one source only",
        "Moved: a from stable to active: did well",
        "Replay:   persona-moe snapshots replay s1",
    ):
        assert expected in text


def test_a_sibling_is_said_to_be_born() -> None:
    reason = "a sibling of a: rigour 6"
    born = ev.PersonaMoved(
        persona="a--rigour-6",
        source="experimental",
        target="experimental",
        rule="sibling",
        reason=reason,
        inputs=[],
    )
    assert "Born: a--rigour-6, experimental: a sibling of a: rigour 6" in closing(
        fold([*RUN, born]).result(), 4.0
    )


def test_an_evidence_block_shows_place_finders_and_trail() -> None:
    block = evidence_block(evidence_line(EVIDENCE), "how does a walk go?")
    first, *rest = block.splitlines()
    assert first.startswith(" 1  docs/a.md:3-9")
    assert first.endswith("0.750")
    assert rest == [
        "    A > B",
        "    A walk goes on.",
        "    found by b, a",
        "    trail: question → (title: walk) docs/a.md",
    ]


def test_foreign_text_stays_on_its_line() -> None:
    step = ev.TrailStep(node="d:x", label="a\n[1] forged\x1b[2J", kind="title")
    assert trail([step]) == "(title) a [1] forged␛[2J"
    assert "\n" not in snippet("One\nline\x07. Two.", "line")


def test_paragraphs_keep_their_lines_and_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = paragraph("word " * 30 + "\n\nlast", "  ")
    assert max(map(len, text.splitlines())) <= 40
    assert text.splitlines()[-2:] == ["", "  last"]


def test_snippet_of_nothing() -> None:
    assert snippet("", "anything") == ""
