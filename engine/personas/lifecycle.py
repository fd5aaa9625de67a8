"""When a persona moves between tiers: rules over its gauges, guards, and the reason in plain words.

A ladder of three tiers and an archive: active, stable, experimental, pruned. One step at a time,
except that a persona whose answers are not borne out by what it cites is archived at once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from engine.config import ThresholdSettings
from engine.events import Term, Tier
from engine.ids import q6
from engine.personas.gauges import (
    FIRST_LIMIT,
    GROUNDING_LIMIT,
    fall_behind,
    fall_short,
    go_ahead,
    radius,
)
from engine.personas.lineage import is_sibling

Action: TypeAlias = Literal["keep", "promote", "demote", "prune"]

LADDER: Final[tuple[Tier, ...]] = ("active", "stable", "experimental", "pruned")
LEAST_ACTIVE: Final = 2
SIBLING_TRIAL: Final = 20
"""Answers beside its parent after which a sibling that has not risen makes room for another."""
LONGEST_TRIAL: Final = 2 * SIBLING_TRIAL
"""Answers after which its trial ends even if its parent, archived or too dear, was seldom asked beside it."""
_FADING: Final = 0.9
"""What the recent mean keeps of itself with each answer: about the last ten count."""


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """What a persona did in its tier: ``n`` answers, of which ``wait`` must still come before a move.

    ``down`` and ``up`` sum how much worse and better it was than the others beyond the dead band,
    ``short`` what its grounding lacked to the floor. ``mean`` and ``squares`` are of its total
    scores (``squares`` as in Welford, Technometrics 4, 1962), ``advantage`` the mean of its
    advantages, ``grounding`` that of its latest answers. ``down_run`` and ``up_run`` are the answers
    since the gauge was last empty: how many, and their mean advantage; ``short_run`` their mean
    grounding. ``beside`` are the answers of
    a sibling that could be compared with its parent's. ``tier`` and ``digest`` say
    which persona that was: gauges of another tier or of an edited persona begin anew.
    """

    tier: Tier
    digest: str = ""
    n: int = 0
    wait: int = 0
    down: float = 0.0
    up: float = 0.0
    short: float = 0.0
    mean: float = 0.0
    squares: float = 0.0
    advantage: float = 0.0
    grounding: float = 1.0
    beside: int = 0
    down_run: tuple[int, float] = (0, 0.0)
    up_run: tuple[int, float] = (0, 0.0)
    short_run: tuple[int, float] = (0, 0.0)

    def after(
        self,
        advantage: float,
        total: float,
        grounding: float | None,
        thresholds: ThresholdSettings,
        *,
        lead: float | None = None,
        sibling: bool = False,
    ) -> "Gauges":
        """Return the gauges after one more answer; ``grounding`` None for a refusal, which cites nothing.

        For a ``sibling`` the promotion gauge counts its ``lead`` over its parent, and stays as it is
        where the parent was not asked (None). A total or grounding outside [0, 1] raises ValueError,
        so does NaN.
        """
        for value in (total, 1.0 if grounding is None else grounding, 0.5 + advantage):
            if not 0 <= value <= 1:
                raise ValueError(f"a score must be a number in [0, 1], not {value!r}")
        n = self.n + 1
        apart = total - self.mean
        mean = self.mean + apart / n
        ahead = lead if sibling else advantage
        recent = self.grounding
        if grounding is not None:
            recent = _FADING * recent + (1 - _FADING) * grounding
        short, short_run = self.short, self.short_run
        if grounding is not None:
            short = fall_short(short, grounding, thresholds.grounding_floor)
            short_run = _longer(short_run, grounding) if short else (0, 0.0)
        down = fall_behind(self.down, advantage, demotion_band(thresholds))
        up, up_run = self.up, self.up_run
        if ahead is not None:
            up = go_ahead(self.up, ahead, promotion_band(thresholds))
            up_run = _longer(self.up_run, ahead) if up else (0, 0.0)
        return msgspec.structs.replace(
            self,
            n=n,
            wait=max(self.wait - 1, 0),
            down=down,
            up=up,
            down_run=_longer(self.down_run, advantage) if down else (0, 0.0),
            up_run=up_run,
            beside=self.beside + (lead is not None),
            short=short,
            short_run=short_run,
            mean=q6(mean),
            squares=q6(self.squares + apart * (total - mean)),
            advantage=q6(self.advantage + (advantage - self.advantage) / n),
            grounding=q6(recent),
        )

    @property
    def spread(self) -> float:
        """Return the standard deviation of the total scores, 0.5 (the most there is) below two."""
        return q6(math.sqrt(self.squares / (self.n - 1))) if self.n > 1 else 0.5


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gauges end; solved from the spread of advantages once that is known."""

    down: float = FIRST_LIMIT
    up: float = FIRST_LIMIT


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen to a persona, by which rule, in plain words, with every number that counted."""

    persona_id: str
    action: Action
    source: Tier
    target: Tier
    rule: str
    reason: str
    inputs: list[Term]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A persona as the guards see it: where it stands, what it knows, whether it may be moved."""

    persona_id: str
    tier: Tier
    expertise: Sequence[str] = ()
    pinned: bool = False


def demotion_band(thresholds: ThresholdSettings) -> float:
    """Return how much worse than the others a persona may be without falling.

    >>> demotion_band(ThresholdSettings())
    0.1
    """
    return q6(0.5 - thresholds.demotion_threshold)


def promotion_band(thresholds: ThresholdSettings) -> float:
    """Return how much better than the others a persona may be without rising.

    >>> promotion_band(ThresholdSettings())
    0.075
    """
    return q6(thresholds.promotion_threshold - 0.5)


def fresh(tier: Tier, digest: str, wait: int) -> Gauges:
    """Return gauges at rest for a persona that has just come to ``tier``."""
    return Gauges(tier=tier, digest=digest, wait=wait)


def evaluate_pruning_thresholds(
    persona_performance: Mapping[str, Gauges],
    thresholds: ThresholdSettings,
    limits: Limits = Limits(),  # noqa: B008
) -> dict[str, Verdict]:
    """Return what each persona's gauges ask for: keep, promote, demote or prune, with the reason.

    Guards that look at the other personas (:func:`guarded`) come after. An experimental persona is
    pruned when its gauge is full or when its mean total is, with 95 % confidence at any time, below
    ``pruning_threshold``.

    >>> behind = Gauges(tier="active", n=20, down=1.3, advantage=-0.18)
    >>> evaluate_pruning_thresholds({"historian": behind}, ThresholdSettings())["historian"].action
    'demote'
    """
    return {
        persona: _judge(persona, gauges, thresholds, limits)
        for persona, gauges in sorted(persona_performance.items())
    }


def _judge(persona: str, gauges: Gauges, thresholds: ThresholdSettings, limits: Limits) -> Verdict:
    tier, n = gauges.tier, gauges.n
    place = LADDER.index(tier)
    inputs = _inputs(gauges, thresholds, limits)

    def verdict(action: Action, target: Tier, rule: str, reason: str) -> Verdict:
        return Verdict(
            persona_id=persona,
            action=action,
            source=tier,
            target=target,
            rule=rule,
            reason=reason,
            inputs=inputs,
        )

    if tier == "pruned":
        return verdict("keep", tier, "archive", "it is in the archive and answers nothing")
    if gauges.short > GROUNDING_LIMIT:
        answers, held = gauges.short_run if gauges.short_run[0] else (n, gauges.grounding)
        reason = (
            f"what it said in its last {answers} answers was not borne out by what it cited: "
            f"{held:.0%} held, where {thresholds.grounding_floor:.0%} must"
        )
        return verdict("prune", "pruned", "grounding", reason)
    if gauges.wait:
        reason = f"it has answered {n} questions here; {gauges.wait} more before it can move"
        return verdict("keep", tier, "wait", reason)
    if gauges.down > limits.down:
        reason = _compared(*(gauges.down_run if gauges.down_run[0] else (n, gauges.advantage)))
        if tier == "experimental":
            return verdict("prune", "pruned", "behind", reason)
        return verdict("demote", LADDER[place + 1], "behind", reason)
    best = gauges.mean + radius(n, gauges.spread)
    if tier == "experimental" and best < thresholds.pruning_threshold:
        reason = (
            f"over {n} questions it scored {gauges.mean:.2f} on average and, with 95 % confidence, "
            f"not above {best:.2f}; it needs {thresholds.pruning_threshold:g}"
        )
        return verdict("prune", "pruned", "score", reason)
    if gauges.up > limits.up and place > 0:
        if gauges.grounding < thresholds.grounding_floor:
            reason = f"it scores well, but only {gauges.grounding:.0%} of what it said lately was borne out"
            return verdict("keep", tier, "grounding", reason)
        if gauges.advantage < 0:
            return verdict("keep", tier, "lucky", "it did well lately, but not over all it answered here")
        reason = _compared(*(gauges.up_run if gauges.up_run[0] else (n, gauges.advantage)))
        return verdict("promote", LADDER[place - 1], "ahead", reason)
    if tier == "experimental" and is_sibling(persona):
        if gauges.beside >= SIBLING_TRIAL:
            reason = (
                f"it answered {gauges.beside} questions beside its parent "
                "and did not do enough better to rise"
            )
            return verdict("prune", "pruned", "trial", reason)
        if n >= LONGEST_TRIAL:
            reason = (
                f"it answered {n} questions and could be compared with its parent on {gauges.beside} only"
            )
            return verdict("prune", "pruned", "trial", reason)
    return verdict("keep", tier, "within limits", _compared(n, gauges.advantage))


def _longer(run: tuple[int, float], advantage: float) -> tuple[int, float]:
    count, mean = run
    return count + 1, q6(mean + (advantage - mean) / (count + 1))


def _compared(answers: int, gap: float) -> str:
    if abs(gap) < 0.005:
        return f"over its last {answers} questions it scored as well as the other experts asked with it"
    return (
        f"over its last {answers} questions it scored {abs(gap):.2f} {'worse' if gap < 0 else 'better'} "
        "than the other experts who were asked the same"
    )


def _inputs(gauges: Gauges, thresholds: ThresholdSettings, limits: Limits) -> list[Term]:
    values = {
        "questions": gauges.n,
        "still to wait": gauges.wait,
        "mean advantage": gauges.advantage,
        "answers beside its parent": gauges.beside,
        "answers while behind": gauges.down_run[0],
        "mean advantage while behind": gauges.down_run[1],
        "answers while ahead": gauges.up_run[0],
        "mean advantage while ahead": gauges.up_run[1],
        "behind gauge": gauges.down,
        "behind limit": limits.down,
        "ahead gauge": gauges.up,
        "ahead limit": limits.up,
        "mean score": gauges.mean,
        "spread of scores": gauges.spread,
        "answers while ungrounded": gauges.short_run[0],
        "mean grounding while ungrounded": gauges.short_run[1],
        "recent grounding": gauges.grounding,
        "grounding gauge": gauges.short,
        "grounding limit": GROUNDING_LIMIT,
        "grounding floor": thresholds.grounding_floor,
        "demotion threshold": thresholds.demotion_threshold,
        "promotion threshold": thresholds.promotion_threshold,
        "pruning threshold": thresholds.pruning_threshold,
        "questions per wrong demotion": thresholds.questions_per_wrong_demotion,
    }
    return [Term(name=name, value=q6(value)) for name, value in values.items()]


def guarded(
    verdicts: Iterable[Verdict], standings: Sequence[Standing], topics: Mapping[str, Sequence[str]]
) -> list[Verdict]:
    """Return the moves that may happen now: one fall at most, and every rise.

    Pinned personas never move. Two stay active; a persona does not leave those that are asked
    (active and stable) while it is the only one who knows a topic it does well on: ``topics`` gives
    those for each persona. Of several falls the one for lack of grounding comes first, then the one
    whose gauge is fullest; the rest keep their gauges and come up again.
    """
    by_id = {each.persona_id: each for each in standings}
    wanted = [
        each
        for each in verdicts
        if each.action != "keep" and each.persona_id in by_id and not by_id[each.persona_id].pinned
    ]
    falls = [each for each in wanted if each.action != "promote" and not _held(each, by_id, topics)]
    falls.sort(key=lambda each: (each.rule != "grounding", -_number(each, "behind gauge"), each.persona_id))
    return [*falls[:1], *(each for each in wanted if each.action == "promote")]


def why_held(verdict: Verdict, standings: Sequence[Standing], topics: Mapping[str, Sequence[str]]) -> str:
    """Return which guard keeps a persona that would fall, or nothing if none does."""
    return _held(verdict, {each.persona_id: each for each in standings}, topics)


def _held(verdict: Verdict, standings: Mapping[str, Standing], topics: Mapping[str, Sequence[str]]) -> str:
    others = [each for each in standings.values() if each.persona_id != verdict.persona_id]
    if standings[verdict.persona_id].pinned:
        return "it is pinned"
    if verdict.source == "active" and sum(each.tier == "active" for each in others) < LEAST_ACTIVE:
        return f"{LEAST_ACTIVE} personas must stay active"
    asked = [each for each in others if each.tier in ("active", "stable")]
    leaves = verdict.source in ("active", "stable") and verdict.target in ("experimental", "pruned")
    if leaves and len(asked) < LEAST_ACTIVE:
        return f"{LEAST_ACTIVE} personas must stay that are asked"
    if leaves and verdict.rule != "grounding":
        known = {word for each in asked for text in each.expertise for word in text.casefold().split()}
        for topic in sorted(topics.get(verdict.persona_id, ())):
            if not known & set(topic.casefold().split()):
                return f"nobody else who is asked knows '{topic}', on which it does well"
    return ""


def _number(verdict: Verdict, name: str) -> float:
    return next((term.value for term in verdict.inputs if term.name == name), 0.0)
