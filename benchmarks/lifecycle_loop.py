"""Ask many questions in a row with learning on, then check that every count adds up.

python benchmarks/lifecycle_loop.py DATASET... [--questions 1000] [--page docs/learning-evidence.md]

Each DATASET holds corpus.jsonl and queries.jsonl; all are indexed into one temporary workspace and
their questions asked in turn, again from the start if there are too few. Ends with status 1 if
anything does not add up.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from _page import write_part

from engine import events as ev
from engine.config import set_value
from engine.personas.learned import COMMITTEE, dials
from engine.personas.learning import read_gauges
from engine.personas.ledger import Ledger
from engine.personas.moves import MoveJournal
from engine.personas.registry import PersonaRegistry
from engine.pipeline import AskOptions, Engine
from engine.workspace import TIERS, Workspace

SAID: list[str] = []


def say(line: str) -> None:
    """Print a line and keep it for the page."""
    SAID.append(line)
    print(line, flush=True)


def main() -> int:
    """Run the loop, print what happened, return 0 if all adds up."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="*", type=Path)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    if not args.datasets:
        print("skipped: needs a data set, see --help")
        return 0
    with tempfile.TemporaryDirectory(prefix="persona-moe-loop-") as folder:
        workspace = Workspace.open(Path(folder))
        for pair in args.set:
            set_value(workspace.configs, *pair.split("=", 1))
        status = _loop(workspace, args.datasets, args.questions)
    if args.page is not None:
        write_part(args.page, "lifecycle_loop", "```\n" + "\n".join(SAID) + "\n```")
    return status


def _loop(workspace: Workspace, datasets: list[Path], count: int) -> int:
    registry = PersonaRegistry.of(workspace)
    before = {each.persona.persona_id: each.tier for each in registry.load().personas}
    chosen: Counter[str] = Counter()
    helped: Counter[str] = Counter()
    moved: list[ev.PersonaMoved] = []
    started = time.process_time()
    with Engine.open(workspace) as engine:
        engine.index([each / "corpus.jsonl" for each in datasets])
        indexed = time.process_time()
        for number, question in enumerate(itertools.islice(_questions(datasets), count), 1):
            later = False
            for event in engine.ask_sync(question, AskOptions(no_model=True)):
                if isinstance(event, ev.RoundPlanned):
                    later = True
                elif isinstance(event, ev.ExpertChosen):
                    (helped if later else chosen)[event.persona] += 1
                elif isinstance(event, ev.PersonaMoved):
                    moved.append(event)
                    say(f"{number}: {event.persona} {event.source} -> {event.target}: {event.reason}")
                elif isinstance(event, ev.ThresholdMoved):
                    say(f"{number}: {event.name} {event.old:g} -> {event.new:g}")
    say(f"{count} questions, {(time.process_time() - indexed) * 1000 / count:.0f} ms CPU each,")
    say(f"after {indexed - started:.0f} s CPU for indexing\n")
    problems = _check(workspace, before, chosen, helped, moved, count)
    _table(workspace, before, chosen, helped)
    for problem in problems:
        say(f"WRONG: {problem}")
    say("everything adds up" if not problems else f"{len(problems)} things do not add up")
    return 1 if problems else 0


def _questions(datasets: list[Path]) -> Iterator[str]:
    sets = []
    for each in datasets:
        with (each / "queries.jsonl").open(encoding="utf-8") as lines:
            sets.append([json.loads(line)["text"] for line in lines])
    turns = (text for row in itertools.zip_longest(*sets) for text in row if text)
    return itertools.cycle(list(turns))


def _check(
    workspace: Workspace,
    before: dict[str, str],
    chosen: Counter[str],
    helped: Counter[str],
    moved: list[ev.PersonaMoved],
    count: int,
) -> list[str]:
    problems = []
    places = Counter(path.name for tier in TIERS for path in (workspace.personas / tier).glob("*.json"))
    problems += [f"{name} is in {n} folders" for name, n in sorted(places.items()) if n != 1]
    born = {event.persona for event in moved if event.rule == "sibling"}
    if set(places) != {f"{name}.json" for name in {*before, *born}}:
        problems.append("personas were lost or came from nowhere")
    with Ledger.open(workspace.ledger_path) as ledger:
        if ledger.runs() != count or ledger.rows("SELECT count(*) FROM question")[0][0] != count:
            problems.append(f"{ledger.runs()} runs are recorded, {count} were asked")
        for name in sorted({*before, *born}):
            record = ledger.summary(name)
            if (record.n, record.considered) != (chosen[name], chosen[name] + helped[name]):
                problems.append(
                    f"{name} answered {chosen[name]} and helped with {helped[name]}, recorded are "
                    f"{record.n} of {record.considered}"
                )
        gauges = read_gauges(ledger)
        problems += [
            f"{name}'s gauge counts more than it answered"
            for name, by_topic in gauges.items()
            if by_topic[""].n > chosen[name]
        ]
    journal = [move for move in MoveJournal(workspace.moves_path).moves() if move.state == "done"]
    if len(journal) != len([event for event in moved if event.rule != "sibling"]):
        problems.append(f"{len(moved)} moves were told, {len(journal)} are in the journal")
    tiers = dict(before) | dict.fromkeys(born, "experimental")
    for move in journal:
        if tiers[move.persona_id] != move.from_tier:
            problems.append(f"{move.persona_id} moved from {move.from_tier}, it was {tiers[move.persona_id]}")
        tiers[move.persona_id] = move.to_tier
    now = {each.persona.persona_id: each.tier for each in PersonaRegistry.of(workspace).load().personas}
    if now != tiers:
        problems.append("the folders are not where the journal says")
    if sum(1 for tier in now.values() if tier == "active") < 2:
        problems.append("fewer than two are active")
    return problems


def _table(workspace: Workspace, before: dict[str, str], chosen: Counter[str], helped: Counter[str]) -> None:
    say(
        f"{'persona':<24} {'before':<13} {'after':<13} {'asked':>6} {'later':>6} {'advantage':>10} "
        f"{'behind':>7} {'ahead':>6}"
    )
    with Ledger.open(workspace.ledger_path) as ledger:
        gauges = read_gauges(ledger)
        for each in PersonaRegistry.of(workspace).load().personas:
            name = each.persona.persona_id
            gauge = gauges.get(name, {}).get("")
            shown = f"{gauge.down:7.2f} {gauge.up:6.2f}" if gauge else f"{'-':>7} {'-':>6}"
            advantage = ledger.summary(name).mean_advantage
            was = before.get(name, "new")
            say(
                f"{name:<24} {was:<13} {each.tier:<13} {chosen[name]:>6} {helped[name]:>6} "
                f"{advantage:>+10.3f} {shown}"
            )
        known = dials(ledger, ledger.runs())
        alone = sorted(name.removeprefix(COMMITTEE) for name, value in known.items() if not value)
        lift = ledger.rows("SELECT avg(lift), count(*) FROM question WHERE experts > 1")[0]
        say(f"\nlift over the control arm {lift[0]:+.4f} in {lift[1]} questions asked of several experts")
        say(f"one expert answers on: {', '.join(each or '(no topic)' for each in alone) or 'no topic'}\n")


if __name__ == "__main__":
    raise SystemExit(main())
