"""The mixture of a workspace: who answers a question, and what its answer teaches about them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from engine.config import Settings
from engine.errors import WorkspaceError
from engine.events import Event, ExpertChosen, ModelRef, Warned
from engine.ids import digest
from engine.personas.federation import model_family
from engine.personas.federation_priors import Priors, read_priors, with_priors
from engine.personas.gate import Candidate, GateResult, GateWeights, Record, choose_experts
from engine.personas.learned import Learned, read_learned
from engine.personas.learning import Lesson, learn, settle
from engine.personas.ledger import Ledger, Outcome
from engine.personas.manner import with_form
from engine.personas.policy import derive_policy
from engine.personas.registry import PersonaRegistry, StoredPersona
from engine.personas.topics import topic_of
from engine.query import Query
from engine.workspace import Workspace


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate knows before a question: what was learned here, and what others' machines say."""

    learned: Learned = msgspec.field(default_factory=Learned)
    priors: Priors = msgspec.field(default_factory=Priors)

    @property
    def runs(self) -> int:
        """How many runs of this workspace it reaches to."""
        return self.learned.runs

    @property
    def digest(self) -> str:
        """What it comes to, empty while nothing acts on any choice."""
        if not self.priors.digest:
            return self.learned.digest
        return digest("known.v1", self.learned.digest, self.priors.digest)

    def expected(self, records: Mapping[str, Record], topic_of: Callable[[str], str]) -> dict[str, Record]:
        """Return the local records with others' words added, for estimating values alone."""
        topics = {persona: topic_of(persona) for persona in self.priors.cells}
        return with_priors(records, self.priors, topics)


class Mixture:
    """The personas that may be asked, chosen by what they know and by what was learned of them."""

    def __init__(self, workspace: Workspace, settings: Settings, personas: Sequence[StoredPersona]) -> None:
        self._workspace = workspace
        self._settings = settings
        self._stored = {each.persona.persona_id: each for each in personas}
        self._candidates: dict[str, Candidate] = {}

    def known(self, as_of: int | None = None, *, model: ModelRef | None = None) -> Known:
        """Return what is known of the personas; nothing if learning is off or cannot be read.

        ``model`` is what writes: what others say of another family counts half. None: a search.
        """
        if not self._settings.system.learn:
            return Known()
        family = "" if model is None else model_family(model.name or model.provider)
        priors = read_priors(self._workspace, list(self._stored.values()), model=family)
        return Known(learned=self._learned(as_of), priors=priors)

    def _learned(self, as_of: int | None) -> Learned:
        if not self._workspace.ledger_path.exists():
            return Learned()
        try:
            with Ledger.open(self._workspace.ledger_path) as ledger:
                return read_learned(ledger, every=self._settings.system.learn_every, as_of=as_of)
        except WorkspaceError:  # a run that can still record says so when it does
            return Learned()

    def choose(
        self,
        query: Query,
        known: Known,
        *,
        only: Sequence[str] = (),
        budget: float | None = None,
        most: int = 32,
    ) -> GateResult:
        """Return who answers and who does not, each with numbers and a reason.

        ``budget`` None means the setting; ``most`` is how many whoever writes has the
        patience for. Raises PersonaError for a name in ``only`` that is unknown.
        """
        thresholds = self._settings.thresholds

        def topic(name: str) -> str:
            return topic_of(self._stored[name].persona.expertise, query.facets, query.lexicon)

        records = known.learned.records({name: each.digest for name, each in self._stored.items()}, topic)
        return choose_experts(
            [self.candidate(each) for each in self._stored.values()],
            with_form(query.facets, query.answer_type, query.graph.question.comparison, query.lexicon),
            query.lexicon,
            budget=thresholds.budget if budget is None else budget,
            max_experts=min(most, thresholds.max_experts),
            price=thresholds.activation_threshold,
            seed=self._settings.system.seed,
            question_digest=digest("question.v1", query.text),
            only=only,
            records=records,
            expected=known.expected(records, topic),
            weights=GateWeights(
                audition_every=thresholds.audition_every, newcomer_answers=thresholds.min_questions
            ),
            alone=known.learned.alone_for(self._topic(query)) if known.learned.alone else "",
            first=thresholds.first_round,
        )

    def experts(self, gate: GateResult) -> list[Candidate]:
        """Return the chosen ones in the order of the choice."""
        chosen = sorted(gate.chosen, key=lambda each: each.order)
        return [self.expert(each) for each in chosen]

    def expert(self, chosen: ExpertChosen) -> Candidate:
        """Return a chosen one with its policy."""
        return self.candidate(self._stored[chosen.persona])

    def candidate(self, stored: StoredPersona) -> Candidate:
        """Return the persona with the policy that its traits give."""
        known = self._candidates.get(stored.persona.persona_id)
        if known is None or known.persona is not stored.persona:
            policy = derive_policy(stored.persona.traits, self._settings.traits.rows)
            known = Candidate(persona=stored.persona, tier=stored.tier, policy=policy)
            self._candidates[stored.persona.persona_id] = known
        return known

    def remember(self, query: Query, outcomes: list[Outcome], lift: float, run_id: str) -> Iterator[Event]:
        """Store what each answer came to, and yield what follows from it.

        A ledger that fails is no reason to fail: a Warned event says so.
        """
        lesson = Lesson(topic=self._topic(query), experts=len(query.experts), lift=lift, outcomes=outcomes)
        try:
            with Ledger.open(self._workspace.ledger_path) as ledger:
                registry = PersonaRegistry.of(self._workspace)
                yield from learn(ledger, run_id, lesson, registry, self._settings)
                yield from settle(self._workspace, ledger, self._settings)
        except WorkspaceError as error:
            yield Warned(problem=f"the experts' scores were not recorded: {error.problem}", mend=error.mend)

    def _topic(self, query: Query) -> str:
        """The subject of the question among those that any persona knows, for the committee's lift."""
        known = [phrase for each in self._stored.values() for phrase in each.persona.expertise]
        return topic_of(known, query.facets, query.lexicon)
