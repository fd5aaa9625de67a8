"""The user's own keys: what is taken, and what is refused with its place and its mend."""

from pathlib import Path
from typing import Any

import pytest
from test_journeys import ask, go
from tui_samples import wait_until

from engine.errors import ConfigError
from engine.workspace import Workspace
from tui import keymap, own_keys
from tui.app import PersonaMoeApp
from tui.screens.help import HelpScreen


def test_own_keys_are_read_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('"app.help" = "f2"\n[main]\nquit = "Q"\n', "utf-8")
    assert own_keys.load(tmp_path) == {"app.help": "f2", "main.quit": "Q"}
    assert own_keys.load(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[main]\nquitt = "Q"\n', "did you mean main.quit"),
        ("[main]\nquit = 3\n", "are not text"),
        ("main = [\n", "keys.toml"),
        ('# mine\n\n[main]\nquit = "ctrl+pgup"\n', "keys.toml line 4: 'ctrl+pgup' is no key (main.quit)"),
        ('"main.quit" = "contrl+q"\n', "keys.toml line 1: 'contrl+q' is no key"),
        ('[main]\nquit = "r"\n', "r is the key of both main.quit and main.runs"),
        ('[main]\nquit = "home"\n', "home is the key of both main.quit and"),
        ('[list]\nchoose = "q"\n', "q is the key of both list.choose and main.quit"),
        ('[roster]\nfilter = "g"\n', "g is the key of both roster.filter and list.first"),
        ('[app]\nhelp = "P"\n', "P is the key of both app.help and main.roster"),
        ('[runs]\nmark = "c"\n', "both runs.mark and runs.compare"),
    ],
)
def test_a_wrong_keymap_is_refused_with_a_mend(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "keys.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        own_keys.load(tmp_path)
    assert says in str(caught.value)


@pytest.mark.parametrize("action", keymap.ACTIONS, ids=lambda action: action.id)
def test_every_key_that_comes_with_the_app_could_be_given_by_the_user(action: keymap.Action) -> None:
    for key in action.keys.split(","):
        assert own_keys.normal_key(key) == key


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("?", "question_mark"),
        ("+", "plus"),
        ("-", "minus"),
        (" ", "space"),
        ("[", "left_square_bracket"),
        ("ctrl+shift+f5", "ctrl+shift+f5"),
    ],
)
def test_a_character_may_be_written_as_it_is(written: str, named: str) -> None:
    assert own_keys.normal_key(written) == named


def test_two_actions_may_change_places(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('[main]\nruns = "q"\nquit = "r"\n', "utf-8")
    assert own_keys.load(tmp_path) == {"main.runs": "q", "main.quit": "r"}


def test_an_action_that_shared_its_key_keeps_it_when_the_other_is_changed(workspace: Workspace) -> None:
    async def journey(moe: PersonaMoeApp, pilot: Any) -> None:
        await ask(moe, pilot)
        saved = moe.desk.run.saved
        assert saved is not None
        await pilot.press("escape")
        await moe.screen.replay(saved.snapshot)  # type: ignore[attr-defined]
        assert moe.desk.player is not None
        await pilot.press("escape")
        await wait_until(pilot, lambda: moe.desk.player is None)
        await pilot.press("exclamation_mark")
        await wait_until(pilot, lambda: isinstance(moe.screen, HelpScreen))

    keys = own_keys.checked({"main.stop": "X", "app.help": "!"}, "keys.toml")
    go(workspace, journey, keys=keys)
