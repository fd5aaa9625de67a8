"""HTML, PDF, Word and dataset rows."""

import io
import json
import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.corpus.parsers import parse
from engine.corpus.parsers.dataset import BadRow, rows
from engine.corpus.records import ParsedDocument
from engine.errors import InputError


def parsed(filename: str, data: bytes, limit: int = 1200) -> ParsedDocument:
    return parse(data, name=f"d/{filename}", filename=filename, limit=limit)[0]


HTML = """\
<!doctype html>
<html><head><title>T &amp; x</title>
<style>p { color: red }</style></head>
<body><nav><p>menu</p></nav>
<main>
<h1>Head</h1>
<p>one
two &#x202e; three
<!-- not
this -->
<p>four<script>
alert(1)
</script> five
<table><tr><td>a</td><td>b</td></tr></table>
<h2 id="s">Sub</h2>
<pre>code
  two

three</pre>
</main>
<footer>feet</footer></body></html>
"""


def test_html_text_sections_and_lines() -> None:
    document = parsed("a.html", HTML.encode())
    assert [(p.start, p.end, p.section, p.text) for p in document.passages] == [
        (7, 14, ("Head",), "one two \ufffd three\n\nfour five\n\na | b"),
        (16, 19, ("Head", "Sub"), "code\n  two\n\nthree"),
    ]
    assert document.title == "T & x"


def test_html_that_is_all_navigation_is_kept_rather_than_lost() -> None:
    assert parsed("a.html", b"<nav>only <b>this</b></nav>").passages[0].text == "only this"


PARAGRAPHS = st.lists(st.text("ab &<>\u00e9", min_size=1, max_size=6), min_size=1, max_size=20)
BETWEEN = ["<div class='a\nb'>", "<!-- a\nw0w -->", "<script>\nw1w</script>", "&#10;", "", "\n", "\n\n"]
FILLERS = st.lists(st.sampled_from(BETWEEN), min_size=20, max_size=20)


@settings(deadline=None, max_examples=40)
@given(
    PARAGRAPHS, st.lists(st.sampled_from(BETWEEN), min_size=20, max_size=20), st.sampled_from([1, 10, 400])
)
def test_html_words_stand_on_the_lines_given(words: list[str], between: list[str], limit: int) -> None:
    # Each paragraph holds a word that is nowhere else, so its line can be looked up in the source.
    source = "<html>\n<body>"
    for number, letters in enumerate(words):
        source += f"{between[number]}<p>{escape(letters)} w{number}w</p>"
    lines = source.split("\n")
    document = parsed("a.html", source.encode(), limit)
    found = ""
    for passage in document.passages:
        found += passage.text
        if limit > 1:  # at a limit of one character no word is whole
            for word in re.findall(r"w\d+w", passage.text):
                assert word in "\n".join(lines[passage.start - 1 : passage.end])
    assert re.findall(r"w\d+w", found) == [f"w{number}w" for number in range(len(words))]


def pdf_of(pages: list[str]) -> bytes:
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET" if text else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out = "%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    start = len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\n"
    return f"{out}startxref\n{start}\n%%EOF".encode()


def test_pdf_passages_name_their_page() -> None:
    document = parsed("paper.pdf", pdf_of(["Words of page one.", "", "Words of page three."]))
    assert [(p.unit, p.start, p.end, p.text.strip()) for p in document.passages] == [
        ("page", 1, 1, "Words of page one."),
        ("page", 3, 3, "Words of page three."),
    ]
    assert document.title == "paper"


def test_pdf_without_text_says_so() -> None:
    with pytest.raises(InputError, match="no text in this PDF"):
        parsed("a.pdf", pdf_of([""]))


def test_word_headings_paragraphs_and_tables_in_order() -> None:
    import docx

    made = docx.Document()
    made.add_heading("The Title", 0)
    made.add_paragraph("Opening.")
    made.add_heading("Part", 1)
    made.add_paragraph("Before the table.")
    table = made.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    made.add_paragraph("After.")
    data = io.BytesIO()
    made.save(data)
    document = parsed("a.docx", data.getvalue())
    assert document.title == "The Title"
    assert [(p.start, p.end, p.section, p.text) for p in document.passages] == [
        (1, 2, (), "The Title\n\nOpening."),
        (4, 6, ("Part",), "Before the table.\n\nleft | right\n\nAfter."),
    ]


def row_bytes(*made: object) -> bytes:
    return "\n".join(json.dumps(row) for row in made).encode()


def test_dataset_rows() -> None:
    data = row_bytes(
        {"id": "x1", "title": "T\n1", "text": "Words.\n", "more": [1]}, {"id": 7, "text": "No title."}
    )
    first, second = rows(data, 10, source="s", titles=True, limit=6000)
    assert isinstance(first, ParsedDocument)
    assert isinstance(second, ParsedDocument)
    assert (first.name, first.title, first.passages[0].names[0].text) == ("s#x1", "T 1", "T 1")
    [passage] = second.passages
    assert (second.name, passage.evidence_id, passage.unit, passage.start, passage.end) == (
        "s#7",
        "7",
        "row",
        11,
        11,
    )
    assert (passage.title, passage.names) == ("", ())


def test_dataset_titles_can_be_hidden_and_change_the_digest() -> None:
    data = row_bytes({"id": "a", "title": "Secret", "text": "Words."})
    [shown] = rows(data, 1, source="s", titles=True, limit=6000)
    [hidden] = rows(data, 1, source="s", titles=False, limit=6000)
    assert isinstance(shown, ParsedDocument)
    assert isinstance(hidden, ParsedDocument)
    assert (hidden.title, hidden.passages[0].title, hidden.passages[0].names) == ("", "", ())
    assert shown.digest != hidden.digest


def test_long_dataset_row_is_several_passages_with_one_evidence_id() -> None:
    text = " ".join(f"Sentence {n}." for n in range(100))
    [document] = rows(
        row_bytes({"id": "a", "title": "T", "text": text}), 1, source="s", titles=True, limit=300
    )
    assert isinstance(document, ParsedDocument)
    assert len(document.passages) > 3
    assert {p.evidence_id for p in document.passages} == {"a"}
    assert " ".join(p.text for p in document.passages) == text
    assert [len(p.names) for p in document.passages] == [1] + [0] * (len(document.passages) - 1)


@pytest.mark.parametrize(
    "line",
    [
        *(b"{", b"[]", b"\xff\xfe", b"[" * 100_000),
        *(b'{"id": "a"}', b'{"id": "a", "text": 1}', b'{"id": "", "text": "x"}', b'{"id": "a", "text": " "}'),
        *(b'{"id": 1e999, "text": "x"}', b'{"id": "a", "text": "\\ud800"}'),
    ],
)
def test_bad_dataset_rows_say_why_and_do_not_stop_the_others(line: bytes) -> None:
    data = line + b"\n\n" + row_bytes({"id": "ok", "text": "fine"})
    bad, good = rows(data, 1, source="s", titles=True, limit=100)
    assert isinstance(bad, BadRow)
    assert bad.row == 1
    assert bad.reason
    assert isinstance(good, ParsedDocument)
    assert good.passages[0].start == 3
