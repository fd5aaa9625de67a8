"""eval retrieval: figures from a data set, a run file that others can score, and no traces."""

import json
import tempfile
from pathlib import Path

import pytest

from tui.cli import main

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "planets"
    folder.mkdir()
    rows = [
        ("p1", "Mars", "Mars is the fourth planet. Its moons are Phobos and Deimos."),
        ("p2", "Phobos", "Phobos was discovered by Asaph Hall in 1877."),
        ("p3", "Venus", "Venus is the second planet and has no moon."),
        ("p4", "Saturn", "Saturn is known for its rings."),
    ]
    corpus = [json.dumps({"id": i, "title": title, "text": text}) for i, title, text in rows]
    (folder / "corpus.jsonl").write_text("\n".join(corpus) + "\n")
    queries = [("q1", "Who discovered Phobos?"), ("q2", "Which planet has rings?"), ("q3", "never judged")]
    lines = [json.dumps({"id": i, "text": text, "answer": "?"}) for i, text in queries]
    (folder / "queries.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "qrels.tsv").write_text("query-id\tpassage-id\tscore\nq1\tp2\t1\nq2\tp4\t1\n")
    return folder


def test_figures_and_run_file(dataset: Path, tmp_path: Path, capsys: Captured) -> None:
    run_file = tmp_path / "run.trec"
    assert main(["eval", "retrieval", str(dataset), "--run", str(run_file), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["dataset"], figures["queries"], figures["recall@5"]) == ("planets", 2, 1.0)
    assert {"recall@2", "recall@10", "all-gold@10", "mrr@10", "ndcg@10", "seconds_to_index"} <= figures.keys()
    rows = [line.split() for line in run_file.read_text().splitlines()]
    assert {row[0] for row in rows} == {"q1", "q2"}
    assert all(row[2] in {"p1", "p2", "p3", "p4"} for row in rows)
    scores = [float(row[4]) for row in rows if row[0] == "q1"]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)
    first = {row[0]: row[2] for row in rows if row[3] == "1"}
    assert first == {"q1": "p2", "q2": "p4"}


def test_readable_figures_leave_nothing_behind(
    dataset: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    assert main(["eval", "retrieval", str(dataset), "--no-titles"]) == 0
    text = capsys.readouterr().out
    for name in ("recall@5", "ndcg@10", "seconds_to_index", "cpu_ms_median", "cpu_ms_p95"):
        assert name in text
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("queries.jsonl", '{"id": "q1"}\n', "queries.jsonl line 1"),
        ("queries.jsonl", "[" * 100_000, "queries.jsonl line 1"),
        ("qrels.tsv", "q1 p1 1\nq2 p2 1\n", "line 2"),
        ("qrels.tsv", "other\tp1\t1\n", "no question of planets/queries.jsonl is judged"),
        ("corpus.jsonl", None, "there is no corpus.jsonl"),
        ("queries.jsonl", None, "there is no queries.jsonl"),
    ],
)
def test_a_bad_data_set_is_named(
    dataset: Path, name: str, content: str | None, problem: str, capsys: Captured
) -> None:
    if content is None:
        (dataset / name).unlink()
    else:
        (dataset / name).write_text(content)
    assert main(["eval", "retrieval", str(dataset)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert problem in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("named", [".", "", "../planets"])
@pytest.mark.parametrize(
    ("name", "content"),
    [("queries.jsonl", '{"id":'), ("qrels.tsv", "other\tp1\t1\n"), ("qrels.tsv", "q1\tp1\t1\nq2 p2 1\n")],
)
def test_a_bad_file_is_named_with_its_folder(
    dataset: Path, name: str, content: str, named: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dataset / name).write_text(content)
    monkeypatch.chdir(dataset)
    assert main(["eval", "retrieval", named or str(dataset)]) == 2
    assert f"planets/{name}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "why"), [('{"id":"x"}\n{"id":"y"}\n', "missing required field `text`"), ("", "")]
)
def test_a_corpus_of_which_no_row_can_be_used_is_named(
    dataset: Path, rows: str, why: str, capsys: Captured
) -> None:
    (dataset / "corpus.jsonl").write_text(rows)
    assert main(["eval", "retrieval", str(dataset)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("persona-moe: no row of planets/corpus.jsonl can be used: ")
    assert why in said
    assert "persona-moe index" not in said
    assert len(said.splitlines()) == 1
