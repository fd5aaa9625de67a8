import multiprocessing
import os
import stat
from pathlib import Path

import apsw
import pytest

from engine.errors import WorkspaceBusyError, WorkspaceError
from engine.events import Scores
from engine.personas.ledger import Ledger, Outcome


def outcome(persona_id: str = "sceptic", total: float = 0.5, **changes: object) -> Outcome:
    fields: dict[str, object] = {
        "persona_id": persona_id,
        "persona_digest": "d" * 32,
        "topic": "code",
        "tier": "active",
        "chosen": True,
        "cost": 1.0,
        "scores": Scores(relevance=total, consistency=0.5, novelty=0.25, grounding=1.0, total=total),
        "advantage": -0.125,
        "survival": 0.5,
    }
    return Outcome(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_an_unknown_persona_has_an_empty_record(path: Path) -> None:
    with Ledger.open(path) as ledger:
        record = ledger.summary("nobody")
        assert (record.n, record.considered, record.last) == (0, 0, 0)
        assert ledger.recent("nobody", 5) == []


def test_means_count_only_questions_the_persona_answered(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record("r1", [outcome(total=0.2)])
        ledger.record("r2", [outcome(total=0.9, chosen=False)])
        ledger.record("r3", [outcome(total=0.4, topic="history")])
        record = ledger.summary("sceptic")
        assert (record.considered, record.n, record.last, record.last_run_id) == (3, 2, 3, "r3")
        assert record.mean.total == pytest.approx(0.3)
        assert record.mean_advantage == -0.125
        assert ledger.summary("sceptic", topic="code").mean.total == 0.2
        assert [each.run_id for each in ledger.recent("sceptic", 2)] == ["r3", "r2"]


def test_what_is_recorded_is_read_back_as_it_was(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record("r1", [outcome(total=0.123456)])
    with Ledger.open(path) as ledger:
        assert [each.outcome for each in ledger.recent("sceptic", 9)] == [outcome(total=0.123456)]


def test_a_run_recorded_twice_counts_once(path: Path) -> None:
    with Ledger.open(path) as ledger:
        assert ledger.record("r1", [outcome(total=0.2)])
        assert not ledger.record("r1", [outcome(total=0.9)])
        assert ledger.summary("sceptic").mean.total == 0.2


def test_a_run_is_written_whole_or_not_at_all(path: Path) -> None:
    with Ledger.open(path) as ledger:
        with pytest.raises(WorkspaceError):
            ledger.record("r1", [outcome("a"), outcome("a")])
        assert (ledger.runs(), ledger.summary("a").n) == (0, 0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1.5, -0.1])
def test_a_score_out_of_range_is_refused_and_nothing_written(path: Path, bad: float) -> None:
    with Ledger.open(path) as ledger:
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            ledger.record("r1", [outcome("good"), outcome(total=bad)])
        assert ledger.runs() == 0


def test_the_file_is_private_and_durable(path: Path) -> None:
    with Ledger.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    reader = apsw.Connection(str(path))
    assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    reader.close()


def _record_many(path: Path, name: str, count: int) -> None:
    with Ledger.open(path) as ledger:
        for i in range(count):
            ledger.record(f"{name}-{i}", [outcome(total=0.5), outcome(name, total=0.25)])
            ledger.record(f"shared-{i}", [outcome("both", total=0.75)])


def test_two_processes_at_once_lose_nothing(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_record_many, args=(path, name, 20)) for name in ("left", "right")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    with Ledger.open(path) as ledger:
        assert ledger.runs() == 60
        assert [ledger.summary(name).n for name in ("sceptic", "left", "right", "both")] == [40, 20, 20, 20]
        numbers = [each.number for each in ledger.recent("sceptic", 99)]
        assert len(set(numbers)) == 40


def test_a_held_file_is_reported_busy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.personas.ledger_file.BUSY_MILLISECONDS", 20)
    with Ledger.open(path) as ledger:
        holder = apsw.Connection(str(path))
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorkspaceBusyError, match="try again"):
            ledger.record("r1", [outcome()])
        holder.execute("ROLLBACK")
        holder.close()
        assert ledger.record("r1", [outcome()])


def test_a_file_that_is_no_database_is_kept_aside(path: Path) -> None:
    path.write_bytes(b"my shopping list, do not lose\n" * 100)
    with Ledger.open(path) as ledger:
        assert "put aside as ledger.db.damaged-1" in ledger.notes[0]
        assert ledger.record("r1", [outcome()])
    assert path.with_name("ledger.db.damaged-1").read_bytes().startswith(b"my shopping list")


def test_another_programs_database_is_kept_aside_unchanged(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (7)")
    other.close()
    before = path.read_bytes()
    path.with_name("ledger.db.damaged-1").write_bytes(b"earlier one")
    with Ledger.open(path) as ledger:
        assert ledger.runs() == 0
    assert path.with_name("ledger.db.damaged-1").read_bytes() == b"earlier one"
    assert path.with_name("ledger.db.damaged-2").read_bytes() == before


def test_a_damaged_ledger_is_kept_aside(path: Path) -> None:
    with Ledger.open(path) as ledger:
        for i in range(300):
            ledger.record(f"r{i}", [outcome(f"p{i}")])
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    with Ledger.open(path) as ledger:
        assert ledger.runs() == 0
    assert path.with_name("ledger.db.damaged-1").stat().st_size == len(data)


def test_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    Ledger.open(path).close()
    newer = apsw.Connection(str(path))
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(WorkspaceError, match="upgrade"):
        Ledger.open(path)
    assert list(path.parent.glob("*.damaged-*")) == []


def test_a_folder_in_its_place_is_a_clear_error(path: Path) -> None:
    path.mkdir()
    with pytest.raises(
        WorkspaceError, match=r"ledger\.db cannot be opened for writing; check its permissions"
    ):
        Ledger.open(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_file_is_a_clear_error(path: Path) -> None:
    Ledger.open(path).close()
    path.chmod(0o400)
    with pytest.raises(WorkspaceError, match="check its permissions"):
        Ledger.open(path)


def test_a_ledger_of_version_1_is_brought_up_to_date_with_all_it_holds(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.record("r1", [outcome()])
    old = apsw.Connection(str(path))
    for table in ("question", "gauge", "dial"):
        old.execute(f"DROP TABLE {table}")
    old.execute("DROP INDEX outcome_by_number")
    old.execute("ALTER TABLE outcome DROP COLUMN refused")
    old.execute("PRAGMA user_version = 1")
    old.close()
    with Ledger.open(path) as ledger:
        assert [each.outcome for each in ledger.recent("sceptic", 9)] == [outcome()]
        assert ledger.record("r2", [outcome(refused=True)])
        assert [each.outcome.refused for each in ledger.recent("sceptic", 9)] == [True, False]
