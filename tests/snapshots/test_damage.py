"""Every way a snapshot file can be wrong, each named, with nothing else affected."""

import gzip
import random
import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_samples import numbered, record, sample_run

from engine import events as ev
from engine.errors import SnapshotError
from engine.snapshots import container
from engine.snapshots.format import MAX_LINE, with_crc
from engine.snapshots.journal import Journal
from engine.snapshots.library import SnapshotLibrary
from engine.snapshots.reader import open_snapshot
from engine.snapshots.verify import check_chain

DATA = Path(__file__).parent / "data"
LINES = len(sample_run(tokens=1)) + 2
"""Of the run below: its events, a header before and the digest behind them."""


@pytest.fixture
def packed(tmp_path):
    saved = record(tmp_path, sample_run(tokens=1))
    return tmp_path / f"{saved.snapshot}.jsonl.gz"


@pytest.fixture
def text(packed):
    return open_snapshot(packed).text


def test_version_1_stays_readable_forever():
    snapshot = open_snapshot(DATA / "v1.jsonl.gz")
    assert snapshot.header.version == 1
    assert snapshot.complete
    assert snapshot.digest == "8524ae0ab8a550f7326551ed6de5ced6"
    events = [*snapshot.events()]
    assert len(events) == 39
    assert len({type(event) for event in events}) == 33
    assert events[0] == sample_run()[0]
    assert events[37] == ev.QueryFinished(seq=37, outcome="answered")
    assert check_chain(DATA / "v1.jsonl.gz").intact


def test_truncation_at_every_byte_gives_the_longest_valid_prefix(tmp_path):
    events = numbered([*sample_run()[3:7], *sample_run()[-2:]])
    saved = record(tmp_path, events)
    text = open_snapshot(tmp_path / f"{saved.snapshot}.jsonl.gz").text
    path = tmp_path / "cut.jsonl"
    header = text.index(b"\n") + 1
    ends = [i + 1 for i, byte in enumerate(text) if byte == 10][1:]
    for size in range(len(text)):
        path.write_bytes(text[:size])
        if size < header:
            with pytest.raises(SnapshotError, match="cut off"):
                open_snapshot(path)
            continue
        snapshot = open_snapshot(path)
        whole = sum(end <= size for end in ends)
        assert len(snapshot) == whole
        assert not snapshot.complete
        assert "cut" in snapshot.problem
        if size in ends:
            assert [*snapshot.events()] == events[:whole]


def test_truncation_of_a_packed_file_is_refused_and_salvaged(tmp_path, packed):
    data = packed.read_bytes()
    path = tmp_path / "cut.jsonl.gz"
    salvaged = 0
    for size in [*range(0, len(data), 7), len(data) - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(SnapshotError, match=r"cut\.jsonl\.gz"):
            open_snapshot(path)
        if size % 5 == 0 and size > 1200:
            snapshot = open_snapshot(path, salvage=True)
            assert [*snapshot.events(0, LINES - 2)] == sample_run(tokens=1)[: len(snapshot)]
            salvaged = max(salvaged, len(snapshot))
    assert salvaged > 20


def test_every_flipped_bit_of_a_packed_file_is_detected(tmp_path, packed):
    data = packed.read_bytes()
    path = tmp_path / "flipped.jsonl.gz"
    chance = random.Random(5)
    header = range(container.HEADER_BYTES * 8)
    for bit in [*header, *chance.sample(range(len(header), len(data) * 8), 400)]:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(SnapshotError) as caught:
            open_snapshot(path)
        assert "is empty" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=40), st.integers(0, 9))
def test_what_is_packed_unpacks_in_steps_of_any_size(lines, cut):
    text = b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines)
    data = container.pack(text)
    assert container.unpack(data, "x") == text
    assert container.unpack_prefix(data, "x") == (text, "")
    shorter, problem = container.unpack_prefix(data[: len(data) - 1 - cut], "x")
    assert text.startswith(shorter)
    assert problem


def test_what_stands_before_a_flipped_bit_is_salvaged(tmp_path, packed, text):
    data = packed.read_bytes()
    path = tmp_path / "flipped.jsonl.gz"
    for part in (0.4, 0.6, 0.8):
        place = int(len(data) * part)
        flipped = bytearray(data)
        flipped[place] ^= 8
        path.write_bytes(flipped)
        snapshot = open_snapshot(path, salvage=True)
        assert text.startswith(snapshot.text)
        # An event is some 300 bytes here; what is lost is the line that is hit and 256 bytes before.
        assert len(snapshot.text) > len(text) * part / 2
        assert snapshot.problem


def test_every_flipped_bit_of_a_journal_is_detected_and_its_line_named(tmp_path, text):
    path = tmp_path / "flipped.jsonl"
    chance = random.Random(7)
    last_line = text.rindex(b"\n", 0, len(text) - 1)
    for bit in [*range(0, 24 * 8, 3), *chance.sample(range(24 * 8, len(text) * 8), 600)]:
        flipped = bytearray(text)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        line = text.count(b"\n", 0, bit // 8) + 1
        if bit // 8 > last_line:
            snapshot = open_snapshot(path)
            assert not snapshot.complete
            assert snapshot.problem.startswith(f"line {line}: ")
            continue
        with pytest.raises(SnapshotError) as caught:
            open_snapshot(path)
        assert f"line {line} of" in str(caught.value)


def test_flips_in_the_clock_the_text_of_a_token_and_the_checksum_are_named(tmp_path, text):
    lines = text.splitlines(keepends=True)
    token = next(n for n, line in enumerate(lines) if b'"type":"Token"' in line)
    path = tmp_path / "flipped.jsonl"
    other = b"1" if lines[token].endswith(b'0"}\n') else b"0"
    for old, new in ((b'{"at":1', b'{"at":2'), (b"Use pipx", b"Use pipy"), (b'"crc":"', b'"crc":"')):
        line = lines[token].replace(old, new, 1) if old != new else lines[token][:-4] + other + b'"}\n'
        path.write_bytes(b"".join([*lines[:token], line, *lines[token + 1 :]]))
        with pytest.raises(
            SnapshotError, match=f"line {token + 1} of 'flipped.jsonl' is damaged: its checksum"
        ):
            open_snapshot(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda ls: [*ls[:5], ls[6], ls[5], *ls[7:]],
            "line 6 .*event 5 before event 4: lines are out of order",
        ),
        (lambda ls: [*ls[:5], *ls[6:]], "line 6 .*event 4 is missing before it"),
        (lambda ls: [*ls[:5], *ls[8:]], "line 6 .*events 4 to 6 are missing before it"),
        (lambda ls: [*ls[:6], ls[5], *ls[6:]], "line 7 .*event 4, which stands further up"),
        (lambda ls: [*ls, ls[-1]], rf"line {LINES + 1} .*it follows the line that ends the run"),
        (lambda ls: [*ls[1:]], "no 'persona-moe snapshot' header|has no 'persona-moe snapshot' header"),
    ],
)
def test_lines_reordered_missing_or_doubled_are_named(tmp_path, text, change, said):
    path = tmp_path / "moved.jsonl"
    path.write_bytes(b"".join(change(text.splitlines(keepends=True))))
    with pytest.raises(SnapshotError, match=said):
        open_snapshot(path)


def test_a_line_forged_with_a_right_checksum_breaks_the_chain(tmp_path, text):
    lines = text.splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if b"pipx" in line)
    forged = with_crc(lines[place][:-19].replace(b"pipx", b"pipy") + b"}")
    path = tmp_path / "forged.jsonl"
    path.write_bytes(b"".join([*lines[:place], forged, *lines[place + 1 :]]))
    with pytest.raises(SnapshotError, match=rf"line {place + 2} .*one of the two was replaced"):
        open_snapshot(path)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "_RATIO_FROM", 1 << 20)
    line = with_crc(b'{"at":0,"event":{"text":"' + b"a" * 1000 + b'"}}')
    bomb = container.pack(line * 5_000)
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(bomb)
    with pytest.raises(SnapshotError, match="over 200 times its size"):
        open_snapshot(path)
    with pytest.raises(SnapshotError, match="unpacks to more than 100000 bytes"):
        open_snapshot(path, limit=100_000)


@pytest.mark.parametrize("packed_line", [True, False])
def test_a_line_of_a_hundred_megabytes_is_refused_before_it_is_parsed(
    tmp_path, text, packed_line, monkeypatch
):
    monkeypatch.setattr("engine.snapshots.container.MAX_LINE", 1 << 20)
    monkeypatch.setattr("engine.snapshots.reader.MAX_LINE", 1 << 20)
    assert MAX_LINE < 100 << 20
    long = text.splitlines(keepends=True)[0] + b'{"at":' + b"1" * (10 << 20)
    path = tmp_path / ("long.jsonl.gz" if packed_line else "long.jsonl")
    path.write_bytes(container.pack(long) if packed_line else long)
    with pytest.raises(SnapshotError, match=r"line 2 of .* is longer than"):
        open_snapshot(path)


def test_a_newer_version_is_refused_by_name(tmp_path, text):
    header = msgspec.json.decode(text.split(b"\n", 1)[0])
    del header["crc"]
    path = tmp_path / "newer.jsonl"
    for changes in ({"version": 2}, {"version": 3, "host": "something else"}, {"schema": 99}):
        path.write_bytes(with_crc(msgspec.json.encode(header | changes)) + b"whatever\n")
        with pytest.raises(SnapshotError, match=r"newer persona-moe.*install a newer version"):
            open_snapshot(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"role":"user","content":"hi"}\n{"role":"x"}\n', "another program.*'role', 'content'"),
        (b'{"version":2,"width":80}\n[0.1,"o","x"]\n', "another program.*'version', 'width'"),
        (b"[1,2]\n", "is not a snapshot"),
        (b"hello\n", "is not a snapshot"),
        (b"# Replay\n\nTry: persona-moe snapshots replay demo\n", "is not a snapshot"),
        (b"", "is empty"),
        (b"\0" * 4096, "is empty"),
        (b"[" * 100_000 + b"\n", "is not a snapshot"),
        (b"\x1f\x8bnonsense", "damaged"),
    ],
)
def test_what_is_no_snapshot_is_named_as_what_it_is(tmp_path, content, said):
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=said):
        open_snapshot(path)


def test_gzip_by_another_program_is_sent_to_import(tmp_path, text):
    path = tmp_path / "foreign.jsonl.gz"
    path.write_bytes(gzip.compress(text))
    with pytest.raises(SnapshotError, match="snapshots import"):
        open_snapshot(path)


def test_a_false_digest_is_not_believed(tmp_path, text):
    lines = text.splitlines(keepends=True)
    saved = ev.SnapshotSaved(seq=LINES - 2, snapshot="x", digest="0" * 32)
    body = lines[-1][:-19]
    start, end = body.index(b'"event":') + 8, body.rindex(b',"prev"')
    last = with_crc(body[:start] + ev.encoder.encode(saved) + body[end:] + b"}")
    path = tmp_path / "false.jsonl"
    path.write_bytes(b"".join([*lines[:-1], last]))
    assert "the digest it claims" in open_snapshot(path).problem
    sealed = tmp_path / "false.jsonl.gz"
    sealed.write_bytes(container.pack(path.read_bytes()))
    report = check_chain(sealed)
    assert not report.intact
    assert "the digest it claims" in report.problem


@pytest.mark.parametrize("cut", [0.0, 0.5, 0.9])
def test_checking_a_packed_file_that_is_cut_short_names_the_line(tmp_path, packed, cut):
    data = packed.read_bytes()
    packed.write_bytes(data[: container.HEADER_BYTES + int(cut * (len(data) - container.HEADER_BYTES))])
    report = check_chain(packed)
    assert not report.intact
    assert report.line == (report.events + 2 if cut else 1)
    assert report.problem == "it ends in the middle of the compressed data" or not cut


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: b"", "empty"),
        (lambda text: text[:20], "cut short"),
        (lambda text: text.replace(b'"version":1', b'"version":7', 1), "checksum"),
    ],
)
def test_checking_a_damaged_first_line_names_it(tmp_path, text, damage, said):
    path = tmp_path / "20200101-000000-aaaaaa.jsonl"
    path.write_bytes(damage(text))
    report = check_chain(path)
    assert (report.intact, report.line) == (False, 1)
    assert said in report.problem


def test_a_bad_file_is_listed_and_hides_no_other(tmp_path, packed):
    (tmp_path / "20200101-000000-aaaaaa.jsonl").write_bytes(b"rubbish\n")
    (tmp_path / "20200101-000000-bbbbbb.jsonl.gz").write_bytes(packed.read_bytes()[:300])
    (tmp_path / "20200101-000000-cccccc.jsonl").write_bytes(b"")
    infos = {info.id[-6:]: info for info in SnapshotLibrary(tmp_path).list()}
    assert len(infos) == 4
    for key in ("aaaaaa", "bbbbbb", "cccccc"):
        assert infos[key].state == "damaged"
        assert infos[key].problem
    assert infos[packed.name[16:22]].complete


def test_pieces_of_deflate_that_never_end_are_told(tmp_path):
    engine = zlib.compressobj(wbits=31)
    path = tmp_path / "endless.jsonl.gz"
    path.write_bytes(engine.compress(b"x" * 1000) + engine.flush(zlib.Z_SYNC_FLUSH))
    with pytest.raises(SnapshotError, match="middle of the compressed data"):
        open_snapshot(path)


def test_a_link_and_a_pipe_are_not_read(tmp_path, packed):
    import os

    link = tmp_path / "link.jsonl.gz"
    link.symlink_to(packed)
    with pytest.raises(SnapshotError, match="cannot read"):
        open_snapshot(link)
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(SnapshotError, match="not a regular file"):
        open_snapshot(tmp_path / "pipe.jsonl")
    with pytest.raises(SnapshotError, match="there is no snapshot file"):
        open_snapshot(tmp_path / "none.jsonl")


def test_a_journal_in_use_can_be_read_meanwhile(tmp_path):
    with Journal.create(tmp_path, label="x") as journal:
        journal.append(sample_run()[0], 0.0)
        (info,) = SnapshotLibrary(tmp_path).list()
        assert info.state == "running"
        assert info.question == "How do I install it?"
