"""Incremental indexing through a parser process: what ends up in the store, whatever goes wrong."""

import json
import os
import signal
from pathlib import Path

import pytest

from engine.corpus.child import FileJob
from engine.corpus.ingest import IndexOptions, Progress, index_paths
from engine.corpus.parser_process import ParserProcess
from engine.errors import CorpusError, InputError
from tests.corpus.index_kit import DictStore, counts, reasons, write, write_rows


def test_a_second_run_parses_nothing_and_a_third_only_what_changed(docs: Path) -> None:
    store = DictStore()
    assert counts(index_paths(store, [docs])) == (3, 0, 0, 0)
    assert sorted(store.documents) == ["docs/a.md", "docs/b.txt", "docs/c.py"]
    writes = store.writes
    os.utime(docs / "a.md", (1, 1))
    assert counts(index_paths(store, [docs])) == (0, 0, 0, 3)
    assert store.writes == writes
    write(docs, a_md="# A\n\nother\n", d_md="delta")
    (docs / "b.txt").unlink()
    assert counts(index_paths(store, [docs])) == (1, 1, 1, 1)
    assert sorted(store.documents) == ["docs/a.md", "docs/c.py", "docs/d.md"]
    assert sorted(store.states) == sorted(store.documents)


def test_the_index_is_what_a_new_one_would_be(docs: Path, tmp_path: Path) -> None:
    changed, fresh = DictStore(), DictStore()
    index_paths(changed, [docs])
    alone = changed.digest()
    write(docs, e_md="# E\n\nepsilon", a_md="# A\n\nchanged\n")
    index_paths(changed, [docs])
    assert changed.digest() != alone
    index_paths(fresh, [docs])
    assert changed.digest() == fresh.digest()
    (docs / "e.md").unlink()
    write(docs, a_md="# A\n\nalpha\n")
    index_paths(changed, [docs])
    assert changed.digest() == alone


def test_only_what_is_named_can_be_removed(docs: Path, tmp_path: Path) -> None:
    store = DictStore()
    write(tmp_path / "notes", n_md="note")
    index_paths(store, [docs, tmp_path / "notes"])
    (tmp_path / "notes/n.md").unlink()
    assert counts(index_paths(store, [docs])) == (0, 0, 0, 3)
    assert "notes/n.md" in store.documents
    assert counts(index_paths(store, [tmp_path / "notes"])) == (0, 0, 1, 0)


def test_a_file_is_in_the_corpus_once_under_its_last_name(docs: Path) -> None:
    store = DictStore()
    index_paths(store, [docs])
    index_paths(store, [docs / "a.md"])
    assert sorted(store.documents) == ["a.md", "docs/b.txt", "docs/c.py"]
    index_paths(store, [docs])
    assert sorted(store.documents) == ["docs/a.md", "docs/b.txt", "docs/c.py"]


def test_two_folders_of_one_name_stay_apart(docs: Path, tmp_path: Path) -> None:
    store = DictStore()
    write(tmp_path / "other/docs", a_md="other")
    index_paths(store, [docs])
    index_paths(store, [tmp_path / "other/docs"])
    names = [name for name in store.documents if name.endswith("a.md")]
    assert len(names) == 2
    assert counts(index_paths(store, [docs])) == (0, 0, 0, 3)


def test_unusable_files_are_reported_each_with_its_reason(docs: Path) -> None:
    store = DictStore()
    index_paths(store, [docs])
    (docs / "a.md").write_bytes(b"# A\n\nalpha \xff")
    (docs / "nul.bin").write_bytes(b"x\0y")
    (docs / "empty.md").write_bytes(b"")
    (docs / "big.txt").write_bytes(b"x" * 2000)
    (docs / "sparse.txt").touch()
    os.truncate(docs / "sparse.txt", 1 << 40)
    (docs / "fake.pdf").write_bytes(b"no pdf")
    report = index_paths(store, [docs], options=IndexOptions(max_file_bytes=1024))
    assert {name: reason.split(" (")[0] for name, reason in reasons(report).items()} == {
        "docs/a.md": "not UTF-8 text",
        "docs/nul.bin": "binary",
        "docs/empty.md": "empty",
        "docs/big.txt": "larger than 0.0009766 MB",
        "docs/sparse.txt": "larger than 0.0009766 MB",
        "docs/fake.pdf": "not a readable PDF",
    }
    # What a file held before it became unusable is gone with it.
    assert counts(report) == (0, 0, 1, 2)


def test_a_file_that_cannot_be_looked_at_keeps_what_was_indexed(docs: Path) -> None:
    store = DictStore()
    index_paths(store, [docs])
    (docs / "a.md").chmod(0)
    if os.access(docs / "a.md", os.R_OK):
        pytest.skip("this user may read everything")
    report = index_paths(store, [docs])
    assert reasons(report) == {"docs/a.md": "permission denied"}
    assert "docs/a.md" in store.documents


def test_a_missing_path_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        index_paths(DictStore(), [tmp_path / "none"])


def test_options_that_change_passages_read_everything_anew(docs: Path) -> None:
    store = DictStore()
    write(docs, long_txt="One sentence here. " * 30)
    index_paths(store, [docs])
    report = index_paths(store, [docs], options=IndexOptions(passage_chars=100))
    assert report.changed == 1
    assert report.unchanged == 3
    assert counts(index_paths(store, [docs], options=IndexOptions(passage_chars=100))) == (0, 0, 0, 4)


def test_dataset_rows_are_compared_one_by_one(tmp_path: Path) -> None:
    store, folder = DictStore(), tmp_path / "set"
    write_rows(folder, ("a", "alpha"), ("b", "beta"), ("c", "gamma"))
    assert counts(index_paths(store, [folder])) == (3, 0, 0, 0)
    assert store.states["set/corpus.jsonl"].documents == 3
    assert store.documents["set/corpus.jsonl#b"].passages[0].start == 2
    assert counts(index_paths(store, [folder])) == (0, 0, 0, 3)
    write_rows(folder, ("a", "alpha"), ("b", "changed"), ("d", "delta"))
    assert counts(index_paths(store, [folder])) == (1, 1, 1, 1)
    assert counts(index_paths(store, [folder], options=IndexOptions(titles=False))) == (0, 3, 0, 0)


def test_dataset_with_bad_and_repeated_rows(tmp_path: Path) -> None:
    store, folder = DictStore(), tmp_path / "set"
    write_rows(folder, ("a", "alpha"), ("a", "again"), ("b", "beta"))
    with (folder / "corpus.jsonl").open("a") as file:
        file.write("{broken\n" * 50)
        file.write(json.dumps({"id": "long", "text": "x" * 3000}) + "\n")
        file.write(json.dumps({"id": "last", "text": "end"}))
    report = index_paths(store, [folder], options=IndexOptions(max_file_bytes=2000))
    assert sorted(store.documents) == [f"set/corpus.jsonl#{key}" for key in ("a", "b", "last")]
    assert store.documents["set/corpus.jsonl#last"].passages[0].start == 55
    told = reasons(report)
    assert told["set/corpus.jsonl row 2"] == "its id a came before"
    assert told["set/corpus.jsonl"] == "32 more rows cannot be used"


@pytest.mark.parametrize("at", range(1, 12, 2))
def test_interrupted_at_any_write_the_next_run_completes_the_work(tmp_path: Path, at: int) -> None:
    folder, rows = tmp_path / "docs", tmp_path / "set"
    for number in range(6):
        write(folder, **{f"f{number}_md": f"# F{number}\n\ntext {number}"})
    write_rows(rows, *((f"r{number}", f"row {number}") for number in range(6)))
    options = IndexOptions(batch_size=2)
    whole, store = DictStore(), DictStore()
    index_paths(whole, [folder, rows], options=options)
    store.fail_after = at
    with pytest.raises(KeyboardInterrupt):
        index_paths(store, [folder, rows], options=options)
    assert all(made.source in store.states for made in store.documents.values())
    report = index_paths(store, [folder, rows], options=options)
    assert store.digest() == whole.digest()
    assert store.states == whole.states
    assert sum(counts(report)) == 12


@pytest.mark.parametrize("asked", [1, 4, 9, 14, 30])
def test_stopped_at_any_time_it_keeps_what_is_done_and_removes_nothing(tmp_path: Path, asked: int) -> None:
    folder, rows = tmp_path / "docs", tmp_path / "set"
    for number in range(12):
        write(folder, **{f"f{number:02}_md": f"# F{number}\n\ntext {number}"})
    write_rows(rows, *((f"r{number}", f"row {number}") for number in range(6)))
    store, whole = DictStore(), DictStore()
    write(folder, zz_md="# Z\n\nwill be gone")
    index_paths(store, [folder / "zz.md"])
    index_paths(whole, [folder, rows])
    left = iter(range(asked))
    done: list[Progress] = []
    report = index_paths(store, [folder, rows], progress=done.append, stop=lambda: next(left, None) is None)
    kept = len(done)
    assert report.removed == 0
    assert kept < 19
    assert report.added >= min(kept, 12)
    assert all(made.source in store.states for made in store.documents.values())
    index_paths(store, [folder, rows])
    assert store.digest() == whole.digest()
    assert store.states == whole.states


def test_progress_ends_at_the_whole(docs: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "set", ("a", "alpha"), ("b", "beta"))
    seen: list[Progress] = []
    index_paths(DictStore(), [docs, tmp_path / "set"], progress=seen.append)
    assert [one.done_bytes for one in seen] == sorted(one.done_bytes for one in seen)
    assert (seen[-1].done_files, seen[-1].done_bytes) == (4, seen[-1].total_bytes)
    assert seen[-1].total_bytes == sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())


def test_an_unreadable_extra_is_named(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The child decides; what it needs is looked up there, so this asks the parser itself.
    from engine.corpus import parsers

    monkeypatch.setattr(parsers, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'persona-moe\[documents\]'"):
        parsers.parse(b"%PDF", name="d/a.pdf", filename="a.pdf", limit=1200)


def job(text: bytes = b"words", filename: str = "a.txt") -> FileJob:
    return FileJob("d/" + filename, filename, text, 1200)


def test_a_job_that_takes_too_long_is_ended_and_the_next_go_on() -> None:
    with ParserProcess(memory_bytes=1024**3, seconds=1.0) as parser:
        parser.submit(job())
        assert parser.reply().documents[0].name == "d/a.txt"
        assert parser.pid is not None
        os.kill(parser.pid, signal.SIGSTOP)
        first = parser.pid
        parser.submit(job())
        parser.submit(job(b"more"))
        assert parser.reply().reason == "took longer than 1 s"
        assert parser.reply().documents[0].passages[0].text == "more"
        assert parser.pid != first


def test_a_job_that_kills_the_parser_is_told_and_the_next_go_on() -> None:
    with ParserProcess(memory_bytes=1024**3, seconds=10.0) as parser:
        parser.submit(job())
        parser.reply()
        assert parser.pid is not None
        os.kill(parser.pid, signal.SIGSEGV)
        parser.submit(job())
        parser.submit(job(b"more"))
        assert parser.reply().reason == "made the parser crash (signal 11)"
        assert parser.reply().documents[0].passages[0].text == "more"
        assert parser.waiting == 0


def test_a_job_that_needs_too_much_memory_is_told() -> None:
    with ParserProcess(memory_bytes=100 * 1024**2, seconds=30.0) as parser:
        parser.submit(job(b"# h\n\n- x\n" * 150_000, "a.md"))
        parser.submit(job(b"small"))
        assert "memory" in parser.reply().reason
        assert parser.reply().documents[0].passages[0].text == "small"


def test_a_parser_that_cannot_start_is_no_file_s_fault(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DictStore()
    monkeypatch.setattr("sys.executable", str(docs / "no-python"))
    with pytest.raises(CorpusError, match=r"the parser process did not start .*doctor"):
        index_paths(store, [docs])
    monkeypatch.undo()
    assert counts(index_paths(store, [docs])) == (3, 0, 0, 0)


def test_leaving_ends_the_process() -> None:
    with ParserProcess(memory_bytes=1024**3, seconds=10.0) as parser:
        parser.submit(job())
        pid = parser.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
