"""Which files a folder holds for the index, and that nothing leads out of it."""

import os
import socket
from pathlib import Path

import pytest

from engine.corpus.discover import Found, Root, Skipped, Walk, open_found
from engine.corpus.records import SourceState
from engine.corpus.roots import label_roots
from engine.errors import InputError


def make(folder: Path, *names: str, text: str = "words") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def walk(folder: Path) -> tuple[list[str], dict[str, str], Walk]:
    walked = Walk(Root("r", str(folder)))
    items = list(walked)
    found = [item.name for item in items if isinstance(item, Found)]
    return found, {item.name: item.reason for item in items if isinstance(item, Skipped)}, walked


def test_files_come_in_the_order_of_names_and_hidden_ones_do_not(tmp_path: Path) -> None:
    make(
        tmp_path,
        "b.md",
        "a.md",
        "sub/c.md",
        ".hidden",
        ".git/config",
        "node_modules/x.js",
        "__pycache__/y.py",
    )
    make(tmp_path, "env/pyvenv.cfg", "env/lib/z.py")
    found, skipped, walked = walk(tmp_path)
    assert found == ["r/a.md", "r/b.md", "r/sub/c.md"]
    assert skipped == {}
    assert walked.left_out.hidden == 5


def test_gitignore_at_every_level(tmp_path: Path) -> None:
    make(
        tmp_path,
        "keep.md",
        "x.log",
        "build/a.md",
        "sub/x.log",
        "sub/keep.log",
        "sub/deep/only.txt",
        "only.txt",
    )
    (tmp_path / ".gitignore").write_text("*.log\nbuild/\n/only.txt\n")
    (tmp_path / "sub/.gitignore").write_text("!keep.log\n")
    found, _, walked = walk(tmp_path)
    assert found == ["r/keep.md", "r/sub/keep.log", "r/sub/deep/only.txt"]
    assert walked.left_out.ignored == 4


def test_gitignore_that_would_take_for_ever_is_refused_with_a_note(tmp_path: Path) -> None:
    make(tmp_path, "a" * 200 + ".txt")
    (tmp_path / ".gitignore").write_text("*a*a*a*a*a*a*a*a*a*b\n**/docs/**/x*.md\n")
    found, _, walked = walk(tmp_path)
    assert len(found) == 1
    assert len(walked.notes) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_only_regular_files_and_no_links(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    make(folder, "good.txt")
    make(tmp_path, "outside/secret.txt")
    os.mkfifo(folder / "pipe.txt")
    (folder / "link.txt").symlink_to(tmp_path / "outside/secret.txt")
    (folder / "up").symlink_to("..")
    (folder / "zero").symlink_to("/dev/zero")
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(folder)  # a socket's path must be short
        try:
            listener.bind("sock")
        finally:
            os.chdir(here)
    found, skipped, _ = walk(folder)
    assert found == ["r/good.txt"]
    assert skipped == {
        "r/link.txt": "a symbolic link, not followed",
        "r/pipe.txt": "a named pipe",
        "r/sock": "a socket",
        "r/up": "a symbolic link, not followed",
        "r/zero": "a symbolic link, not followed",
    }


@pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="needs openat")
def test_a_folder_exchanged_for_a_link_after_the_walk_is_not_entered(tmp_path: Path) -> None:
    make(tmp_path, "in/sub/a.txt", "outside/a.txt")
    [found] = [item for item in Walk(Root("r", str(tmp_path / "in"))) if isinstance(item, Found)]
    (tmp_path / "in/sub/a.txt").unlink()
    (tmp_path / "in/sub").rmdir()
    (tmp_path / "in/sub").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match=r"."):
        open_found(found)


def test_names_are_cleaned_and_stay_apart(tmp_path: Path) -> None:
    for name in (b"bad\xff.txt", b"bad\xfe.txt", b"new\nline.txt", b"esc\x1b[2J.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("words")
    found, _, walked = walk(tmp_path)
    assert len(set(found)) == 4
    assert all(name.isprintable() for name in found)
    for item in Walk(walked.root):
        assert isinstance(item, Found)
        item.path.encode()  # can be stored
        os.close(open_found(item))


def test_dataset_folder_is_its_corpus_file_alone(tmp_path: Path) -> None:
    make(tmp_path, "corpus.jsonl", "queries.jsonl", "SOURCE.md", "sub/a.md")
    found, skipped, _ = walk(tmp_path)
    assert found == ["r/corpus.jsonl"]
    assert set(skipped) == {"r/queries.jsonl", "r/SOURCE.md", "r/sub"}
    assert set(skipped.values()) == {"in a dataset folder only corpus.jsonl is read"}


def test_unreadable_folder_is_told_and_kept(tmp_path: Path) -> None:
    make(tmp_path, "shut/a.md")
    (tmp_path / "shut").chmod(0)
    try:
        if os.access(tmp_path / "shut", os.R_OK):
            pytest.skip("this user may read everything")
        items = list(Walk(Root("r", str(tmp_path))))
    finally:
        (tmp_path / "shut").chmod(0o700)
    assert items == [Skipped("r/shut", "permission denied", kept=True)]


def state(name: str, path: Path) -> SourceState:
    return SourceState(name=name, path=str(path), size=1, mtime_ns=1, digest="d", documents=1)


def test_labels_are_the_last_part_and_never_shared(tmp_path: Path) -> None:
    make(tmp_path, "one/docs/a.md", "two/docs/a.md")
    one, two = tmp_path / "one/docs", tmp_path / "two/docs"
    [first] = label_roots([one], {}).roots
    known = {"docs/a.md": state("docs/a.md", one / "a.md")}
    [second] = label_roots([two], known).roots
    assert first.label == "docs"
    assert second.label.startswith("docs~")
    assert len(second.label) == len("docs~") + 4
    assert [root.label for root in label_roots([one, two], {}).roots] == ["docs", second.label]
    # A label once given is kept, also when the plain one is free again.
    moved = {f"{second.label}/a.md": state(f"{second.label}/a.md", two / "a.md")}
    assert label_roots([two], moved).roots == [second]


def test_a_path_within_another_is_not_walked_twice(tmp_path: Path) -> None:
    make(tmp_path, "docs/sub/a.md")
    paths = [tmp_path / "docs/sub/a.md", tmp_path / "docs", tmp_path / "docs/sub"]
    assert [root.label for root in label_roots(paths, {}).roots] == ["docs"]


def test_a_path_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot index .*no such file or directory; check the path"):
        label_roots([tmp_path / "none"], {})
