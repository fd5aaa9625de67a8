import gzip
import re
from pathlib import Path

import pytest
from recorded_samples import record, sample_run

from engine.errors import InputError, SnapshotError
from engine.snapshots.import_ import import_snapshot
from engine.snapshots.journal import Journal
from engine.snapshots.library import TRASH, SnapshotLibrary
from engine.snapshots.reader import open_snapshot


@pytest.fixture
def library(tmp_path):
    for number in range(4):
        record(tmp_path / "snapshots", sample_run(question=f"Question {number}?"))
    return SnapshotLibrary(tmp_path / "snapshots")


def test_the_list_tells_what_a_run_was_about(library):
    infos = library.list()
    assert sorted(info.question for info in infos) == [f"Question {n}?" for n in range(4)]
    info = infos[0]
    assert info.complete
    assert info.state == "complete"
    assert info.events == len(sample_run()) + 1
    assert info.personas == ["fact-finder"]
    assert info.model == "ollama:llama3.2:3b"
    assert info.digest == library.open(info.id).digest
    assert info.bytes == library.path(info.id).stat().st_size


def test_an_empty_or_missing_folder_has_no_snapshots(tmp_path):
    library = SnapshotLibrary(tmp_path / "none")
    assert library.list() == []
    with pytest.raises(SnapshotError, match="no snapshots yet"):
        library.find("last")
    assert not (tmp_path / "none").exists()


def test_a_long_question_is_listed_without_reading_the_rest(tmp_path):
    record(tmp_path, sample_run(question="why " * 100_000))
    (info,) = SnapshotLibrary(tmp_path).list()
    assert info.question.startswith("why why")


def test_an_id_is_found_by_its_beginning_or_as_the_last(library):
    ids = [info.id for info in library.list()]
    assert library.find(ids[2]) == ids[2]
    assert library.find(ids[2][:-1]) == ids[2]
    assert library.find("last") == ids[0]
    with pytest.raises(SnapshotError, match="means 4 snapshots"):
        library.find("2")
    for name in ("nothing", "", "../labels", "x" * 5000, "a\x00b"):
        with pytest.raises(SnapshotError, match="there is no snapshot"):
            library.find(name)


def test_tags_notes_and_pins_are_kept(library):
    key = library.list()[1].id
    library.tag(key, ("good", "demo"))
    library.tag(key, (), ("demo",))
    library.annotate(key, "shown to \x1b[31mAda")
    library.pin(key)
    info = SnapshotLibrary(library.folder).info(key)
    assert (info.tags, info.note, info.pinned) == (["good"], "shown to ␛[31mAda", True)
    assert library.list()[0].tags == []
    library.pin(key, False)
    assert not library.info(key).pinned
    with pytest.raises(InputError, match="cannot be a tag"):
        library.tag(key, ("../x",))
    with pytest.raises(SnapshotError, match="no snapshot"):
        library.pin("nothing")


def test_a_damaged_side_file_is_told_not_forgotten(library):
    (library.folder / "labels.json").write_bytes(b"{")
    before = {path: path.read_bytes() for path in library.folder.iterdir() if path.is_file()}
    infos = library.list()
    assert infos
    assert not any(info.pinned or info.tags for info in infos)
    assert "keeps tags, notes and pins, is damaged" in library.labels_problem
    for act in (
        lambda: library.retention(0, dry_run=False),
        lambda: library.pin(infos[0].id),
        lambda: library.tag(infos[0].id, ("fine",)),
    ):
        with pytest.raises(SnapshotError, match="keeps tags, notes and pins, is damaged"):
            act()
    assert all(path.read_bytes() == data for path, data in before.items())
    (library.folder / "labels.json").unlink()
    library.list()
    assert library.labels_problem == ""


def test_retention_shows_first_and_never_touches_pinned_ones(library):
    ids = [info.id for info in library.list()]
    library.pin(ids[3])
    would = [info.id for info in library.retention(keep=2)]
    assert would == [ids[2], ids[1]]
    assert [info.id for info in library.list()] == ids
    library.retention(keep=2, dry_run=False)
    assert [info.id for info in library.list()] == [ids[0], ids[3]]
    assert sorted(path.name[:22] for path in (library.folder / TRASH).iterdir()) == sorted(ids[1:3])


def test_retention_by_size_keeps_the_newest(library):
    infos = library.list()
    going = library.retention(max_bytes=infos[0].bytes + infos[1].bytes + 10)
    assert [info.id for info in going] == [infos[3].id, infos[2].id]
    assert library.retention(max_bytes=0)[-1].id == infos[0].id


def test_a_running_journal_is_never_pruned(library):
    with Journal.create(library.folder, label="x") as journal:
        assert journal.snapshot_id not in {info.id for info in library.retention(keep=0, dry_run=False)}
        assert journal.path.exists()


def test_removed_snapshots_are_in_the_trash_under_names_of_their_own(library):
    key = library.list()[0].id
    path = library.path(key)
    data = path.read_bytes()
    first = library.remove(key)
    path.write_bytes(data)
    second = library.remove(key)
    assert first != second
    assert first.read_bytes() == second.read_bytes() == data
    library.pin(library.list()[0].id)
    with pytest.raises(SnapshotError, match="is pinned"):
        library.remove(library.list()[0].id)


def test_import_takes_packed_plain_and_foreign_gzip(library, tmp_path):
    key = library.list()[0].id
    data = library.path(key).read_bytes()
    text = open_snapshot(library.path(key)).text
    files = {"a.jsonl.gz": data, "b.jsonl": text, "c.gz": gzip.compress(text)}
    for number, (name, content) in enumerate(files.items()):
        (tmp_path / name).write_bytes(content)
        other = SnapshotLibrary(tmp_path / f"other{number}")
        taken = import_snapshot(other, tmp_path / name)
        assert taken.id == taken.origin == key
        assert other.path(key).read_bytes() == data
        assert import_snapshot(other, tmp_path / name).already_there
        assert len(other.list()) == 1


def test_import_under_a_taken_id_gets_a_fresh_one(library, tmp_path):
    keys = [info.id for info in library.list()]
    source = tmp_path / "in.jsonl.gz"
    source.write_bytes(library.path(keys[0]).read_bytes())
    library.path(keys[0]).write_bytes(library.path(keys[1]).read_bytes())
    taken = import_snapshot(library, source)
    assert taken.origin == keys[0]
    assert taken.id not in keys
    assert library.open(taken.id).digest == taken.digest
    assert len(library.list()) == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-30], rf"line {len(sample_run()) + 2} is wrong, it is cut short"),
        (lambda text: text.replace(b"Use pipx", b"Use pipy", 1), "its checksum does not match"),
        (lambda text: text + b"extra\n", "follows the line that ends the run"),
        (lambda text: b'{"a":1}\n', "another program"),
    ],
)
def test_import_refuses_what_is_broken_and_stores_nothing(library, tmp_path, change, said):
    source = tmp_path / "in.jsonl"
    source.write_bytes(change(open_snapshot(library.path(library.list()[0].id)).text))
    before = sorted(path.name for path in library.folder.iterdir())
    other = SnapshotLibrary(tmp_path / "other")
    for target in (library, other):
        with pytest.raises(SnapshotError, match=said):
            import_snapshot(target, source)
    assert {*(path.name for path in library.folder.iterdir())} <= {*before, ".lock"}
    assert other.list() == []


def test_import_keeps_a_run_that_was_cut_off_between_lines(library, tmp_path):
    text = open_snapshot(library.path(library.list()[0].id)).text
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"".join(text.splitlines(keepends=True)[:10]))
    taken = import_snapshot(SnapshotLibrary(tmp_path / "other"), source)
    assert (taken.events, taken.complete) == (9, False)


def test_an_id_in_the_header_cannot_name_a_path(tmp_path, library):
    import msgspec

    from engine.snapshots.format import link, with_crc

    lines = open_snapshot(library.path(library.list()[0].id)).text.splitlines(keepends=True)
    header = msgspec.json.decode(lines[0])
    del header["crc"]
    first = with_crc(msgspec.json.encode(header | {"snapshot": "../../evil"}))
    body = re.sub(rb'"prev":"[0-9a-f]{32}"', b'"prev":"%b"' % link(first).encode(), lines[1][:-19])
    source = tmp_path / "in.jsonl"
    source.write_bytes(first + with_crc(body + b"}"))
    with pytest.raises(SnapshotError, match="none that persona-moe gives"):
        import_snapshot(SnapshotLibrary(tmp_path / "other"), source)
    assert not Path(tmp_path / "evil.jsonl").exists()


def test_a_run_killed_while_it_was_packed_is_one_snapshot_and_goes_as_one(library):
    ids = [info.id for info in library.list()]
    path = library.path(ids[0])
    path.with_name(f"{ids[0]}.jsonl").write_bytes(open_snapshot(path).text)
    assert [info.id for info in library.list()] == ids
    library.remove(ids[0])
    assert [info.id for info in library.list()] == ids[1:]
    assert len([*(library.folder / TRASH).iterdir()]) == 2
