"""``persona-moe config``: see, change and check the settings."""

import argparse
from typing import Any

from tui import output


def register(subparsers: Any) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("config", help="see, change and check the settings")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = verbs.add_parser("show", help="print every setting, or one")
    show.add_argument("key", nargs="?", metavar="KEY", help="such as thresholds.budget, or thresholds")
    change = verbs.add_parser("set", help="change one setting; comments in the file stay")
    change.add_argument("key", metavar="KEY")
    change.add_argument("value", metavar="VALUE", help="as in TOML, or plain text")
    check = verbs.add_parser("check", help="say whether every settings file is valid")
    for verb, work in ((show, _show), (change, _set), (check, _check)):
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.set_defaults(run=run, work=work)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; returns the exit code."""
    return int(args.work(args))


def _flat(settings: Any) -> dict[str, Any]:
    import msgspec

    content: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    return {f"{part}.{key}": value for part, fields in content.items() for key, value in fields.items()}


def _show(args: argparse.Namespace) -> int:
    from engine.config import Settings
    from engine.config_file import nearest_key
    from engine.errors import ConfigError
    from tui.session import open_workspace

    settings, defaults = _flat(open_workspace(args).settings()), _flat(Settings())
    if args.key is not None:
        chosen = {
            key: value for key, value in settings.items() if args.key == key or key.startswith(f"{args.key}.")
        }
        if not chosen:
            guess = nearest_key(args.key, settings)
            raise ConfigError(
                f"unknown setting {args.key}",
                f"did you mean {guess}?" if guess else "without KEY all are shown",
            )
        settings = chosen
    if args.json:
        output.print_json(settings)
        return 0
    for key, value in settings.items():
        changed = "" if value == defaults[key] else f"  (default {_text(defaults[key])})"
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, row in enumerate(value):
                output.print_line(f"{key}[{number}] = {_text(row)}")
        else:
            output.print_line(f"{key} = {_text(value)}{changed}")
    return 0


def _text(value: Any) -> str:
    import msgspec

    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{key} = {_text(each)}" for key, each in value.items() if each is not None)
            + " }"
        )
    return msgspec.json.encode(value).decode()


def _set(args: argparse.Namespace) -> int:
    from engine.config import set_value
    from tui.session import open_workspace

    workspace = open_workspace(args)
    with workspace.lock():
        settings = _flat(set_value(workspace.configs, args.key, args.value))
    if args.json:
        output.print_json({args.key: settings[args.key]})
    else:
        output.print_line(f"{args.key} = {_text(settings[args.key])}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from engine.config import PARTS
    from engine.config_file import read_settings
    from engine.errors import ConfigError
    from tui import own_keys
    from tui.session import open_workspace

    workspace = open_workspace(args)
    parts = (*PARTS, "keys")
    problems: dict[str, str] = {}
    for part in parts:
        try:
            if part in PARTS:
                read_settings(workspace.configs / f"{part}.toml", PARTS[part])
            else:
                own_keys.load(workspace.configs)
        except ConfigError as error:
            problems[part] = str(error)
    for warning in workspace.warnings():
        output.note(f"warning: {warning}")
    if args.json:
        output.print_json(
            {part: {"ok": part not in problems, "problem": problems.get(part)} for part in parts}
        )
    else:
        for part in parts:
            output.print_line(problems.get(part) or f"configs/{part}.toml: ok")
    return ConfigError.exit_code if problems else 0
