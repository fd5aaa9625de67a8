"""The workspace's log: what was done, when, and what went wrong; never a question or a document."""

import json
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cleaning import one_line

if TYPE_CHECKING:
    from io import TextIOWrapper

logger = logging.getLogger("persona_moe")
_BYTES = 1_000_000
_KEPT = 2


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one JSON object."""
        stamp = self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z")
        line = {"at": stamp, "level": record.levelname.lower(), "message": one_line(record.getMessage())}
        return json.dumps(line, ensure_ascii=False)


class _Private(RotatingFileHandler):
    def _open(self) -> "TextIOWrapper":
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="replace")


def open_log(path: Path, level: str) -> None:
    """Send what is logged at ``level`` or above to ``path``, two older files of 1 MB kept.

    A log that cannot be written is no reason to fail: nothing is logged then.
    """
    close_log()
    logger.setLevel(level.upper())
    logger.propagate = False
    try:
        handler = _Private(path, maxBytes=_BYTES, backupCount=_KEPT, delay=False)
    except OSError:
        logger.addHandler(logging.NullHandler())
        return
    handler.setFormatter(_JsonLines())
    logger.addHandler(handler)


def close_log() -> None:
    """Close the log's file."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
