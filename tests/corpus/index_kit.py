"""A store to look into and documents to index."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.corpus.ingest import IndexReport
from engine.corpus.records import ParsedDocument, Passage, SourceState
from engine.ids import digest


class DictStore:
    """The smallest CorpusStore: transactions are copies."""

    def __init__(self) -> None:
        self.documents: dict[str, ParsedDocument] = {}
        self.states: dict[str, SourceState] = {}
        self.writes = 0
        self.commits = 0
        self.fail_after = -1
        self._inside = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        before = dict(self.documents), dict(self.states)
        self._inside = True
        try:
            yield
            self.commits += 1
        except BaseException:
            self.documents, self.states = before
            raise
        finally:
            self._inside = False

    def put_document(self, document: ParsedDocument) -> None:
        assert self._inside
        self.writes += 1
        if self.writes == self.fail_after:
            raise KeyboardInterrupt
        self.documents[document.name] = document

    def remove_document(self, name: str) -> None:
        assert self._inside
        self.documents.pop(name, None)

    def put_source(self, state: SourceState) -> None:
        assert self._inside
        self.states[state.name] = state

    def remove_source(self, name: str) -> None:
        assert self._inside
        self.states.pop(name, None)
        self.documents = {key: kept for key, kept in self.documents.items() if kept.source != name}

    def sources(self) -> dict[str, SourceState]:
        return dict(self.states)

    def document_digests(self, source: str) -> dict[str, str]:
        return {name: made.digest for name, made in self.documents.items() if made.source == source}

    def digest(self) -> str:
        return digest("test", *(f"{name} {self.documents[name].digest}" for name in sorted(self.documents)))

    def passages(self, ids: Iterable[str]) -> list[Passage]:
        by_id = {p.passage_id: p for made in self.documents.values() for p in made.passages}
        return [by_id[one] for one in ids if one in by_id]


def counts(report: IndexReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def reasons(report: IndexReport) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in report.skipped}


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def write_rows(folder: Path, *rows: tuple[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": key, "title": f"T {key}", "text": text}) for key, text in rows]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n")
