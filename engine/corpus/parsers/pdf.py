"""PDF: the text of each page. A passage never runs over a page's end, so a citation names one page."""

from itertools import pairwise
from typing import TYPE_CHECKING

from engine.cleaning import clean, one_line
from engine.corpus.parsers.outline import Block, Original, Outline, Section
from engine.errors import InputError

if TYPE_CHECKING:
    import pypdfium2

_MAX_CHARS = 20_000_000


def outline(original: Original) -> Outline:
    """Return the pages of a PDF as blocks; InputError if it cannot be read or holds no text."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(original.data)
    except pypdfium2.PdfiumError as error:
        raise InputError(f"not a readable PDF ({error})") from error
    texts: list[str] = []
    places: list[tuple[int, int]] = []
    blocks: list[Block] = []
    notes: list[str] = []
    size = 0
    try:
        title = one_line(pdf.get_metadata_value("Title") or "")
        for number in range(1, len(pdf) + 1):
            try:
                text = _page_text(pdf, number - 1)
            except pypdfium2.PdfiumError as error:
                notes.append(f"page {number} could not be read ({error})")
                continue
            size += len(text)
            if size > _MAX_CHARS:
                notes.append(f"only pages 1 to {number - 1} were read: more than {_MAX_CHARS:,} characters")
                break
            if not text.strip():
                continue
            lines = text.split("\n")
            begins = [at for at, line in enumerate(lines) if at == 0 or not lines[at - 1].strip()]
            base = len(texts) + 1
            blocks.extend(Block(base + a, base + b - 1) for a, b in pairwise([*begins, len(lines)]))
            texts.extend(lines)
            places.extend([(number, number)] * len(lines))
    finally:
        pdf.close()
    if not blocks:
        raise InputError("no text in this PDF; scanned pages need text recognition first")
    return Outline(
        kind="pdf",
        text="\n".join(texts),
        sections=[Section(blocks=blocks)],
        title=title,
        unit="page",
        places=places,
        notes=notes,
    )


def _page_text(pdf: "pypdfium2.PdfDocument", index: int) -> str:
    page = pdf[index]
    try:
        textpage = page.get_textpage()
        try:
            return clean(textpage.get_text_bounded())
        finally:
            textpage.close()
    finally:
        page.close()
