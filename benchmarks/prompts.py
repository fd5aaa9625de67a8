"""Ways to ask a model for claims, compared on the same passages of a data set's questions.

Usage: prompts.py DATASET... --model NAME [--endpoint URL] [--questions N] [--reads TOKENS]
                  [--ways a,b] [--show]

One expert's passages are taken for each question, and each way asks for claims from them. Printed for each
way, over all questions: replies that said nothing or failed, claims, claims that their own passages bear out,
questions with such a claim, how many of those hold the gold answer, which share of the passages they cite is
gold, and seconds a call (of the first way of a question, those it took to read the passages,
too). Replies are read and checked as in the product.
"""

import argparse
import asyncio
import collections
import tempfile
import time
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
from engine.experts.model_author import ModelAuthor
from engine.experts.prompts import Form, claims_messages, claims_schema, labels_of
from engine.models.base import ChatModel, ModelCallError, Reply, whole_reply
from engine.models.ollama import OllamaModel
from engine.pipeline import AskOptions, Engine
from engine.workspace import Workspace
from tui.datasets import read_dataset


class Question(msgspec.Struct, frozen=True):
    """A question as the first expert gets it, its gold passages and its gold answers."""

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


def ending(text: str, rules: str = "") -> Way:
    """Return a way that says how to answer in other words; ``{most}`` and ``{question}`` are filled in.

    ``rules`` are added to those of the system's message.
    """

    def way(assignment: Assignment, settings: Settings) -> tuple[Messages, Form]:
        system, user = claims_messages(assignment, settings.traits.rows, "lines")
        passages = user.content.rsplit("\n\nQuestion: ", 1)[0]
        said = text.format(most=assignment.policy.max_claims, question=assignment.question)
        first = ModelMessage(role="system", content=system.content + rules)
        return (first, ModelMessage(role="user", content=f"{passages}\n\n{said}")), "lines"

    return way


LABELLED = "short claims, one a line, each ending with its passage's label"
WAYS: dict[str, Way] = {
    "today": today,
    "schema": schema,
    "none-last": ending(
        "Question: {question}\n\nAnswer with at most {most} " + LABELLED + ":\n- claim [S1]\n"
        "If the passages do not answer the question, write only NONE."
    ),
    "no-none": ending("Question: {question}\n\nAnswer with at most {most} " + LABELLED + ":\n- claim [S1]"),
    "none-first": ending(
        "Question: {question}\n\nIf the passages do not answer the question, write only NONE. "
        "Else answer with at most {most} " + LABELLED + ":\n- claim [S1]"
    ),
    "question-last": ending(
        "Answer the question below with at most {most} " + LABELLED + ":\n- claim [S1]\n"
        "If the passages do not answer it, write only NONE.\n\nQuestion: {question}"
    ),
    "copy": ending(
        "Question: {question}\n\nWrite the sentences of the passages that answer the question, word for "
        "word, at most {most}, one a line, each ending with its passage's label:\n- sentence [S1]"
    ),
    "short": ending(
        "Question: {question}\n\nAnswer in one or two sentences, each ending with the label of the passage "
        "that says it, such as [S1]."
    ),
    "short-lines": ending(
        "Question: {question}\n\nAnswer in at most {most} short sentences, one a line, each ending with the "
        "label of the passage that says it, such as [S1]."
    ),
    "short-dash": ending(
        "Question: {question}\n\nAnswer in at most {most} short sentences, one a line, each ending with the "
        "label of the passage that says it:\n- ... [S1]"
    ),
    "short-rules": ending(
        "Question: {question}\n\nAnswer in at most {most} short sentences, one a line, each ending with the "
        "label of the passage that says it, such as [S1].",
        "\nIf the passages say nothing of what is asked, write NONE.",
    ),
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
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    if not args.datasets:
        print("skipped: needs data sets and a model server (see --help)")
        return
    with tempfile.TemporaryDirectory(prefix="persona-moe-prompts-") as folder:
        kept: list[Engine] = []
        questions: list[Question] = []
        for path in args.datasets:
            engine = cast("Listening", Listening.open(Workspace.open(Path(folder) / path.name)))
            kept.append(engine)
            questions += taken(engine, path, args.questions)
        asyncio.run(compare(args, questions, kept[0].settings))


def taken(engine: Listening, path: Path, number: int) -> list[Question]:
    """Return questions spread over the data set, each with what the first expert found."""
    dataset, answers = read_dataset(path), gold_answers(path)
    engine.index([dataset.corpus])
    found = []
    for query, text in list(dataset.queries.items())[:: max(1, len(dataset.queries) // number)][:number]:
        for _ in engine.ask_sync(text, AskOptions(learn=False)):
            pass
        if engine.author.given:
            gold = {passage for passage, grade in dataset.qrels[query].items() if grade > 0}
            found.append(Question(engine.author.given[0], gold, answers.get(query, [])))
    return found


async def compare(args: argparse.Namespace, questions: Sequence[Question], settings: Settings) -> None:
    """Ask every question in every way, and print."""
    chat = OllamaModel(OllamaSettings(first_token_seconds=300, total_seconds=600), [args.endpoint])
    names = args.ways.split(",")
    counts: dict[str, collections.Counter[str]] = {name: collections.Counter() for name in names}
    ref = ModelRef(provider="ollama", name=args.model, why="", context=4096, reads=args.reads)
    try:
        for question in questions:
            for name in names:
                await one(args, chat, ref, settings, question, name, counts[name])
    finally:
        await chat.aclose()
    for name in names:
        print(line(args.model, name, counts[name]), flush=True)


async def one(
    args: argparse.Namespace,
    chat: ChatModel,
    ref: ModelRef,
    settings: Settings,
    question: Question,
    name: str,
    count: collections.Counter[str],
) -> None:
    """Ask one question in one way, and count."""
    assignment = question.assignment
    author = ModelAuthor(assignment.context.lexicon, chat, ref, settings)
    shown = author._shown(assignment)
    messages, form = WAYS[name](shown, settings)
    constraint = claims_schema(labels_of(shown.evidence), assignment.policy.max_claims)
    request = author._request(
        messages, constraint if form == "schema" else "", 64 * assignment.policy.max_claims
    )
    began = time.monotonic()
    reply: Reply | None = None
    text = ""
    try:
        reply = await whole_reply(chat.chat(request))
        text = reply.text
    except ModelCallError as error:
        text = error.partial
        count["failed"] += 1
    count["asked"] += 1
    count["tenths"] += round(10 * (time.monotonic() - began))
    parsed = author._read(text, shown, assignment.context, reply)
    count["nothing"] += parsed.mode == "none"
    claims = check_claims(compose("expert", parsed.claims), assignment.context).claims
    borne = [claim for claim in claims if claim.support >= assignment.context.threshold]
    cited = {assignment.context.evidence[cite].evidence_id for claim in borne for cite in claim.cites}
    count["claims"] += len(claims)
    count["borne"] += len(borne)
    count["with"] += bool(borne)
    count["cited"] += len(cited)
    count["right"] += len(cited & question.gold)
    count["tested"] += bool(question.answers)
    if question.answers:
        count["hundredths"] += round(100 * held(" ".join(claim.text for claim in borne), question.answers))
    if args.show:
        print(
            f"-- {name} | {assignment.question} | {parsed.mode} {len(borne)}/{len(claims)} | {text!r}",
            flush=True,
        )


def line(model: str, name: str, count: collections.Counter[str]) -> str:
    """Return what is printed of a way."""
    asked, cited = count["asked"], count["cited"]
    return (
        f"{model:<20} {name:<14} {asked} questions: "
        f"nothing said {count['nothing']}, failed {count['failed']}; "
        f"claims {count['claims']}, borne out {count['borne']}; questions with one {count['with']}; "
        f"gold answer held {count['hundredths'] / 100 / max(1, count['tested']):.2f} of {count['tested']}; "
        f"cited passages gold {count['right'] / cited if cited else 0:.2f} of {cited}; "
        f"{count['tenths'] / 10 / max(1, asked):.1f} s a call"
    )


if __name__ == "__main__":
    main()
