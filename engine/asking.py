"""How a question is asked and read, and what a run tells around the work itself."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from engine.corpus.tokens import fold, tokenise
from engine.errors import PersonaMoeError
from engine.events import (
    AnswerReady,
    Event,
    Evidence,
    FollowUpRead,
    Seed,
    SeedsFound,
    SynthesisStarted,
    Term,
    Warned,
)
from engine.experts.synthesis import Synthesis
from engine.graph.follow_up import Earlier
from engine.ids import q6
from engine.query import Query

SEEDS_TOLD = 20
_WORDS_TOLD = 5


class AskOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a question is asked; ``budget`` None means the setting, ``personas`` empty all of them.

    ``seconds`` and ``tokens`` bound what the model may take for all of it, 0 meaning without end.
    ``after`` is the snapshot of the question that this one follows, in the same session.
    """

    model: str = ""
    no_model: bool = False
    learn: bool = True
    budget: float | None = None
    personas: tuple[str, ...] = ()
    seconds: float = 0.0
    tokens: int = 0
    after: str = ""


class Asked(NamedTuple):
    """A question as it was typed, and how it was read where that is not the same."""

    question: str
    follow_up: FollowUpRead | None

    @property
    def reading(self) -> str:
        """The question that is answered."""
        return self.follow_up.reading if self.follow_up else self.question

    @property
    def told(self) -> list[Event]:
        """What the run says of it."""
        return [self.follow_up] if self.follow_up else []


def warned(problem: PersonaMoeError | None) -> list[Event]:
    """Return the warning that a problem is told by, nothing for none."""
    return [] if problem is None else [Warned(problem=problem.problem, mend=problem.mend)]


def tell_words(query: Query, evidence: Sequence[Evidence]) -> Iterator[Warned]:
    """Yield warnings for the words that no document holds, with what each was read as in the evidence."""
    question = query.graph.question
    for word in question.respelt:
        said = chain.from_iterable(tokenise(fold(each.text)).words for each in evidence)
        spelt = next((e.key for e in said if e.terms == (word.read,) or e.key == word.read), word.read)
        problem = f"no document holds '{word.typed}'; it was read as '{spelt}'"
        yield Warned(problem=problem, mend="ask in other words if that was not meant")
    if question.unheld and evidence:
        words = " or ".join(f"'{word}'" for word in question.unheld[:_WORDS_TOLD])
        yield Warned(
            problem=f"no document holds {words}",
            mend="what was found is about the other words of the question",
        )


def recorded_before(read: FollowUpRead | None) -> Earlier | None:
    """Return the question before, as a recorded follow-up names it."""
    if read is None:
        return None
    return Earlier(
        question=read.earlier_question,
        answer=read.earlier_answer,
        answer_type=read.earlier_type,
        digest=read.previous,
    )


def tell_answer(answer: Synthesis) -> Iterator[Event]:
    """Yield what the answer is made of, and the answer."""
    yield from answer.conflicts
    yield SynthesisStarted(clusters=answer.clusters, supported=answer.supported)
    yield from answer.sentences
    yield AnswerReady(answer=answer.answer, citations=answer.citations, flags=answer.flags)


def seeds(query: Query) -> SeedsFound:
    """Return where the walks may begin, the strongest places first."""
    graph = query.graph
    rows = graph.seeds()[:SEEDS_TOLD]
    graph.load_passages(rows)
    return SeedsFound(
        seeds=[
            Seed(
                node=f"p:{graph.passage_id(row)}",
                label=graph.label(row),
                score=q6(graph.base(row)),
                terms=[Term(name=name, value=value) for name, value in graph.parts(row).items() if value],
            )
            for row in rows
        ]
    )
