"""The command through the front door: ``persona-moe snapshots ...``."""

import json

import pytest
from recorded_samples import record, sample_run

from engine import events as ev
from engine.snapshots.library import SnapshotLibrary
from engine.snapshots.reader import open_snapshot
from engine.workspace import create_workspace
from tui.cli import main


@pytest.fixture
def workspace(tmp_path):
    return create_workspace(tmp_path / "w")


@pytest.fixture
def snapshots(workspace, capfd):
    def run(*arguments, code=0):
        got = main(["snapshots", *arguments, "--workspace", str(workspace.root)])
        out, err = capfd.readouterr()
        assert got == code, err
        assert "Traceback" not in err
        return out, err

    return run


@pytest.fixture
def key(workspace):
    return record(workspace.snapshots, sample_run()).snapshot


def test_list_filters_and_prints_json(snapshots, key, workspace):
    out, _ = snapshots("list")
    assert out.startswith(key)
    assert "How do I install it?" in out
    (entry,) = json.loads(snapshots("list", "--json")[0])
    assert entry["id"] == key
    snapshots("tag", key, "kept")
    for fits in (
        ["--text", "INSTALL"],
        ["--persona", "fact-finder"],
        ["--model", "llama"],
        ["--since", "2026-01-01"],
        ["--until", "2999-01-01", "--tag", "kept"],
    ):
        assert key in snapshots("list", *fits)[0]
    for fails in (
        ["--text", "zebra"],
        ["--persona", "sceptic"],
        ["--model", "gpt"],
        ["--since", "2999-01-01"],
        ["--until", "2026-01-01"],
        ["--tag", "other"],
    ):
        out, err = snapshots("list", *fails)
        assert out == ""
        assert "no snapshots that fit" in err


def test_show_prints_the_run_or_its_plain_lines(snapshots, key, workspace):
    out, _ = snapshots("show", "last")
    assert "## Answer" in out
    assert "## Timeline" not in out
    assert (
        snapshots("show", key[:20], "--raw")[0].encode()
        == open_snapshot(SnapshotLibrary(workspace.snapshots).path(key)).text
    )


def test_replay_json_is_the_stream_again_byte_for_byte(snapshots, key):
    out, _ = snapshots("replay", key, "--json")
    lines = out.splitlines()
    assert lines[:-1] == [ev.encoder.encode(event).decode() for event in sample_run()]
    assert json.loads(lines[-1])["type"] == "SnapshotSaved"
    assert snapshots("replay", key, "--json", "--speed", "1000")[0] == out
    assert snapshots("replay", key, "--json", "--from", "3", "--until", "5")[0].splitlines() == lines[3:6]
    readable = snapshots("replay", key)[0].splitlines()
    assert len(readable) == len(lines)
    chosen = next(event.seq for event in sample_run() if isinstance(event, ev.ExpertChosen))
    assert "fact-finder is chosen: best value" in readable[chosen]


def test_verify_says_intact_or_names_the_line(snapshots, key, workspace):
    out, _ = snapshots("verify", key, "--chain")
    assert f"every line is as it was written ({len(sample_run()) + 1} events, complete)" in out
    path = SnapshotLibrary(workspace.snapshots).path(key)
    text = open_snapshot(path).text
    path.rename(path.with_name("kept"))
    path.with_name(f"{key}.jsonl").write_bytes(text.replace(b"Use pipx", b"Use pipy", 1))
    out, _ = snapshots("verify", key, code=1)
    line = text[: text.index(b"Use pipx")].count(b"\n") + 1
    assert f"DAMAGED, line {line}: its checksum does not match" in out
    _, err = snapshots("replay", key, code=2)
    assert f"line {line}" in err
    out, err = snapshots("replay", key, "--salvage")
    assert len(out.splitlines()) == line - 2
    assert "not complete" in err


def test_verify_of_a_damaged_packed_run_is_exit_code_1(snapshots, key, workspace):
    path = SnapshotLibrary(workspace.snapshots).path(key)
    path.write_bytes(path.read_bytes()[:-200])
    out, err = snapshots("verify", key, code=1)
    assert "DAMAGED, line " in out
    assert err == ""
    path.write_bytes(b"rubbish")
    assert "is not a snapshot" in snapshots("verify", key, code=2)[1]


def test_verify_goes_on_where_labels_cannot_be_read(snapshots, key, workspace):
    path = SnapshotLibrary(workspace.snapshots).path(key)
    path.write_bytes(path.read_bytes()[:-200])
    (workspace.snapshots / "labels.json").write_text("{")
    out, err = snapshots("verify", key, code=1)
    assert "DAMAGED, line " in out
    assert "The verdict was not noted: " in err
    assert "labels.json" in err


def test_diff_of_two_runs(snapshots, key, workspace):
    other = record(workspace.snapshots, sample_run(question="Why?")).snapshot
    out, _ = snapshots("diff", key, other)
    assert "given     question: How do I install it? -> Why?" in out
    assert json.loads(snapshots("diff", key, other, "--json")[0])["identical"] is False
    assert "The same digest" in snapshots("diff", key, key)[0]


@pytest.mark.parametrize("form", ["graphml", "json", "dot", "html", "md"])
def test_export_to_a_file_or_to_stdout(snapshots, key, tmp_path, form):
    target = tmp_path / f"out.{form}"
    _, err = snapshots("export", key, "--format", form, "-o", str(target))
    assert str(target) in err
    assert snapshots("export", key, "--format", form)[0].encode() == target.read_bytes()


def test_import_of_a_file(snapshots, key, workspace, tmp_path):
    path = SnapshotLibrary(workspace.snapshots).path(key)
    moved = path.rename(tmp_path / "from-ada.jsonl.gz")
    assert key in snapshots("import", str(moved))[0]
    assert "here already" in snapshots("import", str(moved))[0]
    moved.write_bytes(moved.read_bytes()[:-1] + b"\xff")
    _, err = snapshots("import", str(moved), code=2)
    assert "seal is broken" in err


def test_tags_pins_and_pruning(snapshots, key, workspace):
    assert "#demo" in snapshots("tag", key, "demo", "--note", "for Ada")[0]
    assert "pinned" in snapshots("pin", key)[0]
    record(workspace.snapshots, sample_run())
    assert key not in snapshots("prune", "--keep", "0")[0]
    assert len(json.loads(snapshots("list", "--json")[0])) == 2
    _, err = snapshots("prune", "--keep", "0", "--yes")
    assert "Moved 1 snapshot (" in err
    assert [info["id"] for info in json.loads(snapshots("list", "--json")[0])] == [key]
    snapshots("unpin", key)
    assert key in snapshots("prune", "--max-bytes", "1k", "--dry-run")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nothing"], "there is no snapshot 'nothing'"),
        (["show", "../../etc/passwd"], "there is no snapshot"),
        (["prune"], "was not told what to keep"),
        (["prune", "--max-bytes", "many"], "not a size"),
        (["list", "--since", "yesterday"], "not a day"),
        (["replay", "last", "--speed", "0"], "not a number above 0"),
        (["replay", "last", "--from", "99999"], "has no event 99999"),
        (["replay", "last", "--from", "9", "--until", "3"], "--until 3 is before --from 9"),
        (["tag", "demo", "fine"], "ships with the program; it can be read, not changed"),
        (["import", "/nowhere/at/all.jsonl"], "there is no snapshot file"),
        ([], "action"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(snapshots, key, arguments, said, capfd, workspace):
    try:
        code = main(["snapshots", *arguments, "--workspace", str(workspace.root)])
    except SystemExit as ended:
        code = ended.code
    _, err = capfd.readouterr()
    assert code == 2
    assert said in err.lower() or said in err
    assert err.count("\n") == 1


def test_runs_that_verified_can_be_listed_alone(snapshots, key, workspace):
    library = SnapshotLibrary(workspace.snapshots)
    assert snapshots("list", "--verified")[0] == ""
    library.note_verification(key, library.info(key).digest)
    assert key in snapshots("list", "--verified")[0]
    assert json.loads(snapshots("list", "--json")[0])[0]["verified"] is True
    library.note_verification(key, "0" * 32)  # the file is no longer the one that agreed
    assert snapshots("list", "--verified")[0] == ""
