"""A persona in words and numbers, for the terminal and for ``--json``."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.cleaning import counted, one_line
from tui import output

if TYPE_CHECKING:
    from engine.personas.moves import Move
    from engine.personas.overview import RosterLine
    from engine.personas.registry import PersonaRegistry, StoredPersona
    from engine.personas.track_record import Question, TopicRecord
    from engine.trait_table import TraitRow

BAR = 8
_NUMBERS = 71
"""The columns of a line of the roster, in full, but the id and the expertise."""
_LEAST_EXPERTISE = 24


def summary(stored: "StoredPersona") -> dict[str, Any]:
    """Return what is said of a persona after it was made or changed, as JSON values."""
    from engine.personas.overview import display_name

    persona = stored.persona
    return {
        "persona_id": persona.persona_id,
        "tier": stored.tier,
        "name": display_name(stored),
        "activation_cost": persona.activation_cost,
        "traits": persona.traits,
        "expertise": persona.expertise,
        "pinned": persona.metadata.get("pinned") is True,
        "digest": stored.digest,
    }


def table(found: "Sequence[RosterLine]", *, by_tier: bool, columns: int = 0) -> list[str]:
    """Return one line for each persona; by tier they stand under their tier's name and count.

    No line is longer than ``columns``, 0 meaning without end: where they are few, the bars are left out and
    the latest scores are fewer.
    """
    from engine.personas.overview import counts, sparkline

    width = max((len(line.persona_id) for line in found), default=0)
    narrow = 0 < columns < width + _NUMBERS + _LEAST_EXPERTISE
    scores, distance, rise, fall = (8, 5, "rise", "fall") if narrow else (16, 14, "to rise", "to fall")
    if narrow:
        width = min(width, max(columns // 3, 12))
    heads = (
        f"  {'':{width}}   cost     n  mean  {'latest scores'[: 6 if narrow else None]:<{scores}}  "
        f"{rise:<{distance}} {fall:<{distance}} expertise"
    )
    lines = [heads] if found else []
    many = counts(found)
    tier = ""
    for line in found:
        if by_tier and line.tier != tier:
            tier = line.tier
            lines.append(f"{tier} ({many[tier]})")
        mean = f"{line.mean:.2f}" if line.n else "-"
        mark = "*" if line.pinned else " "
        place = "" if by_tier else f"{line.tier:<12}  "
        lines.append(
            f"{mark} {one_line(line.persona_id, width):<{width}} {line.activation_cost:>6g} "
            f"{line.n:>5}  {mean:>4}  {sparkline(line.trend[-scores:]):<{scores}}  "
            f"{_distance(line.outlook.promotion, not narrow):<{distance}} "
            f"{_distance(line.outlook.demotion, not narrow):<{distance}} "
            f"{place}{', '.join(line.expertise[:6])}"
        )
    if any(line.pinned for line in found):
        lines.append("* pinned")
    return [_cut(line, columns) for line in lines] if columns else lines


def _cut(line: str, columns: int) -> str:
    """Return ``line`` if it takes no more than ``columns`` of a terminal, else its beginning."""
    from rich.cells import cell_len, set_cell_size

    return line if cell_len(line) <= columns else f"{set_cell_size(line, columns - 1).rstrip()}…"


def _distance(left: float | None, bars: bool) -> str:
    """Return what is left to a move, with a bar or without; the bar is empty when the move is due."""
    if left is None:
        return "-"
    full = round(left * BAR)
    return f"{'#' * full}{'.' * (BAR - full)} {left:>4.0%}" if bars else f"{left:>4.0%}"


class Card:
    """Everything that is shown of one persona."""

    def __init__(self, stored: "StoredPersona", rows: "Sequence[TraitRow]", moves: "Sequence[Move]") -> None:
        """``rows`` is the table of traits; what the ledger knows is set by whoever has one."""
        from engine.personas.federation_priors import Prior
        from engine.personas.overview import Outlook
        from engine.personas.policy import explain, in_words
        from engine.personas.track_record import TrackRecord

        self.stored, self.moves, self.rows = stored, list(moves), rows
        self.explained = explain(stored.persona.traits, rows)
        self.words = in_words(self.explained.policy)
        self.record: TrackRecord = TrackRecord()
        self.outlook: Outlook = Outlook()
        self.topics: list[TopicRecord] = []
        self.questions: list[Question] = []
        self.children: list[str] = []
        self.scores: list[float] = []
        self.prior: Prior = Prior()

    def details(self) -> dict[str, Any]:
        """Return it all as JSON values."""
        lineage = self.stored.persona.metadata.get("lineage")
        return {
            "tier": self.stored.tier,
            "path": str(self.stored.path),
            "digest": self.stored.digest,
            "persona": self.stored.persona,
            "policy": self.explained,
            "policy_in_words": self.words,
            "record": self.record,
            "outlook": self.outlook,
            "topics": self.topics,
            "lineage": {"from": lineage if isinstance(lineage, dict) else {}, "children": self.children},
            "moves": self.moves,
            "questions": self.questions,
            "scores": self.scores,
            "elsewhere": self.prior,
        }

    def lines(self) -> list[str]:
        """Return the card line by line."""
        return [
            *self._head(),
            *self._policy(),
            *self._performance(),
            *self._origin(),
            "",
            "moves",
            *(f"  {line}" for line in history(self.moves) or ["none yet"]),
            *self._asked(),
        ]

    def _head(self) -> list[str]:
        from engine.personas.overview import display_name

        persona = self.stored.persona
        pinned = ", pinned" if persona.metadata.get("pinned") is True else ""
        lines = [
            f"{persona.persona_id}  {display_name(self.stored)}  "
            f"({self.stored.tier}{pinned}, cost {persona.activation_cost:g})"
        ]
        for key in ("description", "voice"):
            if isinstance(persona.metadata.get(key), str):
                lines.append(f"{key}: {persona.metadata[key]}")
        lines += ["", "traits"]
        for trait, value in sorted(persona.traits.items()):
            only = "  voice only" if trait in self.explained.voice_only else ""
            lines.append(f"  {trait:<14} {'#' * value}{'.' * (9 - value)} {value}{only}")
        return [*lines, "", "expertise", f"  {', '.join(persona.expertise) or 'none'}"]

    def _policy(self) -> list[str]:
        lines = ["", "policy", *(f"  {sentence}" for sentence in self.words), ""]
        for knob in self.explained.knobs:
            guess = "" if knob.given or not knob.trait else f"  (no {knob.trait}, so 5)"
            lines.append(f"  {knob.knob:<17} {knob.formula}{guess}")
        return lines

    def _performance(self) -> list[str]:
        from engine.personas.overview import sparkline

        record = self.record
        lines = ["", "performance"]
        if not record.n:
            lines.append("  no answers yet")
        else:
            lines.append(
                f"  {counted(record.n, 'answer')}, mean score {record.mean:.3f}, "
                f"{record.advantage:+.3f} against the others  {sparkline(record.trend)}"
            )
        if self.outlook.said:
            lines.append(f"  {self.outlook.said}")
        for topic in self.topics:
            lines.append(
                f"  {topic.topic or '(no topic of its own)':<28} {topic.n:>5}  mean {topic.mean:.3f}  "
                f"{topic.advantage:+.3f}  grounding {topic.grounding:.2f}"
            )
        if self.prior.n:
            say = "machine says" if self.prior.nodes == 1 else "machines say"
            lines.append(
                f"  elsewhere: {self.prior.nodes} {say} {self.prior.mean - 0.5:+.3f} against the "
                f"others, which counts as {self.prior.n:g} questions"
            )
        return lines

    def _origin(self) -> list[str]:
        lineage = self.stored.persona.metadata.get("lineage")
        told = []
        if isinstance(lineage, dict):
            told = [f"  {key}: {value}" for key, value in sorted(lineage.items()) if isinstance(value, str)]
        told += [f"  child: {child}" for child in self.children]
        return ["", "lineage", *told] if told else []

    def _asked(self) -> list[str]:
        lines = ["", "last questions"] if self.questions else []
        for each in self.questions:
            lines.append(
                f"  {each.snapshot}  total {each.total:.3f}  {each.advantage:+.3f}  "
                f"{each.topic or '(no topic of its own)'}"
            )
        return lines


def load_card(
    registry: "PersonaRegistry",
    persona_id: str,
    everyone: "Sequence[StoredPersona] | None" = None,
    tell: Callable[[str], object] = output.note,
) -> Card:
    """Return the card of a persona with all that is known of it; warnings go to ``tell``.

    ``everyone`` is the roster where it is at hand, in which children are looked for. Raises
    PersonaError.
    """
    from engine.personas.federation_priors import read_priors
    from engine.personas.overview import outlook
    from tui.persona_desk import open_ledger

    workspace = registry.workspace
    stored = registry.get(persona_id)
    everyone = registry.load().personas if everyone is None else everyone
    card = Card(stored, workspace.settings().traits.rows, registry.history(persona_id))
    card.children = [each.persona.persona_id for each in everyone if parent_of(each) == persona_id]
    card.prior = read_priors(workspace, [stored]).of(persona_id)
    ledger = open_ledger(workspace, tell)
    if ledger is not None:
        from engine.personas.learning import read_gauges, read_limits
        from engine.personas.track_record import (
            TrackRecord,
            by_topic,
            questions_of,
            scores_over_time,
            track_records,
        )

        with ledger:
            gauges = read_gauges(ledger).get(persona_id, {}).get("")
            card.record = track_records(ledger).get(persona_id, TrackRecord())
            card.outlook = outlook(stored, gauges, read_limits(ledger))
            card.topics = by_topic(ledger, persona_id)
            card.questions = questions_of(ledger, persona_id)
            card.scores = scores_over_time(ledger, persona_id)
    return card


def parent_of(stored: "StoredPersona") -> str:
    """Return the id of the persona that this one was cloned from, empty for none."""
    lineage = stored.persona.metadata.get("lineage")
    parent = lineage.get("parent") if isinstance(lineage, dict) else None
    return parent if isinstance(parent, str) else ""


def history(moves: Iterable["Move"]) -> list[str]:
    """Return one line for each move, oldest first."""
    return [
        f"{move.at}  {move.from_tier} -> {move.to_tier}"
        f"{'' if move.state == 'done' else f'  [{move.state}]'}  {move.reason}"
        for move in moves
    ]
