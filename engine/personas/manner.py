"""The form a question wants its answer in, as one more facet for the gate to match expertise with."""

from engine.corpus.store import Lexicon
from engine.events import Facet
from engine.ids import q6

SHARE = 0.25
"""What the form counts beside everything that the question is about."""

_FORMS = {
    "comparison": ("a comparison", "compare comparison difference versus better"),
    "number": ("a number", "number amount total how many percent"),
    "date": ("a date", "date year month day before after"),
    "person": ("a person", "author director founder owner team"),
    "place": ("a place", "place located city country"),
    "procedure": ("a way to do it", "guide usage example step install how it works"),
    "reason": ("a reason", "why because cause reason purpose"),
    "yes-no": ("a yes or no", "exception however limitation cannot allowed"),
}


def with_form(facets: list[Facet], answer_type: str, comparison: bool, lexicon: Lexicon) -> list[Facet]:
    """Return ``facets`` and, where the question asks for a form of answer, one more facet for it.

    The form weighs 0.25 and the others share the rest, so the weights still sum to 1.
    """
    found = _FORMS.get("comparison" if comparison else answer_type)
    if found is None:
        return facets
    text, words = found
    form = Facet(
        facet_id=f"form:{answer_type}",
        kind="phrase",
        text=text,
        weight=SHARE if facets else 1.0,
        terms=list(dict.fromkeys(lexicon.terms(words))),
    )
    scaled = [
        Facet(
            facet_id=each.facet_id,
            kind=each.kind,
            text=each.text,
            weight=q6(each.weight * (1 - SHARE)),
            terms=each.terms,
        )
        for each in facets
    ]
    return [*scaled, form]
