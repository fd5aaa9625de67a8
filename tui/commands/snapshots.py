"""``persona-moe snapshots``: recorded runs listed, replayed, verified, compared, passed on, kept in order."""

import argparse
import datetime
import re
from pathlib import Path
from typing import Any

from tui import snapshot_actions as act

FORMS = ("graphml", "json", "dot", "html", "md")
_SIZE = re.compile(r"([0-9]{1,15})([kmg]?)(?:i?b)?\Z", re.IGNORECASE)
_ID = "an id, the beginning of one, or 'last'"


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "snapshots",
        help="recorded runs: list, show, replay, verify, diff, export, import",
        description="Every run is recorded. Here recorded runs are found, replayed, checked and passed on.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    _add_reading(actions)
    _add_comparing(actions)
    _add_keeping(actions)


def _add(actions: Any, name: str, help_: str, work: Any, *, snapshot: bool = True) -> Any:
    parser = actions.add_parser(name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.")
    if snapshot:
        parser.add_argument("id", metavar="ID", help=_ID)
    parser.set_defaults(run=work)
    return parser


def _add_reading(actions: Any) -> None:
    parser = _add(actions, "list", "list recorded runs, newest first", act.run_list, snapshot=False)
    parser.add_argument("--text", default="", help="only runs with this in question, note or tags")
    parser.add_argument(
        "--since", type=_day, metavar="DATE", help="only runs since this day, YYYY-MM-DD (UTC)"
    )
    parser.add_argument("--until", type=_day, metavar="DATE", help="only runs up to and with this day (UTC)")
    parser.add_argument("--tag", default="", metavar="TAG", help="only runs with this tag")
    parser.add_argument(
        "--persona", default="", metavar="ID", help="only runs in which this persona was chosen"
    )
    parser.add_argument("--model", default="", metavar="NAME", help="only runs with this in the model's name")
    parser.add_argument("--verified", action="store_true", help="only runs that 'verify' found identical")
    parser.add_argument("--limit", type=_natural, metavar="N", help="at most so many")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser = _add(actions, "show", "show what a run asked, found and answered", act.run_show)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="print the journal's lines as they were written")
    form.add_argument("--json", action="store_true", help="print the list's entry as JSON")
    _add_salvage(parser)
    parser = _add(actions, "replay", "give a run's events again", act.run_replay)
    parser.add_argument("--speed", type=_speed, metavar="X", help="with the recorded timing, X times as fast")
    parser.add_argument(
        "--from", dest="start", type=_natural, default=0, metavar="SEQ", help="from this event"
    )
    parser.add_argument("--until", type=_natural, metavar="SEQ", help="up to and with this event")
    parser.add_argument("--json", action="store_true", help="print the events as 'ask --events' did")
    _add_salvage(parser)


def _add_salvage(parser: Any) -> None:
    parser.add_argument("--salvage", action="store_true", help="of a damaged file, use what is whole")


def _add_comparing(actions: Any) -> None:
    parser = _add(
        actions, "verify", "check every line of a run, then run it again and compare", act.run_verify
    )
    parser.add_argument("--chain", action="store_true", help="check the lines only")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser = _add(actions, "diff", "compare two runs", act.run_diff)
    parser.add_argument("other", metavar="OTHER", help=_ID)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser = _add(actions, "export", "write a run, or its graph, as a file for others", act.run_export)
    parser.add_argument("--format", required=True, choices=FORMS, help="graphml, json, dot: the graph")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to (default: standard output)")
    _add_salvage(parser)
    parser = _add(actions, "import", "take in a run recorded elsewhere", act.run_import, snapshot=False)
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_keeping(actions: Any) -> None:
    parser = _add(actions, "tag", "label a run", act.run_tag)
    parser.add_argument("tags", nargs="*", metavar="TAG")
    parser.add_argument("--remove", action="append", default=[], metavar="TAG", help="take this tag off")
    parser.add_argument("--note", metavar="TEXT", help="set the note; empty removes it")
    parser.add_argument("--json", action="store_true", help="print the list's entry as JSON")
    parser = _add(actions, "pin", "protect a run from prune", act.run_pin)
    parser.add_argument("--json", action="store_true", help="print the list's entry as JSON")
    parser = _add(actions, "unpin", "let prune take a run again", act.run_unpin)
    parser.add_argument("--json", action="store_true", help="print the list's entry as JSON")
    parser = _add(
        actions,
        "prune",
        "move old runs into the trash; shows them unless --yes",
        act.run_prune,
        snapshot=False,
    )
    parser.add_argument("--keep", type=_natural, metavar="N", help="keep the newest N")
    parser.add_argument("--max-bytes", type=_size, metavar="N", help="keep at most so much: 500M, 2G")
    parser.add_argument("--json", action="store_true", help="print JSON")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--dry-run", action="store_true", help="only show them (this is the default)")
    form.add_argument("--yes", action="store_true", help="do it")


def _natural(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from 0")
    return int(text)


def _speed(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1e6:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number above 0")
    return number


def _size(text: str) -> int:
    match = _SIZE.match(text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a size such as 500M")
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]


def _day(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a day such as 2026-11-22") from None
