from pathlib import PurePosixPath

import pytest
from expert_samples import GATE, LEXICON, STORE, expert, facet, passage
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import Evidence
from engine.experts.claims import REFUSAL, check_claims, checked_events, refusal
from engine.experts.extractive import extract_answer
from engine.experts.packing import estimate_tokens, pack_context
from engine.experts.quotable import MAX_CHARACTERS, pieces
from engine.personas.policy import Policy


def answer(
    question: str, *evidence: Evidence, policy: Policy | None = None, **options: object
) -> ExpertOutput:
    return extract_answer(
        "p",
        question,
        evidence or (GATE, STORE),
        lexicon=LEXICON,
        policy=policy or Policy(),
        **options,  # type: ignore[arg-type]
    )


# -- extraction ------------------------------------------------------------------------------------


def test_the_definition_comes_first_for_what_is() -> None:
    found = answer("What is the gate?")
    assert found.claims[0].text == "The gate is the part that picks experts under a budget."
    assert found.claims[0].cites == ["gate"]


def test_a_name_set_off_at_the_start_is_explained_by_what_follows() -> None:
    told = passage("told", "The gate weighs owls, cost and gain in each owl.\n\n**Owls** ask who is awake.")
    found = answer("What do owls mean?", told, facets=[facet("owl", 1.0)])
    assert found.claims[0].text == "**Owls** ask who is awake."


@pytest.mark.parametrize("question", ["What does the owl do?", "What is an owl?", "what are `owl` ?"])
def test_what_was_asked_is_explained_by_the_sentence_that_begins_with_it(question: str) -> None:
    told = passage(
        "told",
        "Every owl was counted by the owl gate.\n\nThe owl hunts mice in the dark.",
        section="Owl gate",
    )
    found = answer(question, told, facets=[facet("owl", 1.0)])
    assert found.claims[0].text == "The owl hunts mice in the dark."


def test_a_row_of_figures_explains_nothing_and_one_of_words_its_first_cell() -> None:
    rows = "| Owl alone | 0.879 | 0.811 | **-0.073** |\n| Owl | a bird that hunts in the dark | birds |"
    found = answer("What is an owl?", passage("told", rows), facets=[facet("owl", 1.0)])
    assert found.claims[0].text == "Owl | a bird that hunts in the dark | birds"


def test_a_colon_that_announces_what_is_not_quoted_becomes_an_ellipsis() -> None:
    (piece,) = pieces("The gate weighs all of these:\n\n```\nx = 1\n```", "a.md", LEXICON, with_code=False)
    assert piece.text == "The gate weighs all of these\N{HORIZONTAL ELLIPSIS}"


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("When was the gate added?", "March 2021"),
        ("Who added the gate?", "Ana Ruiz"),
        ("How much memory?", "64 MB"),
    ],
)
def test_the_form_asked_for_is_preferred(question: str, part: str) -> None:
    assert part in answer(question).claims[0].text


def test_every_claim_is_a_sentence_of_the_passage_it_cites_and_fully_supported() -> None:
    found = answer("What does the gate do with the budget and memory?")
    texts = {"gate": " ".join(GATE.text.split()), "store": " ".join(STORE.text.split())}
    assert len(found.claims) >= 2
    for claim in found.claims:
        assert claim.text in texts[claim.cites[0]]
        assert (claim.support, claim.missing) == (1.0, [])


def test_furniture_is_never_quoted() -> None:
    said = answer("gate home next").text
    assert "Home" not in said
    assert "#" not in said
    assert "|" not in said


def test_code_is_quoted_only_where_code_is_asked_for() -> None:
    assert "def choose_experts" in answer("Which function chooses experts?", GATE).text
    assert "def choose_experts" not in answer("Who chooses experts?", GATE).text


def test_expertise_tilts_which_sentence_is_picked() -> None:
    text = "Orion costs ten euros a month for teams. Orion encrypts all traffic with keys of teams."
    evidence = passage("orion", text)
    one = Policy(max_claims=1)
    for expertise, part in ((["price", "euros"], "costs"), (["encryption", "keys"], "encrypts")):
        assert part in answer("What about Orion?", evidence, policy=one, expertise=expertise).text


def test_claims_cover_different_facets() -> None:
    text = "Orion stores red data well. Orion stores red data very well now. Orion deletes blue data."
    facets = [facet("red", 0.5), facet("blue", 0.5)]
    found = answer("red and blue?", passage("o", text), policy=Policy(max_claims=2), facets=facets)
    assert "blue" in found.text
    assert "red" in found.text


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_policy_limits_the_claims(most: int) -> None:
    assert len(answer("gate budget store memory", policy=Policy(max_claims=most)).claims) <= most


def test_a_second_source_is_cited_where_the_policy_asks_and_one_exists() -> None:
    twice = passage("copy", "As is known, the gate is the part that picks experts under a budget.", rank=2)
    assert answer("What is the gate?", GATE, twice).claims[0].cites == ["gate"]
    rigorous = answer("What is the gate?", GATE, twice, policy=Policy(sources_per_claim=2))
    assert rigorous.claims[0].cites == ["gate", "copy"]


def test_a_second_hop_is_followed_through_a_heading() -> None:
    film = passage("film", "Big Eyes is a film directed by Tim Burton in Ohio.", section="Big Eyes")
    person = passage("person", "He married the actress Helena Carter long ago.", rank=2, section="Tim Burton")
    noise = passage("noise", "She sang the oldest ballads of the island.", rank=2, section="Anna Karlsson")
    found = answer("Who married the director of Big Eyes?", film, noise, person, policy=Policy(max_claims=2))
    assert [claim.cites for claim in found.claims] == [["film"], ["person"]]


@pytest.mark.parametrize(
    "evidence", [[], [passage("x", "Bananas ripen in paper bags.")], [passage("x", "# Only a title")]]
)
def test_nothing_to_say_is_a_refusal(evidence: list[Evidence]) -> None:
    found = extract_answer("p", "What is the gate?", evidence, lexicon=LEXICON, policy=Policy())
    assert found == refusal("p")
    assert found.text == REFUSAL


@given(st.lists(st.text(max_size=300), max_size=3), st.text(max_size=80))
def test_any_text_gives_verbatim_claims(texts: list[str], question: str) -> None:
    evidence = [passage(f"p{i}", text, i + 1) for i, text in enumerate(texts)]
    for claim in answer(question, *evidence, passage("z", "The end.", 9)).claims:
        source = next(e.text for e in evidence if e.passage == claim.cites[0])
        assert claim.text.rstrip("\N{HORIZONTAL ELLIPSIS}") in " ".join(source.split())
        assert len(claim.text) <= MAX_CHARACTERS


# -- pieces ----------------------------------------------------------------------------------------


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    text = "The walk opens nodes, " + "and it records each of the many steps it takes, " * 12 + "in order."
    (piece,) = pieces(text, "a.md", LEXICON, with_code=False)
    assert len(piece.text) <= MAX_CHARACTERS
    assert piece.text.endswith("takes\N{HORIZONTAL ELLIPSIS}")


@pytest.mark.parametrize(
    "text",
    [
        "# A heading that says a lot of things",
        "A heading that says a lot\n=========================",
        "1.2 Getting started with the gate ........ 14",
        "[one link here](a.md) [another link there](b.md)",
        "|------|:-----:|",
        ".. note:: of the directive kind here",
        "<div class='a b c d'>",
        '"provider": {"type": "string", "description": "extractive when no model wrote"},',
    ],
)
def test_furniture_gives_no_pieces(text: str) -> None:
    assert pieces(text, "a.md", LEXICON, with_code=True) == []


def test_rows_of_a_table_can_be_quoted_one_by_one() -> None:
    table = "| code | meaning |\n|---|---|\n| 3 | the model is not available |\n"
    found = [piece.text for piece in pieces(table, "a.md", LEXICON, with_code=False)]
    assert found[-1] == "3 | the model is not available"


def test_a_wrapped_paragraph_is_one_sentence_and_list_items_are_their_own() -> None:
    text = "The gate picks\nexperts by gain.\n- first item says something\n- second item says more\n"
    found = [piece.text for piece in pieces(text, "a.md", LEXICON, with_code=False)]
    assert found[-2:] == ["first item says something", "second item says more"]


def test_a_line_broken_at_the_margin_goes_on_and_a_short_one_ends() -> None:
    text = (
        "- The gate stops at the budget or when the gain for each cost\n"
        "  falls below the price it was given.\n\n"
        "Ann: Shall we meet at the old station today?\nBob: I would rather stay at home today.\n"
    )
    assert [piece.text for piece in pieces(text, "a.md", LEXICON, with_code=False)] == [
        "The gate stops at the budget or when the gain for each cost falls below the price it was given.",
        "Ann: Shall we meet at the old station today?",
        "Bob: I would rather stay at home today.",
    ]


def test_a_question_whose_names_no_passage_holds_is_refused() -> None:
    wrote = passage("x", "Ana Ruiz wrote the gate in a weekend.")
    assert answer("Who wrote Hamlet?", wrote).refused
    assert not answer("Who wrote the gate?", wrote).refused
    assert not answer("Did Hamlet meet Ana Ruiz?", wrote).refused


def test_in_source_code_docstrings_and_comments_are_prose() -> None:
    doc, comment = '"""Return the gain of one expert."""', "# The loop below never runs twice."
    code = f"def f(x):\n    {doc}\n    {comment}\n    return x\n"
    found = pieces(code, str(PurePosixPath("src", "a.py")), LEXICON, with_code=True)
    assert [(p.kind, p.text) for p in found] == [
        ("code", "def f(x):"),
        ("prose", "Return the gain of one expert."),
        ("prose", "The loop below never runs twice."),
        ("code", "return x"),
    ]


# -- claims ----------------------------------------------------------------------------------------


def test_checked_claims_tell_what_their_citations_lack() -> None:
    context = Context(LEXICON, [GATE])
    found = check_claims(expert("p", ("It was added in March 2022 by Ana Ruiz.", "gate")), context)
    (event,) = checked_events(found, 0.6)
    assert (event.supported, event.missing) == (False, ["March 2022"])


# -- packing ---------------------------------------------------------------------------------------


@given(st.lists(st.text(min_size=1, max_size=400), max_size=6), st.integers(0, 400))
def test_the_budget_is_never_exceeded_and_nothing_is_lost_silently(texts: list[str], budget: int) -> None:
    evidence = [passage(f"p{i}", text, i + 1) for i, text in enumerate(texts)]
    packed = pack_context(evidence, [facet("gate", 1.0)], LEXICON, budget=budget)
    assert packed.tokens <= budget
    assert sum(estimate_tokens(each.text) for each in packed.kept) <= packed.tokens
    assert sorted([*(e.passage for e in packed.kept), *packed.dropped]) == sorted(e.passage for e in evidence)


def test_new_facets_beat_more_of_the_same() -> None:
    same = [passage(f"s{i}", "red data is stored in this place for all", i + 1) for i in range(3)]
    other = passage("other", "blue data is stored in this place for all", 4)
    packed = pack_context([*same, other], [facet("red", 0.5), facet("blue", 0.5)], LEXICON, budget=50)
    assert [each.passage for each in packed.kept] == ["s0", "other"]
    assert packed.event("p").dropped == ["s1", "s2"]


def test_a_passage_larger_than_the_budget_is_cut_at_a_sentence_if_it_is_all_there_is() -> None:
    big = passage("big", "The gate picks experts. " + "It goes on and on about many things. " * 50)
    packed = pack_context([big], [facet("gate", 1.0)], LEXICON, budget=60)
    assert packed.kept[0].text.startswith("The gate picks experts.")
    assert big.text.startswith(packed.kept[0].text)


def test_a_value_below_the_heading_that_names_it_is_the_answer() -> None:
    listed = passage("addresses", "# IPv6\n\n`2001:db8::/48`", section="Addresses › IPv6")
    other = passage("net", "The gateway listens on a fixed range of addresses.", rank=2)
    assert any("2001:db8::/48" in each.text for each in answer("Which IPv6 range?", listed, other).claims)


def test_a_definition_is_quoted_with_what_follows_it() -> None:
    text = "fn open(path: &Path) -> File {\n    File::create(path)\n}\n\nlet x = 1;"
    found = pieces(text, "store.rs", LEXICON, with_code=True)
    assert "File::create(path)" in next(piece.text for piece in found if "fn open" in piece.text)


def test_the_row_that_names_the_columns_is_not_quoted() -> None:
    head = "| Key of the setting | What it means to users |\n|---|---|\n"
    found = pieces(head + "| `seed` | feeds every choice that is drawn |", "a.md", LEXICON, with_code=False)
    assert [piece.text for piece in found] == ["`seed` | feeds every choice that is drawn"]
