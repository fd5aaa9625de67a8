"""Engine: a workspace opened for indexing, searching and asking. It orders the steps, no more."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from types import TracebackType

from engine.adaptation import Rounds
from engine.asking import Asked, AskOptions, recorded_before, seeds, tell_answer, tell_words, warned
from engine.config import decision_digest
from engine.corpus.ingest import index_paths
from engine.corpus.lexicon import CorpusLexicon
from engine.corpus.report import IndexOptions, IndexReport, Progress
from engine.corpus.sqlite_store import SqliteStore
from engine.embedding.build import build_vectors
from engine.embedding.likeness import Likeness, Meaning
from engine.errors import (
    InputError,
    NothingIndexedError,
    SnapshotError,
    WorkspaceError,
)
from engine.events import (
    SCHEMA_VERSION,
    Event,
    Evidence,
    FacetsFound,
    PersonaRef,
    QueryFinished,
    QueryStarted,
    Warned,
)
from engine.expert_pool import CONTROL_PERSONA, ExpertPool
from engine.experts.author import Author
from engine.experts.authors import open_author, recorded_author
from engine.experts.synthesis import Synthesis
from engine.graph.follow_up import Earlier, read_follow_up
from engine.graph.names import NameBook
from engine.graph.opening import open_question
from engine.graph.question import require_question
from engine.log import close_log, logger, open_log
from engine.mixture import Known, Mixture
from engine.orchestrator import MoeOrchestrator
from engine.personas.gate import GateResult
from engine.query import Query
from engine.snapshots.library import SnapshotLibrary
from engine.snapshots.reader import Snapshot
from engine.snapshots.recording import Recording, numbered
from engine.snapshots.run_view import view_run
from engine.streaming import released_in_order, without_a_loop
from engine.workspace import Workspace

__all__ = ["CONTROL_PERSONA", "AskOptions", "Asked", "Engine"]

SEARCHES_KEPT = 64
ANSWER_REMEMBERED = 4_000
"""Characters of the last answer in which a follow-up question finds names."""


class Engine:
    """One workspace, opened. Use it as a context, or close it."""

    def __init__(self, workspace: Workspace, store: SqliteStore) -> None:
        self.workspace, self.store = workspace, store
        self.settings = workspace.settings()
        open_log(workspace.state / "persona-moe.log", self.settings.system.log_level)
        self._likeness = Likeness(store, self.settings)
        self._found: dict[tuple[object, ...], tuple[list[Evidence], list[Warned]]] = {}
        self._read: tuple[str, CorpusLexicon, NameBook] | None = None
        self.experts = ExpertPool(workspace)

    @classmethod
    def open(cls, workspace: Workspace) -> "Engine":
        """Open the workspace's index, made if missing. A read-only workspace can still be searched."""
        try:
            store = SqliteStore(workspace.corpus_path)
        except WorkspaceError:
            store = SqliteStore(workspace.corpus_path, read_only=True)
        return cls(workspace, store)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the index and the log."""
        self.store.close()
        close_log()

    # -- corpus ----------------------------------------------------------------------------------
    def index(
        self,
        paths: Sequence[Path],
        *,
        titles: bool = True,
        progress: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> IndexReport:
        """Bring the index up to date with these files and folders; return what changed.

        Once ``stop``, asked between files, says so, what is done is kept and the rest left for another time.
        The workspace's own folders are skipped. Vectors of passages that go, go with them; :meth:`embed`
        makes those of new ones. Raises InputError for a path where nothing is and nothing was indexed,
        and if all paths are the workspace's own, WorkspaceBusyError if another process is
        indexing, WorkspaceError if the index cannot be written.
        """
        options = IndexOptions(titles=titles, batch_size=self.settings.system.batch_size)
        with self.workspace.lock():
            report = index_paths(
                self.store, paths, own=self.workspace.folders(), options=options, progress=progress, stop=stop
            )
        logger.info(
            "indexed: %d added, %d changed, %d removed, %d skipped in %.1f s",
            report.added,
            report.changed,
            report.removed,
            len(report.skipped),
            report.seconds,
        )
        return report

    async def embed(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Make the vectors that passages lack; return how many passages got theirs.

        Raises ModelUnavailableError if there is no embedder, CorpusError if the index holds vectors of
        another one. Stopped at any point, the next call goes on from there.
        """
        with self.workspace.lock():
            made = await build_vectors(self.store.vectors, self.settings, progress)
        logger.info("vectors made for %d passages", made)
        return made

    def drop_vectors(self) -> None:
        """Remove all vectors from the index; questions are compared by words only from then on."""
        with self.workspace.lock():
            self.store.vectors.drop()

    @property
    def embedder(self) -> str:
        """Return the name of what made the vectors in the index, '' where it holds none."""
        held = self.store.vectors.embedder()
        return held.name if held is not None else ""

    def snapshot_path(self, snapshot: str) -> Path:
        """Return where a snapshot of this id is kept."""
        packed = self.workspace.snapshots / f"{snapshot}.jsonl.gz"
        return packed if packed.exists() else packed.with_suffix("")

    # -- asking ----------------------------------------------------------------------------------
    def search(
        self,
        question: str,
        *,
        k: int = 10,
        personas: Sequence[str] = (),
        warn: Callable[[Warned], None] | None = None,
    ) -> list[Evidence]:
        """Return the ``k`` best passages that the gated personas find together, best first.

        ``warn`` is told why vectors that the index holds could not be compared, and which words were
        read as others. Raises InputError for a bad question or ``k``, PersonaError for an unknown
        persona, NothingIndexedError if nothing is indexed.
        """
        if not 1 <= k <= 1000:
            raise InputError(f"{k} results were asked for", "ask for 1 to 1000 with -k")
        text = require_question(question)
        mixture = self.experts.mixture(self.settings, personas)
        known = mixture.known()
        meaning = self._likeness.now(text)
        state = (self.store.digest(), self.experts.state(), known.digest, meaning.events)
        key = (text, k, tuple(personas), *state)
        if key not in self._found or not self.settings.system.enable_caching:
            query = self._query(text, meaning)
            experts = mixture.experts(mixture.choose(query, known, only=personas))
            if len(self._found) >= SEARCHES_KEPT:
                self._found.clear()
            evidence = MoeOrchestrator(self.settings).search(query, experts, k)
            self._found[key] = evidence, list(tell_words(query, evidence))
        evidence, words = self._found[key]
        for event in (*meaning.events, *words):
            if warn is not None and isinstance(event, Warned):
                warn(event)
        return list(evidence)

    async def ask(self, question: str, options: AskOptions = AskOptions()) -> AsyncGenerator[Event, None]:  # noqa: B008
        """Yield the events of answering ``question``, each written to the journal first.

        A run that is given up half-way stays as a snapshot marked so. Raises InputError for a bad
        question, PersonaError for an unknown persona, NothingIndexedError, SnapshotError if the question
        that this one is to follow was not recorded.
        """
        earlier, session, before = self._earlier(options.after)
        asked = self._asked(question, earlier)
        meaning = await self._likeness.of(asked.reading)
        query = self._query(asked.reading, meaning)
        author = await self._author(query, options)
        try:
            mixture = self.experts.mixture(self.settings, options.personas)
            known = mixture.known(model=author.model)
            most = author.most_experts
            gate = mixture.choose(query, known, only=options.personas, budget=options.budget, most=most)
            recording = Recording(self.workspace.snapshots, asked.question, session, before)
            started = self._started(asked.question, author, options, known)
            told = (started, *asked.told, *warned(recording.problem), *meaning.events)
            run = self._run(query, mixture, gate, author, options, recording.run_id, told)
            async with aclosing(recording.record(run)) as events:
                async for event in events:
                    yield event
        finally:
            await author.aclose()

    def ask_sync(self, question: str, options: AskOptions = AskOptions()) -> Iterator[Event]:  # noqa: B008
        """Yield the events of :meth:`ask` for callers without an event loop; one is run in between."""
        yield from without_a_loop(self.ask(question, options))

    def rerun(self, snapshot: Snapshot) -> Iterator[Event]:
        """Yield the events of asking a recorded question again, as things stand now.

        Nothing is written: no journal, no score. Raises SnapshotError if the record was cut off
        before it began, and what :meth:`ask` raises.
        """
        view = view_run(snapshot.events())
        started = view.started
        if started is None:
            raise SnapshotError(
                f"snapshot {snapshot.header.snapshot} holds no question", "it was cut off at its start"
            )
        asked = self._asked(started.question, recorded_before(view.follow_up))
        meaning = self._likeness.recorded(snapshot.events())
        query = self._query(asked.reading, meaning)
        options = AskOptions(learn=started.learn, budget=started.budget, personas=tuple(started.only))
        mixture = self.experts.mixture(self.settings, options.personas)
        author = recorded_author(query.lexicon, self.settings, started.model, snapshot.events())
        known = mixture.known(started.learned_runs, model=started.model)
        most = author.most_experts
        gate = mixture.choose(query, known, only=options.personas, budget=options.budget, most=most)
        again = self._started(asked.question, author, options, known)
        told = (again, *asked.told, *meaning.events)
        run = self._run(query, mixture, gate, author, options, "", told)
        yield from without_a_loop(numbered(run))

    async def _run(
        self,
        query: Query,
        mixture: Mixture,
        gate: GateResult,
        author: Author,
        options: AskOptions,
        run_id: str,
        told: Sequence[Event],
    ) -> AsyncGenerator[Event, None]:
        orchestrator = MoeOrchestrator(self.settings)
        for event in (*told, *self.experts.unusable()):
            yield event
        question = query.graph.question
        sides = [name.key for name in question.names] if question.comparison else []
        yield FacetsFound(facets=query.facets, answer_type=question.answer_type, comparison=sides)
        yield seeds(query)
        for event in (*gate.scored, *gate.chosen, *gate.skipped, *open_question(query.graph)):
            yield event
        for event in orchestrator.expansion_phase(query, mixture.experts(gate)):
            yield event
        for event in tell_words(query, query.evidence):
            yield event
        rounds = Rounds(bench=gate.bench, expert=mixture.expert, most=self.settings.thresholds.max_rounds)
        at_once = min(self.settings.system.workers, author.at_once)
        async for event in orchestrator.evaluation_phase(query, author, rounds, at_once=at_once):
            yield event
        answers: list[Synthesis] = []
        async for event in released_in_order([partial(orchestrator.compose, query, author)], answers):
            yield event
        (answer,) = answers
        for event in tell_answer(answer):
            yield event
        control = await orchestrator.control_arm(query, self.experts.control(self.settings), answer)
        yield control
        for event in orchestrator.pruning_phase(query, answer, control):
            yield event
        if options.learn and self.settings.system.learn and run_id:
            for event in mixture.remember(query, orchestrator.outcomes(query), control.lift, run_id):
                yield event
        yield QueryFinished(outcome="answered" if answer.citations else "no-evidence")

    async def _author(self, query: Query, options: AskOptions) -> Author:
        return await open_author(
            query.lexicon,
            self.settings,
            self.workspace.state / "models.json",
            model=options.model,
            no_model=options.no_model,
            learn=options.learn and self.settings.system.learn,
            seconds=options.seconds,
            tokens=options.tokens,
        )

    def _started(self, question: str, author: Author, options: AskOptions, known: Known) -> QueryStarted:
        return QueryStarted(
            question=question,
            schema=SCHEMA_VERSION,
            corpus=self.store.digest(),
            settings=decision_digest(self.settings),
            personas=[
                PersonaRef(persona_id=each.persona.persona_id, tier=each.tier, digest=each.digest)
                for each in self.experts.personas
            ],
            model=author.model,
            budget=self._budget(options.budget),
            only=list(options.personas),
            learn=options.learn,
            learned=known.digest,
            learned_runs=known.runs,
        )

    # -- what came before ------------------------------------------------------------------------
    def _earlier(self, after: str) -> tuple[Earlier | None, str, str]:
        """Return the question of the snapshot ``after`` as it was read, its session, and its id."""
        if not after:
            return None, "", ""
        snapshot = SnapshotLibrary(self.workspace.snapshots).open(after, salvage=True)
        view = view_run(snapshot.events())
        earlier = Earlier(
            question=view.reading,
            answer=view.answer[:ANSWER_REMEMBERED],
            answer_type=view.answer_type,
            digest=snapshot.digest if snapshot.complete else "",
        )
        session = snapshot.header.session or snapshot.snapshot_id
        return earlier if view.reading else None, session, snapshot.snapshot_id

    def _asked(self, question: str, earlier: Earlier | None) -> Asked:
        text = require_question(question)
        follow_up = read_follow_up(text, earlier, self.store) if earlier is not None else None
        return Asked(text, follow_up)

    # -- parts -----------------------------------------------------------------------------------
    def _query(self, text: str, meaning: Meaning) -> Query:
        state = self.store.digest()
        if self._read is None or self._read[0] != state:
            self._read = (state, CorpusLexicon(self.store), NameBook(self.store, self.settings.retrieval))
        if not self.store.size().passages:
            raise NothingIndexedError
        _, lexicon, book = self._read
        return Query(text, self.store, lexicon, self.settings, book, meaning.adds, meaning.likest)

    def _budget(self, budget: float | None) -> float:
        return self.settings.thresholds.budget if budget is None else budget
