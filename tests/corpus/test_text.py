"""Text to terms, names, marks and sentences: what meets what, and never slowly."""

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.corpus import marks
from engine.corpus.analysis import analyse
from engine.corpus.features import STOPPED
from engine.corpus.marks import asked, dates, symbols
from engine.corpus.names import homes, mentions, name_key
from engine.corpus.records import Name, Passage, passage_id
from engine.corpus.sentences import sentence_spans
from engine.corpus.tokens import fold, stem, tokenise


def keys(sentence: str) -> list[str]:
    return [mention.key for mention in mentions(tokenise(fold(sentence)), [0])]


def passage(text: str, title: str = "") -> Passage:
    identity = passage_id("d", text, 0)
    return Passage(
        passage_id=identity,
        document="d",
        evidence_id="d",
        title=title,
        section=(),
        start=1,
        end=1,
        unit="line",
        text=text,
    )


def home_keys(first: str, title: str = "") -> dict[str, str]:
    names = (Name(title, "title"),) if title else ()
    return {home.key: home.kind for home in reversed(homes(title, tokenise(fold(title)), names, first))}


# -- tokens --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "spelling", ["runTarget", "run_target", "run-target", "RunTarget", "RUN_TARGET", "run_target()"]
)
def test_every_spelling_of_an_identifier_has_the_same_parts_and_whole(spelling: str) -> None:
    tokens = tokenise(spelling)
    assert tokens.terms == ["run", "target"]
    assert [whole.term for whole in tokens.wholes] == ["runtarget"]


@pytest.mark.parametrize("name", ["siRNA", "HbA1c", "HTTP2", "mRNA"])
def test_short_mixed_names_stay_one_word(name: str) -> None:
    assert tokenise(name).terms == [stem(name.lower())]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("colour", "color"),
        ("organisation", "organization"),
        ("theatre", "theater"),
        ("analyse", "analyze"),
        ("haemoglobin", "hemoglobin"),
        ("Kraków", "Krakow"),
        ("β-catenin", "beta-catenin"),
        ("Kim's", "Kim"),
        ("ﬁle", "file"),
    ],
)
def test_two_spellings_of_a_word_meet(one: str, other: str) -> None:
    assert tokenise(fold(one)).terms == tokenise(fold(other)).terms


def test_stop_words_keep_their_places() -> None:
    assert tokenise("The cat of the house").terms == [STOPPED, "cat", STOPPED, STOPPED, "hous"]


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_positions_agree_with_the_terms_of_any_text(text: str) -> None:
    folded = fold(text)
    tokens = tokenise(folded)
    assert len(tokens.words) == len(tokens.surfaces) == len(tokens.gaps) == len(tokens.firsts)
    for word, first in zip(tokens.words, tokens.firsts, strict=True):
        assert tuple(tokens.terms[first : first + len(word.terms)]) == word.terms
    behind = "".join(map("".join, zip(tokens.surfaces, tokens.gaps, strict=True)))
    assert folded.endswith(behind)
    assert not any(map(str.isalnum, folded.removesuffix(behind)))
    assert fold(folded) == folded


@given(
    st.lists(
        st.sampled_from(["An Owl", "of", "Kraków.", "runTarget", " ", "\n", "\0", ". ", "- x", "…"]),
        max_size=30,
    )
)
@settings(max_examples=200, deadline=None)
def test_a_passage_is_its_sentences_one_by_one(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = analyse(passage(text))
    cuts = [tokenise(fold(text[start:end])) for start, end in sentence_spans(text)]
    assert found.tokens == [term for cut in cuts for term in cut.terms]
    opens = [sum(len(cut.terms) for cut in cuts[:number]) for number in range(len(cuts))]
    assert [sentence.token for sentence in found.sentences] == opens
    assert [(w.position, w.term) for w in found.wholes] == [
        (first + whole.position, whole.term)
        for first, cut in zip(opens, cuts, strict=True)
        for whole in cut.wholes
    ]
    assert [tuple(mention) for mention in found.mentions] == [
        (mention.key, number, first + mention.first, first + mention.last)
        for number, (first, cut) in enumerate(zip(opens, cuts, strict=True))
        for mention in mentions(cut, [0])
    ]


# -- names ---------------------------------------------------------------------------------------
def test_a_run_of_capitals_gives_itself_and_its_parts() -> None:
    found = keys("He left the Bank of England for Trinity College Cambridge.")
    assert {"bank of england", "bank", "england", "trinity college", "college cambridge"} <= set(found)


@pytest.mark.parametrize(
    "name",
    ["Moza bint Nasser", "David ben Gurion", "Vittorio della Porta", "Hilma af Klint", "Alicia de los Rios"],
)
def test_small_words_inside_a_name_do_not_end_it(name: str) -> None:
    assert keys(f"They met {name} there.")[0] == name.lower()


def test_years_months_and_leading_function_words_are_no_names() -> None:
    assert keys("In May 1999 it rained. The weather was fine on Monday.") == []
    assert keys("However Berlin was divided.") == ["berlin"]


def test_initials_hold_a_name_together_and_a_full_stop_ends_it() -> None:
    assert "j r r tolkien" in keys("It is by J. R. R. Tolkien.")
    assert "oxford london" not in keys("She left Oxford. London was next.")


@pytest.mark.parametrize(
    ("sentence", "key"),
    [
        ("Edward Albee (born 1928) was an American playwright.", "edward albee"),
        ("The Hague is a city.", "hague"),
        ("*PageRank* is an algorithm.", "pagerank"),
        ("Lake Sagara (Sanskrit: ocean) refers to a lake.", "lake sagara"),
    ],
)
def test_a_first_sentence_that_defines_makes_a_home(sentence: str, key: str) -> None:
    assert home_keys(sentence, "Chapter 7")[key] == "definition"
    assert home_keys(sentence)[key] == "title"


@pytest.mark.parametrize(
    "sentence", ["It is a city.", "There are many.", "They were late.", "running is fun"]
)
def test_a_sentence_about_nothing_named_makes_no_home(sentence: str) -> None:
    assert home_keys(sentence) == {}


def test_people_are_at_home_under_shorter_forms() -> None:
    found = home_keys("Sir Edward Franklin Albee III (born March 12, 1928) is a playwright.")
    assert {"edward albee", "e f albee", "franklin albee"} <= found.keys()
    assert "ned albee" in home_keys('Edward "Ned" Albee (born 1928) is a playwright.')


@pytest.mark.parametrize(
    ("sentence", "key"),
    [
        ("Brian Warner (born 1969), known professionally as Marilyn Manson, is a singer.", "marilyn manson"),
        ("Paul Desser (born 1971) who records as Hayden, is a singer.", "hayden"),
        ("King Wallis Vidor (1894 - 1982) was a film director.", "king vidor"),
        ("The European X-ray Observatory Satellite (EXOSAT), named HELOS, was a telescope.", "exosat"),
        ("Maputo Airport (Portuguese: Aeroporto, MPM) is an airport.", "mpm"),
    ],
)
def test_a_passage_without_title_is_known_by_what_its_first_sentence_says(sentence: str, key: str) -> None:
    assert home_keys(sentence)[key] == "alias"


def test_a_short_form_in_a_passage_with_a_title_is_no_home() -> None:
    assert "mda5" not in home_keys("The sensor of RNA (MDA5) is a protein.", "Sensing of viruses")


def test_titles_lose_their_parenthesis_and_aliases_count() -> None:
    found = home_keys("The film, also known as Second Chance, was shot in Rome.", "Chance (1931 film)")
    assert found["chance 1931 film"] == found["chance"] == "title"
    assert found["second chance"] == "alias"


@pytest.mark.parametrize(
    ("title", "key", "kind"),
    [
        ("Boston, Lincolnshire", "boston", "alias"),
        ("Martin Luther King, Jr.", "martin luther king", "alias"),
        ("Lorenzo Costa the Younger", "lorenzo costa", "alias"),
        ("History of Mississippi", "mississippi", "topic"),
        ("List of rivers in the United States", "united states", "topic"),
        ("Director of the National Security Agency (film)", "national security agency", "topic"),
    ],
)
def test_a_title_says_what_it_is_known_by_for_short_and_what_it_is_about(
    title: str, key: str, kind: str
) -> None:
    found = home_keys("It says more.", title)
    assert found[key] == kind
    assert found[name_key(title)] == "title"


@pytest.mark.parametrize("title", ["Bread, butter and jam", "Terms of service", "Made In America", "Ada"])
def test_a_title_of_another_form_is_known_by_itself_alone(title: str) -> None:
    assert home_keys("It says more.", title) == {name_key(title): "title"}


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_searched_for_names(text: str) -> None:
    for key in [*keys(text), *home_keys(text), name_key(text)]:
        assert key == key.lower()
        assert not key.startswith("the ")


# -- marks ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "code",
    [
        "def run_target(self):",
        "class run_target:",
        "static int run_target(void)",
        "pub fn run_target<T>(x: T)",
        "bool Widget::run_target(int a)",
    ],
)
def test_a_definition_is_marked_and_found_by_its_question(code: str) -> None:
    assert "#run_target" in symbols(code, ())
    assert asked("What does the run_target function do?")[0] == ["#run_target"]


def test_a_call_is_no_definition() -> None:
    assert symbols("return run_target(x)", ()) == []
    assert symbols("", (Name("Widget.run", "symbol"),)) == ["#run"]


KEYWORDS = st.sampled_from(["class", "def", "fn", "type", "macro_rules!", "@interface"])
BETWEEN = st.sampled_from([" ", "-", "_", "'", "é", "\n", "\0", "(", "Foo", "9", ". A"])


@settings(max_examples=300)
@given(st.lists(st.one_of(KEYWORDS, BETWEEN), max_size=12).map("".join))
def test_a_passage_is_marked_as_a_search_of_its_text_would(text: str) -> None:
    assert analyse(passage(text)).marks == symbols(text, ())


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            ["int ", "a", "Foo", "::", "*", "&", "~", "(", ")", " ", "\n", "\t", "return ", ".", "é", "9"]
        ),
        max_size=40,
    ).map("".join)
)
def test_looking_back_from_parentheses_finds_what_a_search_from_the_front_does(text: str) -> None:
    from_the_front = re.compile(marks._TYPED.pattern.replace(r"\Z", r"\("), re.ASCII)
    found = symbols(text, ())
    assert found == [marks._symbol(name) for name in dict.fromkeys(from_the_front.findall(text))]


@pytest.mark.parametrize(
    ("title", "question"),
    [
        ("20260514", "What was said on May 14, 2026?"),
        ("2026-05-14", "what happened on 14 May 2026"),
        ("Log of May 14th", "the 14th of May?"),
        ("2026/05/14", "What happened in May 2026?"),
    ],
)
def test_a_date_in_a_title_is_met_by_the_question(title: str, question: str) -> None:
    assert set(asked(question)[1]) <= set(dates(title))
    assert asked(question)[1]


def test_may_the_verb_is_no_month() -> None:
    assert asked("May I come in?") == ([], [])


# -- sentences -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Smith met J. Doe. They spoke.", ["Mr. Smith met J. Doe.", "They spoke."]),
        ("Is it 3.14? Yes! Good.", ["Is it 3.14?", "Yes!", "Good."]),
        ("- one\n- two", ["- one", "- two"]),
        ("Ann: hello there\nBen: hi", ["Ann: hello there", "Ben: hi"]),
        ("A first paragraph\n\na second one", ["A first paragraph", "a second one"]),
        ("\n \n", []),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


def test_a_wrapped_line_carries_on() -> None:
    text = "This line is long enough to have been wrapped by an editor at\nsome column, so it carries on."
    assert len(sentence_spans(text)) == 1


@given(st.text(alphabet=st.sampled_from("aB1 .!?\n\t-:é\"')("), max_size=200))
@settings(max_examples=150, deadline=None)
def test_sentences_cover_all_but_blanks_in_order(text: str) -> None:
    spans = sentence_spans(text)
    at = 0
    for start, end in spans:
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip() != ""
        at = end
    assert not text[at:].strip()


# -- never slowly --------------------------------------------------------------------------------
HOSTILE = {
    "letters": "a" * 50_000,
    "capitals": "A" * 50_000,
    "capital words": "Aa " * 17_000,
    "alternating": "aA" * 25_000,
    "underscores": "a_" * 25_000,
    "hyphens": "-" * 50_000,
    "open brackets": "(" * 50_000,
    "nested": "X (" * 16_000,
    "quotes": "\"'" * 25_000,
    "full stops": "A. " * 17_000,
    "line breaks": "\n" * 50_000,
    "spaces": " " * 50_000,
    "blank lines": "a\n \n" * 12_000,
    "templates": "A<" * 25_000,
    "stars": "int * " * 8_000,
    "colons": "a::" * 17_000,
    "known as": "known as A" * 5_000,
    "digits": "2026-05-" * 6_000,
    "months": "May 1 " * 8_000,
    "accents": "é" * 50_000,
    "combining": "a\u0301" * 25_000,
    "is a": "X is a " * 7_000,
    "words before bracket": "ab cd ef " * 5_000 + "(ABC",
    "backticks": "`" * 50_000,
    "classes": "class " * 8_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_text_takes_no_time(name: str) -> None:
    text = HOSTILE[name][:50_000]

    def seconds(work: Callable[[], object]) -> float:
        before = time.process_time()
        work()
        return time.process_time() - before

    whole = passage(text, title=text[:2_000])
    assert seconds(lambda: asked(text[:8_000])) < 0.5
    # Capitals without end make mentions without end: that much text takes a second on a busy machine.
    assert seconds(lambda: analyse(whole)) < 1.5
