import pytest

from engine.evaluation.matching import ClaimMatcher, Contradiction, Said
from engine.evaluation.plain import PlainLexicon
from engine.evaluation.support import SupportChecker

MATCHER = ClaimMatcher(SupportChecker(PlainLexicon()))


def clash(left: str, right: str) -> Contradiction | None:
    return MATCHER.contradiction(Said(left), Said(right))


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("The default timeout is 5 seconds.", "The default timeout is 30 seconds.", "time"),
        ("Karl was born in 1804.", "Karl was born in 1806.", "date"),
        ("Karl was born on 12 September 1804.", "Karl was born on 13 September 1804.", "date"),
        ("Ada Lovelace died in London.", "Ada Lovelace died in Paris.", "name"),
        ("Big Eyes was directed by Tim Burton.", "Big Eyes was directed by David Lynch.", "name"),
        (
            "The Orion cache is shared.",
            "The Orion cache is not shared.",
            "polarity",
        ),
        ("Orion supports streaming uploads.", "Orion never supports streaming uploads.", "polarity"),
        ("The limit of Orion is 4 MB a request.", "The limit of Orion is 8 MB a request.", "bytes"),
        (
            "The population of Salem was 7,127 in 2010.",
            "The population of Salem was 7,300 in 2010.",
            "number",
        ),
        ("Orion uses port 8080 for metrics.", "Orion uses port 9090 for metrics.", "number"),
    ],
)
def test_plain_contradictions_are_found_from_both_sides(left: str, right: str, kind: str) -> None:
    found, turned = clash(left, right), clash(right, left)
    assert found is not None
    assert turned is not None
    assert (found.kind, found.left, found.right) == (kind, turned.right, turned.left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Ana played for Arsenal.", "Ana played for Chelsea."),
        ("Karl was born in 1804.", "Karl was born on 12 September 1804."),
        ("Karl was born in 1804.", "Victoria was born in 1819."),
        ("The timeout is 1500 ms.", "The timeout is 1.5 s."),
        ("Ana won 3 races in 1990.", "Ana won 2 races in 1995."),
        ("Orion is fast.", "Orion is not documented."),
        ("Version 2 of Orion uses port 8080.", "Version 3 of Orion uses port 9090."),
        ("Ana visited Rome in 1990.", "Ana visited Rome in 1995."),
        ("The cache is not only fast but safe.", "The cache is fast and safe."),
        ("Karl was born in Amorbach in 1804.", "Karl commanded the Bavarian army in 1843."),
    ],
)
def test_what_can_both_be_true_is_left_alone(left: str, right: str) -> None:
    assert clash(left, right) is None
    assert clash(right, left) is None


def test_nameless_claims_contradict_only_under_one_heading() -> None:
    left, right = "The population was 7,127 in 2010.", "The population was 533 in 2010."
    assert MATCHER.contradiction(Said(left, "Salem"), Said(right, "Dayton")) is None
    found = MATCHER.contradiction(Said(left, "Salem"), Said(right, "Salem"))
    assert found is not None
    assert found.subject == "Salem"


def test_claims_that_share_content_say_the_same() -> None:
    def same(left: str, right: str) -> bool:
        return MATCHER.says_the_same(Said(left), Said(right), 0.6)

    assert same("Karl was born in Amorbach in 1804.", "In 1804 Karl was born in Amorbach.")
    assert same("The timeout is 1500 ms.", "The timeout is 1.5 s.")
    assert not same("Karl was born in 1804.", "Karl was born in 1806.")
    assert not same("Karl was born in Amorbach.", "Karl commanded the army.")
