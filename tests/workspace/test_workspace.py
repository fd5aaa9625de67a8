"""Finding, making, completing, locking and mending a workspace."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import platformdirs
import pytest

from engine.config import Settings
from engine.errors import WorkspaceBusyError, WorkspaceError
from engine.personas.registry import PersonaRegistry
from engine.workspace import TIERS, Workspace, create_workspace, data_folder, find_workspace

CHECKOUT = Path(__file__).parents[2]


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_nearest_parent_with_settings_is_found(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "system.toml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_workspace(None, tmp_path / "a" / "b") == tmp_path
    assert find_workspace(tmp_path / "a", tmp_path) == tmp_path / "a"


def test_without_one_the_users_data_folder_is_used(tmp_path: Path) -> None:
    assert find_workspace(None, tmp_path) == platformdirs.user_data_path("persona-moe")


def test_the_products_own_checkout_is_never_the_workspace() -> None:
    for start in (CHECKOUT, CHECKOUT / "tests" / "workspace"):
        assert find_workspace(None, start) == CHECKOUT / ".workspace"
    assert find_workspace(CHECKOUT, Path("/")) == CHECKOUT / ".workspace"


def test_a_users_project_that_looks_alike_is_a_workspace(tmp_path: Path) -> None:
    for folder in ("engine", "configs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "configs" / "system.toml").touch()
    for text in ('[project]\nname = "other"\n', "[[["):
        (tmp_path / "pyproject.toml").write_text(text)
        assert find_workspace(None, tmp_path) == tmp_path


def test_a_new_workspace_is_complete_private_and_usable(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "deep" / "work")
    assert workspace.settings() == Settings()
    roster = PersonaRegistry.of(workspace).load()
    assert roster.problems == ()
    assert {len(roster.in_tier(tier)) > 0 for tier in TIERS[:3]} == {True}
    for path in [workspace.root, *workspace.root.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    assert workspace.warnings() == []
    assert workspace.is_writable()


def test_making_it_again_overwrites_nothing(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path)
    (workspace.configs / "system.toml").write_text("seed = 5\n")
    (workspace.personas / "active" / "sceptic.json").rename(workspace.personas / "pruned" / "sceptic.json")
    before = tree(tmp_path)
    create_workspace(tmp_path)
    assert tree(tmp_path) == before


def test_opening_a_complete_one_writes_nothing_and_brings_nothing_back(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path)
    (workspace.personas / "active" / "sceptic.json").unlink()
    before = tree(tmp_path)
    Workspace.open(tmp_path)
    assert tree(tmp_path) == before


def test_opening_without_making(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"there is no workspace in .*; run 'persona-moe init'"):
        Workspace.open(tmp_path, create=False)
    assert os.listdir(tmp_path) == []


def test_killed_at_any_point_the_next_call_completes_it(tmp_path: Path) -> None:
    """Stop after each file operation in turn, as kill -9 would, and make the workspace again."""
    script = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from engine.workspace import create_workspace
        left = int(sys.argv[2])
        def stopping(real):
            def call(*args, **kwargs):
                global left
                left -= 1
                if left < 0:
                    os._exit(137)
                return real(*args, **kwargs)
            return call
        for name in ("write", "fsync", "rename", "mkdir"):
            setattr(os, name, stopping(getattr(os, name)))
        create_workspace(Path(sys.argv[1]))
        """
    )
    whole = create_workspace(tmp_path / "whole")
    expected = set(tree(whole.root))
    for step in (0, 1, 2, 5, 9, 14, 20, 33, 60):
        root = tmp_path / str(step)
        command = [sys.executable, "-c", script, str(root), str(step)]
        assert subprocess.run(command, check=False, cwd=CHECKOUT).returncode == 137
        Workspace.open(root)
        assert set(tree(root)) == expected


def test_the_lock_keeps_another_process_out_and_names_it(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path)
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from engine.workspace import Workspace
        with Workspace(Path(sys.argv[1])).lock():
            print("held", flush=True)
            time.sleep(60)
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CHECKOUT) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        began = time.monotonic()
        with pytest.raises(WorkspaceBusyError, match=f"process {holder.pid} "), workspace.lock(timeout=0.2):
            pass
        assert 0.2 <= time.monotonic() - began < 1.5
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with workspace.lock(timeout=0.2):
        pass


def test_whoever_holds_the_lock_may_take_it_again_but_no_other_thread(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path)
    caught: list[str] = []

    def other() -> None:
        try:
            with workspace.lock(timeout=0.05):
                caught.append("got it")
        except WorkspaceBusyError as error:
            caught.append(str(error))

    with workspace.lock(), workspace.lock():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with pytest.raises(WorkspaceBusyError), Workspace(tmp_path).lock(timeout=0):
            pass
    assert "this one" in caught[0]
    other()
    assert caught[1] == "got it"


def test_a_garbled_note_in_the_lock_file_does_no_harm(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path)
    with workspace.lock():
        (tmp_path / ".lock").write_bytes(b'{"pid": "\x1b[2J')
        with pytest.raises(WorkspaceBusyError, match="another process"), Workspace(tmp_path).lock(timeout=0):
            pass


def test_a_symbolic_link_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "w")
    (tmp_path / "w" / ".lock").unlink()
    (tmp_path / "w" / ".lock").symlink_to(tmp_path / "victim")
    with pytest.raises(WorkspaceError, match="symbolic links"), workspace.lock():
        pass
    assert not (tmp_path / "victim").exists()


def test_a_read_only_workspace_can_be_read(tmp_path: Path) -> None:
    """Root may write anywhere, so the reader gives its rights away first where it has them."""
    create_workspace(tmp_path)
    (tmp_path / ".lock").unlink()
    script = textwrap.dedent(
        """
        import json, os
        from pathlib import Path
        from engine.config import Settings
        from engine.errors import WorkspaceError
        from engine.personas.registry import PersonaRegistry
        from engine.workspace import Workspace
        Workspace.open(Path(".")).settings()  # imports what is imported late, while that can be read
        if os.geteuid() == 0:
            os.setuid(65534)
        workspace = Workspace.open(Path("."))
        registry = PersonaRegistry.of(workspace)
        try:
            registry.move("sceptic", "stable", reason="test")
            said = "moved"
        except WorkspaceError as error:
            said = str(error)
        usable = workspace.settings() == Settings() and not registry.load().problems
        print(json.dumps([usable, workspace.is_writable(), said]))
        """
    )
    folders = [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env={"PATH": os.defpath, "PYTHONPATH": str(CHECKOUT)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert done.returncode == 0, done.stderr
    usable, writable, said = json.loads(done.stdout)
    assert (usable, writable) == (True, False)
    assert "Permission denied; check the permissions" in said
    assert (tmp_path / "personas" / "active" / "sceptic.json").exists()


def test_folders_that_others_can_write_to_are_warned_of(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path)
    workspace.configs.chmod(0o770)
    (warning,) = workspace.warnings()
    assert "chmod go-w" in warning


def test_recovery_clears_leftovers_and_has_nothing_to_do_twice(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    leftover = workspace.personas / "active" / f".sceptic.json.{process.pid}.{'a' * 16}.tmp"
    leftover.touch()
    (note,) = workspace.recover()
    assert leftover.name in note
    assert workspace.recover() == []


@pytest.mark.parametrize("name", ["personas", "configs", "docs"])
def test_shipped_data_is_found(name: str) -> None:
    assert any(data_folder(name).iterdir())


def test_data_that_is_not_shipped_is_an_error() -> None:
    with pytest.raises(WorkspaceError, match="missing"):
        data_folder("no-such-data")
