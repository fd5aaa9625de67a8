"""Claims of an expert: refusing, and checking each against what it cites."""

from collections.abc import Sequence

import msgspec

from engine.evaluation.outputs import Context, ExpertOutput
from engine.events import Claim, ClaimChecked

__all__ = ["REFUSAL", "ExpertOutput", "check_claims", "checked_events", "compose", "refusal"]

REFUSAL = "The documents do not answer this."


def refusal(persona_id: str) -> ExpertOutput:
    """Return the output of an expert that found nothing to say.

    >>> refusal("sceptic").text
    'The documents do not answer this.'
    """
    return ExpertOutput(persona_id=persona_id, claims=[], text=REFUSAL, refused=True)


def compose(persona_id: str, claims: Sequence[Claim]) -> ExpertOutput:
    """Return the output made of ``claims``, a refusal if there are none."""
    if not claims:
        return refusal(persona_id)
    text = "\n".join(claim.text for claim in claims)
    return ExpertOutput(persona_id=persona_id, claims=list(claims), text=text)


def check_claims(output: ExpertOutput, context: Context) -> ExpertOutput:
    """Return ``output`` with each claim's support by its own citations, and what they lack."""
    checked = []
    for claim in output.claims:
        found = context.support(claim)
        checked.append(msgspec.structs.replace(claim, support=found.value, missing=found.missing))
    return msgspec.structs.replace(output, claims=checked)


def checked_events(output: ExpertOutput, threshold: float) -> list[ClaimChecked]:
    """Return one event per claim that :func:`check_claims` has checked."""
    return [
        ClaimChecked(
            persona=output.persona_id,
            index=index,
            support=claim.support,
            supported=claim.support >= threshold,
            missing=claim.missing,
        )
        for index, claim in enumerate(output.claims)
    ]
