"""One question on its way: its graph, who answers it, and what they found and said so far."""

import copy
from collections.abc import Mapping
from types import MappingProxyType

from engine.config import Settings
from engine.corpus.lexicon import CorpusLexicon
from engine.corpus.sqlite_store import SqliteStore
from engine.evaluation.outputs import Context, ExpertOutput
from engine.evaluation.scores import ScoredOutput
from engine.events import CreditAssigned, Evidence, Facet
from engine.graph.facets import question_facets
from engine.graph.names import NameBook
from engine.graph.query_graph import QueryGraph
from engine.personas.gate import Candidate
from engine.traversal.walk import Ground


class Query:
    """One question on its way: its graph, who answers it, and what they found and said so far."""

    def __init__(
        self,
        text: str,
        store: SqliteStore,
        lexicon: CorpusLexicon,
        settings: Settings,
        book: NameBook | None = None,
        meaning: Mapping[int, float] = MappingProxyType({}),
        likest: int | None = None,
    ) -> None:
        self.text, self.store, self.lexicon, self.settings = text, store, lexicon, settings
        self.graph = QueryGraph(text, store, settings.retrieval, book, meaning, likest)
        self.context = Context(lexicon, (), settings.thresholds.support_threshold)
        self.facets: list[Facet] = question_facets(self.graph)
        self._begin()

    def _begin(self) -> None:
        self.experts: list[Candidate] = []
        self.compared: set[str] = set()
        self.visited: dict[str, list[int]] = {}
        self.ground = Ground()
        self.taken: set[int] = set()
        self.evidence: list[Evidence] = []
        self.read: dict[str, list[Evidence]] = {}
        self.outputs: list[ExpertOutput] = []
        self.scored: list[ScoredOutput] = []
        self.credits: list[CreditAssigned] = []

    def afresh(self) -> "Query":
        """Return the same question before anybody walked; what was read of the corpus is shared."""
        again = copy.copy(self)
        again.graph = self.graph.afresh()
        again._begin()
        return again

    @property
    def answer_type(self) -> str:
        """Return what form of answer the question asks for."""
        return self.graph.question.answer_type

    def all_read(self) -> list[Evidence]:
        """Return every passage that an expert read or that was ranked, each once."""
        passages = {each.passage: each for each in self.evidence}
        for read in self.read.values():
            for each in read:
                passages.setdefault(each.passage, each)
        return list(passages.values())
