from engine.evaluation.outputs import ExpertOutput
from engine.evaluation.plain import PlainLexicon
from engine.events import Claim, Evidence, Facet, Position
from engine.experts.claims import compose

LEXICON = PlainLexicon()


def passage(name: str, text: str, rank: int = 1, section: str = "", document: str = "") -> Evidence:
    return Evidence(
        rank=rank,
        evidence_id=f"corpus-{name}",
        passage=name,
        position=Position(document=document or f"{name}.md", section=section, start=1, end=9),
        text=text,
        score=1.0 / rank,
        personas=[],
        trail=[],
        terms=[],
    )


def expert(name: str, *claims: tuple[str, str]) -> ExpertOutput:
    return compose(name, [Claim(text=text, cites=cites.split()) for text, cites in claims])


def facet(text: str, weight: float) -> Facet:
    return Facet(facet_id=text, kind="term", text=text, weight=weight, terms=LEXICON.terms(text))


GATE = passage(
    "gate",
    "# The gate\n\n- [Home](index.md)\n- [Next](next.md)\n\n| a | b |\n|---|---|\n\n"
    "The gate is the part that picks experts under a budget. It was added in March 2021 by Ana Ruiz.\n"
    "Nothing else matters much in this place.\n\n"
    "```python\ndef choose_experts(budget):\n    return []\n```\n",
    section="The gate",
)
STORE = passage(
    "store", "The store keeps passages in SQLite. Its budget of memory is 64 MB.", rank=2, section="Store"
)
