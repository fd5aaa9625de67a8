import pytest
from expert_samples import GATE, LEXICON, STORE, expert, passage

from engine.evaluation.outputs import Context, ExpertOutput
from engine.experts.claims import REFUSAL, refusal
from engine.experts.conflicts import find_conflicts
from engine.experts.synthesis import check_sentences, synthesize
from engine.experts.writer_context import synthesize_persona_context

# -- conflicts -------------------------------------------------------------------------------------

LEFT = passage("left", "Karl was born in Amorbach in 1804.", section="Karl of Leiningen")
RIGHT = passage("right", "Karl was born in Amorbach in 1806.", 2, section="Karl of Leiningen")
DISPUTE = [expert("a", (LEFT.text, "left")), expert("b", (RIGHT.text, "right"))]


def test_a_conflict_tells_both_sides_once() -> None:
    (found,) = find_conflicts(DISPUTE, Context(LEXICON, [LEFT, RIGHT]))
    assert (found.left_persona, found.right_persona) == ("a", "b")
    assert {found.left.cites[0], found.right.cites[0]} == {"left", "right"}


def test_an_unsupported_claim_is_no_side_of_a_conflict() -> None:
    invented = expert("b", ("Karl was born in Amorbach in 1899.", "left"))
    assert find_conflicts([DISPUTE[0], invented], Context(LEXICON, [LEFT, RIGHT])) == []


# -- synthesis -------------------------------------------------------------------------------------


def test_agreeing_claims_become_one_cited_sentence() -> None:
    again = passage("again", "In Amorbach, in 1804, Karl was born.", 2)
    outputs = [expert("a", (LEFT.text, "left")), expert("b", (again.text, "again"))]
    found = synthesize(outputs, "When was Karl born?", [LEFT, again], lexicon=LEXICON)
    assert found.answer == "Karl was born in Amorbach in 1804. [1][2]"
    assert [(c.marker, c.passage, c.evidence_id) for c in found.citations] == [
        ("[1]", "left", "corpus-left"),
        ("[2]", "again", "corpus-again"),
    ]
    assert found.sentences[0].personas == ["a", "b"]
    assert found.flags == ["extracts only: no model"]


def test_the_direct_answer_stands_first_and_markers_count_in_order() -> None:
    outputs = [
        expert("a", ("The store keeps passages in SQLite.", "store")),
        expert("b", ("It was added in March 2021 by Ana Ruiz.", "gate")),
    ]
    found = synthesize(outputs, "When was the gate added?", [GATE, STORE], lexicon=LEXICON)
    assert found.answer.startswith("It was added in March 2021 by Ana Ruiz. [1]")
    assert found.citations[0].passage == "gate"


def test_an_explanation_that_was_asked_for_stands_first() -> None:
    opens = passage("opens", "Beside the others one plain walk is made. It costs little.", section="Owl arm")
    said = passage("said", "The heron is pinned, and so is the owl arm.", 2)
    outputs = [expert("a", (said.text, "said"), ("Beside the others one plain walk is made.", "opens"))]
    explained = synthesize(outputs, "What is the owl arm?", [opens, said], lexicon=LEXICON)
    assert explained.answer.startswith("Beside the others one plain walk is made.")
    asked = synthesize(outputs, "Which heron is pinned with the owl arm?", [opens, said], lexicon=LEXICON)
    assert asked.answer.startswith("The heron is pinned")


def test_rows_of_a_table_are_listed_and_speak_each_of_its_own() -> None:
    table = passage(
        "keys", "`q` | quits the owl\n`u` | undoes a move\n`z` | sleeps", section="Keys of the owl"
    )
    claims = [(row, "keys") for row in table.text.split("\n")]
    found = synthesize([expert("a", *claims)], "What undoes a move?", [table], lexicon=LEXICON)
    assert found.answer == "- `u` | undoes a move [1]"


def test_both_sides_of_a_conflict_are_told_apart_from_the_rest() -> None:
    found = synthesize(DISPUTE, "When was Karl born?", [LEFT, RIGHT], lexicon=LEXICON)
    assert "The sources disagree about" in found.answer
    assert "1804. [1]" in found.answer
    assert "1806. [2]" in found.answer
    assert "conflict" in found.flags


def test_what_no_passage_bears_out_is_removed_or_marked() -> None:
    outputs = [expert("a", (LEFT.text, "left"), ("Karl ruled Neptune with 99 dragons.", "left"))]
    removed = synthesize(outputs, "Karl?", [LEFT], lexicon=LEXICON)
    assert "Neptune" not in removed.answer
    assert (removed.clusters, removed.supported) == (2, 1)
    marked = synthesize(outputs, "Karl?", [LEFT], lexicon=LEXICON, mark_unsupported=True)
    assert "Neptune with 99 dragons. [1] [unsupported]" in marked.answer
    assert [sentence.kept for sentence in marked.sentences] == [True, False]


def test_unanimity_from_one_document_is_flagged() -> None:
    outputs = [expert("a", (LEFT.text, "left")), expert("b", (LEFT.text, "left"))]
    assert "unanimous from one document" in synthesize(outputs, "Karl?", [LEFT], lexicon=LEXICON).flags
    assert (
        "unanimous from one document" not in synthesize(outputs[:1], "Karl?", [LEFT], lexicon=LEXICON).flags
    )


@pytest.mark.parametrize(
    "outputs", [[], [refusal("a"), refusal("b")], [expert("a", ("Bananas ripen.", "left"))]]
)
def test_without_a_supported_claim_the_answer_says_so(outputs: list[ExpertOutput]) -> None:
    found = synthesize(outputs, "When was Karl born?", [LEFT], lexicon=LEXICON)
    assert (found.answer, found.citations, found.sentences) == (REFUSAL, [], [])
    assert "no evidence" in found.flags


WORDS = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"]


def test_the_answer_has_at_most_six_sentences() -> None:
    texts = [f"Karl once met the {word} and the {word}keeper." for word in WORDS]
    evidence = [passage(f"p{i}", text, i + 1) for i, text in enumerate(texts)]
    outputs = [expert("a", *((text, f"p{i}") for i, text in enumerate(texts)))]
    assert len(synthesize(outputs, "What of Karl?", evidence, lexicon=LEXICON).sentences) == 6


def test_sentences_of_a_written_answer_are_checked_against_their_markers() -> None:
    context = Context(LEXICON, [LEFT, STORE])
    citations = synthesize([DISPUTE[0]], "Karl?", [LEFT], lexicon=LEXICON).citations
    written = "Karl was born in 1804 in Amorbach [1]. He liked jam [1]. Nobody knows why."
    checked = check_sentences(written, citations, {"left": ["a"]}, context)
    assert [(s.kept, s.markers, s.personas) for s in checked] == [
        (True, ["[1]"], ["a"]),
        (False, ["[1]"], ["a"]),
        (False, [], []),
    ]


def test_the_context_for_a_model_holds_supported_claims_and_their_passages_only() -> None:
    outputs = [*DISPUTE, expert("c", ("Karl ruled Neptune with 99 dragons.", "left")), refusal("d")]
    context = synthesize_persona_context(outputs, [LEFT, RIGHT, STORE], lexicon=LEXICON)
    assert "- Karl was born in Amorbach in 1804. [1] (a)" in context
    assert "Conflicts" in context
    assert "Neptune" not in context
    assert "SQLite" not in context
    assert synthesize_persona_context([refusal("d")], [LEFT]) == ""
