"""The mixture of a workspace: who answers a question, and what its answer teaches about them."""

from collections.abc import Iterator, Sequence

from engine.config import Settings
from engine.errors import WorkspaceError
from engine.events import Event, Warned
from engine.ids import digest
from engine.orchestrator import Query
from engine.personas.gate import Candidate, GateResult, GateWeights, choose_experts
from engine.personas.learned import Learned, read_learned
from engine.personas.learning import Lesson, learn, settle
from engine.personas.ledger import Ledger, Outcome
from engine.personas.manner import with_form
from engine.personas.policy import derive_policy
from engine.personas.registry import PersonaRegistry, StoredPersona
from engine.personas.topics import topic_of
from engine.workspace import Workspace


class Mixture:
    """The personas that may be asked, chosen by what they know and by what was learned of them."""

    def __init__(self, workspace: Workspace, settings: Settings, personas: Sequence[StoredPersona]) -> None:
        self._workspace = workspace
        self._settings = settings
        self._stored = {each.persona.persona_id: each for each in personas}

    def learned(self, as_of: int | None = None) -> Learned:
        """Return what earlier questions taught; nothing if learning is off or cannot be read."""
        if not self._settings.system.learn or not self._workspace.ledger_path.exists():
            return Learned()
        try:
            with Ledger.open(self._workspace.ledger_path) as ledger:
                return read_learned(
                    ledger,
                    every=self._settings.system.learn_every,
                    acting_from=self._settings.thresholds.min_questions,
                    as_of=as_of,
                )
        except WorkspaceError:  # a run that can still record says so when it does
            return Learned()

    def choose(
        self,
        query: Query,
        learned: Learned,
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
            records=learned.records(
                {name: each.digest for name, each in self._stored.items()},
                lambda name: topic_of(self._stored[name].persona.expertise, query.facets, query.lexicon),
            ),
            weights=GateWeights(
                audition_every=thresholds.audition_every, newcomer_answers=thresholds.min_questions
            ),
            alone=learned.alone_for(self._topic(query)),
        )

    def experts(self, gate: GateResult) -> list[Candidate]:
        """Return the chosen ones in the order of the choice."""
        chosen = sorted(gate.chosen, key=lambda each: each.order)
        return [self.candidate(self._stored[each.persona]) for each in chosen]

    def candidate(self, stored: StoredPersona) -> Candidate:
        """Return the persona with the policy that its traits give."""
        policy = derive_policy(stored.persona.traits, self._settings.traits.rows)
        return Candidate(persona=stored.persona, tier=stored.tier, policy=policy)

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
