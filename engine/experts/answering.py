"""The final answer that a model writes: asked for, then held against its citations sentence by sentence."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing

import msgspec

from engine.evaluation.outputs import Context
from engine.events import Citation, ConflictFound, SentenceChecked
from engine.experts.packing import estimate_tokens
from engine.experts.parsing import speaks_of_itself
from engine.experts.prompts import answer_messages
from engine.experts.synthesis import UNSUPPORTED_MARK, check_sentences
from engine.models.base import ChatModel, ChatRequest, ModelCallError, Piece, Reply
from engine.models.choose import pick

MOST_SENTENCES = 12
PROMPT_TOKENS = 320
"""Rules, form and the model's own template around what is packed into a prompt; an upper estimate."""

LEAST_TERMS = 3
UNCITED_SUPPORT = 0.75
"""A sentence for which the model named no source must say something, and be borne out better than others."""

_MARKER = re.compile(r"\[(\d{1,3})\]")
_LIST = re.compile(r"\[(\d{1,3}(?:[\s,;]+\d{1,3})+)\]")
_AFTER = re.compile(r"([.!?])((?:[ \t]*\[\d{1,3}\])+)")
_BLANK = re.compile(r"[ \t]+([.,;:!?])")
_LINE_START = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)]|#{1,6}|answer:)\s+", re.IGNORECASE | re.MULTILINE)


async def send_prompt_to_ollama(
    synthesized_context: str,
    query: str,
    ollama_client: ChatModel,
    *,
    model: str = "",
    model_digest: str = "",
    num_ctx: int = 4096,
    max_tokens: int = 512,
    temperature: float = 0.0,
    seed: int = 0,
    think: bool = False,
    most_context: int = 0,
    on_ask: Callable[[ChatRequest], None] | None = None,
    on_piece: Callable[[Piece], None] | None = None,
) -> Reply:
    """Return what the model answers to ``query`` from ``synthesized_context``, and what it cost.

    The context is what :func:`engine.experts.writer_context.synthesize_persona_context` made; of its
    passages those at the end are left out if they do not fit beside the reply, or into ``most_context``
    tokens where that is not 0. ``ollama_client`` is
    any ChatModel, such as :class:`engine.models.ollama.OllamaModel`; without ``model`` the one it has
    loaded, or its first, is asked. ``on_ask`` gets the call before it is made, ``on_piece`` each piece as
    it arrives. Raises ModelCallError, ``window`` if the question and the claims alone are too long.
    """
    if not model:
        info, _ = await pick(ollama_client, await ollama_client.available(), "", "")
        model, model_digest = info.name, info.digest
    room = num_ctx - max_tokens - PROMPT_TOKENS - estimate_tokens(query)
    room = min(room, most_context) if most_context else room
    request = ChatRequest(
        model=model,
        digest=model_digest,
        messages=answer_messages(fit_context(synthesized_context, room), query),
        num_ctx=num_ctx,
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        think=think,
    )
    if on_ask is not None:
        on_ask(request)
    async with aclosing(ollama_client.chat(request)) as stream:
        async for part in stream:
            if isinstance(part, Reply):
                return part
            if on_piece is not None:
                on_piece(part)
    raise ModelCallError("cut-off", "the model's answer ended before its end", "ask again")


def fit_context(context: str, budget: int) -> str:
    """Return ``context`` without as many of its last lines as it takes to fit into ``budget`` tokens.

    Claims stand first and passages last, so passages go first. Raises ModelCallError if not even
    the first claim fits.

    >>> fit_context("Claims:\\n- a [1]\\nPassages:\\n[1] " + "long " * 40, 12)
    'Claims:\\n- a [1]\\nPassages:'
    """
    lines = context.split("\n")
    costs = [estimate_tokens(f"{line}\n") for line in lines]
    while lines and sum(costs) > budget:
        lines.pop()
        costs.pop()
    if len(lines) < min(2, len(context.split("\n"))):
        raise ModelCallError(
            "window", "the question does not fit the model's context", "set ollama.context_tokens higher"
        )
    return "\n".join(lines)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A model's answer after the check; ``flags`` say what was added, left out or marked."""

    answer: str
    sentences: list[SentenceChecked]
    flags: list[str]


def check_written(
    text: str,
    citations: Sequence[Citation],
    personas: Mapping[str, Sequence[str]],
    context: Context,
    *,
    mark: bool,
) -> Written:
    """Return ``text`` with every sentence checked against the passages that its markers cite.

    A sentence without a marker gets that of the passage that bears it out best, if one does. What
    is not borne out is left out, or kept under a mark with ``mark``; what is said twice, said once.
    """
    passages = {citation.marker: citation.passage for citation in citations}
    said: list[str] = []
    added = repeated = about = 0
    for sentence in _sentences(text, context):
        plain = _plain(sentence)
        if not any(char.isalnum() for char in plain):
            continue
        if speaks_of_itself(plain):
            about += 1
            continue
        if any(_bare(other) == _bare(sentence) for other in said) or len(said) >= MOST_SENTENCES:
            repeated += 1
            continue
        markers = [f"[{number}]" for number in _MARKER.findall(sentence) if f"[{number}]" in passages]
        if not markers:
            found = _bearing(plain, passages, context)
            added += bool(found)
            markers = [found] if found else []
        body = plain.rstrip(".!?")
        said.append(f"{body} {''.join(dict.fromkeys(markers))}".rstrip() + (plain[len(body) :] or "."))
    checked: list[SentenceChecked] = []
    for line in said:
        for each in check_sentences(line, citations, personas, context):
            tidy = _BLANK.sub(r"\1", each.text)
            checked.append(msgspec.structs.replace(each, text=tidy, index=len(checked)))
    shown = [each for each in checked if each.kept or mark]
    flags = []
    if lost := sum(not each.kept for each in checked):
        flags.append(
            f"{lost} sentences {'marked' if mark else 'left out'}: their sources do not bear them out"
        )
    if added:
        flags.append(f"{added} citations added: the model had given none")
    if about:
        flags.append(f"{about} sentences about the question itself left out")
    if repeated:
        flags.append(f"{repeated} repeated sentences left out")
    answer = " ".join(
        f"{each.text} {''.join(each.markers)}".rstrip() + ("" if each.kept else f" {UNSUPPORTED_MARK}")
        for each in shown
    )
    return Written(answer=answer, sentences=checked, flags=flags)


def _sentences(text: str, context: Context) -> list[str]:
    """Return the sentences of ``text``, markers behind a full stop counted to the sentence before it."""
    split = _LIST.sub(lambda m: "".join(f"[{n}]" for n in re.findall(r"\d+", m[1])), text)
    split = _LINE_START.sub("", split)
    split = _AFTER.sub(r"\2\1", split)
    return [split[a:b] for a, b in context.lexicon.sentences(split)]


def _plain(sentence: str) -> str:
    return _BLANK.sub(r"\1", " ".join(_MARKER.sub(" ", sentence).split())).replace("**", "").strip()


def _bare(sentence: str) -> str:
    """Return what two sentences that say the same have in common: one may have been cut at its full stop."""
    return _plain(sentence).casefold().rstrip(" .!?")


def _bearing(plain: str, passages: Mapping[str, str], context: Context) -> str:
    """Return the marker of the passage that bears the sentence out best, '' if none does."""
    if len(set(context.lexicon.terms(plain))) < LEAST_TERMS:
        return ""
    best, most = "", max(context.threshold, UNCITED_SUPPORT)
    for marker, passage in passages.items():
        value = context.checker.check(plain, [context.passage_text(passage)]).value
        if value >= most and (not best or value > most):
            best, most = marker, value
    return best


def told_conflicts(
    conflicts: Sequence[ConflictFound],
    order: Sequence[str],
    personas: Mapping[str, Sequence[str]],
    first: int,
) -> tuple[list[str], list[SentenceChecked]]:
    """Return a paragraph for each conflict, both sides cited, and its sentences counted from ``first``."""
    paragraphs: list[str] = []
    sentences: list[SentenceChecked] = []
    for conflict in conflicts:
        lines = []
        for claim in (conflict.left, conflict.right):
            markers = [f"[{order.index(cite) + 1}]" for cite in claim.cites if cite in order]
            lines.append(f"- {claim.text} {''.join(markers)}".rstrip())
            sentences.append(
                SentenceChecked(
                    index=first + len(sentences),
                    text=claim.text,
                    markers=markers,
                    personas=sorted({p for cite in claim.cites for p in personas.get(cite, ())}),
                    support=claim.support,
                    kept=True,
                )
            )
        paragraphs.append(f"The sources disagree about {conflict.subject}:\n" + "\n".join(lines))
    return paragraphs, sentences
