"""One question's view of the corpus: scores by itself, links on demand, the best path to each passage.

The pool of paths is shared by all personas: a passage keeps its best path, whoever found it. What a
path is worth does not depend on who walked it, so personas decide what is *reached*, never how
strong it is, and their finds can be merged by score (rank fusion loses second hops).
"""

import copy
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.features import Features
from engine.corpus.records import Passage
from engine.corpus.sqlite_store import SqliteStore
from engine.graph.close_look import Candidate
from engine.graph.lexical import Lexical, first_hop
from engine.graph.links import Link, Linker
from engine.graph.names import NameBook
from engine.graph.question import Question, QuestionName, read_question
from engine.ids import q6

# A name that a passage defines or gives in its text is its subject only as far as its title says so, too.
_SAID_INSIDE = frozenset(("definition", "alias", "topic"))


class Path(msgspec.Struct, frozen=True):
    """The best way found to a passage: ``value`` adds to what the passage scores by itself."""

    value: float
    link: Link
    hops: int


class QueryGraph:
    """What one question has opened so far. Raises nothing of its own; an empty corpus gives no seeds.

    ``book`` is one that questions of a corpus share; without it the graph has its own. ``meaning`` maps
    rows to what their likeness to the question adds, where the index holds vectors; ``likest`` is the
    row that stands out by it.
    """

    def __init__(
        self,
        text: str,
        store: SqliteStore,
        settings: RetrievalSettings,
        book: NameBook | None = None,
        meaning: Mapping[int, float] = MappingProxyType({}),
        likest: int | None = None,
    ) -> None:
        self.store, self.settings, self.meaning, self.likest = store, settings, meaning, likest
        self.question: Question = read_question(
            text,
            store,
            part_weight=settings.part_weight,
            mark_weight=settings.mark_weight,
            pair_gap=settings.pair_gap,
        )
        book = book or NameBook(store, settings)
        self.lexical: Lexical = first_hop(self.question, store, settings, book.words, by_words=not meaning)
        self._linker = Linker(self.question, self.lexical, store, settings, book)
        self._candidates: dict[int, Candidate] = {c.row: c for c in self.lexical.candidates}
        self._fetched: dict[int, Features] = {c.row: c.features for c in self.lexical.candidates}
        self._features: dict[int, Features] = dict(self._fetched)
        self._ids: dict[int, str] = {c.row: c.passage_id for c in self.lexical.candidates}
        self._bases: dict[int, float] = {}
        self._names: dict[int, float] = self._name_bonuses()
        scores = sorted((self.base(row) for row in self._candidates), reverse=True)
        self._least = scores[settings.choose_from - 1] if len(scores) >= settings.choose_from else 0.0
        self._wanted = {
            word: self.lexical.weights.get(term.term, 0.0)
            for term in self.question.terms
            for word in term.words
        }
        self.paths: dict[int, Path] = {}
        self._passages: dict[int, Passage] = {}
        self._expanded: dict[int, list[Link]] = {}
        self.finders: dict[int, list[str]] = {}

    def afresh(self) -> "QueryGraph":
        """Return a graph of the same question in which nobody has walked; what was read is shared."""
        again = copy.copy(self)
        again._features = {c.row: c.features for c in self.lexical.candidates}
        again.paths, again._expanded, again.finders = {}, {}, {}
        return again

    @property
    def named(self) -> bool:
        """Whether the question holds a name that is at home anywhere."""
        return bool(self._names)

    def _name_bonuses(self) -> dict[int, float]:
        """What passages gain for being home to a name in the question."""
        s = self.settings
        bonuses: dict[int, float] = {}
        homes = [(name, self._linker.homes(name.name)) for name in self.question.names]
        inside = {row for _, found in homes for row, kind, _ in found if kind in _SAID_INSIDE}
        missing = sorted(inside - self._fetched.keys())
        self._fetched.update(zip(missing, self.store.features(missing), strict=True))
        for name, found in homes:
            share = math.fsum(self._linker.term_share(term) for term in name.terms)
            for row, kind, worth in found:
                bonus = s.name_bonus * share * worth
                if kind != "title" and " " not in name.key:
                    bonus *= s.single_name
                if not name.capitalised:
                    bonus *= s.plain_name
                if kind in _SAID_INSIDE:
                    bonus *= self._titled_alike(row, name) ** 2
                bonuses[row] = max(bonuses.get(row, 0.0), bonus)
        return bonuses

    def _titled_alike(self, row: int, name: QuestionName) -> float:
        """The share of a passage's title that is the name; 1 for a passage without title."""
        words = {word for word in self._fetched[row].title_tokens if word}
        if not words:
            return 1.0
        wanted = {word for t in self.question.terms if t.term in name.terms for word in t.words}
        return len(words & wanted) / len(words)

    # -- what passages are worth -----------------------------------------------------------------
    def base(self, row: int) -> float:
        """Return what a passage is worth by itself: words, names of the question at home, meaning."""
        known = self._bases.get(row)
        if known is None:
            candidate = self.lexical.candidate(row)
            own = candidate.score if candidate else self.lexical.words(row)
            known = self._bases[row] = own + self._names.get(row, 0.0) + self.meaning.get(row, 0.0)
        return known

    def own(self, row: int) -> float:
        """Return what a passage is worth by itself, whatever other passages say."""
        candidate = self.lexical.candidate(row)
        return self.base(row) - (candidate.feedback if candidate else 0.0)

    def strength(self, row: int) -> float:
        """Return what a passage is worth with the best path found to it so far."""
        path = self.paths.get(row)
        return self.base(row) + path.value if path else self.base(row)

    def parts(self, row: int) -> dict[str, float]:
        """Return the named parts that sum to :meth:`strength`."""
        candidate = self.lexical.candidate(row)
        parts = candidate.parts if candidate else {"words": q6(self.lexical.words(row))}
        if row in self._names:
            parts["name in the question"] = q6(self._names[row])
        if row in self.meaning:
            parts["meaning"] = q6(self.meaning[row])
        if row in self.paths:
            parts["path"] = q6(self.paths[row].value)
        return parts

    def seeds(self) -> list[int]:
        """Return the rows where walks may start, best first."""
        rows = dict.fromkeys((*self._candidates, *self._names, *self.meaning))
        return self.ordered(rows)

    def holding(self, wanted: Mapping[str, float]) -> list[int]:
        """Return the rows among the first ``depth`` that hold any of these terms, by the weight they hold."""
        rows = [*self.seeds(), *self.lexical.later]
        self.identify(rows)
        held = {
            row: q6(math.fsum(w * self.lexical.matches.get(t, {}).get(row, 0.0) for t, w in wanted.items()))
            for row in rows
        }
        return sorted((r for r in held if held[r] > 0), key=lambda r: (-held[r], self.passage_id(r)))

    def ordered(self, rows: Iterable[int]) -> list[int]:
        """Return rows by strength, best first; ties by passage id."""
        known = list(rows)
        self.identify(known)
        ids, strength = self._ids, self.strength
        return [row for *_, row in sorted([(-q6(strength(row)), ids[row], row) for row in known])]

    def load(self, rows: list[int]) -> None:
        """Fetch the features of these rows at once, where they are not here yet."""
        missing = [row for row in rows if row not in self._fetched]
        if missing:
            self._fetched.update(zip(missing, self.store.features(missing), strict=True))
        self._features.update((row, self._fetched[row]) for row in rows)

    def features(self, row: int) -> Features:
        """Return what analysis found in a passage."""
        if row not in self._features:
            self.load([row])
        return self._features[row]

    def known_features(self, row: int) -> Features | None:
        """Return what analysis found in a passage if the first hop or a walk looked at it, else None."""
        known = self._features.get(row)
        candidate = self.lexical.candidate(row) if known is None else None
        if candidate is not None:
            known = self._features[row] = self._fetched[row] = candidate.features
        return known

    def passage_id(self, row: int) -> str:
        """Return the id of the passage at ``row``."""
        if row not in self._ids:
            self.identify([row])
        return self._ids[row]

    def weighed_matches(self, row: int) -> Sequence[tuple[float, float, int]]:
        """Return (weight, match, number) of the question's terms that a passage matches."""
        return self._linker.matches(row)

    def matches(self, row: int) -> Mapping[int, float]:
        """Return question term number -> how well the passage matches it, in [0, 1)."""
        return self._linker.coverage(row)

    def share(self, coverage: Mapping[int, float]) -> float:
        """Return the share of the question that ``coverage`` answers, in [0, 1]."""
        return self._linker.covered_share(coverage)

    def quote(self, row: int, sentence: int) -> str:
        """Return the text of a sentence of a passage; of its title for -1."""
        passage = self.passage(row)
        if sentence < 0:
            return passage.title
        span = self.features(row).sentences[sentence]
        return passage.text[span.start : span.end]

    def best_sentence(self, row: int) -> str:
        """Return the sentence of a passage that holds most of the question, its title for none."""
        features = self.features(row)
        wanted = self._wanted
        starts = [sentence.token for sentence in features.sentences]
        holds: list[list[int]] = [[] for _ in starts]
        for word in wanted:
            for number in dict.fromkeys(bisect_right(starts, place) - 1 for place in features.places(word)):
                holds[number].append(word)
        best, most = -1, 0.0
        for number, words in enumerate(holds):
            if not words:
                continue
            held = q6(math.fsum([wanted[word] for word in words]))
            if held > most:
                best, most = number, held
        return self.quote(row, best)

    def homes_of_question(self, row: int) -> list[str]:
        """Return the keys of the question's names that are at home in a passage."""
        return [
            n.key for n in self.question.names if any(home == row for home, *_ in self._linker.homes(n.name))
        ]

    def passage(self, row: int) -> Passage:
        """Return the passage at ``row`` with its text."""
        if row not in self._passages:
            self._passages[row] = self.store.passages([self.passage_id(row)])[0]
        return self._passages[row]

    def load_passages(self, rows: Sequence[int]) -> None:
        """Fetch the text of these passages at once, where it is not here yet."""
        missing = [row for row in rows if row not in self._passages]
        self.identify(missing)
        row_of = {self._ids[row]: row for row in missing}
        for passage in self.store.passages(row_of):
            self._passages[row_of[passage.passage_id]] = passage

    def label(self, row: int) -> str:
        """Return a passage's title, or its id where it has none."""
        passage = self.passage(row)
        return passage.title or passage.document

    # -- growing ---------------------------------------------------------------------------------
    def trail(self, row: int) -> list[Link]:
        """Return the links of the best path to a passage, from its seed on; empty for a seed."""
        links: list[Link] = []
        seen = {row}
        while row in self.paths and self.paths[row].link.source not in seen:
            links.append(self.paths[row].link)
            row = self.paths[row].link.source
            seen.add(row)
            if self.paths.get(row) is None or len(links) >= self.paths[links[0].target].hops:
                break
        return links[::-1]

    def coverage(self, row: int) -> dict[int, float]:
        """Return how much of each question term the path to this passage, and the passage, cover."""
        covered = dict(self._linker.coverage(row))
        for link in self.trail(row):
            for index, match in self._linker.coverage(link.source).items():
                covered[index] = max(match, covered.get(index, 0.0))
        return covered

    def expand(self, row: int, finder: str) -> list[Link]:
        """Return the links out of a passage, strongest first, and offer their paths to the pool.

        A passage is worked out once; a second persona that comes by finds the same links.
        """
        if row not in self._expanded:
            self._expanded[row] = self._grow(row)
        links = self._expanded[row]
        for link in links:
            self.found_by(link.target, finder)
        return links

    def _grow(self, row: int) -> list[Link]:
        s = self.settings
        if not self._expanded:
            # Most of what the walks will ask for, in one go.
            first = [seed for seed in self.seeds()[: s.fan] if seed in self._features]
            self._linker.fetch(mention[0] for seed in first for mention in self._features[seed].mentions)
        path = self.paths.get(row)
        deep = path is not None and path.value > self.base(row)
        source = self.strength(row) * s.second_share if deep else self.base(row)
        source *= 1.0 if row in self._names else s.by_words
        source *= 1.0 if self.named else s.no_names
        hops = path.hops + 1 if deep and path is not None else 1
        found = self._linker.links(row, self.features(row), self.coverage(row), source, self._least)
        for link in found:
            value = source * link.strength
            known = self.paths.get(link.target)
            if known is None or value > known.value:
                self.paths[link.target] = Path(value, link, hops)
        return self._strongest(found)

    def _strongest(self, links: list[Link]) -> list[Link]:
        """The ``fan`` strongest links, by what their targets are worth now; ties by passage id."""
        fan = self.settings.fan
        worth = {link.target: q6(self.strength(link.target)) for link in links}
        if len(links) > fan:
            least = sorted(worth.values(), reverse=True)[fan - 1]
            links = [link for link in links if worth[link.target] >= least]
        self.identify([link.target for link in links])
        return sorted(links, key=lambda link: (-worth[link.target], self._ids[link.target]))[:fan]

    def identify(self, rows: list[int]) -> None:
        """Fetch the passage ids of these rows at once, where they are not here yet."""
        missing = [row for row in rows if row not in self._ids]
        if missing:
            self._ids.update(zip(missing, self.store.ids_of(missing), strict=True))

    def found_by(self, row: int, finder: str) -> None:
        """Record that a persona came across a passage."""
        finders = self.finders.setdefault(row, [])
        if finder not in finders:
            finders.append(finder)
