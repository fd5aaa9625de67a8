"""What the user says about snapshots: tags, notes, pins, in one side file of the library."""

import re
from pathlib import Path
from typing import Final

import msgspec

from engine.cleaning import clean
from engine.errors import InputError, SnapshotError, WorkspaceError
from engine.files import is_missing, read_bounded, write_atomic

LABELS_FILE: Final = "labels.json"
_MAX_FILE: Final = 16 << 20
_MAX_NOTE: Final = 2000
_TAG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said about one snapshot. ``verified`` is its digest when running it again last agreed."""

    tags: list[str] = msgspec.field(default_factory=list)
    note: str = ""
    pinned: bool = False
    verified: str = ""


class _Labels(msgspec.Struct, kw_only=True):
    version: int = 1
    labels: dict[str, Label] = msgspec.field(default_factory=dict)


def read_labels(folder: Path) -> dict[str, Label]:
    """Return the labels of the library in ``folder`` by snapshot id.

    Raises SnapshotError if the side file is damaged: a pin must never be forgotten in silence.
    """
    path = folder / LABELS_FILE
    try:
        raw = read_bounded(path, _MAX_FILE)
    except WorkspaceError as error:
        if is_missing(error):
            return {}
        raise
    try:
        stored = msgspec.json.decode(raw, type=_Labels)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(
            f"'{path}', which keeps tags, notes and pins, is damaged", "mend it, or move it away"
        ) from error
    if stored.version != 1:
        raise SnapshotError(f"'{path}' was written by a newer persona-moe", "install a newer version")
    return stored.labels


def write_label(folder: Path, snapshot_id: str, label: Label) -> None:
    """Set what is said about one snapshot; the caller holds the library's lock."""
    labels = read_labels(folder)
    labels[snapshot_id] = label
    kept = {key: labels[key] for key in sorted(labels) if labels[key] != Label()}
    write_atomic(folder / LABELS_FILE, msgspec.json.format(msgspec.json.encode(_Labels(labels=kept))) + b"\n")


def require_tag(tag: str) -> str:
    """Return ``tag`` if it can be one, else raise InputError.

    >>> require_tag("before-cleanup")
    'before-cleanup'
    """
    if not _TAG.match(tag):
        raise InputError(f"{tag[:60]!r} cannot be a tag", "use 1 to 40 of a-z, 0-9, '-' and '_'")
    return tag


def require_note(note: str) -> str:
    """Return ``note`` cleaned. Raises InputError if it is longer than 2000 characters."""
    if len(note) > _MAX_NOTE:
        raise InputError(f"the note has {len(note)} characters", f"use at most {_MAX_NOTE}")
    return clean(note)
