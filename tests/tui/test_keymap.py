"""One registry of actions: unique ids, keys that tmux and text fields leave alone, a checked keymap."""

from pathlib import Path

import pytest

from tui import keymap

FORBIDDEN = {f"ctrl+{letter}" for letter in "bashjmiz"} | {
    "ctrl+left_square_bracket",
    "f10",
    "f11",
    "f6",
    "f7",
}
ROOT = Path(__file__).resolve().parents[2]


def test_every_action_has_its_own_id_a_scope_and_help() -> None:
    assert len(keymap.BY_ID) == len(keymap.ACTIONS)
    for action in keymap.ACTIONS:
        assert action.id.startswith((action.scope, ""))
        assert action.help
        assert action.help[0].islower() or not action.help[0].isalpha()


@pytest.mark.parametrize("scope", keymap.SCOPES)
def test_no_key_means_two_things_in_one_place(scope: keymap.Scope) -> None:
    keys = [key for a in keymap.ACTIONS if a.scope == scope for key in a.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_no_default_takes_a_key_that_terminals_or_text_fields_need() -> None:
    keys = {key.strip() for action in keymap.ACTIONS for key in action.keys.split(",")}
    assert keys.isdisjoint(FORBIDDEN)


def test_every_action_is_there_to_be_called() -> None:
    from tui.app import PersonaMoeApp
    from tui.screens.compare import CompareScreen
    from tui.screens.help import HelpScreen
    from tui.screens.main import MainScreen
    from tui.screens.models import ModelsScreen
    from tui.screens.personas import PersonasScreen
    from tui.screens.personas_card import CardScreen
    from tui.screens.personas_import import ImportScreen
    from tui.screens.reader import ReaderScreen
    from tui.screens.runs import RunsScreen
    from tui.widgets.personas_pane import PersonasPane
    from tui.widgets.prompt import Prompt
    from tui.widgets.question import Question
    from tui.widgets.row_list import RowList

    owners = {
        "app": PersonaMoeApp, "main": MainScreen, "replay": MainScreen, "ask": Question, "list": RowList,
        "personas": PersonasPane, "roster": PersonasScreen, "card": CardScreen, "import": ImportScreen,
        "prompt": Prompt, "reader": ReaderScreen, "runs": RunsScreen,
        "compare": CompareScreen, "models": ModelsScreen, "dialog": HelpScreen,
    }  # fmt: skip
    for action in keymap.ACTIONS:
        assert hasattr(owners[action.scope], f"action_{action.id.partition('.')[2]}"), action.id


def test_the_documentation_has_the_table_of_keys() -> None:
    assert keymap.table() in (ROOT / "docs" / "terminal-app.md").read_text("utf-8")
