"""The author that has a model: experts write claims, the answer is written from those that hold.

Whatever the model does, a run comes to its end: what a call left unsaid is quoted from the same
passages, and the events say so.
"""

import time
from collections.abc import Sequence

import msgspec

from engine.cleaning import counted
from engine.config import Settings
from engine.corpus.store import Lexicon
from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import (
    Claim,
    ClaimsParsed,
    Event,
    ModelMessage,
    ModelRef,
    Warned,
)
from engine.experts.answering import PROMPT_TOKENS, check_written, send_prompt_to_ollama, told_conflicts
from engine.experts.author import Assignment, Closing, Emit, ExtractiveAuthor
from engine.experts.calls import Call
from engine.experts.claims import check_claims, compose, refusal
from engine.experts.clusters import Cluster
from engine.experts.labels import Labels, labels_of
from engine.experts.packing import estimate_tokens, pack_context
from engine.experts.parsing import Parsed, parse_claims
from engine.experts.prompts import Form, claims_messages, claims_schema
from engine.experts.synthesis import FLAG_EXTRACTS, Synthesis, numbered, synthesize
from engine.experts.topic import names_nothing_known, speak_of_it
from engine.experts.writer_context import cited_order, supported_clusters, synthesize_persona_context
from engine.models.base import ChatModel, ChatRequest, ModelCallError, Reply
from engine.models.choose import endpoints_of

MOST_EVIDENCE = 3_000
"""Tokens of evidence for one expert: more helps no small model, and a laptop reads them slowly."""
LEAST_EVIDENCE = 200
ANSWER_TOKENS = 512
TOKENS_PER_CLAIM = {"schema": 120, "lines": 64}
"""Small models do not stop by themselves, and each token of a slow one is a tenth of a second."""
_READ_AS = {"schema": frozenset({"schema"}), "lines": frozenset({"lines", "sentences"})}
"""The rungs on which a reply counts as given in the form that was asked for."""
NAMES_NOTHING = "the passages hold none of the names in the question"
FAILED = "the model failed"
NOT_BORNE_OUT = "no passage bears out what the model claimed"
BESIDE_IT = "what the model claimed says nothing of what was asked"
FLAG_FALLBACK = "the model's answer could not be used: this one is composed of the experts' claims"
TEMPLATE_TOKENS = 64
"""What the model's own template puts around messages; an upper estimate."""
USUAL_TOKEN = 4.0
"""Bytes of English text to a token."""
LEAST_READ = 200
"""Tokens of a prompt below which its pace tells nothing."""
SLOW_SECONDS = 5.0
"""A call that was given up after less, before its first token, tells nothing of the model's pace."""
_NOTHING = Parsed(mode="none", claims=[], notes=[])
_TOO_LATE = frozenset({"budget", "stalled", "too-slow"})
LONGEST_TOKEN = 8.0
"""Bytes of text for each token the server counted, above which it must have read less than was sent."""


class ModelAuthor:
    """Writes with ``chat``. ``ref`` says which model, with which window, and how it is asked."""

    def __init__(self, lexicon: Lexicon, chat: ChatModel, ref: ModelRef, settings: Settings) -> None:
        self._lexicon, self._chat, self._ref, self._settings = lexicon, chat, ref, settings
        self._quoting = ExtractiveAuthor(lexicon)
        self._cut: dict[str, list[str]] = {}
        self.parsed: list[bool] = []
        """For each reply with claims, whether it could be read in the form that was asked for."""
        self.speeds: list[float] = []
        """Tokens a second at which long prompts were read; of one given up unread, what it was below."""

    @property
    def model(self) -> ModelRef:
        """Return the model."""
        return self._ref

    @property
    def context_tokens(self) -> int:
        """Return the tokens of evidence that fit beside rules, question and reply, at most 3000."""
        room = self._ref.context - self._reply_tokens - PROMPT_TOKENS - LEAST_EVIDENCE
        return max(LEAST_EVIDENCE, min(MOST_EVIDENCE, room))

    @property
    def _reads(self) -> int:
        return self._ref.reads if isinstance(self._ref.reads, int) else MOST_EVIDENCE

    @property
    def _reply_tokens(self) -> int:
        return min(self._settings.ollama.max_tokens, max(64, self._ref.context // 4))

    @property
    def form(self) -> Form:
        """Return how claims are asked for."""
        return "schema" if self._ref.form == "schema" else "lines"

    @property
    def most_experts(self) -> int:
        """Return ``ollama.max_experts``: each is a call."""
        return self._settings.ollama.max_experts

    @property
    def at_once(self) -> int:
        """Return how many calls the servers take at a time."""
        return self._settings.ollama.parallel * len(endpoints_of(self._settings.ollama))

    async def aclose(self) -> None:
        """Release the model."""
        await self._chat.aclose()

    # -- claims ----------------------------------------------------------------------------------
    async def claims(self, assignment: Assignment, emit: Emit) -> ExpertOutput:
        """Return the model's claims that can be used, or quotes from the same passages in their place."""
        persona = assignment.persona.persona_id
        context = assignment.context
        unknown = names_nothing_known(assignment.question, assignment.evidence, context)
        if not assignment.evidence or unknown:
            why = NAMES_NOTHING if assignment.evidence else "there was nothing to read"
            emit(ClaimsParsed(persona=persona, mode="none", claims=[], notes=[why]))
            return refusal(persona)
        shown = self._shown(assignment)
        most = assignment.policy.max_claims
        schema = claims_schema(labels_of(shown.evidence), most) if self.form == "schema" else ""
        messages = claims_messages(shown, self._settings.traits.rows, self.form)
        request = self._request(messages, schema, self._claim_tokens(assignment))
        if not shown.evidence:
            mend = "set ollama.context_tokens higher, or ask a shorter question"
            error = ModelCallError("window", "the question does not fit the model's context", mend)
            Call(f"claims.{persona}", persona, self._ref, emit).refused(request, error)
            return await self._quoted(assignment, emit, _NOTHING, [], FAILED)
        reply, partial = await self._ask(request, f"claims.{persona}", persona, emit)
        parsed = self._read(reply.text if reply else partial, shown, context, reply)
        if reply is not None and parsed.mode == "none":
            emit(ClaimsParsed(persona=persona, mode="none", claims=[], notes=parsed.notes))
            return refusal(persona)
        checked = check_claims(compose(persona, parsed.claims), context)
        borne = [claim for claim in checked.claims if claim.support >= context.threshold]
        answers = speak_of_it(borne, assignment.question, assignment.facets, context)
        if reply is not None:
            self.parsed.append(bool(borne) and answers and parsed.mode in _READ_AS[self.form])
        if borne and answers:
            emit(ClaimsParsed(persona=persona, mode=parsed.mode, claims=checked.claims, notes=parsed.notes))
            return checked
        why = FAILED if reply is None else BESIDE_IT if borne else NOT_BORNE_OUT
        return await self._quoted(assignment, emit, parsed, checked.claims, why)

    def _claim_tokens(self, assignment: Assignment) -> int:
        return TOKENS_PER_CLAIM[self.form] * assignment.policy.max_claims

    def _shown(self, assignment: Assignment) -> Assignment:
        """Return what of the evidence a model of this pace is sent; quotes may come from all of it.

        None of it where the window has no room beside rules, question and reply.
        """
        bare = msgspec.structs.replace(assignment, evidence=[])
        around = claims_messages(bare, self._settings.traits.rows, self.form)
        fixed = sum(estimate_tokens(each.content) for each in around) + TEMPLATE_TOKENS
        room = self._ref.context - min(self._claim_tokens(assignment), self._reply_tokens) - fixed
        wanted = round(min(self._reads, self.context_tokens) * assignment.policy.context_share)
        packed = pack_context(
            assignment.evidence, assignment.facets, self._lexicon,
            budget=min(wanted, room), context=assignment.context,
        )  # fmt: skip
        return msgspec.structs.replace(assignment, evidence=packed.kept)

    def _read(self, text: str, assignment: Assignment, context: Context, reply: Reply | None) -> Parsed:
        if not text.strip():
            return _NOTHING

        def attribute(sentence: str) -> str:
            best, most = "", 0.0
            for each in assignment.evidence:
                value = context.support(Claim(text=sentence, cites=[each.passage])).value
                if value > most:
                    best, most = each.passage, value
            return best

        cut = reply is None or reply.done_reason in {"length", "repeats"}
        labels = Labels.of(assignment.evidence)
        return parse_claims(text, labels, assignment.policy.max_claims, attribute, cut=cut)

    async def _quoted(
        self, assignment: Assignment, emit: Emit, parsed: Parsed, claims: Sequence[Claim], why: str
    ) -> ExpertOutput:
        """Return quotes; the claims that are not used are told in the notes."""
        quotes: list[Event] = []
        output = await self._quoting.claims(assignment, quotes.append)
        notes = [f"{why}: supported sentences are quoted", *parsed.notes]
        notes += [f"not {'used' if why == BESIDE_IT else 'borne out'}: {claim.text}" for claim in claims]
        emit(ClaimsParsed(persona=output.persona_id, mode="extractive", claims=output.claims, notes=notes))
        return output

    # -- answer ----------------------------------------------------------------------------------
    async def answer(self, closing: Closing, emit: Emit) -> Synthesis:
        """Return the model's answer of supported claims; without any, or after a fault, a composed one."""
        composed, context = self._composed(closing), closing.context
        clusters = supported_clusters(closing.outputs, context)
        reply = await self._write(closing, emit) if clusters else None
        self._tell_cuts(emit)
        if not clusters:
            return composed
        if reply is None:
            return _flagged(composed, [FLAG_FALLBACK])
        return self._held(reply.text, composed, clusters, context, closing)

    def _held(
        self,
        text: str,
        composed: Synthesis,
        clusters: Sequence[Cluster],
        context: Context,
        closing: Closing,
    ) -> Synthesis:
        """Return what of the written answer its citations bear out, and the conflicts with both sides."""
        order = cited_order(clusters)
        personas: dict[str, list[str]] = {}
        for cluster in clusters:
            for cite in cluster.cites:
                personas.setdefault(cite, []).extend(cluster.personas)
        citations = numbered(order, context)
        mark = closing.thresholds.unsupported == "mark"
        written = check_written(text, citations, personas, context, mark=mark)
        if not any(each.kept for each in written.sentences):
            return _flagged(composed, [FLAG_FALLBACK, *written.flags])
        paragraphs, disputed = told_conflicts(composed.conflicts, order, personas, len(written.sentences))
        sentences = [*written.sentences, *disputed]
        used = {m for each in sentences if each.kept or mark for m in each.markers}
        return msgspec.structs.replace(
            composed,
            answer="\n\n".join([written.answer, *paragraphs]),
            citations=[each for each in citations if each.marker in used],
            sentences=sentences,
            flags=[*composed.flags, *written.flags],
        )

    def _composed(self, closing: Closing) -> Synthesis:
        composed = synthesize(
            closing.outputs,
            closing.question,
            closing.evidence,
            lexicon=self._lexicon,
            facets=closing.facets,
            answer_type=closing.answer_type,
            support_threshold=closing.thresholds.support_threshold,
            mark_unsupported=closing.thresholds.unsupported == "mark",
            context=closing.context,
        )
        flags = [flag for flag in composed.flags if flag != FLAG_EXTRACTS]
        return msgspec.structs.replace(composed, flags=flags)

    async def _write(self, closing: Closing, emit: Emit) -> Reply | None:
        told = synthesize_persona_context(
            closing.outputs,
            closing.evidence,
            lexicon=self._lexicon,
            support_threshold=closing.thresholds.support_threshold,
        )
        call = Call("answer", "", self._ref, emit)
        try:
            reply = await send_prompt_to_ollama(
                told,
                closing.question,
                self._chat,
                model=self._ref.name,
                model_digest=self._ref.digest,
                num_ctx=self._ref.context,
                max_tokens=min(self._reply_tokens, ANSWER_TOKENS),
                temperature=self._settings.ollama.temperature,
                seed=self._settings.system.seed,
                think=self._settings.ollama.use_thinking,
                most_context=self._reads,
                on_ask=call.asked,
                on_piece=call.piece,
            )
        except ModelCallError as error:
            call.failed(error)
            return None
        self._check_read(call.answered(reply), reply)
        return reply

    # -- calls -----------------------------------------------------------------------------------
    def _request(self, messages: tuple[ModelMessage, ...], schema: str, most: int) -> ChatRequest:
        return ChatRequest(
            model=self._ref.name,
            digest=self._ref.digest,
            messages=messages,
            num_ctx=self._ref.context,
            max_tokens=min(most, self._reply_tokens),
            temperature=self._settings.ollama.temperature,
            seed=self._settings.system.seed,
            reply_schema=schema,
            think=self._settings.ollama.use_thinking,
        )

    async def _ask(
        self, request: ChatRequest, name: str, persona: str, emit: Emit
    ) -> tuple[Reply | None, str]:
        """Return the reply, or None and what had arrived before it failed."""
        from contextlib import aclosing

        call = Call(name, persona, self._ref, emit)
        call.asked(request)
        began, heard = time.monotonic(), False
        try:
            async with aclosing(self._chat.chat(request)) as stream:
                async for part in stream:
                    if isinstance(part, Reply):
                        self._check_read(call.answered(part), part)
                        return part, part.text
                    heard = True
                    call.piece(part)
            raise ModelCallError("cut-off", "the model's answer ended before its end", "ask again")
        except ModelCallError as error:
            call.failed(error)
            seconds = time.monotonic() - began
            if error.kind in _TOO_LATE and not heard and seconds >= SLOW_SECONDS:
                self.speeds.append(_sent(request) / USUAL_TOKEN / seconds)
            return None, error.partial

    def _check_read(self, request: ChatRequest, reply: Reply) -> None:
        """Note how fast the prompt was read, and where the server read less than it was sent."""
        if reply.prompt_tokens >= LEAST_READ and reply.read_seconds > 0:
            self.speeds.append(reply.prompt_tokens / reply.read_seconds)
        sent = _sent(request)
        if 0 < reply.prompt_tokens < sent / LONGEST_TOKEN:
            read = counted(reply.prompt_tokens, "token")
            problem = f"the server read only {read} of a prompt of {sent} bytes: it cut it"
            self._cut.setdefault("read", []).append(problem)
        elif 0 < reply.window < request.num_ctx:
            problem = f"the server gave the model a window of {reply.window} tokens, not {request.num_ctx}"
            self._cut.setdefault("window", []).append(problem)

    def _tell_cuts(self, emit: Emit) -> None:
        """Warn once of each kind; of the least text, as experts may have finished in any order."""
        mend = "set ollama.context_tokens to what the server allows, or give it more memory"
        for _, problems in sorted(self._cut.items()):
            emit(Warned(problem=min(problems), mend=mend))


def _sent(request: ChatRequest) -> int:
    return sum(len(each.content.encode()) for each in request.messages)


def _flagged(composed: Synthesis, flags: Sequence[str]) -> Synthesis:
    return msgspec.structs.replace(composed, flags=[*composed.flags, *flags])
