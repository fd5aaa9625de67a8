import errno
import gzip
import os
import stat
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from recorded_samples import EVENT, RUN, numbered, record, sample_run

from engine import events as ev
from engine.errors import SnapshotError, WorkspaceError
from engine.snapshots.format import SNAPSHOT_ID
from engine.snapshots.journal import Journal, is_running, repair
from engine.snapshots.lines import RunDigest
from engine.snapshots.reader import open_snapshot


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def digest_of(run: list[ev.AnyEvent]) -> str:
    digest = RunDigest()
    for event in run:
        digest.add(event, ev.encoder.encode(event))
    return digest.hexdigest()


def test_the_sample_run_has_every_event_type_that_decides():
    assert {type(event) for event in sample_run()} >= {*ev.EVENT_TYPES} - {*ev.DISPLAY_ONLY}


def test_a_complete_run_is_packed_private_and_reads_back_equal(tmp_path):
    folder = tmp_path / "snapshots"
    saved = record(folder, sample_run())
    path = only_file(folder)
    assert path.name == f"{saved.snapshot}.jsonl.gz"
    assert SNAPSHOT_ID.match(saved.snapshot)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    snapshot = open_snapshot(path)
    assert snapshot.complete
    assert snapshot.digest == saved.digest
    assert [*snapshot.events()] == [*sample_run(), saved]
    assert gzip.decompress(path.read_bytes()) == snapshot.text


def test_every_event_is_on_disk_as_soon_as_it_is_appended(tmp_path):
    run = sample_run()
    with Journal.create(tmp_path, label="x") as journal:
        for event in run:
            journal.append(event, 0.5)
            assert [*open_snapshot(journal.path).events()] == run[: event.seq + 1]


def test_a_cut_off_run_is_a_shorter_snapshot_marked_so(tmp_path):
    run = sample_run()
    with Journal.create(tmp_path, label="x") as journal:
        for event in run[:7]:
            journal.append(event, 0.5)
    snapshot = open_snapshot(only_file(tmp_path))
    assert not snapshot.complete
    assert "cut off" in snapshot.problem
    assert [*snapshot.events()] == run[:7]


def test_closing_as_incomplete_leaves_a_cut_off_run(tmp_path):
    with Journal.create(tmp_path, label="x", buffer=100) as journal:
        journal.append(sample_run()[0], 0.0)
        saved = journal.close(complete=False)
    snapshot = open_snapshot(only_file(tmp_path))
    assert not snapshot.complete
    assert snapshot.digest == saved.digest


@settings(max_examples=40, deadline=None)
@given(RUN)
def test_journal_to_replay_to_journal_is_the_identity(run):
    with tempfile.TemporaryDirectory() as folder:
        first = record(Path(folder) / "a", run)
        one = open_snapshot(only_file(Path(folder) / "a"))
        again = [event for event in one.events() if not isinstance(event, ev.SnapshotSaved)]
        assert again == run
        second = record(Path(folder) / "b", again, buffer=3, pace=0.5)
        two = open_snapshot(only_file(Path(folder) / "b"))
        assert first.digest == second.digest == digest_of(run)
        assert [raw for _, raw in one.raw_events(0, len(run))] == [
            raw for _, raw in two.raw_events(0, len(run))
        ]
        assert [raw for _, raw in one.raw_events(0, len(run))] == [ev.encoder.encode(event) for event in run]


@settings(max_examples=200, deadline=None)
@given(EVENT)
def test_the_digest_of_an_event_does_not_depend_on_its_number_or_on_tokens(event):
    if isinstance(event, ev.DISPLAY_ONLY):
        assert digest_of([event]) == digest_of([])
    alone = digest_of([event])
    after_tokens = digest_of(numbered([ev.Token(call="c", text="x"), ev.Token(call="c", text="y"), event]))
    assert alone == after_tokens


def test_the_digest_ignores_tokens_and_time_but_no_other_event(tmp_path):
    run = sample_run(tokens=3)
    wanted = record(tmp_path / "a", run, pace=0.01).digest
    assert record(tmp_path / "b", sample_run(tokens=9), pace=2.5).digest == wanted
    for index, event in enumerate(run):
        if not isinstance(event, ev.DISPLAY_ONLY):
            assert digest_of(numbered(run[:index] + run[index + 1 :])) != wanted


def test_an_event_out_of_turn_is_refused(tmp_path):
    with Journal.create(tmp_path, label="x") as journal:
        journal.append(sample_run()[0], 0.0)
        with pytest.raises(ValueError, match="event 3 was appended where event 1 belongs"):
            journal.append(sample_run()[3], 0.0)
        with pytest.raises(ValueError, match="seconds after the start"):
            journal.append(sample_run()[1], float("nan"))


def test_ids_sort_as_the_runs_began_within_a_second_too(tmp_path):
    made = []
    for _ in range(40):
        with Journal.create(tmp_path, label="x") as journal:
            made.append(journal.snapshot_id)
    assert made == sorted(set(made))


def test_the_kernel_tells_that_a_run_is_still_going_on(tmp_path):
    with Journal.create(tmp_path, label="x") as journal:
        assert is_running(journal.path)
        with pytest.raises(WorkspaceError, match="still being written"):
            Journal.resume(journal.path)
    assert not is_running(journal.path)


def test_a_torn_tail_is_kept_aside_before_anything_is_appended(tmp_path):
    run = sample_run()
    with Journal.create(tmp_path, label="x") as journal:
        for event in run[:5]:
            journal.append(event, 0.5)
    with journal.path.open("ab") as file:
        file.write(b'{"at":1,"event":{"torn')
    with Journal.resume(journal.path) as resumed:
        assert resumed.torn is not None
        assert resumed.torn.read_bytes() == b'{"at":1,"event":{"torn'
        assert stat.S_IMODE(resumed.torn.stat().st_mode) == 0o600
        for event in run[5:]:
            resumed.append(event, 1.0)
        saved = resumed.close()
    snapshot = open_snapshot(tmp_path / f"{saved.snapshot}.jsonl.gz")
    assert [*snapshot.events()][:-1] == run
    assert saved.digest == digest_of(run)
    assert snapshot.ending is not None
    assert snapshot.ending.chosen == ["fact-finder"]


def test_repair_leaves_whole_and_damaged_journals_alone(tmp_path):
    with Journal.create(tmp_path, label="x") as journal:
        for event in sample_run()[:5]:
            journal.append(event, 0.5)
    whole = journal.path.read_bytes()
    assert repair(journal.path) is None
    assert journal.path.read_bytes() == whole
    damaged = whole.replace(b'"term"', b'"tern"', 1)
    line = damaged[: damaged.index(b'"tern"')].count(b"\n") + 1
    journal.path.write_bytes(damaged)
    with pytest.raises(SnapshotError, match=f"line {line} of"):
        repair(journal.path)
    assert journal.path.read_bytes() == damaged
    assert [path.name for path in tmp_path.iterdir()] == [journal.path.name]


def test_a_full_disk_is_told_and_nothing_untrue_is_claimed(tmp_path, monkeypatch):
    run = sample_run()
    journal = Journal.create(tmp_path, label="x")
    journal.append(run[0], 0.0)
    journal.append(run[1], 0.1)

    def full(_handle: int, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("engine.snapshots.journal.write_all", full)
    message = "cut off after event 1, the rest was not saved: No space left on device"
    with pytest.raises(WorkspaceError, match=message):
        journal.append(run[2], 0.2)
    monkeypatch.undo()
    with pytest.raises(WorkspaceError, match=message):
        journal.append(run[3], 0.3)
    with pytest.raises(WorkspaceError, match=message):
        journal.close()
    assert [*open_snapshot(journal.path).events()] == run[:2]


def test_an_event_too_large_for_a_line_is_refused(tmp_path):
    with Journal.create(tmp_path, label="x") as journal:
        with pytest.raises(WorkspaceError, match="larger than a snapshot may be"):
            journal.append(ev.Warned(problem="x" * (17 << 20), mend=""), 0.0)
        assert len(open_snapshot(journal.path)) == 0


def test_a_run_so_repetitive_that_it_looks_like_a_bomb_stays_readable(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.snapshots.container._RATIO_FROM", 1 << 20)
    run = numbered([ev.Token(call="c", text="a" * (1 << 19)) for _ in range(5)])
    record(tmp_path, run)
    snapshot = open_snapshot(only_file(tmp_path))
    assert snapshot.complete
    assert len(snapshot) == 6


def test_a_label_that_would_act_on_a_terminal_is_cleaned(tmp_path):
    with Journal.create(tmp_path, label="a\x1b]0;x\x07\nb") as journal:
        assert b"\\u001b" not in journal.path.read_bytes()
        assert msgspec.json.decode(journal.path.read_bytes())["label"] == "a␛]0;x␇ b"


def test_an_id_that_somebody_takes_meanwhile_is_drawn_again(tmp_path, monkeypatch):
    second = "20260514-000000-"
    (tmp_path / f"{second}000001.jsonl").write_bytes(b"of another process\n")
    (tmp_path / f"{second}000002.jsonl.gz").write_bytes(b"packed already")
    draws = iter(f"{second}{number:06x}" for number in (1, 2, 3))
    monkeypatch.setattr("engine.snapshots.journal.new_id", lambda *_, **__: next(draws))
    with Journal.create(tmp_path, label="x") as journal:
        assert journal.snapshot_id == f"{second}000003"
    assert (tmp_path / f"{second}000001.jsonl").read_bytes() == b"of another process\n"
    assert next(draws, None) is None


def test_a_folder_without_a_free_id_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.snapshots.journal.new_id", lambda *_, **__: "20260514-000000-ffffff")
    (tmp_path / "20260514-000000-ffffff.jsonl").touch()
    with pytest.raises(WorkspaceError, match="no free snapshot id"):
        Journal.create(tmp_path, label="x")
