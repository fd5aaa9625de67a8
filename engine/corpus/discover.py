"""Which files a folder holds for the index, and opening them without being led elsewhere."""

import os
import re
import stat
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

import msgspec

from engine.cleaning import clean, one_line
from engine.ids import digest

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

DATASET = "corpus.jsonl"
_LEFT_OUT_FOLDERS = frozenset({"node_modules", "__pycache__", "bower_components"})
_FOLDER_MARKS = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})
_IGNORE_FILE = ".gitignore"
_MAX_IGNORE_BYTES = 256 * 1024
# A pattern of many stars takes a backtracking matcher for ever; people write one or two.
_TOO_MANY_STARS = re.compile(r"(?:[^*/]*\*+){5}")
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_SAFELY = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)
_BINARY = getattr(os, "O_BINARY", 0)
_SPECIAL = (
    (stat.S_ISLNK, "a symbolic link, not followed"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Root(msgspec.Struct, frozen=True):
    """A file or folder to index: ``label`` begins the names of its documents."""

    label: str
    path: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A regular file: ``parts`` lead to it from the folder ``base``, as the system spells them."""

    name: str
    base: str
    parts: tuple[str, ...]
    size: int
    mtime_ns: int

    @property
    def filename(self) -> str:
        """The last part, cleaned: what its suffix and stem are taken from."""
        return visible_name(self.parts[-1])

    @property
    def path(self) -> str:
        """The absolute path in a form that can be stored: bytes that are not UTF-8 are written \\xNN."""
        return storable(os.path.join(self.base, *self.parts))


class Skipped(msgspec.Struct, frozen=True):
    """A file, folder or row that was not indexed, and why, for the user.

    ``kept``: it could not be looked at, so what was indexed of it before stays.
    """

    name: str
    reason: str
    kept: bool = False


OWN = "belongs to the workspace itself"
"""Why what the workspace writes is skipped: settings and personas would answer as if they were documents."""


class LeftOut(msgspec.Struct):
    """How many entries were passed over as asked: hidden ones, and those that ``.gitignore`` names."""

    hidden: int = 0
    ignored: int = 0


def storable(path: str) -> str:
    r"""Return ``path`` with bytes that are not UTF-8 written as ``\xNN``.

    >>> storable("a\udcff.txt")
    'a\\xff.txt'
    """
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def visible_name(raw: str) -> str:
    r"""Return one part of a path without characters that act or deceive.

    >>> visible_name("new\nline\x1b.txt")
    'new␊line␛.txt'
    """
    return clean(raw.replace("\r", "␍")).replace("\n", "␊").replace("\t", "␉")


def name_part(raw: str) -> str:
    r"""Return the part of a document name for a file: itself, or cleaned and told apart by a digest.

    >>> name_part("plain.txt"), name_part("a\x1b.txt")
    ('plain.txt', 'a␛.txt~9160')
    """
    shown = visible_name(raw)
    return shown if shown == raw else f"{shown}~{digest('name.v1', os.fsencode(raw))[:4]}"


def reason_of(error: OSError) -> str:
    """Return why the system refused, in its own words."""
    return one_line(error.strerror or type(error).__name__).lower()


def open_found(found: Found) -> int:
    """Return a descriptor of the file, opened part by part so that no link can lead out of ``base``.

    OSError if it is gone, not readable, or no longer what it was.
    """
    if os.open not in os.supports_dir_fd:
        return os.open(os.path.join(found.base, *found.parts), _SAFELY | _BINARY)
    folder = os.open(found.base, _SAFELY | _DIRECTORY)
    try:
        for part in found.parts[:-1]:
            inner = os.open(part, _SAFELY | _DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(found.parts[-1], _SAFELY, dir_fd=folder)
    finally:
        os.close(folder)


class _Folder(msgspec.Struct, frozen=True):
    parts: tuple[str, ...]
    name: str
    rules: "tuple[tuple[int, GitIgnoreSpec], ...]"


class Walk:
    """Goes through a root in the order of names; iterate it once.

    Yields :class:`Found` for regular files and :class:`Skipped` for what cannot be indexed. Hidden
    entries, caches and what ``.gitignore`` names are only counted, in ``left_out``; patterns that
    are refused are told in ``notes``.
    """

    def __init__(self, root: Root, own: Container[str] = frozenset()) -> None:
        """``own`` are the folders of the workspace, without links in their paths: they are skipped."""
        self.root = root
        self._own = own
        self.left_out = LeftOut()
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Found | Skipped]:
        path, label = self.root.path, self.root.label
        try:
            status = os.lstat(path)
        except OSError as error:
            yield Skipped(label, reason_of(error), kept=True)
            return
        if not stat.S_ISDIR(status.st_mode):
            base, filename = os.path.split(path)
            yield _file(label, base, (filename,), status)
            return
        pending = [_Folder((), label, ())]
        while pending:
            inner: list[_Folder] = []
            for item in self._listed(pending.pop()):
                if isinstance(item, _Folder):
                    inner.append(item)
                else:
                    yield item
            pending.extend(reversed(inner))

    def _listed(self, folder: _Folder) -> Iterator[Found | Skipped | _Folder]:
        base = self.root.path
        try:
            with os.scandir(os.path.join(base, *folder.parts)) as entries:
                listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Skipped(folder.name, reason_of(error), kept=True)
            return
        present = {entry.name for entry in listed}
        if folder.parts and present & _FOLDER_MARKS:
            self.left_out.hidden += 1
            return
        rules = (*folder.rules, *self._rules(folder, present))
        dataset = DATASET in present
        taken: set[str] = set()
        for entry in listed:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                yield Skipped(f"{folder.name}/{name_part(entry.name)}", reason_of(error), kept=True)
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            parts = (*folder.parts, entry.name)
            if entry.name.startswith(".") or (is_folder and entry.name in _LEFT_OUT_FOLDERS):
                self.left_out.hidden += 1
                continue
            if _ignored(rules, parts, is_folder):
                self.left_out.ignored += 1
                continue
            name = f"{folder.name}/{name_part(entry.name)}"
            if dataset and entry.name != DATASET:
                yield Skipped(name, f"in a dataset folder only {DATASET} is read")
            elif name in taken:
                yield Skipped(name, "another file here has the same name once cleaned")
            elif is_folder and os.path.join(base, *parts) in self._own:
                yield Skipped(name, OWN)
            elif is_folder:
                taken.add(name)
                yield _Folder(parts, name, rules)
            else:
                taken.add(name)
                yield _file(name, base, parts, status)

    def _rules(self, folder: _Folder, present: set[str]) -> "Iterator[tuple[int, GitIgnoreSpec]]":
        if _IGNORE_FILE not in present:
            return
        from pathspec import GitIgnoreSpec

        where = Found(name="", base=self.root.path, parts=(*folder.parts, _IGNORE_FILE), size=0, mtime_ns=0)
        try:
            descriptor = open_found(where)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise OSError("not a regular file")
                lines = file.read(_MAX_IGNORE_BYTES).decode("utf-8", "replace").splitlines()
        except OSError as error:
            self.notes.append(f"{folder.name}/{_IGNORE_FILE} was not used: {reason_of(error)}")
            return
        usable = [
            line for line in lines if not _TOO_MANY_STARS.match(line.replace("**/", "").replace("/**", ""))
        ]
        if len(usable) < len(lines):
            self.notes.append(f"{folder.name}/{_IGNORE_FILE}: patterns with five or more stars were not used")
        try:
            yield len(folder.parts), GitIgnoreSpec.from_lines(usable)
        except ValueError as error:
            self.notes.append(f"{folder.name}/{_IGNORE_FILE} was not used: {one_line(str(error), 120)}")


def _file(name: str, base: str, parts: tuple[str, ...], status: os.stat_result) -> Found | Skipped:
    for is_special, reason in _SPECIAL:
        if is_special(status.st_mode):
            return Skipped(name, reason)
    return Found(name=name, base=base, parts=parts, size=status.st_size, mtime_ns=status.st_mtime_ns)


def _ignored(rules: "tuple[tuple[int, GitIgnoreSpec], ...]", parts: tuple[str, ...], is_folder: bool) -> bool:
    # The deepest .gitignore that says anything about the entry decides, as in git.
    for depth, spec in reversed(rules):
        verdict = spec.check_file("/".join(parts[depth:]) + ("/" if is_folder else "")).include
        if verdict is not None:
            return verdict
    return False
