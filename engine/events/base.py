"""What every event and every part of one is."""

from typing import Literal, TypeAlias

import msgspec

SCHEMA_VERSION = 1

NodeKind: TypeAlias = Literal["question", "entity", "passage", "section", "document"]
Tier: TypeAlias = Literal["pruned", "experimental", "stable", "active"]
FacetKind: TypeAlias = Literal["term", "entity", "phrase", "number", "identifier"]
ClaimKind: TypeAlias = Literal["fact", "inference", "counter", "unknown"]


# Records and events are frozen trees, made from the leaves up: none can be part of a cycle, so the garbage
# collector need not look at them. A snapshot of 100,000 events is read a tenth faster for it.
class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A part of an event."""


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True, gc=False
):
    """The base of all events; ``seq`` is stamped when the event is emitted."""

    seq: int = 0
