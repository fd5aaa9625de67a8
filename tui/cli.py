"""The command line: ``persona-moe COMMAND ...``.

Exit codes: 0 done; 1 the work failed; 2 bad usage or bad input; 3 the model is not available;
130 interrupted. Start-up imports argparse and the module of the command asked for, nothing more.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from engine.errors import InputError, PersonaMoeError
from tui import output

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import SupportsWrite

COMMANDS = {
    "init": ("init", "make a workspace with starter personas and settings"),
    "index": ("index", "add, update and remove documents"),
    "search": ("search", "show the ranked evidence for a question, without a model"),
    "ask": ("ask", "answer a question from your documents, with citations"),
    "personas": ("personas", "see, make, change, move and share personas"),
    "federate": ("federate", "pass on how personas did, as sums without any text"),
    "snapshots": ("snapshots", "recorded runs: list, show, replay, verify, diff, export, import"),
    "models": ("models", "see the model server's models, and fetch more"),
    "serve": ("serve", "show the app in a browser on this machine"),
    "config": ("config", "see, change and check the settings"),
    "eval": ("evaluate", "measure retrieval on a data set with known answers"),
    "doctor": ("doctor", "check terminal, workspace, index, personas and model"),
}
"""Command -> its module in ``tui.commands`` and what it does, in the order that ``--help`` shows them.

The module says what it does too; it stands here so that ``--help`` imports none of them.
"""

BETWEEN_COLLECTIONS = (20_000, 20, 20)
"""How seldom garbage is looked for: a question makes many objects and hardly a cycle."""
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

HEADLESS_HINT = (
    'to ask from the command line: persona-moe index PATH, then persona-moe ask "QUESTION" '
    "(see persona-moe --help)"
)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return what lays help out. argparse would import shutil, a tenth of start-up, to learn the width."""
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        columns = 80
    return argparse.HelpFormatter(prog, width=max(40, min(columns, 110)) - 2)


class Parser(argparse.ArgumentParser):
    """A parser whose every level takes ``--workspace`` and whose errors are one clean line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", _formatter)
        super().__init__(*args, **kwargs)
        self.add_argument(
            "--workspace",
            metavar="DIR",
            default=argparse.SUPPRESS,
            help="work in this folder (default: the nearest parent with configs/system.toml, "
            "else your data folder)",
        )

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Write the help to stdout as all data is written, or to ``file``."""
        if file is None:
            output.print_text(self.format_help())
        else:
            super().print_help(file)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments in one line, and end with exit code 2."""
        output.fail(f"{message}; see '{self.prog} --help'")
        self.exit(EXIT_USAGE)


def _words(arguments: Sequence[str]) -> list[str]:
    """Return the arguments from the first that is neither an option nor the value of one."""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        del rest[: 2 if rest[0] == "--workspace" else 1]
    return rest


def _empty_parser() -> "tuple[Parser, argparse._SubParsersAction[Parser]]":
    parser = Parser(
        prog="persona-moe",
        description="Cited answers from your own documents. No model needed, nothing leaves your machine.",
        epilog="persona-moe COMMAND --help tells more about a command.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    return parser, parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")


def outline() -> Parser:
    """Return a parser that can print the help of the program, and no more."""
    parser, subparsers = _empty_parser()
    for name, (_, purpose) in COMMANDS.items():
        subparsers.add_parser(name, help=purpose)
    return parser


def build_parser(commands: Sequence[str] = tuple(COMMANDS)) -> Parser:
    """Return the parser of these commands."""
    parser, subparsers = _empty_parser()
    for name in commands:
        importlib.import_module(f"tui.commands.{COMMANDS[name][0]}").register(subparsers)
    return parser


def _workspace(name: str | None) -> "Path | None":
    if name is None:
        return None
    if not name:
        raise InputError("--workspace names no folder", "put the folder after it")
    from pathlib import Path

    return Path(name)


def _unknown_command(word: str) -> InputError:
    from engine.config_file import nearest

    near = nearest(word, COMMANDS)
    mend = f"did you mean '{near}'?" if near else "see 'persona-moe --help'"
    return InputError(f"there is no command {word[:60]!r}", mend)


def _without_command(arguments: argparse.Namespace) -> int:
    if arguments.version:
        from importlib.metadata import version

        output.print_line(f"persona-moe {version('persona-moe')}")
        return 0
    from tui import launch

    if why := launch.refusal(os.environ):
        output.fail(f"{why}; {HEADLESS_HINT}")
        return EXIT_USAGE
    return launch.open_app(arguments.workspace)


def run(arguments: Sequence[str]) -> int:
    """Do what ``arguments`` ask for and return the exit code; errors are raised."""
    words = _words(arguments)
    if words and words[0] not in COMMANDS:
        raise _unknown_command(words[0])
    parser = build_parser(words[:1]) if words else outline()
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        command = f"persona-moe {parsed.command or ''}".rstrip()
        raise InputError(f"'{command}' has no use for {unknown[0][:60]!r}", f"see '{command} --help'")
    parsed.workspace = _workspace(getattr(parsed, "workspace", None))
    if parsed.command is None:
        return _without_command(parsed)
    work = getattr(parsed, "run", None)
    if work is None:
        parser.error(f"'{parsed.command}' needs to be told what to do")
    return int(work(parsed))


def _report_defect(error: Exception) -> None:
    """Say in one line that this is our fault, and keep the details where only the user can read them."""
    import traceback

    if os.environ.get("PERSONA_MOE_TRACEBACK") == "1":
        output.note("".join(traceback.format_exception(error)).rstrip())
        return
    from tui.panic import keep_details

    output.fail(f"internal error: {keep_details(error)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; nothing is raised but by a second Ctrl-C."""
    gc.set_threshold(*BETWEEN_COLLECTIONS)
    output.use_utf8()
    code = _done(arguments)
    if why := output.lost():
        output.fail(f"cannot write the output: {why}; send it to a file or program that takes it")
    return code or (EXIT_FAILED if why else 0)


def _done(arguments: Sequence[str] | None) -> int:
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except PersonaMoeError as error:
        output.fail(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        output.fail("interrupted; what was finished is kept")
        return EXIT_INTERRUPTED
    except SystemExit as leave:  # argparse leaves this way, for --help too
        return leave.code if isinstance(leave.code, int) else EXIT_FAILED
    except Exception as error:
        _report_defect(error)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
