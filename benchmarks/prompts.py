"""Ways to ask a model for claims, compared on the same passages of a data set's questions.

Usage: prompts.py DATASET... --model NAME [--endpoint URL] [--questions N] [--reads TOKENS]
                  [--ways a,b] [--kept FILE] [--show]

One expert's passages are taken for each question, and each way asks for claims from them; half as many
questions again are asked of the next data set, which does not answer them. Replies are read and checked as in
the product. Printed for each way: claims, claims that their own passages bear out, questions that claims are
used for, how many of their gold answers those hold, which share of the passages they cite is gold, seconds a
call (of the first way of a question, those it took to read the passages, too); and of the questions that are
not answered, claims and questions that claims are used for. ``--kept`` keeps replies, and asks for none that
it has.
"""

import argparse
import asyncio
import collections
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import msgspec
from answers import gold_answers, held

from engine.config import OllamaSettings, Settings
from engine.evaluation.outputs import ExpertOutput
from engine.events import ModelMessage, ModelRef
from engine.experts.author import Assignment, Author, Emit, ExtractiveAuthor
from engine.experts.claims import check_claims, compose
from engine.experts.labels import labels_of
from engine.experts.model_author import ModelAuthor
from engine.experts.prompts import Form, claims_messages, claims_schema
from engine.experts.topic import names_nothing_known, speak_of_it
from engine.models.base import ChatModel, ChatRequest, ModelCallError, Reply, whole_reply
from engine.models.ollama import OllamaModel
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace
from tui.datasets import read_dataset


class Question(msgspec.Struct, frozen=True):
    """A question as the first expert gets it; gold passages and answers where the data set has them."""

    assignment: Assignment
    gold: set[str]
    answers: list[str]


class Grabbing(ExtractiveAuthor):
    """Quotes, and keeps what each expert was given."""

    given: list[Assignment]

    async def claims(self, assignment: Assignment, emit: Emit) -> ExpertOutput:
        """Return quotes."""
        self.given.append(assignment)
        return await super().claims(assignment, emit)


class Listening(Engine):
    """An engine whose author keeps what it was given."""

    author: Grabbing

    async def _author(self, query: object, options: AskOptions) -> Author:
        self.author = Grabbing(query.lexicon)  # type: ignore[attr-defined]
        self.author.given = []
        return self.author


Messages = tuple[ModelMessage, ...]
Way = Callable[[Assignment, Settings], tuple[Messages, Form]]


def today(assignment: Assignment, settings: Settings) -> tuple[Messages, Form]:
    """As the product asks small models."""
    return claims_messages(assignment, settings.traits.rows, "lines"), "lines"


def schema(assignment: Assignment, settings: Settings) -> tuple[Messages, Form]:
    """As the product asks large models."""
    return claims_messages(assignment, settings.traits.rows, "schema"), "schema"


def ending(text: str) -> Way:
    """Return a way that says how to answer in other words, with ``{most}``, ``{question}``, ``{labels}``."""

    def way(assignment: Assignment, settings: Settings) -> tuple[Messages, Form]:
        system, user = claims_messages(assignment, settings.traits.rows, "lines")
        passages = user.content.rsplit("\n\nQuestion: ", 1)[0]
        labels = ", ".join(f"[{label}]" for label in labels_of(assignment.evidence))
        head, _, last = labels.rpartition(", ")
        said = text.format(
            most=assignment.policy.max_claims,
            question=assignment.question,
            labels=f"{head} or {last}" if head else last,
        )
        return (system, ModelMessage(role="user", content=f"{passages}\n\n{said}")), "lines"

    return way


SHORT = "Question: {question}\n\nAnswer in at most {most} short sentences, one a line"
ENDING = "each ending with the label of the passage that says it"
WAYS: dict[str, Way] = {
    "today": today,
    "schema": schema,
    "none": ending(
        "Question: {question}\n\nAnswer with at most {most} short claims, one a line, each ending with its "
        "passage's label:\n- claim [S1]\nIf the passages do not answer the question, write only NONE."
    ),
    "two": ending("Question: {question}\n\nAnswer in one or two sentences, " + ENDING + ", such as [S1]."),
    "words": ending(SHORT + ", in the words of the passages, " + ENDING + ", such as [S1]."),
    "labels": ending(SHORT + ", " + ENDING + ": {labels}."),
}


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", type=Path, nargs="*")
    parser.add_argument("--endpoint", default="http://127.0.0.1:11434")
    parser.add_argument("--model", default="")
    parser.add_argument("--questions", type=int, default=8, help="of each data set")
    parser.add_argument("--reads", type=int, default=700)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--kept", type=Path, help="a file of replies, which grows")
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    if not args.datasets:
        print("skipped: needs data sets and a model server (see --help)")
        return
    with tempfile.TemporaryDirectory(prefix="persona-moe-prompts-") as folder:
        kept: list[Engine] = []
        questions: list[Question] = []
        for path, other in zip(args.datasets, [*args.datasets[1:], args.datasets[0]], strict=True):
            engine = cast("Listening", Listening.open(Workspace.open(Path(folder) / path.name)))
            kept.append(engine)
            questions += taken(engine, path, path, args.questions)
            questions += taken(engine, path, other, args.questions // 2) if other != path else []
        asyncio.run(compare(args, questions, kept[0].settings))


def taken(engine: Listening, path: Path, asked: Path, number: int) -> list[Question]:
    """Return questions spread over the data set ``asked``, each with what an expert found in ``path``."""
    dataset, answers = read_dataset(asked), gold_answers(asked)
    if asked == path:
        engine.index([dataset.corpus])
    found = []
    for query, text in list(dataset.queries.items())[:: max(1, len(dataset.queries) // number)][:number]:
        for _ in engine.ask_sync(text, AskOptions(learn=False)):
            pass
        if engine.author.given:
            gold = {passage for passage, grade in dataset.qrels[query].items() if grade > 0}
            found.append(
                Question(engine.author.given[0], gold, answers.get(query, []))
                if asked == path
                else Question(engine.author.given[0], set(), [])
            )
    return found


class Kept:
    """Replies by the call that they answer, in a file of JSON lines; without one every reply is asked for."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path is not None and path.exists() else []
        self._replies = dict(msgspec.json.decode(line, type=tuple[str, Reply]) for line in lines)

    async def reply(self, chat: ChatModel, request: ChatRequest) -> Reply:
        """Return the reply that was kept, else a new one. Raises ModelCallError."""
        key = request.key()
        if key not in self._replies:
            self._replies[key] = await whole_reply(chat.chat(request))
            if self._path is not None:
                with self._path.open("ab") as file:
                    file.write(msgspec.json.encode((key, self._replies[key])) + b"\n")
        return self._replies[key]


async def compare(args: argparse.Namespace, questions: Sequence[Question], settings: Settings) -> None:
    """Ask every question in every way, and print."""
    chat = OllamaModel(OllamaSettings(first_token_seconds=300, total_seconds=600), [args.endpoint])
    names = args.ways.split(",")
    counts: dict[str, collections.Counter[str]] = {name: collections.Counter() for name in names}
    ref = ModelRef(provider="ollama", name=args.model, why="", context=4096, reads=args.reads)
    kept = Kept(args.kept)
    try:
        for question in questions:
            author = ModelAuthor(question.assignment.context.lexicon, chat, ref, settings)
            for name in names:
                await one(args, kept, author, question, name, counts[name])
    finally:
        await chat.aclose()
    for name in names:
        print(line(args.model, name, counts[name]), flush=True)


async def one(
    args: argparse.Namespace,
    kept: Kept,
    author: ModelAuthor,
    question: Question,
    name: str,
    count: collections.Counter[str],
) -> None:
    """Ask one question in one way, and count."""
    assignment, context = question.assignment, question.assignment.context
    shown = author._shown(assignment)
    messages, form = WAYS[name](shown, author._settings)
    most = assignment.policy.max_claims
    constraint = claims_schema(labels_of(shown.evidence), most) if form == "schema" else ""
    request = author._request(messages, constraint, 64 * most)
    reply: Reply | None = None
    try:
        reply = await kept.reply(author._chat, request)
    except ModelCallError as error:
        count["failed"] += 1
        parsed = author._read(error.partial, shown, context, None)
    else:
        count["tenths"] += round(10 * reply.seconds)
        parsed = author._read(reply.text, shown, context, reply)
    claims = check_claims(compose("expert", parsed.claims), context).claims
    borne = [claim for claim in claims if claim.support >= context.threshold]
    unknown = names_nothing_known(assignment.question, assignment.evidence, context)
    used = [] if unknown or not speak_of_it(borne, assignment.question, assignment.facets, context) else borne
    kind = "" if question.gold else "un"
    count[f"{kind}asked"] += 1
    count[f"{kind}claims"] += len(claims)
    count[f"{kind}borne"] += len(borne)
    count[f"{kind}used"] += bool(used)
    count["nothing"] += parsed.mode == "none"
    cited = {context.evidence[cite].evidence_id for claim in used for cite in claim.cites}
    if question.gold:
        count["cited"] += len(cited)
        count["right"] += len(cited & question.gold)
    count["tested"] += bool(question.answers)
    if question.answers:
        count["hundredths"] += round(100 * held(" ".join(claim.text for claim in used), question.answers))
    if args.show:
        said = reply.text if reply else ""
        print(f"-- {name} | {assignment.question} | {parsed.mode} {len(borne)}/{len(claims)} | {said!r}")


def line(model: str, name: str, count: collections.Counter[str]) -> str:
    """Return what is printed of a way."""
    asked, cited = count["asked"], count["cited"]
    return (
        f"{model:<20} {name:<8} {asked} questions: "
        f"claims {count['claims']}, borne out {count['borne']}, questions they are used for {count['used']}; "
        f"gold answer held {count['hundredths'] / 100 / max(1, count['tested']):.2f} of {count['tested']}; "
        f"cited passages gold {count['right'] / cited if cited else 0:.2f} of {cited}; "
        f"{count['tenths'] / 10 / max(1, asked + count['unasked']):.1f} s a call; "
        f"nothing said {count['nothing']}, failed {count['failed']}. Not answered by the passages, "
        f"{count['unasked']} questions: claims {count['unclaims']}, borne out {count['unborne']}, "
        f"questions they are used for {count['unused']}"
    )


if __name__ == "__main__":
    main()
