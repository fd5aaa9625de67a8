"""What is scored: an expert's output, the passages it may cite, and a score with its terms."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from engine.corpus.store import Lexicon
from engine.evaluation.matching import ClaimMatcher, Said
from engine.evaluation.plain import PlainLexicon
from engine.evaluation.support import Support, SupportChecker
from engine.events import Claim, Evidence, Term
from engine.ids import q6


class ExpertOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What one persona answered. ``refused`` means it said that the documents do not answer."""

    persona_id: str
    claims: list[Claim]
    text: str
    refused: bool = False


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A score in [0, 1], the terms that sum to it, and what a reader should know about it."""

    value: float
    terms: list[Term]
    notes: list[str] = msgspec.field(default_factory=list)


def scored(terms: Iterable[tuple[str, float]], notes: Sequence[str] = ()) -> Scored:
    """Return the :class:`Scored` whose value is the sum of ``terms``, each quantised to 1e-6.

    >>> scored([("base", 0.5), ("agreement", 0.25)]).value
    0.75
    """
    listed = [Term(name=name, value=q6(value)) for name, value in terms]
    value = q6(sum(term.value for term in listed))
    return Scored(value=min(max(value, 0.0), 1.0), terms=listed, notes=list(notes))


class Context:
    """What every score needs: a checker with its lexicon, the passages by id, the bar for support.

    ``matcher`` shares what another context has read and compared (:meth:`over`).
    """

    def __init__(
        self,
        lexicon: Lexicon | None = None,
        evidence: Sequence[Evidence] = (),
        support_threshold: float = 0.6,
        matcher: ClaimMatcher | None = None,
    ) -> None:
        self.lexicon: Lexicon = PlainLexicon() if lexicon is None else lexicon
        self.matcher = matcher or ClaimMatcher(SupportChecker(self.lexicon))
        self.checker = self.matcher.checker
        self.threshold = support_threshold
        self.evidence = {each.evidence_id: each for each in evidence} | {e.passage: e for e in evidence}
        self._texts: dict[str, str] = {}

    def over(self, evidence: Sequence[Evidence]) -> "Context":
        """Return a context over other passages that has already read what this one has."""
        return Context(self.lexicon, evidence, self.threshold, self.matcher)

    def passage_text(self, cite: str) -> str:
        """Return a passage's text under its heading, '' for an unknown id."""
        text = self._texts.get(cite)
        if text is None:
            found = self.evidence.get(cite)
            text = self._texts[cite] = evidence_text(found) if found else ""
        return text

    def document(self, cite: str) -> str:
        """Return the document of a passage; for an unknown id the id itself."""
        found = self.evidence.get(cite)
        return found.position.document if found else cite

    def support(self, claim: Claim, cites: Sequence[str] | None = None) -> Support:
        """Return the support of ``claim`` by its own citations, or by ``cites`` in their place."""
        texts = [self.passage_text(cite) for cite in (claim.cites if cites is None else cites)]
        return self.checker.check(claim.text, [text for text in texts if text])

    def said(self, claim: Claim) -> Said:
        """Return the claim's text with the heading of the first passage it cites."""
        found = next((self.evidence[cite] for cite in claim.cites if cite in self.evidence), None)
        return Said(claim.text, found.position.section if found else "")

    def as_output(self, output: ExpertOutput | str) -> ExpertOutput:
        """Return ``output``; of a string, each sentence becomes a claim without citations."""
        if isinstance(output, ExpertOutput):
            return output
        claims = [Claim(text=output[a:b], cites=[]) for a, b in self.lexicon.sentences(output)]
        return ExpertOutput(persona_id="", claims=claims, text=output)


class KnownNames:
    """The names, code names and numbers of passages, for whoever goes through them; else never read."""

    def __init__(self, lexicon: Lexicon, evidence: Sequence[Evidence]) -> None:
        self._lexicon, self._evidence = lexicon, evidence

    def __iter__(self) -> Iterator[str]:
        """Yield each name once, in alphabetical order."""
        return iter(sorted({name for each in self._evidence for name in self._lexicon.anchors(each.text)}))


def evidence_text(evidence: Evidence) -> str:
    """Return the passage under the headings it stands below, which often name its subject."""
    section = evidence.position.section
    return f"{section}\n{evidence.text}" if section else evidence.text
