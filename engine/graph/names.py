"""What the corpus knows of a name: how rare it is, who is home to it, who else mentions it."""

import math
from collections.abc import Iterable, Sequence

import msgspec

from engine.config import RetrievalSettings
from engine.corpus.sqlite_store import SqliteStore
from engine.corpus.tokens import stem
from engine.graph.words import WordBook

# In a corpus of a few pages a name in five of them is rare enough.
_FEWEST_SHARING = 5.0
_MOST_REMEMBERED = 20_000


class KnownName(msgspec.Struct, frozen=True):
    """A name: its key, its rarity in [0, 1], its homes and the passages that mention it.

    ``inside`` is its rarity where it stands inside a sentence and leads to a home: no sentence gives it
    its capital there. ``homes`` are (row, kind, share), each row once. ``mentioning`` is empty where too
    many passages mention the name to lead anywhere.
    """

    key: str
    rarity: float
    inside: float
    homes: list[tuple[int, str, float]]
    mentioning: list[int]


_NOWHERE = KnownName("", 0.0, 0.0, [], [])


class NameBook:
    """The names of a corpus as it is now, looked up in the store when first asked for.

    Nothing here depends on a question, so one book serves all questions until the corpus changes.
    ``words`` is the book of its words.
    """

    def __init__(self, store: SqliteStore, settings: RetrievalSettings) -> None:
        self._store, self._settings = store, settings
        self._kinds: dict[str, float] = msgspec.structs.asdict(settings.home_kinds)
        self._passages = max(2, store.size().passages)
        self._most = math.floor(max(_FEWEST_SHARING, settings.shared_most * self._passages))
        self._known: dict[int, KnownName] = {}
        self.words = WordBook(store)

    def fetch(self, names: Iterable[int]) -> dict[int, KnownName]:
        """Return what is known of these names, fetching at once what is not here yet."""
        wanted = dict.fromkeys(names)
        missing = [name for name in wanted if name not in self._known]
        if missing:
            if len(self._known) > _MOST_REMEMBERED:
                self._known.clear()
                missing = list(wanted)
            self._look_up(missing)
        return {name: self._known[name] for name in wanted}

    def _look_up(self, names: Sequence[int]) -> None:
        # Most names stand in one passage only and are at home nowhere: they lead nowhere.
        self._known.update(dict.fromkeys(names, _NOWHERE))
        found = self._store.leading_names(names)
        lone = {name: stem(key) for name, key, _, _ in found if " " not in key}
        words = self._store.counts(lone.values()) if lone else {}
        # Use, Step or Return opens many sentences: the word is as common as it is in any case.
        counts = {
            name: max(1, passages, words.get(lone[name], 0) if name in lone else 0)
            for name, _, passages, _ in found
        }
        shared = [name for name, _, passages, _ in found if passages > 1 and counts[name] <= self._most]
        mentioning = self._store.mentioning(shared)
        homes = self._store.homes([name for name, _, _, at_home in found if at_home])
        whole = math.log(self._passages)
        for name, key, _, _ in found:
            rarity = max(0.0, 1.0 - math.log(counts[name] + 1) / whole)
            self._known[name] = KnownName(
                key,
                rarity * (self._settings.single_word if name in lone else 1.0),
                rarity * (self._settings.single_inside if name in lone else 1.0),
                self._shares(homes[name]) if name in homes else [],
                mentioning.get(name, []),
            )

    def _shares(self, homes: Sequence[tuple[int, str]]) -> list[tuple[int, str, float]]:
        """Each home of a name once, by its strongest kind, with its share of what leads to the name.

        What is only about it ("Economy of Greece") takes nothing off the share of what bears it.
        """
        kinds = self._kinds
        best: dict[int, str] = {}
        for row, kind in homes:
            if row not in best or (kinds[kind], kind) > (kinds[best[row]], best[row]):
                best[row] = kind
        bearing = sum(kind != "topic" for kind in best.values())
        return [
            (row, kind, kinds[kind] * self._crowding(len(best) if kind == "topic" else bearing))
            for row, kind in best.items()
        ]

    def _crowding(self, homes: int) -> float:
        return float(homes**-self._settings.home_crowding)
