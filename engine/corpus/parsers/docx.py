"""Word documents: headings, paragraphs and tables in order. A *line* is a paragraph or a table row."""

import io
import re
import zipfile
from typing import TYPE_CHECKING

from engine.cleaning import clean, one_line
from engine.corpus.parsers.outline import Block, HeadingPath, Original, Outline, Section, heading_section
from engine.errors import InputError

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table

_MAX_UNPACKED = 256 * 1024 * 1024
_HEADING = re.compile(r"heading (\d)\Z", re.IGNORECASE)


def _open(data: bytes) -> "Document":
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > _MAX_UNPACKED:
            raise InputError(
                f"unpacks to {unpacked // 1024**2:,} MB, more than {_MAX_UNPACKED // 1024**2:,} MB"
            )
        return docx.Document(io.BytesIO(data))
    except InputError:
        raise
    except Exception as error:  # zipfile, lxml and python-docx each have their own
        raise InputError(f"not a readable Word document ({type(error).__name__})") from error


def _rows(table: "Table") -> list[str]:
    # Merged cells come once for each place they take.
    return [" | ".join(dict.fromkeys(_flat(cell.text) for cell in row.cells)) for row in table.rows]


def _flat(text: str) -> str:
    return " ".join(clean(text).split())


def outline(original: Original) -> Outline:
    """Return the sections of a Word document; InputError if it cannot be read."""
    from docx.table import Table

    document = _open(original.data)
    path = HeadingPath()
    section = Section()
    sections = [section]
    title = one_line(document.core_properties.title or "")
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    number = 0
    for item in document.iter_inner_content():
        is_table = isinstance(item, Table)
        texts = _rows(item) if isinstance(item, Table) else [_flat(item.text)]
        if not texts:
            continue
        # A blank line between paragraphs tells them apart in the passage; it has no number.
        lines.extend(("", *texts))
        places.append((number + 1, number + 1))
        places.extend((number + at, number + at) for at in range(1, len(texts) + 1))
        number += len(texts)
        block = Block(len(lines) - len(texts) + 1, len(lines), prose=not is_table)
        style = "" if isinstance(item, Table) or item.style is None else item.style.name or ""
        level = _HEADING.match(style)
        heading = one_line(texts[0])
        if heading and (level or style == "Title"):
            title = title or heading
        if heading and level:
            section = heading_section(path.enter(int(level[1]), heading), block)
            sections.append(section)
        else:
            section.blocks.append(block)
    return Outline(kind="docx", text="\n".join(lines), sections=sections, title=title, places=places)
