"""What leaves the index: files that are gone from where they were, whatever they were indexed through."""

import os
from pathlib import Path

import pytest

from engine.corpus.ingest import IndexOptions, index_paths
from engine.errors import InputError
from tests.corpus.index_kit import DictStore, counts, reasons, write, write_rows


@pytest.mark.parametrize("again", [".", "a.md", "a.md/"])
def test_a_file_indexed_by_itself_leaves_with_its_folder_or_by_its_name(docs: Path, again: str) -> None:
    store = DictStore()
    index_paths(store, [docs / "a.md", docs / "b.txt"])
    (docs / "a.md").unlink()
    assert index_paths(store, [docs / again]).removed >= 1
    assert not any(name.endswith("a.md") for name in store.states)
    assert any(name.endswith("b.txt") for name in store.documents)


def test_files_indexed_through_a_folder_within_leave_with_the_one_around(docs: Path) -> None:
    store = DictStore()
    write(docs / "sub", x_md="x", y_md="y")
    index_paths(store, [docs / "sub"])
    (docs / "sub/x.md").unlink()
    assert index_paths(store, [docs]).removed == 2  # sub/y.md has the name docs/sub/y.md from now on
    assert sorted(store.documents) == ["docs/a.md", "docs/b.txt", "docs/c.py", "docs/sub/y.md"]


def test_files_indexed_through_the_folder_around_leave_with_one_within(docs: Path) -> None:
    store = DictStore()
    write(docs / "sub", x_md="x")
    write(docs / "other", z_md="z")
    index_paths(store, [docs])
    (docs / "sub/x.md").unlink()
    (docs / "other/z.md").unlink()
    assert counts(index_paths(store, [docs / "sub"])) == (0, 0, 1, 0)
    assert sorted(store.documents) == ["docs/a.md", "docs/b.txt", "docs/c.py", "docs/other/z.md"]


def test_a_file_that_moved_is_in_the_index_once(docs: Path) -> None:
    store = DictStore()
    index_paths(store, [docs / "a.md"])
    (docs / "a.md").rename(docs / "moved.md")
    index_paths(store, [docs])
    assert "docs/moved.md" in store.documents
    assert "a.md" not in store.documents


def test_a_deleted_folder_leaves_and_the_report_says_so(docs: Path, tmp_path: Path) -> None:
    store = DictStore()
    write(tmp_path / "docs-too", n_md="note")
    index_paths(store, [docs, tmp_path / "docs-too"])
    for path in docs.iterdir():
        path.unlink()
    docs.rmdir()
    report = index_paths(store, [docs])
    assert counts(report) == (0, 0, 3, 0)
    assert sorted(store.documents) == ["docs-too/n.md"]
    (note,) = report.notes
    assert str(docs) in note
    assert "no longer there" in note
    assert "3 documents" in note
    # Nothing of it is known any more, so the path is a mistake from now on.
    with pytest.raises(InputError, match=r"no such file or directory; check the path"):
        index_paths(store, [docs])


def test_an_emptied_folder_is_told_because_its_disk_may_be_away(docs: Path) -> None:
    store = DictStore()
    index_paths(store, [docs])
    for path in docs.iterdir():
        path.unlink()
    report = index_paths(store, [docs])
    assert counts(report) == (0, 0, 3, 0)
    assert "holds no file now" in report.notes[0]
    assert "if its disk is away" in report.notes[0]
    assert index_paths(store, [docs]).notes == []


def test_paths_may_be_relative_or_lead_through_links(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DictStore()
    (tmp_path / "link").symlink_to(docs)
    monkeypatch.chdir(tmp_path)
    index_paths(store, [Path("link/a.md"), docs / "b.txt", Path("docs/c.py")])
    for name in ("a.md", "b.txt", "c.py"):
        (docs / name).unlink()
    assert index_paths(store, [Path("link/b.txt")]).removed == 1
    assert index_paths(store, [docs / "c.py"]).removed == 1
    assert index_paths(store, [Path("docs/../link")]).removed == 1


def test_a_folder_moved_with_a_link_in_its_place_leaves_no_copies(docs: Path, tmp_path: Path) -> None:
    store = DictStore()
    index_paths(store, [docs])
    docs.rename(tmp_path / "new")
    docs.symlink_to(tmp_path / "new")
    report = index_paths(store, [docs])
    assert (report.added, report.removed) == (3, 3)
    assert {state.path for state in store.states.values()} == {
        str(tmp_path / "new" / name) for name in ("a.md", "b.txt", "c.py")
    }


def test_a_folder_deleted_around_the_path_named(docs: Path) -> None:
    store = DictStore()
    index_paths(store, [docs / "a.md"])
    for path in docs.iterdir():
        path.unlink()
    docs.rmdir()
    docs.write_text("a file now")
    assert index_paths(store, [docs / "a.md"]).removed == 1


def test_a_data_set_deleted_in_a_folder_that_stays(tmp_path: Path) -> None:
    store = DictStore()
    write_rows(tmp_path / "set", ("a", "alpha"), ("b", "beta"))
    write(tmp_path, keep_md="kept")
    index_paths(store, [tmp_path / "set/corpus.jsonl"])
    (tmp_path / "set/corpus.jsonl").unlink()
    assert counts(index_paths(store, [tmp_path / "set"])) == (0, 0, 2, 0)
    assert not store.states


def test_a_file_named_once_stays_where_the_folder_leaves_it_out(docs: Path) -> None:
    store = DictStore()
    (docs / ".hidden.md").write_text("# Hidden")
    (docs / b"odd\xff.md".decode("utf-8", "surrogateescape")).write_text("# Odd")
    (docs / "ignored.md").write_text("# Ignored")
    named = [path for path in docs.iterdir() if path.name not in ("a.md", "b.txt", "c.py")]
    (docs / ".gitignore").write_text("ignored.md\nodd*\n")
    index_paths(store, named)
    assert index_paths(store, [docs]).removed == 0
    assert len(store.documents) == 6
    for path in named:
        path.unlink()
    assert index_paths(store, [docs]).removed == 3


def test_a_file_that_became_unusable_leaves_under_every_name(docs: Path) -> None:
    store = DictStore()
    index_paths(store, [docs / "a.md", docs / "b.txt", docs / "c.py"])
    (docs / "a.md").write_bytes(b"x\0y")
    (docs / "b.txt").write_bytes(b"x" * 2000)
    (docs / "c.py").unlink()
    (docs / "c.py").symlink_to(docs / "a.md")
    report = index_paths(store, [docs], options=IndexOptions(max_file_bytes=1024))
    assert set(reasons(report)) == {"docs/a.md", "docs/b.txt", "docs/c.py"}
    assert not store.documents


def test_what_cannot_be_listed_keeps_what_was_indexed(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DictStore()
    write(docs / "sub", x_md="x")
    index_paths(store, [docs])
    index_paths(store, [docs / "a.md"])

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root may list everything, so the refusal is made here.
    monkeypatch.setattr(os, "scandir", refused)
    monkeypatch.setattr(os, "stat", refused)
    report = index_paths(store, [docs])
    assert reasons(report) == {"docs": "permission denied"}
    assert report.removed == 0
    assert len(store.documents) == 4


@pytest.mark.parametrize("before", [".", "state", "state/a.json"])
def test_what_is_the_workspace_s_own_leaves_if_it_was_indexed_before(docs: Path, before: str) -> None:
    store = DictStore()
    (docs / "state").mkdir()
    (docs / "state/a.json").write_text("{}")
    index_paths(store, [docs / before])
    assert any(name.endswith("a.json") for name in store.documents)
    report = index_paths(store, [docs], own=[docs / "state"])
    assert reasons(report) == {"docs/state": "belongs to the workspace itself"}
    assert report.removed == 1
    assert sorted(store.documents) == ["docs/a.md", "docs/b.txt", "docs/c.py"]
