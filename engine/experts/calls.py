"""One call of a model, told as events."""

import time

from engine.events import ModelAnswered, ModelAsked, ModelFailed, ModelRef, ModelTimed, Token
from engine.experts.author import Emit
from engine.ids import q6
from engine.models.base import ChatRequest, ModelCallError, Piece, Reply


class Call:
    """Tells the events of the call ``name``, made for ``persona`` or, with '', for the answer."""

    def __init__(self, name: str, persona: str, ref: ModelRef, emit: Emit) -> None:
        self.name, self.persona, self.ref, self.emit = name, persona, ref, emit
        self.request: ChatRequest | None = None
        self._began = self._first = 0.0

    def asked(self, request: ChatRequest) -> None:
        """Tell what is sent."""
        self.request, self._began = request, time.monotonic()
        purpose = "claims" if self.persona else "answer"
        self.emit(
            ModelAsked(
                call=self.name,
                purpose=purpose,
                persona=self.persona,
                model=self.ref,
                key=request.key(),
                messages=list(request.messages),
                options=request.options(),
                reply_schema=request.reply_schema,
                think=request.think,
            )
        )

    def piece(self, piece: Piece) -> None:
        """Tell what has arrived."""
        self._first = self._first or time.monotonic()
        self.emit(Token(call=self.name, text=piece.text, thinking=piece.thinking))

    def answered(self, reply: Reply) -> ChatRequest:
        """Tell the whole reply; return what it is the reply to."""
        self.emit(
            ModelAnswered(
                call=self.name,
                text=reply.text,
                done_reason=reply.done_reason,
                prompt_tokens=reply.prompt_tokens,
                answer_tokens=reply.answer_tokens,
                thinking=reply.thinking,
                window=reply.window,
            )
        )
        if reply.seconds:
            self.emit(
                ModelTimed(call=self.name, seconds=q6(reply.seconds), first_token=q6(reply.first_token))
            )
        if self.request is None:
            raise RuntimeError("a reply came to a call that was never made")
        return self.request

    def refused(self, request: ChatRequest, error: ModelCallError) -> None:
        """Tell of a call that was not made, as it could not have gone well."""
        self.asked(request)
        self._fail(error)

    def failed(self, error: ModelCallError) -> None:
        """Tell how it failed and after how long, and keep what had arrived."""
        self._fail(error)
        seconds = time.monotonic() - self._began
        first = self._first - self._began if self._first else seconds
        self.emit(ModelTimed(call=self.name, seconds=q6(seconds), first_token=q6(first)))

    def _fail(self, error: ModelCallError) -> None:
        self.emit(
            ModelFailed(
                call=self.name,
                problem=error.problem,
                partial=error.partial,
                kind=error.kind,
                mend=error.mend,
            )
        )
