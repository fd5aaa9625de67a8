"""The provider without a model: it answers a prompt with sentences of the prompt's own passages."""

import re
from collections.abc import AsyncGenerator, Sequence

from engine.corpus.sentences import sentence_spans
from engine.evaluation.plain import PlainLexicon
from engine.models.base import ChatRequest, ModelCallError, ModelInfo, Piece, Reply

NAME = "extractive"
MOST_SENTENCES = 3
NOTHING = "NONE"

_PASSAGE = re.compile(r"^\[(S?\d{1,3})\] ?(.*(?:\n  .*)*)", re.MULTILINE)
_QUESTION = re.compile(r"^Question: ?(.*)$", re.MULTILINE)


class ExtractiveModel:
    """Quotes, from the passages labelled ``[1]`` or ``[S1]`` in the last message, what the question asks.

    It invents nothing and asks nobody. The words of its reply are the prompt's, with the label of
    the passage behind each sentence.
    """

    provider = NAME

    async def available(self) -> list[ModelInfo]:
        """Return the one model that is always there."""
        return [ModelInfo(name=NAME, capabilities=("completion",))]

    async def capabilities(self, model: str) -> ModelInfo:
        """Return that it can complete. Raises ModelCallError for any other name."""
        if model not in {"", NAME}:
            raise ModelCallError("unknown-model", f"without a server there is no model {model!r}")
        return (await self.available())[0]

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece | Reply, None]:
        """Give up to three sentences, each a piece, as ``- sentence [label]`` lines."""
        await self.capabilities(request.model)
        prompt = request.messages[-1].content if request.messages else ""
        lines = _quote(prompt) or [NOTHING]
        pieces = [line if index == 0 else f"\n{line}" for index, line in enumerate(lines)]
        for piece in pieces:
            yield Piece(piece)
        text = "".join(pieces)
        yield Reply(text=text, prompt_tokens=len(prompt.split()), answer_tokens=len(text.split()))

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Raises ModelCallError: vectors need a model."""
        raise ModelCallError("rejected", "without a model there are no vectors")

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def _quote(prompt: str) -> list[str]:
    lexicon = PlainLexicon()
    asked = _QUESTION.search(prompt)
    wanted = frozenset(lexicon.terms(asked[1])) if asked else frozenset[str]()
    found: list[tuple[int, int, str]] = []
    for label, text in _PASSAGE.findall(prompt):
        for start, end in sentence_spans(text):
            sentence = " ".join(text[start:end].split())
            shared = len(wanted & frozenset(lexicon.terms(sentence)))
            if shared:
                found.append((-shared, len(found), f"- {sentence} [{label}]"))
    return [line for _, _, line in sorted(found)[:MOST_SENTENCES]]
