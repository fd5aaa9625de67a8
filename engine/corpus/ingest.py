"""Indexing files and folders: read, compare by content, parse what changed, write the difference.

The parent reads and hashes; a child process parses a few files ahead; the parent writes. The index
ends as if it had been made anew from what is there now, whatever was indexed or interrupted before.
"""

import gc
import os
import stat
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from engine.cleaning import counted
from engine.corpus.child import FileJob, Reply, RowsJob
from engine.corpus.discover import DATASET, Found, Root, Skipped, Walk, open_found, storable, visible_name
from engine.corpus.leaving import Seen, leaving
from engine.corpus.parser_process import ParserProcess
from engine.corpus.parsers import VERSION, fingerprint, format_of
from engine.corpus.parsers.text import HEAD, encoding_of
from engine.corpus.reading import ContentHash, Lines, UnreadableError, hash_stream, read_exactly, reading
from engine.corpus.records import SourceState
from engine.corpus.report import IndexOptions, IndexReport, Progress
from engine.corpus.roots import Given, inside, label_roots
from engine.corpus.rows import Rows
from engine.corpus.store import CorpusStore
from engine.corpus.writing import UNFINISHED, Writer
from engine.errors import InputError
from engine.ids import digest

__all__ = ["IndexOptions", "IndexReport", "Progress", "index_paths"]

_AHEAD_FILES = 8
_AHEAD_BYTES = 8 * 1024 * 1024
_OBJECTS_BETWEEN_COLLECTIONS = 1_000_000


class _Waiting(msgspec.Struct, frozen=True):
    """A job at the parser: what to do with its reply."""

    take: Callable[[Reply], None]


def index_paths(
    store: CorpusStore,
    paths: Sequence[Path],
    *,
    own: Sequence[Path] = (),
    options: IndexOptions = IndexOptions(),  # noqa: B008 - frozen
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> IndexReport:
    """Bring ``store`` up to date with the files and folders ``paths``; return what that took.

    ``own`` are folders of the workspace, which are skipped and, if indexed before, removed. Files
    indexed before under one of ``paths`` and now gone are removed, whatever they were indexed
    through; everything else in the store stays. Files that cannot be used are reported, not raised.
    Raises InputError for a path where nothing is, and nothing was indexed; CorpusError if parsing
    cannot start at all. Interrupted at any point, the store is whole and the next call completes the
    work. ``stop`` is asked between files and rows: once it says so, what was parsed is written, nothing
    is removed, and the report tells of that much.
    """
    given = label_roots(paths, store.sources(), own)
    child = ParserProcess(memory_bytes=options.memory_bytes, seconds=options.file_seconds)
    with child as parser, _rare_collections():
        return _Run(store, parser, options, progress, given, stop).index()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Return a context in which garbage is looked for seldom.

    A batch makes many objects and no cycle; looking again and again takes a tenth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _StoppedError(Exception):
    """The caller wants no more."""


class _Run:
    """One call of :func:`index_paths`."""

    def __init__(
        self,
        store: CorpusStore,
        parser: ParserProcess,
        options: IndexOptions,
        progress: Callable[[Progress], None] | None,
        given: Given,
        stop: Callable[[], bool] | None,
    ) -> None:
        self.given = given
        self.stop = stop
        self.parser = parser
        self.options = options
        self.progress = progress
        self.writer = Writer(store, options.batch_size)
        self.waiting: deque[_Waiting] = deque()
        self.skipped = list(given.skipped)
        self.notes: dict[str, None] = {}
        self.seen = Seen()
        self.emptied: list[Root] = []
        self.elsewhere = {state.path: name for name, state in self.writer.known.items()}
        self.hidden = self.ignored = 0
        self.bytes_read = self.done_bytes = self.total_bytes = self.done_files = self.total_files = 0

    def index(self) -> IndexReport:
        began = time.monotonic()
        # What was not come to is not gone, so nothing is removed after a stop.
        with suppress(_StoppedError):
            self._count()
            for root in self.given.roots:
                self._walk(root)
            self._drain(0)
            self._remove_missing()
        self.writer.flush()
        for count, what in ((self.hidden, "hidden or cached"), (self.ignored, "ignored by .gitignore")):
            if count:
                self.notes[f"left out: {count:,} files or folders {what}"] = None
        return IndexReport(
            added=self.writer.added,
            changed=self.writer.changed,
            removed=self.writer.removed,
            unchanged=self.writer.unchanged,
            skipped=self.skipped,
            notes=[*self.notes, *self.parser.notes],
            passages=self.writer.passages,
            bytes=self.bytes_read,
            seconds=time.monotonic() - began,
        )

    def _count(self) -> None:
        if self.progress is None:
            return
        for item in (item for root in self.given.roots for item in Walk(root, self.given.own)):
            self._stop_if_wanted()
            if isinstance(item, Found):
                self.total_files += 1
                self.total_bytes += self._cost(item)

    def _stop_if_wanted(self) -> None:
        if self.stop is not None and self.stop():
            raise _StoppedError

    def _walk(self, root: Root) -> None:
        walk = Walk(root, self.given.own)
        empty = True
        for item in walk:
            self._stop_if_wanted()
            empty = False
            if isinstance(item, Skipped):
                self._skip(item)
                continue
            try:
                self._consider(item)
            except UnreadableError as error:
                self._skip(Skipped(item.name, str(error), kept=True))
                self._done(item, self._cost(item))
            except InputError as error:
                self._unusable(item, str(error))
                self._done(item, self._cost(item))
        if empty and not (walk.left_out.hidden or walk.left_out.ignored):
            self.emptied.append(root)
        self.hidden += walk.left_out.hidden
        self.ignored += walk.left_out.ignored
        self.notes.update(dict.fromkeys(walk.notes))

    def _consider(self, found: Found) -> None:
        """Read a file, and hand it to the parser unless it is as it was."""
        most = self._most(found)
        if found.size > most:
            raise InputError(f"larger than {most / 1024**2:,.4g} MB")
        with reading():
            descriptor = open_found(found)
        try:
            self._read(found, descriptor, most)
        finally:
            os.close(descriptor)

    def _read(self, found: Found, descriptor: int, most: int) -> None:
        with reading():
            status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("not a regular file")
        found = msgspec.structs.replace(found, size=status.st_size, mtime_ns=status.st_mtime_ns)
        if found.parts[-1] == DATASET:
            self._consider_dataset(found, descriptor, most)
            return
        head = read_exactly(descriptor, HEAD)
        if not head:
            raise InputError("empty")
        if not format_of(found.filename).binary:
            encoding_of(head)
        data = head + read_exactly(descriptor, most + 1 - len(head))
        if len(data) > most:
            raise InputError(f"larger than {most / 1024**2:,.4g} MB")
        self.bytes_read += len(data)
        content = ContentHash()
        content.add(data)
        state = self._state(found, content, fingerprint(found.filename, self.options.passage_chars), 1)
        if self._unchanged(found, state):
            return
        job = FileJob(found.name, found.filename, data, self.options.passage_chars)
        self._submit(job, lambda reply: self._take_file(found, state, reply))

    def _most(self, found: Found) -> int:
        options = self.options
        return options.max_dataset_bytes if found.parts[-1] == DATASET else options.max_file_bytes

    def _cost(self, found: Found) -> int:
        # A file too large is never read, so it must not fill the progress bar either.
        return found.size if found.size <= self._most(found) else 0

    def _state(self, found: Found, content: ContentHash, parser: str, documents: int) -> SourceState:
        return SourceState(
            name=found.name,
            path=found.path,
            size=found.size,
            mtime_ns=found.mtime_ns,
            digest=digest("source.v1", parser, content.hexdigest()),
            documents=documents,
        )

    def _unchanged(self, found: Found, state: SourceState) -> bool:
        known = self.writer.known.get(found.name)
        if known is None or known.digest != state.digest or known.path != state.path:
            return False
        self._present(found)
        self.writer.unchanged += known.documents
        self._done(found, found.size)
        return True

    def _take_file(self, found: Found, state: SourceState, reply: Reply) -> None:
        self.notes.update(dict.fromkeys(self._told(found, reply.notes)))
        if reply.reason:
            self._unusable(found, reply.reason)
        else:
            self._present(found)
            self.writer.begin(state)
            for document in reply.documents:
                self.writer.put(document)
            self.writer.finish(state)
        self._done(found, found.size)

    def _told(self, found: Found, notes: list[str]) -> list[str]:
        # A note that names an install command is about the installation, not about the file.
        return [note if "pip install" in note else f"{found.name}: {note}" for note in notes]

    def _consider_dataset(self, found: Found, descriptor: int, most: int) -> None:
        options = self.options
        parser = digest("rows.v1", VERSION, str(options.titles), str(options.row_chars))
        known = self.writer.known.get(found.name)
        if known is not None and known.digest != UNFINISHED:
            before = hash_stream(descriptor, most)
            if self._unchanged(found, self._state(found, before, parser, 0)):
                self.bytes_read += before.size
                return
            os.lseek(descriptor, 0, os.SEEK_SET)
        # Rows are written while later ones are read, so nothing else may be under way.
        self._drain(0)
        self._present(found)
        unfinished = msgspec.structs.replace(self._state(found, ContentHash(), parser, 0), digest=UNFINISHED)
        self.writer.begin(unfinished)
        self.writer.mark_unfinished(unfinished)
        rows = Rows(found, self.writer, skip=self._skip, advance=self.advance)
        content = ContentHash()
        lines = Lines(descriptor, most=most, most_line=options.max_file_bytes, content=content)
        for first, data in lines:
            self._stop_if_wanted()
            job = RowsJob(found.name, data, first, options.titles, options.row_chars)
            self._submit(job, rows.taker(len(data)))
        self._drain(0)
        for number in lines.too_long:
            rows.skip(number, f"longer than {options.max_file_bytes / 1024**2:,.4g} MB")
        rows.close()
        self.bytes_read += content.size
        self.writer.finish(self._state(found, content, parser, rows.documents))
        if not rows.documents:
            self._skip(Skipped(found.name, "no usable row"))
        self._done(found, 0)

    def _submit(self, job: FileJob | RowsJob, take: Callable[[Reply], None]) -> None:
        while self.waiting and (
            len(self.waiting) >= _AHEAD_FILES or self.parser.waiting_bytes + len(job.data) > _AHEAD_BYTES
        ):
            self._drain(len(self.waiting) - 1)
        self.parser.submit(job)
        self.waiting.append(_Waiting(take))

    def _drain(self, leave: int) -> None:
        while len(self.waiting) > leave:
            self._stop_if_wanted()
            reply = self.parser.reply()
            self.waiting.popleft().take(reply)

    def _present(self, found: Found) -> None:
        self.seen.present.add(found.name)
        other = self.elsewhere.get(found.path)
        if other is not None and other != found.name:
            # A file is in the corpus once: under the name that it was given last.
            self.writer.remove(other)
            del self.elsewhere[found.path]

    def _skip(self, skipped: Skipped) -> None:
        self.skipped.append(skipped)
        if skipped.kept:
            self.seen.kept.append(skipped.name)

    def _unusable(self, found: Found, reason: str) -> None:
        self._skip(Skipped(found.name, reason))
        self.seen.unusable.add(found.path)

    def _done(self, found: Found, size: int) -> None:
        self.done_files += 1
        self.advance(found, size)

    def advance(self, found: Found, size: int) -> None:
        """Count ``size`` bytes as done, and tell."""
        self.done_bytes += size
        if self.progress is not None:
            self.progress(
                Progress(
                    done_bytes=min(self.done_bytes, self.total_bytes),
                    total_bytes=self.total_bytes,
                    done_files=min(self.done_files, self.total_files),
                    total_files=self.total_files,
                    name=found.name,
                )
            )

    def _remove_missing(self) -> None:
        told = dict.fromkeys(self.given.missing, "is no longer there")
        told |= {storable(root.path): "holds no file now" for root in self.emptied}
        removed: Counter[str] = Counter()
        for state in leaving(self.writer.known, self.given, self.seen):
            if self.elsewhere.get(state.path) != state.name:
                continue
            before = self.writer.removed
            self.writer.remove(state.name)
            removed.update(
                {place: self.writer.removed - before for place in told if inside(state.path, place)}
            )
        for place, number in removed.items():
            # The disk that the folder lies on may only be away, and then nobody meant to remove anything.
            self.notes[
                f"'{visible_name(place)}' {told[place]}: {counted(number, 'document')} indexed there removed;"
                " if its disk is away, index it again when it is back"
            ] = None
