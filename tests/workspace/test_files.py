"""File primitives: whole or not at all, never over a namesake, never held up by what is no file."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine import files
from engine.errors import WorkspaceError
from engine.files import (
    TEMPORARY,
    make_folder,
    move_noreplace,
    read_bounded,
    remove_file,
    sweep_temporaries,
    write_atomic,
)


def test_a_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a.json"]


def test_the_umask_does_not_matter(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_atomic(tmp_path / "open", b"")
        make_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_without_replace_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"mine")
    with pytest.raises(WorkspaceError, match="File exists"):
        write_atomic(path, b"other", replace=False)
    assert path.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a.json"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(files.os, "write", lambda handle, data: real(handle, bytes(data)[:3]))
    write_atomic(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_a_write_that_fails_leaves_the_old_file_and_no_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "write", full)
    with pytest.raises(WorkspaceError, match=r"cannot write '.*a': No space left on device; free some disk"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("renameat2", [True, False], ids=["renameat2", "link and unlink"])
def test_a_move_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renameat2: bool) -> None:
    if not renameat2:
        monkeypatch.setattr(files, "_libc_renameat2", lambda: None)
    (tmp_path / "to").mkdir()
    source, target = tmp_path / "a", tmp_path / "to" / "a"
    source.write_bytes(b"mine")
    target.write_bytes(b"theirs")
    with pytest.raises(WorkspaceError, match="File exists"):
        move_noreplace(source, target)
    assert (source.read_bytes(), target.read_bytes()) == (b"mine", b"theirs")
    target.unlink()
    move_noreplace(source, target)
    assert not source.exists()
    assert target.read_bytes() == b"mine"


def test_only_regular_files_within_the_limit_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with pytest.raises(WorkspaceError, match="larger than 4 bytes"):
        read_bounded(path, 4)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(WorkspaceError, match="symbolic links are not followed"):
        read_bounded(tmp_path / "link", 5)
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(WorkspaceError, match="not a regular file"):
            read_bounded(tmp_path / name, 5)
    with pytest.raises(WorkspaceError, match="No such file"):
        read_bounded(tmp_path / "none", 5)


def test_only_leftovers_of_the_dead_are_swept(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    dead = f".a.json.{process.pid}.{'0' * 16}.tmp"
    keep = [f".a.json.{os.getpid()}.{'0' * 16}.tmp", ".mine.tmp", "a.tmp", ".a.json.1.tmp"]
    for name in (dead, *keep):
        (tmp_path / name).write_bytes(b"")
    assert sweep_temporaries(tmp_path) == [dead]
    assert sorted(os.listdir(tmp_path)) == sorted(keep)


def test_a_temporary_name_is_recognised_as_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    real = os.rename
    monkeypatch.setattr(files.os, "rename", lambda a, b: (names.append(Path(a).name), real(a, b))[1])
    write_atomic(tmp_path / ("x" * 200), b"")
    assert TEMPORARY.match(names[0])


def test_making_the_same_folder_at_once_is_no_race(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def make() -> None:
        try:
            make_folder(tmp_path / "a" / "b" / "c")
        except WorkspaceError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_removing_what_is_gone_is_no_error(tmp_path: Path) -> None:
    remove_file(tmp_path / "none")
    with pytest.raises(WorkspaceError, match="cannot remove"):
        remove_file(tmp_path)


def test_a_name_with_a_nul_is_an_error_in_words(tmp_path: Path) -> None:
    for act in (lambda path: write_atomic(path, b""), lambda path: read_bounded(path, 1)):
        with pytest.raises(WorkspaceError, match="null"):
            act(tmp_path / "a\0b")
