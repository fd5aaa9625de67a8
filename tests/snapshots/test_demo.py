"""The recorded run that ships: it must open, replay and export with nothing else present."""

from pathlib import Path

import pytest

from engine import events as ev
from engine.errors import SnapshotError
from engine.snapshots.library import SnapshotLibrary
from engine.workspace import data_folder


@pytest.fixture
def library(tmp_path: Path) -> SnapshotLibrary:
    return SnapshotLibrary(tmp_path / "snapshots", data_folder("snapshots"))


def test_demo_is_a_complete_run_with_a_cited_answer(library: SnapshotLibrary) -> None:
    events = list(library.open("demo").events())
    assert isinstance(events[0], ev.QueryStarted)
    assert isinstance(events[-1], ev.SnapshotSaved)
    (answer,) = [event for event in events if isinstance(event, ev.AnswerReady)]
    assert answer.citations
    assert all(not citation.position.document.startswith("/") for citation in answer.citations)


def test_demo_can_be_read_but_not_changed(library: SnapshotLibrary) -> None:
    with pytest.raises(SnapshotError, match="demo"):
        library.remove("demo")
    with pytest.raises(SnapshotError, match="demo"):
        library.pin("demo")
    assert library.list() == []
